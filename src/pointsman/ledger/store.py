"""The ledger: takes entries from the event loop without making it wait, and writes them in a thread of its own.

    idle     --a row comes-->               waiting   until `commit_every_s` after the batch before
    waiting  --time is up, flush, close-->  writing   one transaction
    writing  --done, rows came meanwhile--> waiting
    writing  --done, none came-->           idle      the thread sleeps, nothing runs
    writing  --the file does not take it--> waiting   the same rows again, less and less often

A process that dies loses the rows of the last `commit_every_s`. What a full queue turns away is counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from math import inf
from pathlib import Path
from time import monotonic, sleep

from pointsman.ledger.database import LedgerError, prepare
from pointsman.ledger.entry import Attempt, Entry
from pointsman.ledger.tally import Tally
from pointsman.ledger.writer import FAULTS_OF_A_ROW, Item, Refusal, Writer

_log = logging.getLogger(__name__)

# Rows per transaction: after an outage a full queue at once would lock other processes out for seconds.
_BATCH_MAX = 5_000
_RETRY_MAX_S = 5.0
_COMPLAIN_EVERY_S = 60.0

# A loop that never rests keeps the interpreter from the writer's thread: at full load on two cores a batch took up
# to four seconds instead of milliseconds. So once a batch is due, the loop rests this long, this often, until it
# is written: a tenth of that time at most, and under light load one or two rests in all.
_REST_S = 0.00005
_REST_EVERY_S = 0.001


class _Nowhere:
    """For a ledger that only counts."""

    def write(self, items: Sequence[Item]) -> list[Refusal]:
        return []

    def close(self) -> None:
        pass


class Ledger:
    """`record` is for one thread; the rest for any. The counters only grow: `written` requests, `dropped` ones
    that found the queue full, `refused` ones no database could take, `failures` of the file to take a batch.
    `tally` counts what comes; without a `path` nothing else is done with it."""

    def __init__(self, path: Path | None, *, commit_every_s: float = 0.1, queue_max: int = 100_000) -> None:
        self.written = 0
        self.dropped = 0
        self.refused = 0
        self.failures = 0
        self._path = path
        self.tally = Tally()
        self._commit_every_s = commit_every_s
        self._room = queue_max
        self._queue: deque[Item] = deque()
        self._idle = False
        self._rest_from_s = inf
        self._rows_came = threading.Event()
        self._hurry = threading.Event()
        self._close_by_s = inf
        self._progress = threading.Condition()  # guards the two counts below
        self._taken = 0
        self._settled = 0
        self._dropped_told = 0
        self._silent_until_s: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def open(self) -> None:
        """Raises LedgerError when rows could not be written; creates the file if there is none."""
        if self._path is not None:
            prepare(self._path)
        self._thread.start()

    def record(self, entry: Entry, attempts: Sequence[Attempt] = ()) -> None:
        """Never fails and waits for no disk: about a microsecond, but for the rests explained above."""
        queue = self._queue
        if len(queue) >= self._room:
            self.dropped += 1
            return
        queue.append((entry, attempts))
        if self._idle:
            self._idle = False
            self._rest_from_s = monotonic() + _REST_EVERY_S
            self._rows_came.set()
        elif (now_s := monotonic()) >= self._rest_from_s:
            self._rest_from_s = now_s + _REST_EVERY_S
            sleep(_REST_S)

    def counters(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("written", "dropped", "refused", "failures")}

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Waits until everything recorded so far is in the file. False when it is not by then."""
        with self._progress:
            goal = self._taken + len(self._queue)
            self._hurry.set()
            return self._progress.wait_for(lambda: self._settled >= goal, timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Writes what is left and ends the thread; rows that come later are dropped. False when rows had to be
        left behind."""
        self._room = 0
        self._close_by_s = monotonic() + timeout_s
        self._rows_came.set()
        self._hurry.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        left = self._taken + len(self._queue) - self._settled
        if left:
            _log.error("%d requests could not be booked any more in %s", left, self._path)
        return not left

    # From here on: the thread.

    def _run(self) -> None:
        writer = _Nowhere() if self._path is None else Writer(self._path)
        due_s = 0.0
        try:
            while self._wait_for_rows():
                if self._close_by_s == inf:
                    self._pause_until(due_s)
                due_s = monotonic() + self._commit_every_s
                batch = self._take()
                self._count(batch)
                retry_s = self._commit_every_s
                while not self._write(writer, batch):
                    now_s = monotonic()
                    if now_s >= self._close_by_s:
                        return
                    retry_s = min(retry_s * 2, _RETRY_MAX_S)
                    self._pause_until(min(now_s + retry_s, self._close_by_s))
        finally:
            # Should this thread ever break, rows are counted as dropped and not kept for nobody.
            self._room = 0
            writer.close()

    def _wait_for_rows(self) -> bool:
        """False when the ledger is closed and none will come any more."""
        self._rest_from_s = inf
        while not self._queue:
            if self._close_by_s != inf:
                return False
            self._rows_came.clear()
            self._idle = True
            # Looked at again after `_idle` is set: a row that comes just now is either seen here, or its
            # `record` sees `_idle` and calls.
            if not self._queue and self._close_by_s == inf:
                self._rows_came.wait()
            self._idle = False
        return True

    def _pause_until(self, until_s: float) -> None:
        self._rest_from_s = until_s
        pause_s = until_s - monotonic()
        if pause_s > 0:
            self._hurry.wait(pause_s)
        self._hurry.clear()

    def _take(self) -> list[Item]:
        queue = self._queue
        with self._progress:
            batch = [queue.popleft() for _ in range(min(len(queue), _BATCH_MAX))]
            self._taken += len(batch)
        return batch

    def _count(self, batch: list[Item]) -> None:
        try:
            self.tally.add(batch)
        except FAULTS_OF_A_ROW as error:  # a provider may report anything as its tokens
            self._complain("some requests are missing in /metrics: %s", type(error).__name__)

    def _write(self, writer: "Writer | _Nowhere", batch: list[Item]) -> bool:
        try:
            refused = writer.write(batch)
        except LedgerError as error:
            self.failures += 1
            self._complain("%s; %d requests wait to be booked", error, len(batch) + len(self._queue))
            return False
        self.written += len(batch) - len(refused)
        if refused:
            self.refused += len(refused)
            self._complain("%d requests cannot be booked, such as %s: %s", len(refused), *refused[0])
        if self.dropped > self._dropped_told:
            self._dropped_told = self.dropped
            self._complain("the queue was full: %d requests were not booked since the start", self.dropped)
        with self._progress:
            self._settled += len(batch)
            self._progress.notify_all()
        return True

    def _complain(self, message: str, *facts: object) -> None:
        """Each message at most once a minute."""
        now_s = monotonic()
        if now_s >= self._silent_until_s.get(message, 0.0):
            self._silent_until_s[message] = now_s + _COMPLAIN_EVERY_S
            _log.warning(message, *facts)
