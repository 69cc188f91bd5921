"""People, their sessions, and the audit that the database itself keeps append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ON_POSTGRESQL = (
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
)
_ON_SQLITE = (
    "CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    # INSERT OR REPLACE takes a row's place without a DELETE
    """
    CREATE TRIGGER audit_keeps_places BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq OR previous = NEW.previous)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
    """,
)


def upgrade() -> None:
    """Make the tables, and what guards the audit."""
    op.create_table(
        "audit",
        sa.Column("seq", _ID, autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column(
            "who", sa.String(length=300), nullable=False, comment="person:…, token:…, cli:… or credsync"
        ),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False, comment="of whom or what it was done to"),
        sa.Column("whom", sa.String(length=300), nullable=False),
        sa.Column("why", sa.Text(), nullable=True, comment="the reason that was given"),
        sa.Column(
            "before", sa.String(length=64), nullable=True, comment="SHA-256 of how it stood; never a value"
        ),
        sa.Column("after", sa.String(length=64), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False, comment="the hash of the row before"),
        sa.Column(
            "hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 over `previous` and all the other columns",
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_previous")),
        comment="what was done by whom; the database refuses to change or delete a row",
    )
    op.create_index("ix_audit_kind_whom_seq", "audit", ["kind", "whom", "seq"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_audit_head")),
        comment="the newest row of `audit`: whoever appends holds this row, so that the chain never forks",
    )
    op.create_table(
        "people",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False, comment="lower case"),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column(
            "password_hash",
            sa.String(length=200),
            nullable=True,
            comment="argon2id; null until it is set up, and for who signs in elsewhere",
        ),
        sa.Column("language", sa.String(length=10), nullable=True, comment="null: the browser's"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column(
            "disabled_at",
            Moment(),
            nullable=True,
            comment="since when nobody signs in as this person; null while somebody may",
        ),
        sa.Column(
            "issuer", sa.String(length=500), nullable=True, comment="the OIDC provider who knows the person"
        ),
        sa.Column(
            "subject", sa.String(length=255), nullable=True, comment="the provider's own name for the person"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_people_issuer_subject")),
        comment="who may sign in to the console",
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of whom or where: no mistyped word is kept",
        ),
        sa.Column(
            "failures", sa.Integer(), nullable=False, comment="in a row; each is counted before it is judged"
        ),
        sa.Column("last_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_attempts")),
        comment="how often signing in failed of late, by person and by address",
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the cookie; the cookie is not kept",
        ),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column(
            "seen_at", Moment(), nullable=False, comment="at most a minute old while the session is used"
        ),
        sa.Column(
            "ended_at",
            Moment(),
            nullable=True,
            comment="signed out or revoked; null for one that ends by its age",
        ),
        sa.Column(
            "address", sa.String(length=100), nullable=False, comment="shown to the person and to admins"
        ),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
        comment="who has signed in, where and when",
    )
    op.create_index("ix_sessions_person_id_opened_at", "sessions", ["person_id", "opened_at"], unique=False)
    op.create_table(
        "set_up_links",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of what the link holds"),
        sa.Column("person_id", _ID, nullable=True, comment="null: whoever opens it becomes the first admin"),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_set_up_links_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_set_up_links")),
        comment="links by which a person chooses a password, once",
    )
    op.create_index("ix_set_up_links_person_id", "set_up_links", ["person_id"], unique=False)
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _ON_POSTGRESQL if postgresql else _ON_SQLITE:
        op.execute(statement)
