"""The SQLite file: opens it, tells what state it is in, and says plainly what is wrong with it. It knows no rows
and imports no database library beyond Python's own.

    state of the file                    what happens
    missing or empty                     gets schema.sql at once
    at HEAD                              nothing
    of an older Pointsman                the writer migrates it (migrate.py, which needs Alembic)
    of a newer one, of another program,
    locked, damaged, not writable        LedgerError
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from time import monotonic, sleep

from pointsman.core.errors import PointsmanError

HEAD = "0003"
"""The schema this version writes: the newest in migrations/versions, which are numbered in order."""

_BASE = "0000"  # Alembic's table is there, but no migration has run to its end

# How long another process may keep the file locked: a start fails then, the writer comes again.
_PATIENCE_S = 5.0
WRITER_PATIENCE_S = 1.0


class LedgerError(PointsmanError):
    """The ledger's file cannot be used. Says which file, and why."""


def prepare(path: Path, patience_s: float = _PATIENCE_S) -> bool:
    """Makes sure that rows can be written to `path`, creating it if need be. True when it is of an older
    version and has to be migrated first. Raises LedgerError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"cannot create {path.parent} for the ledger: {error.strerror}") from error
    with refusals(path), closing(connect(path, patience_s)) as connection:
        # Takes the write lock: a file that cannot be written to is refused here and not at the first row.
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection, path)
        if version is None:
            for statement in _schema():
                connection.execute(statement)
            version = HEAD
        connection.execute("COMMIT")
        return version != HEAD


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error."""
    return connect(path, WRITER_PATIENCE_S)


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Raises LedgerError, also when the file is not at HEAD."""
    if not path.exists():
        raise LedgerError(f"there is no ledger at {path}: nothing has been booked yet")
    with refusals(path):
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)) as connection:
            if _version(connection, path) != HEAD:
                raise LedgerError(
                    f"the ledger {path} is of an older version: start the gateway once to migrate it"
                )
            yield connection


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turns what SQLite says about `path` into a LedgerError."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"cannot use the ledger {path}: {describe(error)}") from error


def describe(error: sqlite3.Error) -> str:
    advice = _ADVICE.get(_code(error))
    return str(error) if advice is None else f"{advice} (SQLite: {error})"


def _code(error: sqlite3.Error) -> int:
    # Without the bits that tell its finer kind. Absent where Python's module found the fault itself.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


_ADVICE = {
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened or created; check that its directory is writable",
    sqlite3.SQLITE_READONLY: "it or its directory is not writable",
    sqlite3.SQLITE_PERM: "access is denied",
    sqlite3.SQLITE_NOTADB: "it is a file of another kind; give the ledger a path of its own",
    sqlite3.SQLITE_CORRUPT: "it is damaged; move it away and start again, its rows may be had with sqlite3's .recover",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not take it",
}


def connect(path: Path, patience_s: float) -> sqlite3.Connection:
    # No implicit transactions: every BEGIN is written out.
    connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None)
    try:
        # FULL survives a power cut, and costs nothing at ten commits a second.
        connection.execute("PRAGMA synchronous = FULL")
        _use_wal(connection, monotonic() + patience_s)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, until_s: float) -> None:
    """A file system without shared memory keeps another mode; that is slower and as safe."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # The one lock SQLite does not wait for by itself: two processes that start on a new file.
            if _code(error) != sqlite3.SQLITE_BUSY or monotonic() >= until_s:
                raise
            sleep(0.01)
        else:
            return


def _version(connection: sqlite3.Connection, path: Path) -> str | None:
    """None for an empty file."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise LedgerError(f"{path} is another program's database; give the ledger a path of its own")
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    version: str = found[0] if found else _BASE
    if not version.isdecimal() or version > HEAD:
        raise LedgerError(
            f"the ledger {path} was written by a newer version (its schema is {version}, this one knows {HEAD}); "
            "install that version again or give the ledger another path"
        )
    return version


def _schema() -> Iterator[str]:
    text = files("pointsman.ledger").joinpath("schema.sql").read_text("utf-8")
    return (statement for statement in text.split(";\n") if statement.strip())
