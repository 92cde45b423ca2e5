"""How batches become statements."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from ledger_samples import attempt, entry, number_of_requests, read

from pointsman.ledger.database import LedgerError, open_for_writing, prepare
from pointsman.ledger.rows import REQUEST_COLUMNS
from pointsman.ledger.writer import Item, Writer, write_batch


def items(first: int, number: int) -> Sequence[Item]:
    return [(entry(n), (attempt(1), attempt(2))) for n in range(first, first + number)]


@pytest.mark.parametrize("most_values", [len(REQUEST_COLUMNS), 100, 999, 32_766])
def test_database_that_takes_few_values_gets_smaller_statements(tmp_path: Path, most_values: int) -> None:
    path = tmp_path / "ledger.db"
    prepare(path)
    with closing(open_for_writing(path)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most_values)
        assert write_batch(connection, items(0, 150)) == []

    assert number_of_requests(path) == 150
    assert read(path, "SELECT count(*) FROM attempts") == [(300,)]


def test_failed_batch_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its requests are written before its attempts."""
    path = tmp_path / "ledger.db"
    writer = Writer(path)
    assert writer.write(items(0, 1)) == []
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE attempts")

    with pytest.raises(LedgerError, match=f"cannot use the ledger {path}: no such table"):
        writer.write(items(1, 300))
    writer.close()
    assert number_of_requests(path) == 1
