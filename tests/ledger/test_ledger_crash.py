"""Processes that are killed while they book, and disks that are full."""

import signal
import subprocess
import sys
from pathlib import Path

from ledger_samples import attempt, entry, number_of_requests, read

from pointsman.ledger.store import Ledger
from waiting import wait_until

# Books a few thousand rows a second and notes behind each one, in a file of its own, how many the ledger calls written by
# then: what was written to a file survives the process.
BOOK_UNTIL_KILLED = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ledger_samples import attempt, entry
from pointsman.ledger.store import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.open()
notes = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
while True:
    ledger.record(entry(number), (attempt(),))
    os.write(notes, b"%d\\n" % ledger.written)
    number += 1
    if number % 4 == 0:
        time.sleep(0.001)
"""


def rows_written(notes: Path) -> int:
    return int(notes.read_text().rpartition("\n")[0].rpartition("\n")[2] or 0)


def test_killed_process_loses_only_its_last_rows(tmp_path: Path) -> None:
    path, notes = tmp_path / "ledger.db", tmp_path / "notes"
    child = subprocess.Popen([sys.executable, "-c", BOOK_UNTIL_KILLED, path, Path(__file__).parent, notes])
    try:
        wait_until(
            lambda: notes.exists() and rows_written(notes) > 1000
        )  # while others are booked: nobody waits for it
    finally:
        child.kill()
        assert child.wait() == -signal.SIGKILL

    written = rows_written(notes)
    booked = [
        int(request_id[3:], 16) for (request_id,) in read(path, "SELECT request_id FROM requests ORDER BY 1")
    ]
    assert read(path, "PRAGMA integrity_check") == [("ok",)]
    assert booked == list(range(len(booked)))
    assert read(path, "SELECT count(*) FROM attempts") == [(len(booked),)]
    assert len(booked) >= written

    ledger = Ledger(path)
    ledger.open()
    ledger.record(entry(10**9), (attempt(),))
    assert ledger.close(30)
    assert number_of_requests(path) == len(booked) + 1


# The limit makes the system refuse to let the files grow, as a full disk does; lifting it is room made.
FILL_THE_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ledger_samples import attempt, entry
from pointsman.ledger.store import Ledger
path = Path(sys.argv[1])
ledger = Ledger(path)
ledger.open()
ledger.record(entry(0), (attempt(),))
assert ledger.flush(30)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
for number in range(1, 1000):
    ledger.record(entry(number), (attempt(),))
while ledger.failures == 0:
    assert not ledger.flush(0.05)
print("written before:", ledger.written)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert ledger.flush(30)
assert ledger.close(30)
print("written after:", ledger.written)
"""


def test_full_disk_delays_rows_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    child = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, path, Path(__file__).parent],
        capture_output=True,
        text=True,
        check=True,
    )

    assert child.stdout == "written before: 1\nwritten after: 1000\n"
    assert f"cannot use the ledger {path}: the disk" in child.stderr
    assert number_of_requests(path) == 1000
    assert read(path, "PRAGMA integrity_check") == [("ok",)]
