"""The tables of what was reported and pressed: appended to, and taken up by rounds."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, Text, UniqueConstraint

from credsync.store.database import Moment
from credsync.store.metadata import Id, metadata, of_therapist

sign_ups = Table(
    "sign_ups",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("kind", String(10), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index("ix_sign_ups_therapist_id", "therapist_id"),
)

moving_facts = Table(
    "moving_facts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("moving", Boolean, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Index("ix_moving_facts_therapist_id", "therapist_id"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("form", String(10), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("moving", Boolean),
    Column("digest", String(64), nullable=False, comment="same form, occurred_at and data is one submission"),
    Column("data", JSON, nullable=False),
    UniqueConstraint("therapist_id", "form", "occurred_at", "digest"),
)

syncs = Table(
    "syncs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("reason", Text, nullable=False),
    Column("include_held", Boolean, nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("planned_at", Moment, comment="when a round turned it into writes"),
    Column("form", String(10), comment="a re-sync of this form alone; null for all of them"),
    Column("slot", String(200), comment="a re-sync of this slot alone; null for all of them"),
    Index("ix_syncs_therapist_id", "therapist_id"),
    Index("ix_syncs_requested_by_requested_at", "requested_by", "requested_at"),
)

choices = Table(
    "choices",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_therapist(),
    Column("slot", String(200), nullable=False),
    Column("record_id", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("chosen_by", String(100), nullable=False),
    Column("chosen_at", Moment, nullable=False),
    Column("taken_at", Moment, comment="when a round took it up; the link remembers it from then on"),
    Index("ix_choices_therapist_id", "therapist_id"),
    comment="a person chose among the candidates of an ambiguous slot",
)
