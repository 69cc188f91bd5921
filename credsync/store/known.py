"""What intake asks of a therapist before it takes a fact in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, select

from credsync.core.forms import FormName
from credsync.store.tables import submissions, therapists


@dataclass(frozen=True, slots=True)
class Known:
    """A therapist who is known, and what is known of them."""

    therapist_id: str
    portal: str
    name: str | None
    email: str | None


def known_therapist(connection: Connection, therapist_id: str) -> Known | None:
    """Who has this UUID; None while nobody has."""
    query = select(therapists.c.id, therapists.c.portal, therapists.c.name, therapists.c.email).where(
        therapists.c.id == therapist_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Known(row.id, row.portal, row.name, row.email)


def has_submitted(connection: Connection, therapist_id: str, form: FormName) -> bool:
    """Whether the therapist ever submitted this form."""
    mine = exists().where(submissions.c.therapist_id == therapist_id, submissions.c.form == form)
    return bool(connection.execute(select(mine)).scalar())
