"""How serving ends: uvicorn's server with an end of its own. What is under way may finish, for a while; who comes anew
is told to go elsewhere. It decides nothing about single requests.

    draining    no new connections; nobody waits in a queue; new requests on kept connections get 503 and the connection's
                end; answers under way go on, until the last of them is out or the grace is over
    last words  answers still under way are cut, and end as their dialect says an error
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from pointsman.gateway.slots import Slots
from pointsman.server.protocol import GatewayProtocol

log = logging.getLogger("pointsman.server")

_LAST_WORDS_S = 2.0
_POLL_S = 0.02


class Server(uvicorn.Server):
    """`should_exit` begins the end, `force_exit` ends the grace at once."""

    def __init__(self, config: uvicorn.Config, slots: Slots, grace_s: float) -> None:
        super().__init__(config)
        self.slots = slots
        self.grace_s = grace_s

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not here: they are heeded from the start of the process until its ledger is closed."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        self.slots.close()
        for connection in self._connections():
            connection.shutdown()
        log.info(
            "shutting down: %d requests are under way and have %g s",
            len(self.server_state.tasks),
            self.grace_s,
        )
        await self._wait(self._is_busy, self.grace_s)
        tasks = tuple(self.server_state.tasks)
        if tasks:
            log.warning("shutting down: %d requests are cut", len(tasks))
        for connection in self._connections():
            connection.end()
        for task in tasks:
            task.cancel()
        self.force_exit = False  # the grace is over; a last word is short
        await self._wait(self._is_anybody_here, _LAST_WORDS_S)
        for connection in self._connections():
            connection.transport.abort()
        for server in self.servers:
            await server.wait_closed()

    def _connections(self) -> tuple[GatewayProtocol, ...]:
        return tuple(
            connection
            for connection in self.server_state.connections
            if isinstance(connection, GatewayProtocol)
        )

    def _is_busy(self) -> bool:
        return bool(self.server_state.tasks) or any(connection.is_busy for connection in self._connections())

    def _is_anybody_here(self) -> bool:
        return bool(self.server_state.tasks or self.server_state.connections)

    async def _wait(self, goes_on: Callable[[], bool], most_s: float) -> None:
        until_s = time.monotonic() + most_s
        while goes_on() and not self.force_exit and time.monotonic() < until_s:  # noqa: ASYNC110 - none has an event
            await asyncio.sleep(_POLL_S)
