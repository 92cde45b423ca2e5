"""Keeps the state of backends in a file while the gateway runs: read at the start, written soon after a change and at
the end. Requests never wait for it: it writes in a thread, at most once in `_EVERY_S`."""

import asyncio
import logging
import time
from pathlib import Path

from pointsman.fleet.place import Mark
from pointsman.fleet.pool import Fleet
from pointsman.ledger.state_file import StateFileError, encode_state, read_state, write_state

log = logging.getLogger("pointsman.gateway")

_EVERY_S = 0.2


class Keeper:
    """For the thread of the event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fleet: Fleet | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._is_changed = False
        self._is_closed = False

    def restore(self, fleet: Fleet, longest_s: float) -> None:
        """Gives `fleet` what was kept. `longest_s` is the longest that a circuit can be open: a clock that was set back
        must not make it longer."""
        try:
            marks = read_state(self._path, offset_s=_offset_s())
        except StateFileError as error:
            log.warning("the state of backends is forgotten: %s", error)
        else:
            latest_s = time.perf_counter() + longest_s
            fleet.restore({name: _no_later(mark, latest_s) for name, mark in marks.items()})

    def follow(self, fleet: Fleet) -> None:
        """From now on `fleet` is what is kept. One that it took over from still tells of the calls it has under way."""
        self._fleet = fleet
        fleet.on_change = self._note

    async def close(self) -> None:
        """Writes what is not written yet."""
        self._is_closed = True
        if self._writing is not None:
            await self._writing
        if self._timer is not None:
            self._timer.cancel()
        if self._is_changed:
            self._write(self._content())

    def _note(self) -> None:
        self._is_changed = True
        if self._timer is None and self._writing is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self._begin_writing)

    def _begin_writing(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write, self._content())
        self._writing.add_done_callback(self._end_writing)

    def _end_writing(self, _: object) -> None:
        self._writing = None
        if self._is_changed:
            self._note()

    def _content(self) -> bytes:
        self._is_changed = False
        marks = {} if self._fleet is None else self._fleet.marks()
        return encode_state(marks, offset_s=_offset_s())

    def _write(self, content: bytes) -> None:
        try:
            write_state(self._path, content)
        except StateFileError as error:
            log.warning("a restart will not know the state of backends: %s", error)


def _offset_s() -> float:
    return time.perf_counter() - time.time()


def _no_later(mark: Mark, latest_s: float) -> Mark:
    return mark._replace(until_s=min(mark.until_s, latest_s))
