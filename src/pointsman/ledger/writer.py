"""Writes batches of entries into the ledger's file, each in one transaction. It has no thread and no patience of
its own: when the file does not take a batch it says so, and the batch is the caller's to offer again."""

import logging
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pointsman.ledger.database import WRITER_PATIENCE_S, LedgerError, open_for_writing, prepare, refusals
from pointsman.ledger.entry import Attempt, Entry
from pointsman.ledger.rows import (
    ATTEMPT_COLUMNS,
    REQUEST_COLUMNS,
    SIDE_CALL_COLUMNS,
    Row,
    attempt_row,
    request_row,
    side_call_row,
)

Item = tuple[Entry, Sequence[Attempt]]

# Rows per INSERT. Python's sqlite3 lets go of the interpreter at every statement, and beside a busy event loop
# each return is a fight for it: 1,000 requests by one row per statement (executemany) took seconds and 0.3 to 0.9 s
# of CPU. Of a larger statement the values alone would keep the loop waiting for milliseconds.
_ROWS_PER_STATEMENT = 256

# Stands for None on its way to SQLite: Python's sqlite3 takes whole numbers as they are, but asks for an adapter of
# each None, which takes longer than all else that is done for a value. No count or sum is so low.
_NONE = -(2**63)

# What a row, not the file, can be blamed for: a number too large for SQLite, an id that is already there, text
# that is not Unicode, a value of a wrong type.
FAULTS_OF_A_ROW = (
    ArithmeticError,
    AttributeError,
    TypeError,
    ValueError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class Refusal(NamedTuple):
    """A row that no database could take."""

    request_id: str
    reason: str


class Writer:
    """One connection, opened at the first batch and again after a failure. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def write(self, items: Sequence[Item]) -> list[Refusal]:
        """Commits all of `items` but those it returns. Raises LedgerError; then nothing of them is written."""
        try:
            with refusals(self._path):
                return write_batch(self._connect(), items)
        except LedgerError:
            self.close()  # which takes the transaction back
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            if prepare(self._path, WRITER_PATIENCE_S):
                migrate_quietly(self._path)
            self._connection = open_for_writing(self._path)
        return self._connection


def write_batch(connection: sqlite3.Connection, items: Sequence[Item]) -> list[Refusal]:
    """See Writer.write. Raises sqlite3.Error, with the transaction still open."""
    refused: list[Refusal] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for start in range(0, len(items), _ROWS_PER_STATEMENT):
            _insert_all(connection, items[start : start + _ROWS_PER_STATEMENT])
    except FAULTS_OF_A_ROW:
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        refused = [refusal for item in items if (refusal := _insert_one(connection, item)) is not None]
    connection.execute("COMMIT")
    return refused


def _insert_all(connection: sqlite3.Connection, items: Sequence[Item]) -> None:
    _insert(connection, "requests", REQUEST_COLUMNS, [request_row(entry) for entry, _ in items])
    attempts = [attempt_row(entry.request_id, attempt) for entry, tries in items for attempt in tries]
    _insert(connection, "attempts", ATTEMPT_COLUMNS, attempts)
    beside = [
        side_call_row(entry.request_id, number, call)
        for entry, _ in items
        for number, call in enumerate(entry.side_calls, 1)
    ]
    _insert(connection, "side_calls", SIDE_CALL_COLUMNS, beside)


def _insert_one(connection: sqlite3.Connection, item: Item) -> Refusal | None:
    """An entry with impossible token counts is booked without them: what a provider makes up must not keep its
    requests out of the books."""
    entry, attempts = item
    reason = ""
    beside = tuple(call._replace(usage=None) for call in entry.side_calls)
    for candidate in (entry, entry._replace(usage=None, side_calls=beside)):
        connection.execute("SAVEPOINT one")
        try:
            _insert_all(connection, [(candidate, attempts)])
        except FAULTS_OF_A_ROW as error:
            connection.execute("ROLLBACK TO one")
            reason = str(error)
        else:
            return None
        finally:
            connection.execute("RELEASE one")
    return Refusal(entry.request_id, reason)


def _insert(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    # SQLite before 3.32 takes 999 values in a statement.
    fitting = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(columns)
    most = min(_ROWS_PER_STATEMENT, 1 << (fitting.bit_length() - 1))
    for start in range(0, len(rows), most):
        some = rows[start : start + most]
        room = 1 << (len(some) - 1).bit_length()
        values: list[object] = [_NONE if value is None else value for value in chain.from_iterable(some)]
        values.extend((_NONE,) * ((room - len(some)) * len(columns)))
        connection.execute(_insert_statement(table, columns, room), values)


@lru_cache(maxsize=64)
def _insert_statement(table: str, columns: tuple[str, ...], room: int) -> str:
    """For any number of rows up to `room`; those left empty are skipped. Few different sizes mean that SQLite
    has compiled them all before long, which would else cost as much as running them."""
    row = f"({', '.join('?' * len(columns))})"
    names = ", ".join(columns)
    rows = ", ".join([row] * room)
    values = ", ".join(f"NULLIF(column{place}, {_NONE})" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM (VALUES {rows}) WHERE column1 <> {_NONE}"  # noqa: S608  our own names


def migrate_quietly(path: Path) -> None:
    """See migrate.migrate."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it would tell of every step, even of its import
    from pointsman.ledger.migrate import migrate  # noqa: PLC0415  see there what importing it costs

    migrate(path)
