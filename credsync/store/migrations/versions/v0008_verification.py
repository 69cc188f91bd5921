"""When therapists were last verified, and when the next sweep may begin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_VERIFIABLE = sa.text(
    "due_at IS NULL AND backfill_at IS NULL AND contact_id IS NOT NULL AND merged_contact_id IS NULL "
    "AND state <> 'given_up'"
)


def upgrade() -> None:
    """Everybody known before is verified one after the other, the oldest first."""
    op.add_column(
        "therapists",
        sa.Column(
            "verified_at",
            Moment(),
            comment="when a sweep last asked for everything under the contact; since when it is known before that",
        ),
    )
    op.execute("UPDATE therapists SET verified_at = created_at")
    op.create_index(
        "ix_therapists_verifiable",
        "therapists",
        ["portal", "verified_at"],
        sqlite_where=_VERIFIABLE,
        postgresql_where=_VERIFIABLE,
    )
    op.add_column(
        "portals",
        sa.Column("sweep_from", Moment(), comment="when the next verification sweep may begin"),
    )
