"""The tables of calls to HubSpot: what the rounds made of a day, and what people's questions take of the reserve."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from credsync.store.database import Moment
from credsync.store.metadata import Id, metadata

daily_calls = Table(
    "daily_calls",
    metadata,
    Column("portal", String(100), primary_key=True),
    Column("bucket", String(20), primary_key=True, comment="which of HubSpot's limits they count against"),
    Column("day", String(10), nullable=False, comment="of the account's time zone; only the latest is kept"),
    Column("calls", BigInteger, nullable=False),
    Column("allowed", BigInteger, comment="the account's daily calls, as HubSpot told them"),
    Column("stopped_until", Moment, comment="until when HubSpot said that none are left; it may be over"),
    comment="the calls of the rounds: a new process goes on with what the one before it had left of the day",
)

live_reads = Table(
    "live_reads",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("portal", String(100), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_live_reads_portal_at", "portal", "at"),
    comment="calls that people's questions made beside the rounds, of the last seconds",
)
