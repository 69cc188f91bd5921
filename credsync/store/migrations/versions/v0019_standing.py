"""Indexes of how therapists stand and since when, and of who waits for a slot: what lists are filtered by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OPEN = sa.text("awaited = true AND state <> 'found'")


def upgrade() -> None:
    """Make them."""
    op.create_index(
        "ix_therapists_standing", "therapists", ["portal", "state", "reason", "state_since", "id"]
    )
    op.create_index(
        "ix_links_open",
        "links",
        ["portal", "slot", "therapist_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
