"""The ledger's tables for queries and migrations (SQLAlchemy Core). The writer does not import this: see
rows.py."""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from pointsman.ledger.money import from_picodollars, to_picodollars


class Picodollars(TypeDecorator[Decimal]):
    """US dollars, stored as whole picodollars: SQLite has no decimals, and a sum of binary floats drifts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_picodollars(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_picodollars(value)


metadata = MetaData()

# Two indexes and no more: each one is paid at every insert. Ids and times grow, so both are appended to.
requests = Table(
    "requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("started_at_s", Double, nullable=False),
    Column("caller", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("requested_model", Text, nullable=False),
    Column("profile", Text),
    Column("tier", Text),
    Column("score", Double),
    Column("reasons", Text),
    Column("rules", Text),
    Column("chosen_model", Text),
    Column("chosen_provider", Text),
    Column("model", Text),
    Column("provider", Text),
    Column("stream", Boolean, nullable=False),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("cache_write_1h_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("cost_picodollars", Picodollars),
    Column("baseline_picodollars", Picodollars),
    Column("price_source", Text),
    Column("rates", Text),
    Column("first_token_ms", Double),
    Column("total_ms", Double, nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("fault", Text),
    Column("dropped", Text),
    Column("category", Text),
    Column("confidence", Double),
    Index("requests_by_time", "started_at_s"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("started_ms", Double, nullable=False),
    Column("status", Integer),
    Column("outcome", Text, nullable=False),
    Column("fault", Text),
    Column("first_byte_ms", Double),
    Column("total_ms", Double, nullable=False),
)

side_calls = Table(
    "side_calls",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("fault", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost_picodollars", Picodollars),
    Column("total_ms", Double, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("caller", Text, nullable=False),
    Column("quality", Double, nullable=False),
    Column("score", Double),
    Column("tier", Text),
    Column("category", Text),
    Column("profile", Text),
    Column("model", Text),
    Column("comment", Text),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_s", Double, nullable=False),
    Column("labels", Integer, nullable=False),
    Column("configured", Text, nullable=False),
    Column("boundaries", Text, nullable=False),
    Column("revoked_at_s", Double),
)
