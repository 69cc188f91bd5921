"""The endings of names, by which a part of a name is found, and those of the names that are there already."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TOGETHER = 2_000
"""Therapists whose endings go in at once."""


def upgrade() -> None:
    """Make the table and fill it; about a minute for a million therapists."""
    made = op.create_table(
        "name_endings",
        sa.Column("ending", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("therapist_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("ending", "therapist_id", name=op.f("pk_name_endings")),
        comment="each ending of each therapist's name, its case folded, by which a part of the name is found",
        sqlite_with_rowid=False,
    )
    therapists = sa.table("therapists", sa.column("id", sa.String), sa.column("name", sa.Text))
    connection = op.get_bind()
    named = sa.select(therapists.c.id, therapists.c.name).where(therapists.c.name.is_not(None))
    following = named.order_by(therapists.c.id).limit(_TOGETHER)
    last = ""
    while some := connection.execute(following.where(therapists.c.id > last)).all():
        last = some[-1].id
        endings = [
            {"ending": ending, "therapist_id": row.id}
            for row in some
            for ending in sorted(_endings(row.name))
        ]
        if endings:
            connection.execute(made.insert(), endings)


def _endings(name: str) -> set[str]:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return {folded[start:] for start, letter in enumerate(folded) if not letter.isspace()}
