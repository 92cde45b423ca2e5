"""Files the ledger is pointed at: new, foreign, newer, damaged, out of reach."""

import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from ledger_samples import entry, number_of_requests, read

from pointsman.ledger.database import HEAD, LedgerError, open_for_reading, prepare
from pointsman.ledger.store import Ledger


def test_new_file_is_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pointsman" / "ledger.db"

    assert prepare(path) is False
    assert read(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert read(path, "PRAGMA journal_mode") == [("wal",)]


def test_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()

    assert prepare(path) is False
    assert number_of_requests(path) == 0


def test_second_start_finds_the_rows_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for number in (1, 2):
        ledger = Ledger(path)
        ledger.open()
        ledger.record(entry(number))
        assert ledger.close(30)

    assert number_of_requests(path) == 2


def test_starts_at_the_same_moment_all_succeed(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(prepare, [path] * 4)) == [False] * 4


@pytest.mark.parametrize("version", [f"{int(HEAD) + 1:04}", "9999", "ae1027a6acf"])
def test_newer_schema_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "ledger.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))

    with pytest.raises(LedgerError, match=f"{path} was written by a newer version .*{version}"):
        Ledger(path).open()
    with pytest.raises(LedgerError, match="newer version"), open_for_reading(path):
        pass


def test_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")

    with pytest.raises(LedgerError, match=f"{path} is another program's database"):
        Ledger(path).open()
    assert read(path, "SELECT name FROM sqlite_master") == [("customers",)]


def test_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)

    with pytest.raises(LedgerError, match=f"cannot use the ledger {path}: it is a file of another kind"):
        Ledger(path).open()
    assert path.read_text() == "not a database\n" * 100


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    prepare(path)
    damaged = bytearray(path.read_bytes())
    damaged[100:4000] = b"\xff" * 3900  # the table of tables
    path.write_bytes(damaged)

    with pytest.raises(LedgerError, match=f"cannot use the ledger {path}: it is damaged"):
        Ledger(path).open()


def test_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"cannot use the ledger {tmp_path}: it cannot be opened"):
        Ledger(tmp_path).open()


def test_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(LedgerError, match=f"cannot create {tmp_path / 'state'} for the ledger"):
        Ledger(tmp_path / "state" / "ledger.db").open()


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A directory that all may enter, for tests which take its write permission away."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from pointsman.ledger.database import LedgerError
from pointsman.ledger.store import Ledger
if os.geteuid() == 0:  # permissions do not bind root
    os.setuid(65534)
try:
    Ledger(Path(sys.argv[1])).open()
except LedgerError as error:
    print(error)
"""


@pytest.mark.parametrize("exists", [True, False])
def test_directory_without_write_permission_is_refused(sealed: Path, exists: bool) -> None:
    path = sealed / "ledger.db"
    if exists:
        prepare(path)
    sealed.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)

    child = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, path], capture_output=True, text=True, check=True, cwd="/"
    )

    assert child.stdout.startswith(f"cannot use the ledger {path}: it ")
    assert "writable" in child.stdout
    assert child.stderr == ""


def test_reading_without_a_ledger_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(LedgerError, match=f"there is no ledger at {tmp_path / 'none.db'}"),
        open_for_reading(tmp_path / "none.db"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger #1?.db"
    prepare(path)

    with pytest.raises(LedgerError, match="not writable"), open_for_reading(path) as connection:
        connection.execute("DELETE FROM requests")
