"""Alerts; what is refused of whom; an index to those links that are overdue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CAUSE = ["portal", "kind", "object", "slot", "property", "verb"]
_OPEN = sa.text("closed_at IS NULL")
_OVERDUE = sa.text("overdue_since IS NOT NULL")


def upgrade() -> None:
    """Make the tables and the index; the first evaluation opens what holds."""
    op.create_table(
        "alerts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("property", sa.String(length=200), nullable=False),
        sa.Column("verb", sa.String(length=10), nullable=False),
        sa.Column("therapists", sa.Integer(), nullable=False, comment="how many are beneath it"),
        sa.Column("details", sa.JSON(), nullable=False, comment="names its text needs; never a value"),
        sa.Column("first_seen_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column(
            "closed_at", Moment(), nullable=True, comment="when the cause had ended; null while it holds"
        ),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=True),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        comment="one open row per cause",
    )
    op.add_column(
        "portals",
        sa.Column(
            "problem_kind",
            sa.String(length=40),
            nullable=True,
            comment="the kind of alert a problem is; null for one not worth it yet",
        ),
    )
    op.create_table(
        "refusals",
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column(
            "property", sa.String(length=200), nullable=False, comment="empty where HubSpot named none"
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_refusals_therapist_id")),
        sa.PrimaryKeyConstraint("portal", "object", "property", "therapist_id", name=op.f("pk_refusals")),
        comment="properties that HubSpot refused of whom, while nothing has answered it",
    )
    op.create_index(
        "uq_alerts_open", "alerts", _CAUSE, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_links_overdue",
        "links",
        ["portal", "slot", "state", "reason", "awaited", "therapist_id"],
        unique=False,
        sqlite_where=_OVERDUE,
        postgresql_where=_OVERDUE,
    )
