"""The tables of webhooks: where to look, what came, which signatures were used. No contents of a webhook are in them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from credsync.store.database import Moment
from credsync.store.tables import metadata

_COUNT = BigInteger().with_variant(Integer, "sqlite")

hints = Table(
    "hints",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("therapist_id", String(36), primary_key=True, comment="empty: whoever waits for the object type"),
    Column("object", String(100), primary_key=True, comment="the portal file's key, or contact"),
    Column(
        "seq", Integer, nullable=False, comment="+1 with every hint, so that one during a look is not lost"
    ),
    Column("due_at", Moment, nullable=False, comment="when a round must look"),
    Index("ix_hints_portal_due_at", "portal", "due_at"),
    comment="where HubSpot's webhooks say that a look is worth while; gone once it was made",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("portal", String(100), primary_key=True, comment="empty: refused ones for a portal nobody has"),
    Column("calls", _COUNT, nullable=False, server_default="0"),
    Column("events", _COUNT, nullable=False, server_default="0"),
    Column("replayed", _COUNT, nullable=False, server_default="0"),
    Column("refused", _COUNT, nullable=False, server_default="0"),
    Column("received_at", Moment, comment="the last that HubSpot had signed"),
    Column("refused_at", Moment),
    Column("refused_for", String(40), comment="what was wrong with the last that was refused"),
    Column("told_at", Moment, comment="when the feed was last told"),
    Column("told", JSON, comment="calls and events the feed was told of so far"),
    Column("types", JSON, comment="when associations of each object type were last told of, by key"),
    comment="what came by webhook: counts, never contents",
)

webhook_signatures = Table(
    "webhook_signatures",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of portal and signature"),
    Column("until", Moment, nullable=False, comment="when the signature is stale anyway"),
    Index("ix_webhook_signatures_until", "until"),
    comment="signatures of the last minutes, so that a replay has no effect",
)
