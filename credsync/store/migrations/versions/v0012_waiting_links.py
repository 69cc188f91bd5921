"""The index of who waits, by what no other index of links holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WAITING = sa.text("awaited AND state <> 'found' AND state <> 'given_up'")


def upgrade() -> None:
    """SQLite preferred the index of record ids to it."""
    op.drop_index("ix_links_waiting", "links")
    op.create_index(
        "ix_links_waiting",
        "links",
        ["portal", "slot", "awaited_since"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
