"""The three descriptions of the schema agree, and old files get to the newest one."""

import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from ledger_samples import attempt, entry, number_of_requests, read
from sqlalchemy import create_engine

import pointsman.ledger
from pointsman.ledger import schema
from pointsman.ledger.database import HEAD, LedgerError, prepare
from pointsman.ledger.migrate import migrate
from pointsman.ledger.store import Ledger

Shape = dict[str, tuple[object, ...]]


def shape_of(path: Path) -> Shape:
    """Every table and index as SQLite understood it, whatever the text it was made from."""
    shape: Shape = {}
    for (table,) in read(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        shape[table] = tuple(
            read(path, f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')")
        )
        for index, unique, origin in read(
            path, f"SELECT name, \"unique\", origin FROM pragma_index_list('{table}')"
        ):
            columns = read(path, f"SELECT name FROM pragma_index_info('{index}')")
            shape[f"{table}.{index}"] = (unique, origin, *columns)
    return shape


@pytest.fixture
def oldest(tmp_path: Path) -> Path:
    """A file from before the first migration."""
    path = tmp_path / "oldest.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    return path


def test_new_file_has_the_schema_of_the_tables(tmp_path: Path) -> None:
    made, described = tmp_path / "made.db", tmp_path / "described.db"
    prepare(made)
    engine = create_engine(f"sqlite:///{described}")
    schema.metadata.create_all(engine)
    engine.dispose()

    shape = shape_of(made)
    del shape["alembic_version"], shape["alembic_version.sqlite_autoindex_alembic_version_1"]
    assert shape == shape_of(described)


def test_migrated_file_has_the_schema_of_a_new_one(tmp_path: Path, oldest: Path) -> None:
    new = tmp_path / "new.db"
    prepare(new)

    assert prepare(oldest) is True
    migrate(oldest)

    assert prepare(oldest) is False
    assert shape_of(oldest) == shape_of(new)
    assert read(oldest, "SELECT * FROM alembic_version") == [(HEAD,)]


def test_newest_migration_is_head_and_the_numbers_have_no_gap() -> None:
    folder = Path(pointsman.ledger.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))

    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert revisions[0] == HEAD
    assert sorted(revisions) == [f"{number:04}" for number in range(1, len(revisions) + 1)]


def test_migrating_twice_changes_nothing(oldest: Path) -> None:
    migrate(oldest)
    before = shape_of(oldest)
    migrate(oldest)

    assert shape_of(oldest) == before


def test_version_that_never_was_cannot_be_migrated(oldest: Path) -> None:
    with closing(sqlite3.connect(oldest)) as connection, connection:
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")

    with pytest.raises(LedgerError, match=f"cannot migrate the ledger {oldest}: .*'0000'"):
        migrate(oldest)


def test_file_that_cannot_be_opened_cannot_be_migrated(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"cannot migrate the ledger {tmp_path}: it cannot be opened"):
        migrate(tmp_path)


def test_old_file_is_migrated_behind_the_first_rows(oldest: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ledger = Ledger(oldest)
    ledger.open()
    ledger.record(entry(), (attempt(),))

    assert ledger.flush(30)
    assert ledger.close(30)
    assert number_of_requests(oldest) == 1
    assert caplog.messages == []


def test_migration_that_fails_leaves_the_file_as_it_was_and_keeps_the_rows(
    oldest: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second table of the migration is already there: the first must not stay behind."""
    with closing(sqlite3.connect(oldest)) as connection, connection:
        connection.execute("CREATE TABLE attempts (something TEXT)")
    before = shape_of(oldest)
    with pytest.raises(
        LedgerError, match=f"cannot migrate the ledger {oldest}: table attempts already exists"
    ):
        migrate(oldest)
    ledger = Ledger(oldest)
    ledger.open()
    ledger.record(entry(), (attempt(),))

    assert not ledger.flush(0.5)
    assert ledger.failures > 0
    assert shape_of(oldest) == before
    assert "table attempts already exists; 1 requests wait" in caplog.text

    with closing(sqlite3.connect(oldest)) as connection, connection:
        connection.execute("DROP TABLE attempts")
    assert ledger.flush(30)
    assert ledger.close(30)
    assert number_of_requests(oldest) == 1


WRITE_ONE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from ledger_samples import entry
from pointsman.ledger.store import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.open()
ledger.record(entry(int(sys.argv[3])))
assert ledger.close(30)
print([name for name in ("alembic", "sqlalchemy") if name in sys.modules])
"""


def test_writing_imports_no_database_library(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for number in ("1", "2"):  # a new file, and one that is there
        child = subprocess.run(
            [sys.executable, "-c", WRITE_ONE, path, Path(__file__).parent, number],
            capture_output=True,
            text=True,
            check=True,
        )
        assert child.stdout == "[]\n"
    assert number_of_requests(path) == 2
