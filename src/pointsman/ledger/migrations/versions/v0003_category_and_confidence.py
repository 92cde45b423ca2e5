"""What kind of task a request was, and how sure its tier. Rows that were there have neither."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("requests", sa.Column("category", sa.Text))
    op.add_column("requests", sa.Column("confidence", sa.Double))
