"""Looks at all connections together a few times a second: a timer for each request would cost more than the request's
own work. What it is that may not go on for ever, each connection knows itself."""

import asyncio
import math
from collections.abc import Collection
from typing import Any

EVERY_S = 0.25


class Sweep:
    """Runs while there are connections, each of which has a `look(now_s, is_crowded)`. It is crowded from
    `crowded_at` connections on."""

    def __init__(self, crowded_at: float = math.inf) -> None:
        self._is_running = False
        self._crowded_at = crowded_at

    def begin(self, loop: asyncio.AbstractEventLoop, connections: Collection[Any]) -> None:
        if not self._is_running:
            self._is_running = True
            loop.call_later(EVERY_S, self._look, loop, connections)

    def _look(self, loop: asyncio.AbstractEventLoop, connections: Collection[Any]) -> None:
        self._is_running = False
        if connections:
            self.begin(loop, connections)
        now_s = loop.time()
        is_crowded = len(connections) >= self._crowded_at
        for connection in tuple(connections):
            connection.look(now_s, is_crowded=is_crowded)
