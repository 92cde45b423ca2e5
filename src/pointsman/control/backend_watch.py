"""Looks after the backends of whatever configuration runs: probes those that are to be probed, and keeps in a file what is
known of all. What follows from an answer is the fleet's affair."""

import asyncio
import time
from pathlib import Path

from pointsman.config.watching import Watching
from pointsman.core.errors import UpstreamFault
from pointsman.core.ports import Send
from pointsman.fleet.pool import Fleet
from pointsman.gateway.keeper import Keeper
from pointsman.ledger.state_file import state_path
from pointsman.upstream.probes import keep_probing


class BackendWatch:
    """For one event loop. `ledger` is the ledger's path, beside which the state is kept; None keeps nothing."""

    def __init__(self, send: Send, ledger: str | None) -> None:
        self._send = send
        self._keeper = None if ledger is None else Keeper(state_path(Path(ledger)))
        self._fleet: Fleet | None = None
        self._probing: list[asyncio.Task[None]] = []

    def follow(self, fleet: Fleet, watching: Watching) -> None:
        """From now on these. The first fleet is given what was kept; the next ones took it over."""
        if self._keeper is not None:
            if self._fleet is None:
                self._keeper.restore(fleet, watching.longest_block_s)
            self._keeper.follow(fleet)
        self._fleet = fleet
        self._stop_probing()
        self._probing = [
            asyncio.create_task(keep_probing(probe, self._send, self._tell)) for probe in watching.probes
        ]

    async def close(self) -> None:
        """Nothing is asked any more, and everything is written."""
        tasks = self._stop_probing()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._keeper is not None:
            await self._keeper.close()

    def _stop_probing(self) -> list[asyncio.Task[None]]:
        for task in self._probing:
            task.cancel()
        return self._probing

    def _tell(self, provider: str, fault: UpstreamFault | None) -> None:
        if self._fleet is not None:
            self._fleet.probed(provider, fault, time.perf_counter())
