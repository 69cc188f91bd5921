"""The tables of those who use the console: who they are, where they have signed in, and what was done by whom."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from credsync.store.database import Moment
from credsync.store.metadata import Id, metadata

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("email", String(254), nullable=False, unique=True, comment="lower case"),
    Column("role", String(10), nullable=False),
    Column(
        "password_hash",
        String(200),
        comment="argon2id; null until it is set up, and for who signs in elsewhere",
    ),
    Column("language", String(10), comment="null: the browser's"),
    Column("created_at", Moment, nullable=False),
    Column(
        "disabled_at", Moment, comment="since when nobody signs in as this person; null while somebody may"
    ),
    Column("issuer", String(500), comment="the OIDC provider who knows the person"),
    Column("subject", String(255), comment="the provider's own name for the person"),
    UniqueConstraint("issuer", "subject"),
    comment="who may sign in to the console",
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column(
        "digest",
        String(64),
        nullable=False,
        unique=True,
        comment="SHA-256 of the cookie; the cookie is not kept",
    ),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False, comment="at most a minute old while the session is used"),
    Column("ended_at", Moment, comment="signed out or revoked; null for one that ends by its age"),
    Column("address", String(100), nullable=False, comment="shown to the person and to admins"),
    Column("user_agent", String(300), nullable=False),
    Index("ix_sessions_person_id_opened_at", "person_id", "opened_at"),
    comment="who has signed in, where and when",
)

set_up_links = Table(
    "set_up_links",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of what the link holds"),
    Column("person_id", ForeignKey("people.id"), comment="null: whoever opens it becomes the first admin"),
    Column("until", Moment, nullable=False),
    Column("used_at", Moment),
    Column("created_at", Moment, nullable=False),
    Index("ix_set_up_links_person_id", "person_id"),
    comment="links by which a person chooses a password, once",
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column(
        "digest", String(64), primary_key=True, comment="SHA-256 of whom or where: no mistyped word is kept"
    ),
    Column("failures", Integer, nullable=False, comment="in a row; each is counted before it is judged"),
    Column("last_at", Moment, nullable=False),
    Index("ix_sign_in_attempts_last_at", "last_at"),
    comment="how often signing in failed of late, by person and by address",
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("who", String(300), nullable=False, comment="person:…, token:…, cli:… or credsync"),
    Column("act", String(40), nullable=False),
    Column("kind", String(20), nullable=False, comment="of whom or what it was done to"),
    Column("whom", String(300), nullable=False),
    Column("why", Text, comment="the reason that was given"),
    Column("before", String(64), comment="SHA-256 of how it stood; never a value"),
    Column("after", String(64)),
    Column("previous", String(64), nullable=False, unique=True, comment="the hash of the row before"),
    Column("hash", String(64), nullable=False, comment="SHA-256 over `previous` and all the other columns"),
    Index("ix_audit_kind_whom_seq", "kind", "whom", "seq"),
    comment="what was done by whom; the database refuses to change or delete a row",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    comment="the newest row of `audit`: whoever appends holds this row, so that the chain never forks",
)
