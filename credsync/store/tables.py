"""Every table: facts as they came, what is known of each link and write, and what happened.

Columns named `…_at` are moments (UTC). JSON columns of `submissions` hold submitted data (classes A and B only);
no other table does.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from credsync.store.call_tables import daily_calls as daily_calls
from credsync.store.call_tables import live_reads as live_reads
from credsync.store.database import Moment
from credsync.store.fact_tables import choices as choices
from credsync.store.fact_tables import moving_facts as moving_facts
from credsync.store.fact_tables import sign_ups as sign_ups
from credsync.store.fact_tables import submissions as submissions
from credsync.store.fact_tables import syncs as syncs
from credsync.store.metadata import Id, of_therapist
from credsync.store.metadata import metadata as metadata
from credsync.store.names import name_endings as name_endings
from credsync.store.people_tables import audit as audit
from credsync.store.people_tables import audit_head as audit_head
from credsync.store.people_tables import people as people
from credsync.store.people_tables import sessions as sessions
from credsync.store.people_tables import set_up_links as set_up_links
from credsync.store.people_tables import sign_in_attempts as sign_in_attempts
from credsync.store.watch_tables import alerts as alerts
from credsync.store.watch_tables import deadlines as deadlines
from credsync.store.watch_tables import delays as delays
from credsync.store.watch_tables import refusals as refusals

WAITING = "awaited AND state <> 'found' AND state <> 'given_up'"
"""Which links wait and are not given up: the condition of the small index that finds them among all.

