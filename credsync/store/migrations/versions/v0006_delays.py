"""How long records take to come, the deadlines learnt from it, and an index of who waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = sa.text("awaited AND record_id IS NULL AND state <> 'given_up'")
_FOUND = sa.text("found_at IS NOT NULL")


def upgrade() -> None:
    """Nothing is counted of what came before."""
    op.add_column(
        "links",
        sa.Column(
            "measured_from",
            Moment(),
            comment="when the fact came it was waited for since, while the record's creation is not set beside it",
        ),
    )
    op.create_index(
        "ix_links_found", "links", ["portal", "found_at"], sqlite_where=_FOUND, postgresql_where=_FOUND
    )
    op.create_index(
        "ix_links_waiting",
        "links",
        ["portal", "slot", "awaited_since"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_table(
        "delays",
        sa.Column("portal", sa.String(100), primary_key=True),
        sa.Column("slot", sa.String(100), primary_key=True, comment="key of the slot's rule"),
        sa.Column("week", sa.String(10), primary_key=True, comment="Monday of the week the wait began in"),
        sa.Column("measure", sa.String(10), primary_key=True),
        sa.Column("bucket", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        comment="how long records took to come: counts by bucket, however many came",
    )
    op.create_table(
        "deadlines",
        sa.Column("portal", sa.String(100), primary_key=True),
        sa.Column("slot", sa.String(100), primary_key=True, comment="key of the slot's rule"),
        sa.Column("after_ms", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("normally_from_ms", sa.BigInteger),
        sa.Column("normally_to_ms", sa.BigInteger),
        comment="when a slot's wait is overdue, as the owner of the portal last judged",
    )
