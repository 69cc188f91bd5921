"""Choices, merged contacts, contacts' sync_url, live reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; every contact known before is to get its sync_url, where the portal file has one."""
    op.create_table(
        "choices",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.String(length=100), nullable=False),
        sa.Column("chosen_at", Moment(), nullable=False),
        sa.Column(
            "taken_at",
            Moment(),
            nullable=True,
            comment="when a round took it up; the link remembers it from then on",
        ),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_choices_therapist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choices")),
        comment="a person chose among the candidates of an ambiguous slot",
    )
    op.create_index("ix_choices_therapist_id", "choices", ["therapist_id"], unique=False)
    op.create_table(
        "merged_contacts",
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("merged_into", sa.String(length=32), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("portal", "contact_id", name=op.f("pk_merged_contacts")),
        comment="contact ids that live on under another, as HubSpot told; backends go on sending the old ones",
    )
    op.create_table(
        "live_reads",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_reads")),
        comment="calls that people's questions made beside the rounds, of the last seconds",
    )
    op.create_index("ix_live_reads_portal_at", "live_reads", ["portal", "at"], unique=False)
    op.add_column(
        "therapists",
        sa.Column(
            "merged_contact_id",
            sa.String(length=32),
            nullable=True,
            comment="what HubSpot merged the contact into, while that is another therapist's contact",
        ),
    )
    op.add_column(
        "therapists",
        sa.Column(
            "sync_url_at",
            Moment(),
            nullable=True,
            comment="when the contact is to get its sync_url; null once it has it",
        ),
    )
    op.create_index(
        "ix_therapists_portal_merged_contact_id", "therapists", ["portal", "merged_contact_id"], unique=False
    )
    op.create_index("ix_therapists_portal_sync_url_at", "therapists", ["portal", "sync_url_at"], unique=False)
    op.execute("UPDATE therapists SET sync_url_at = created_at WHERE contact_id IS NOT NULL")
