"""The backfill lane, and re-syncs that are narrowed to a form and a slot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody waits for the lane yet."""
    op.add_column(
        "therapists",
        sa.Column(
            "backfill_at",
            Moment,
            comment="since when it waits for a place in the backfill lane; null if it does not",
        ),
    )
    op.create_index("ix_therapists_portal_backfill_at", "therapists", ["portal", "backfill_at"])
    op.add_column(
        "syncs",
        sa.Column("form", sa.String(10), comment="a re-sync of this form alone; null for all of them"),
    )
    op.add_column(
        "syncs",
        sa.Column("slot", sa.String(200), comment="a re-sync of this slot alone; null for all of them"),
    )
