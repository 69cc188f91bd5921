"""The index of whom a sweep verifies next: those who wait for something are among them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_VERIFIABLE = sa.text(
    "backfill_at IS NULL AND contact_id IS NOT NULL AND merged_contact_id IS NULL AND state <> 'given_up'"
)


def upgrade() -> None:
    """Whoever waits for one record is looked at for that alone; what becomes of the others only a sweep finds."""
    op.drop_index("ix_therapists_verifiable", "therapists")
    op.create_index(
        "ix_therapists_verifiable",
        "therapists",
        ["portal", "verified_at"],
        sqlite_where=_VERIFIABLE,
        postgresql_where=_VERIFIABLE,
    )
