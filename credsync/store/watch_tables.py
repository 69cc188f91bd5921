"""The tables of those who watch: how long records took to come, when that is too long, what is wrong and with whom."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from credsync.store.database import Moment
from credsync.store.metadata import Id, metadata

delays = Table(
    "delays",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("slot", String(100), primary_key=True, comment="key of the slot's rule"),
    Column("week", String(10), primary_key=True, comment="Monday of the week the wait began in"),
    Column("measure", String(10), primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    comment="how long records took to come: counts by bucket, however many came",
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("slot", String(100), primary_key=True, comment="key of the slot's rule"),
    Column("after_ms", BigInteger, nullable=False),
    Column("source", String(20), nullable=False),
    Column("samples", Integer, nullable=False),
    Column("normally_from_ms", BigInteger),
    Column("normally_to_ms", BigInteger),
    comment="when a slot's wait is overdue, as the owner of the portal last judged",
)

refusals = Table(
    "refusals",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("property", String(200), primary_key=True, comment="empty where HubSpot named none"),
    Column("therapist_id", String(36), ForeignKey("therapists.id"), primary_key=True),
    comment="properties that HubSpot refused of whom, while nothing has answered it",
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("portal", String(100), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("object", String(100), nullable=False),
    Column("slot", String(200), nullable=False),
    Column("property", String(200), nullable=False),
    Column("verb", String(10), nullable=False),
    Column("therapists", Integer, nullable=False, comment="how many are beneath it"),
    Column("details", JSON, nullable=False, comment="names its text needs; never a value"),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("closed_at", Moment, comment="when the cause had ended; null while it holds"),
    Column("acknowledged_by", String(100)),
    Column("acknowledged_at", Moment),
    Column("note", Text),
    Index(
        "uq_alerts_open",
        "portal",
        "kind",
        "object",
        "slot",
        "property",
        "verb",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    comment="one open row per cause",
)
