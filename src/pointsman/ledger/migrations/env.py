"""Alembic's entry to the migrations: runs them on the connection that ledger/migrate.py opened. There is no
alembic.ini and no command line; to try a migration, run the tests."""

from alembic import context

from pointsman.ledger.schema import metadata

# SQLite can undo changes of tables, if they are inside a transaction: migrate.py begins one.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
