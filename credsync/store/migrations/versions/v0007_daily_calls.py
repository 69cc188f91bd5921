"""The count of a day's calls to HubSpot, which a restart must not forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "daily_calls",
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column(
            "bucket",
            sa.String(length=20),
            nullable=False,
            comment="which of HubSpot's limits they count against",
        ),
        sa.Column(
            "day",
            sa.String(length=10),
            nullable=False,
            comment="of the account's time zone; only the latest is kept",
        ),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column(
            "allowed",
            sa.BigInteger(),
            nullable=True,
            comment="the account's daily calls, as HubSpot told them",
        ),
        sa.PrimaryKeyConstraint("portal", "bucket", name=op.f("pk_daily_calls")),
        comment="the calls of the rounds: a new process goes on with what the one before it had left of the day",
    )