Nothing in it is a column of another index, which SQLite would prefer.
"""
OPEN = "awaited = true AND state <> 'found'"
"""Which links wait, the given up among them: the condition of the small index of who waits for a slot. Worded unlike the
one above, which SQLite would take it for."""
VERIFIABLE = (
    "backfill_at IS NULL AND contact_id IS NOT NULL AND merged_contact_id IS NULL AND state <> 'given_up'"
)
"""Whom a sweep looks at, also while they wait for something: their rounds look for that alone. The condition of the index
that finds the oldest verified."""
HELD_BY_BACKUP = "reason IN ('restored', 'restored_differs')"
"""What a restored backup holds, of all writes: the condition of the small index that finds it."""


therapists = Table(
    "therapists",
    metadata,
    Column("id", String(36), primary_key=True, comment="the backend's UUID, lower case"),
    Column("portal", String(100), nullable=False),
    Column("contact_id", String(32)),
    Column("name", Text),
    Column("email", Text),
    Column("generation", Integer, nullable=False, comment="+1 with every fact"),
    Column("settled_generation", Integer, nullable=False, comment="what the last finished round had seen"),
    Column("planned_by", String(16), comment="digest of the portal file the writes were planned by"),
    Column(
        "planned_submission",
        Id,
        nullable=False,
        server_default="0",
        comment="the newest submission that planning had seen",
    ),
    Column("enrolment", Id, nullable=False, server_default="0"),
    Column("enrolment_since", Moment, comment="occurred_at of the Extended Sign Up that opened it"),
    Column("definitive", String(100), comment="the slot two-hop records are judged under"),
    Column("state", String(16), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("state_since", Moment, nullable=False),
    Column(
        "due_at", Moment, comment="when a round must take it; null while only an event can change anything"
    ),
    Column("rides", Boolean, nullable=False, comment="whether it may take a free seat before it is due"),
    Column("created_at", Moment, nullable=False),
    Column(
        "merged_contact_id",
        String(32),
        comment="what HubSpot merged the contact into, while that is another therapist's contact",
    ),
    Column("sync_url_at", Moment, comment="when the contact is to get its sync_url; null once it has it"),
    Column(
        "backfill_at",
        Moment,
        comment="since when it waits for a place in the backfill lane; null if it does not",
    ),
    Column(
        "verified_at",
        Moment,
        comment="when a sweep last asked for everything under the contact; since when it is known before that",
    ),
    UniqueConstraint("portal", "contact_id"),
    Index(
        "ix_therapists_verifiable",
        "portal",
        "verified_at",
        sqlite_where=text(VERIFIABLE),
        postgresql_where=text(VERIFIABLE),
    ),
    Index("ix_therapists_portal_merged_contact_id", "portal", "merged_contact_id"),
    Index("ix_therapists_portal_sync_url_at", "portal", "sync_url_at"),
    Index("ix_therapists_portal_due_at", "portal", "due_at"),
    Index("ix_therapists_portal_backfill_at", "portal", "backfill_at"),
    Index("ix_therapists_portal_state", "portal", "state", "id"),
    Index("ix_therapists_standing", "portal", "state", "reason", "state_since", "id"),
    Index("ix_therapists_contact_id", "contact_id"),
)

merged_contacts = Table(
    "merged_contacts",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("contact_id", String(32), primary_key=True),
    Column("merged_into", String(32), nullable=False),
    Column("seen_at", Moment, nullable=False),
    comment="contact ids that live on under another, as HubSpot told; backends go on sending the old ones",
)

links = Table(
    "links",
    metadata,
    Column("therapist_id", String(36), ForeignKey("therapists.id"), primary_key=True),
    Column("slot", String(200), primary_key=True),
    Column("portal", String(100), nullable=False),
    Column("awaited", Boolean, nullable=False),
    Column("awaited_since", Moment, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("record_id", String(32)),
    Column("candidates", JSON, nullable=False),
    Column("first_missed_at", Moment),
    Column("last_looked_at", Moment),
    Column("looks", Integer, nullable=False),
    Column("next_look_at", Moment),
    Column("found_at", Moment),
    Column("record_created_at", Moment),
    Column("doubtful_since", Moment),
    Column("doubted_record_id", String(32)),
    Column("overdue_since", Moment),
    Column("chosen_record_id", String(32)),
    Column(
        "measured_from",
        Moment,
        comment="when the fact came it was waited for since, while the record's creation is not set beside it",
    ),
    Index("ix_links_record_id", "record_id"),
    Index(
        "ix_links_overdue",
        "portal",
        "slot",
        "state",
        "reason",
        "awaited",
        "therapist_id",
        sqlite_where=text("overdue_since IS NOT NULL"),
        postgresql_where=text("overdue_since IS NOT NULL"),
    ),
    Index(
        "ix_links_found",
        "portal",
        "found_at",
        sqlite_where=text("found_at IS NOT NULL"),
        postgresql_where=text("found_at IS NOT NULL"),
    ),
    Index(
        "ix_links_waiting",
        "portal",
        "slot",
        "awaited_since",
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index(
        "ix_links_open",
        "portal",
        "slot",
        "therapist_id",
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
)

record_claims = Table(
    "record_claims",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(32), primary_key=True),
    Column("therapist_id", String(36), ForeignKey("therapists.id"), primary_key=True),
    comment="whose contacts a slot's record was seen under; more than one is ambiguous",
)

link_history = Table(
    "link_history",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("slot", String(200), nullable=False),
    Column("record_id", String(32), nullable=False),
    Column("found_at", Moment),
    Column("lost_at", Moment, nullable=False),
    Column("reason", String(40), nullable=False),
    Index("ix_link_history_therapist_id", "therapist_id"),
    Index("ix_link_history_record_id", "record_id"),
)

writes = Table(
    "writes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("enrolment", Id, nullable=False),
    Column("form", String(10), nullable=False),
    Column("slot", String(200), nullable=False),
    Column("rule", String(20)),
    Column("cause", String(12), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("record_id", String(32)),
    Column("submissions", JSON, nullable=False, comment="ids of the submissions it carries"),
    Column("submitted_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("written_at", Moment),
    Column("not_before", Moment),
    Column("attempts", Integer, nullable=False),
    Column("properties", JSON, nullable=False, comment="name, state, code, message of each; never a value"),
    Column("correlation_ids", JSON, nullable=False),
    Index("ix_writes_therapist_id", "therapist_id"),
    Index(
        "ix_writes_held_by_backup",
        "therapist_id",
        sqlite_where=text(HELD_BY_BACKUP),
        postgresql_where=text(HELD_BY_BACKUP),
    ),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("name", String(40), nullable=False),
    Column("portal", String(100), nullable=False),
    Column("therapist_id", String(36)),
    Column("contact_id", String(32)),
    Column("slot", String(200)),
    Column("record_id", String(32)),
    Column("details", JSON, nullable=False),
    Index("ix_events_therapist_id", "therapist_id"),
    comment="the timeline and the feed: what happened, in order, without submitted values",
)

portals = Table(
    "portals",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("paused_by", String(100), comment="a person, or 'credsync' for a pause that ends by itself"),
    Column("paused_reason", Text),
    Column("paused_at", Moment),
    Column("problem", Text, comment="what keeps rounds from running; null while they run"),
    Column(
        "problem_kind", String(40), comment="the kind of alert a problem is; null for one not worth it yet"
    ),
    Column("problem_until", Moment, comment="when a problem ends by itself, where that is known"),
    Column("denied", JSON, comment="object, verb and scopes of each thing that the token may not do"),
    Column("account", JSON, comment="portal id and UI domain as HubSpot told them"),
    Column("sweep_from", Moment, comment="when the next verification sweep may begin"),
    Column(
        "restored_upto",
        Integer,
        comment="the last submission in the backup that was restored: none up to it is sent by itself",
    ),
    Column(
        "restored_at",
        Moment,
        comment="when credsync was told so: whoever is due since has not been looked at",
    ),
)

quarantined_values = Table(
    "quarantined_values",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("record_id", String(32), primary_key=True),
    Column("property", String(200), primary_key=True),
    of_therapist(),
    Column("value_digest", String(32), nullable=False, comment="salted with its place"),
    Column("definition_digest", String(32), nullable=False, comment="of type, options and rules"),
    Column("code", String(100), nullable=False),
    Column("message", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Index("ix_quarantined_values_therapist_id", "therapist_id"),
    comment="what HubSpot refused of a record, without the value: not sent again until it or the property changes",
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("token", Integer, nullable=False, comment="fences: raised by every change of owner"),
    Column("expires_at", Moment, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(100), primary_key=True),
    Column(
        "digest",
        String(64),
        nullable=False,
        unique=True,
        comment="SHA-256 of the token; the token is not kept",
    ),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("token", String(100), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False, comment="of method, path and body"),
    Column("status", Integer, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)
