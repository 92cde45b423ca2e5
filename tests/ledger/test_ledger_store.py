"""Rows on their way from the event loop to the file: in batches, all of them, whatever stands in the way."""

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledger_samples import attempt, entry, number_of_requests, read

from pointsman.core.usage import Usage
from pointsman.ledger.rows import attempt_row, request_row
from pointsman.ledger.store import Ledger
from waiting import wait_until

NEVER_S = 3600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    ledger.open()
    yield ledger
    ledger.close(30)


def test_rows_come_back_exactly(ledger: Ledger, path: Path) -> None:
    first = entry(1)
    second = entry(
        2,
        started_at_s=1_764_000_000.1234567,
        caller="Zoë ☕",
        usage=Usage(7, 3, 2, 1, 1, 2),
        outcome="cancelled",
        fault="broken",
        dropped=("seed",),
        status=499,
        first_token_ms=None,
        total_ms=0.1 + 0.2,
    )
    third = entry(3, decision=None, model=None, provider=None, usage=None, price=None, outcome="failed")
    tries = [
        (attempt(1, status=None, outcome="failed", fault="unreachable", first_byte_ms=None), attempt(2)),
        (attempt(),),
        (),
    ]
    entries = [first, second, third]
    for booked, attempts in zip(entries, tries, strict=True):
        ledger.record(booked, attempts)

    assert ledger.flush(30)
    assert read(path, "SELECT * FROM requests ORDER BY request_id") == [
        request_row(booked) for booked in entries
    ]
    assert read(path, "SELECT * FROM attempts ORDER BY request_id, number") == [
        attempt_row(booked.request_id, one)
        for booked, attempts in zip(entries, tries, strict=True)
        for one in attempts
    ]
    assert (ledger.written, ledger.dropped, ledger.refused, ledger.failures) == (3, 0, 0, 0)


@pytest.mark.parametrize("number", [1, 2, 127, 128, 129, 300])
def test_batches_of_any_size_are_whole(ledger: Ledger, path: Path, number: int) -> None:
    for n in range(number):
        ledger.record(entry(n), (attempt(1), attempt(2)))

    assert ledger.close(30)
    assert number_of_requests(path) == number
    assert read(path, "SELECT request_id, count(*) FROM attempts GROUP BY 1 HAVING count(*) <> 2") == []
    assert read(path, "SELECT count(*) FROM attempts") == [(2 * number,)]


def test_rows_are_committed_together_when_the_time_is_up(path: Path) -> None:
    ledger = Ledger(path, commit_every_s=NEVER_S)
    ledger.open()
    ledger.record(entry(0))  # the first after a rest is written at once: it has waited for nobody
    assert ledger.flush(30)
    for number in range(1, 200):
        ledger.record(entry(number))
    assert number_of_requests(path) == 1

    assert ledger.flush(30)
    assert number_of_requests(path) == 200
    assert ledger.close(30)


def test_rows_are_committed_without_being_asked(path: Path) -> None:
    with closing(sqlite3.connect(path)) as watcher:
        ledger = Ledger(path, commit_every_s=0.01)
        ledger.open()
        for number in range(3):
            ledger.record(entry(number))
            wait_until(lambda: watcher.execute("SELECT count(*) FROM requests").fetchone() == (number + 1,))  # noqa: B023
        assert ledger.close(30)
    assert number_of_requests(path) == 3


def test_close_writes_what_is_left(path: Path) -> None:
    ledger = Ledger(path, commit_every_s=NEVER_S)
    ledger.open()
    for number in range(20_000):
        ledger.record(entry(number), (attempt(),))

    assert ledger.close(60)
    assert ledger.written == number_of_requests(path) == 20_000


def test_close_can_be_repeated_and_later_rows_are_dropped(path: Path) -> None:
    ledger = Ledger(path)
    ledger.open()

    assert ledger.close(30)
    assert ledger.close(30)
    ledger.record(entry())
    assert ledger.dropped == 1
    assert number_of_requests(path) == 0


