"""What requests cost besides their answers, what callers report of them, and what was learned from it. Three new
tables; those that were there stay as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "side_calls",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("cost_picodollars", sa.BigInteger),
        sa.Column("total_ms", sa.Double, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.Text, primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("quality", sa.Double, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("tier", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("profile", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("comment", sa.Text),
    )
    op.create_table(
        "calibrations",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("labels", sa.Integer, nullable=False),
        sa.Column("configured", sa.Text, nullable=False),
        sa.Column("boundaries", sa.Text, nullable=False),
        sa.Column("revoked_at_s", sa.Double),
    )
