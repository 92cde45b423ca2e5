"""Notices that files have changed, from a thread of its own that asks the file system now and then. What is done about
it is somebody else's."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pointsman.config.files import digest

_Stat = tuple[int, int, int, int]


class _Told(NamedTuple):
    """What a change was told as: what had been read of the file by then, and what it holds since."""

    read: bytes | None
    holds: bytes | None


class FileWatch:
    """`files` says what was read of each, as `digest` has it; it is asked at each look, since a new configuration may
    name others. A change is told once, and only when two looks in a row see the same: an editor may be in the middle of
    writing."""

    def __init__(self, files: Callable[[], Mapping[Path, bytes | None]]) -> None:
        self._files = files
        self._settled: dict[Path, _Stat | None] = {}
        self._unsettled: dict[Path, tuple[_Stat | None, bytes | None]] = {}
        self._told: dict[Path, _Told] = {}

    def look(self) -> tuple[Path, ...]:
        """The files that hold something else than was read, and than was told."""
        return tuple(file for file, read in self._files().items() if self._has_changed(file, read))

    def _has_changed(self, file: Path, read: bytes | None) -> bool:
        stat = _stat(file)
        if file in self._settled and stat == self._settled[file] and not _is_young(stat):
            return False
        now, told = digest(file), self._told.get(file)
        if now == (told.holds if told is not None and told.read == read else read):
            self._settled[file] = stat  # touched, and nothing more
            self._unsettled.pop(file, None)
            return False
        if self._unsettled.get(file) != (stat, now):
            self._unsettled[file] = (stat, now)
            return False
        del self._unsettled[file]
        self._settled[file] = stat
        self._told[file] = _Told(read, now)
        return True


class WatchThread:
    """Looks every `poll_s` seconds (asked for before each look; None is not now) and calls `on_change` from its thread."""

    def __init__(
        self,
        watch: FileWatch,
        poll_s: Callable[[], float | None],
        on_change: Callable[[tuple[Path, ...]], None],
    ) -> None:
        self._watch = watch
        self._poll_s = poll_s
        self._on_change = on_change
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch-files", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Does not wait: a file system may take its time."""
        self._is_stopped.set()

    def _run(self) -> None:
        while not self._is_stopped.wait(self._poll_s() or _OFF_S):
            if self._poll_s() is None:
                continue
            changed = self._watch.look()
            if changed and not self._is_stopped.is_set():
                self._on_change(changed)


_OFF_S = 2.0
"""How long it takes to notice that watching was switched on."""


_YOUNG_NS = 2_000_000_000
"""The coarsest clock of a file system, FAT's: what is written twice within one tick of it keeps its times."""


def _is_young(stat: _Stat | None) -> bool:
    return stat is not None and time.time_ns() - max(stat[0], stat[1]) < _YOUNG_NS


def _stat(file: Path) -> _Stat | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