def test_full_queue_turns_rows_away_and_counts_them(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(path, queue_max=10)
    for number in range(13):
        ledger.record(entry(number))

    assert ledger.dropped == 3
    ledger.open()
    assert ledger.flush(30)
    assert ledger.close(30)
    assert read(path, "SELECT request_id FROM requests") == [
        (entry(number).request_id,) for number in range(10)
    ]
    assert "the queue was full: 3 requests were not booked" in caplog.text


def test_flush_of_an_empty_ledger_returns_at_once(ledger: Ledger) -> None:
    assert ledger.flush(0)


def test_locked_file_delays_rows_and_loses_none(
    ledger: Ledger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(50):
            ledger.record(entry(number), (attempt(),))
        wait_until(lambda: ledger.failures > 0)
        other.execute("ROLLBACK")

    assert ledger.flush(30)
    assert number_of_requests(path) == 50
    assert "another process keeps it locked" in caplog.text


def test_failing_file_is_tried_again_and_complained_of_once(
    ledger: Ledger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE attempts RENAME TO hidden")
    ledger.record(entry(1), (attempt(),))
    wait_until(lambda: ledger.flush(0.05) or ledger.failures >= 3)
    ledger.record(entry(2), (attempt(),))
    assert number_of_requests(path) == 0
    assert len(caplog.messages) == 1
    assert "no such table: attempts; 1 requests wait to be booked" in caplog.text

    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE hidden RENAME TO attempts")
    assert ledger.flush(30)
    assert number_of_requests(path) == 2
    assert read(path, "SELECT count(*) FROM attempts") == [(2,)]


def test_close_gives_up_on_a_file_that_never_takes_rows(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(path)
    ledger.open()
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE requests")
    for number in range(7):
        ledger.record(entry(number))

    assert not ledger.close(0.3)
    assert f"7 requests could not be booked any more in {path}" in caplog.text


def test_row_that_is_there_already_is_refused_alone(
    ledger: Ledger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 2, 3):
        ledger.record(entry(number), (attempt(),))

    assert ledger.flush(30)
    assert (ledger.written, ledger.refused, ledger.failures) == (3, 1, 0)
    assert number_of_requests(path) == 3
    assert read(path, "SELECT count(*) FROM attempts") == [(3,)]
    assert (
        f"1 requests cannot be booked, such as {entry(2).request_id}: UNIQUE constraint failed" in caplog.text
    )


def test_row_that_is_not_text_is_refused_with_its_attempts(ledger: Ledger, path: Path) -> None:
    ledger.record(entry(1), (attempt(),))
    ledger.record(entry(2), (attempt(1), attempt(2, model="\ud800")))

    assert ledger.flush(30)
    assert (ledger.written, ledger.refused) == (1, 1)
    assert read(path, "SELECT request_id FROM attempts") == [(entry(1).request_id,)]


@pytest.mark.parametrize("tokens", [10**30, 2**63 - 1])
def test_impossible_token_counts_leave_the_request_in_the_books(
    ledger: Ledger, path: Path, tokens: int
) -> None:
    """The second count fits, but not what it costs."""
    ledger.record(entry(1, usage=Usage(tokens, 1)), (attempt(),))

    assert ledger.flush(30)
    assert ledger.refused == 0
    assert read(path, "SELECT input_tokens, cost_picodollars, total_ms FROM requests") == [
        (None, None, 789.25)
    ]
    assert read(path, "SELECT count(*) FROM attempts") == [(1,)]


WRITE_MANY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ledger_samples import attempt, entry
from pointsman.ledger.store import Ledger
ledger = Ledger(Path(sys.argv[1]), commit_every_s=0.001)
ledger.open()
for number in range(int(sys.argv[3]), int(sys.argv[3]) + 500):
    ledger.record(entry(number), (attempt(),))
    if number % 10 == 0:
        assert ledger.flush(30)
assert ledger.close(30)
"""


def test_two_processes_share_one_file(path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_MANY, path, Path(__file__).parent, first])
        for first in ("0", "1000")
    ]

    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert number_of_requests(path) == 1000


def test_logger_is_silent_when_all_is_well(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ledger = Ledger(path)
    ledger.open()
    ledger.record(entry())
    assert ledger.close(30)

    assert caplog.messages == []
