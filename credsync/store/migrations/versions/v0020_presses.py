"""The index of who pressed Sync now when, by which it is slowed."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_syncs_requested_by_requested_at", "syncs", ["requested_by", "requested_at"])
