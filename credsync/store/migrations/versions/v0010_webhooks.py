"""Webhooks: hints not yet looked after, what came by webhook, signatures that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hints",
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column(
            "therapist_id",
            sa.String(length=36),
            nullable=False,
            comment="empty: whoever waits for the object type",
        ),
        sa.Column(
            "object", sa.String(length=100), nullable=False, comment="the portal file's key, or contact"
        ),
        sa.Column(
            "seq",
            sa.Integer(),
            nullable=False,
            comment="+1 with every hint, so that one during a look is not lost",
        ),
        sa.Column("due_at", Moment(), nullable=False, comment="when a round must look"),
        sa.PrimaryKeyConstraint("portal", "therapist_id", "object", name=op.f("pk_hints")),
        comment="where HubSpot's webhooks say that a look is worth while; gone once it was made",
    )
    op.create_index("ix_hints_portal_due_at", "hints", ["portal", "due_at"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column(
            "portal",
            sa.String(length=100),
            nullable=False,
            comment="empty: refused ones for a portal nobody has",
        ),
        sa.Column("calls", _COUNT, server_default="0", nullable=False),
        sa.Column("events", _COUNT, server_default="0", nullable=False),
        sa.Column("replayed", _COUNT, server_default="0", nullable=False),
        sa.Column("refused", _COUNT, server_default="0", nullable=False),
        sa.Column("received_at", Moment(), nullable=True, comment="the last that HubSpot had signed"),
        sa.Column("refused_at", Moment(), nullable=True),
        sa.Column(
            "refused_for",
            sa.String(length=40),
            nullable=True,
            comment="what was wrong with the last that was refused",
        ),
        sa.Column("told_at", Moment(), nullable=True, comment="when the feed was last told"),
        sa.Column("told", sa.JSON(), nullable=True, comment="calls and events the feed was told of so far"),
        sa.Column(
            "types",
            sa.JSON(),
            nullable=True,
            comment="when associations of each object type were last told of, by key",
        ),
        sa.PrimaryKeyConstraint("portal", name=op.f("pk_webhooks")),
        comment="what came by webhook: counts, never contents",
    )
    op.create_table(
        "webhook_signatures",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of portal and signature"),
        sa.Column("until", Moment(), nullable=False, comment="when the signature is stale anyway"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_webhook_signatures")),
        comment="signatures of the last minutes, so that a replay has no effect",
    )
    op.create_index("ix_webhook_signatures_until", "webhook_signatures", ["until"], unique=False)
