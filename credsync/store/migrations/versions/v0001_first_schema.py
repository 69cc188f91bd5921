"""The first schema: facts, links, writes, timeline, leases, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("therapist_id", sa.String(length=36), nullable=True),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("slot", sa.String(length=200), nullable=True),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        comment="the timeline and the feed: what happened, in order, without submitted values",
    )
    op.create_index("ix_events_therapist_id", "events", ["therapist_id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("token", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="of method, path and body"),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("token", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False, comment="fences: raised by every change of owner"),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "portals",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "paused_by",
            sa.String(length=100),
            nullable=True,
            comment="a person, or 'credsync' for a pause that ends by itself",
        ),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column(
            "problem", sa.Text(), nullable=True, comment="what keeps rounds from running; null while they run"
        ),
        sa.Column(
            "account", sa.JSON(), nullable=True, comment="portal id and UI domain as HubSpot told them"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_portals")),
    )
    op.create_table(
        "therapists",
        sa.Column("id", sa.String(length=36), nullable=False, comment="the backend's UUID, lower case"),
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False, comment="+1 with every fact"),
        sa.Column(
            "settled_generation",
            sa.Integer(),
            nullable=False,
            comment="what the last finished round had seen",
        ),
        sa.Column(
            "planned_by",
            sa.String(length=16),
            nullable=True,
            comment="digest of the portal file the writes were planned by",
        ),
        sa.Column(
            "enrolment",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column(
            "enrolment_since",
            Moment(),
            nullable=True,
            comment="occurred_at of the Extended Sign Up that opened it",
        ),
        sa.Column(
            "definitive",
            sa.String(length=100),
            nullable=True,
            comment="the slot two-hop records are judged under",
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("state_since", Moment(), nullable=False),
        sa.Column(
            "due_at",
            Moment(),
            nullable=True,
            comment="when a round must take it; null while only an event can change anything",
        ),
        sa.Column(
            "rides", sa.Boolean(), nullable=False, comment="whether it may take a free seat before it is due"
        ),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapists")),
        sa.UniqueConstraint("portal", "contact_id", name=op.f("uq_therapists_portal_contact_id")),
    )
    op.create_index("ix_therapists_contact_id", "therapists", ["contact_id"], unique=False)
    op.create_index("ix_therapists_portal_due_at", "therapists", ["portal", "due_at"], unique=False)
    op.create_index("ix_therapists_portal_state", "therapists", ["portal", "state", "id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the token; the token is not kept",
        ),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_table(
        "link_history",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("found_at", Moment(), nullable=True),
        sa.Column("lost_at", Moment(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_link_history_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_history")),
    )
    op.create_index("ix_link_history_record_id", "link_history", ["record_id"], unique=False)
    op.create_index("ix_link_history_therapist_id", "link_history", ["therapist_id"], unique=False)
    op.create_table(
        "links",
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("awaited", sa.Boolean(), nullable=False),
        sa.Column("awaited_since", Moment(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("first_missed_at", Moment(), nullable=True),
        sa.Column("last_looked_at", Moment(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("next_look_at", Moment(), nullable=True),
        sa.Column("found_at", Moment(), nullable=True),
        sa.Column("record_created_at", Moment(), nullable=True),
        sa.Column("doubtful_since", Moment(), nullable=True),
        sa.Column("doubted_record_id", sa.String(length=32), nullable=True),
        sa.Column("overdue_since", Moment(), nullable=True),
        sa.Column("chosen_record_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_links_therapist_id")),
        sa.PrimaryKeyConstraint("therapist_id", "slot", name=op.f("pk_links")),
    )
    op.create_index("ix_links_record_id", "links", ["record_id"], unique=False)
    op.create_table(
        "moving_facts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("moving", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_moving_facts_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moving_facts")),
    )
    op.create_index("ix_moving_facts_therapist_id", "moving_facts", ["therapist_id"], unique=False)
    op.create_table(
        "record_claims",
        sa.Column("portal", sa.String(length=100), nullable=False),
        sa.Column("object", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_record_claims_therapist_id")
        ),
        sa.PrimaryKeyConstraint(
            "portal", "object", "record_id", "therapist_id", name=op.f("pk_record_claims")
        ),
        comment="whose contacts a slot's record was seen under; more than one is ambiguous",
    )
    op.create_table(
        "sign_ups",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("occurred_at", Moment(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_sign_ups_therapist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
    )
    op.create_index("ix_sign_ups_therapist_id", "sign_ups", ["therapist_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("occurred_at", Moment(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("moving", sa.Boolean(), nullable=True),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="same form, occurred_at and data is one submission",
        ),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_submissions_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint(
            "therapist_id",
            "form",
            "occurred_at",
            "digest",
            name=op.f("uq_submissions_therapist_id_form_occurred_at_digest"),
        ),
    )
    op.create_table(
        "syncs",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("include_held", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=False),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("planned_at", Moment(), nullable=True, comment="when a round turned it into writes"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_syncs_therapist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_syncs")),
    )
    op.create_index("ix_syncs_therapist_id", "syncs", ["therapist_id"], unique=False)
    op.create_table(
        "writes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.Column("enrolment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=True),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=True),
        sa.Column("submissions", sa.JSON(), nullable=False, comment="ids of the submissions it carries"),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("written_at", Moment(), nullable=True),
        sa.Column("not_before", Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "properties",
            sa.JSON(),
            nullable=False,
            comment="name, state, code, message of each; never a value",
        ),
        sa.Column("correlation_ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapists.id"], name=op.f("fk_writes_therapist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writes")),
    )
    op.create_index("ix_writes_therapist_id", "writes", ["therapist_id"], unique=False)
