"""Brings the file of an older version to the newest schema with Alembic. Importing this costs half a second and
30 MB, so only the writer does it, and only when there is something to migrate."""

import sqlite3
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pointsman.ledger.database import HEAD, LedgerError, describe, open_for_writing

_alembic = threading.Lock()  # its environment is one per process


def migrate(path: Path) -> None:
    """In one transaction: either all of it is done or nothing. Harmless at HEAD. Raises LedgerError."""
    engine = create_engine("sqlite://", creator=lambda: open_for_writing(path), poolclass=NullPool)
    # Python's module would leave statements that change tables outside the transaction; this takes the lock
    # that also keeps a second process from migrating at the same time.
    event.listen(engine, "begin", _begin)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with _alembic, engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
    except DBAPIError as error:
        cause = error.orig
        reason = describe(cause) if isinstance(cause, sqlite3.Error) else str(cause)
        raise LedgerError(f"cannot migrate the ledger {path}: {reason}") from error
    except CommandError as error:
        raise LedgerError(f"cannot migrate the ledger {path}: {error}") from error


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
