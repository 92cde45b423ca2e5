"""One row per request, one per attempt. The first schema: it changes nothing that was there."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("started_at_s", sa.Double, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("requested_model", sa.Text, nullable=False),
        sa.Column("profile", sa.Text),
        sa.Column("tier", sa.Text),
        sa.Column("score", sa.Double),
        sa.Column("reasons", sa.Text),
        sa.Column("rules", sa.Text),
        sa.Column("chosen_model", sa.Text),
        sa.Column("chosen_provider", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("cache_read_tokens", sa.BigInteger),
        sa.Column("cache_write_tokens", sa.BigInteger),
        sa.Column("cache_write_1h_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("cost_picodollars", sa.BigInteger),
        sa.Column("baseline_picodollars", sa.BigInteger),
        sa.Column("price_source", sa.Text),
        sa.Column("rates", sa.Text),
        sa.Column("first_token_ms", sa.Double),
        sa.Column("total_ms", sa.Double, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
        sa.Column("dropped", sa.Text),
    )
    op.create_index("requests_by_time", "requests", ["started_at_s"])
    op.create_table(
        "attempts",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("started_ms", sa.Double, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
        sa.Column("first_byte_ms", sa.Double),
        sa.Column("total_ms", sa.Double, nullable=False),
    )
