"""Takes in a therapist from before: made or completed as a row says, and looked at in the backfill lane."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from credsync.store.contacts import contact_now
from credsync.store.intake import accept_therapist
from credsync.store.tables import moving_facts, therapists
from credsync.store.therapists import Door, Who


class ImportVerdict(StrEnum):
    """What became of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


def import_therapist(
    connection: Connection, door: Door, who: Who, moving: bool | None, occurred_at: datetime | None
) -> ImportVerdict:
    """Take one row in; what says nothing new changes nothing, so that a file may be imported again.

    Raises `ContactTaken`, `PortalDiffers` or `TherapistUnknown`, having stored nothing.
    """
    known = connection.execute(select(therapists).where(therapists.c.id == who.therapist_id)).one_or_none()
    if known is not None:
        said = {"name": who.name, "email": who.email, "portal": who.portal, "contact_id": who.contact_id}
        if who.contact_id is not None and who.contact_id != known.contact_id:
            said["contact_id"], _ = contact_now(connection, known.portal, who.contact_id, who.therapist_id)
        same = all(value in (None, getattr(known, name)) for name, value in said.items())
        if same and _moves_as_known(connection, who.therapist_id, moving, occurred_at):
            return ImportVerdict.UNCHANGED
    accept_therapist(connection, door, who, moving, occurred_at)
    return ImportVerdict.NEW if known is None else ImportVerdict.CHANGED


def _moves_as_known(
    connection: Connection, therapist_id: str, moving: bool | None, occurred_at: datetime | None
) -> bool:
    """Whether the row's word on moving is the latest one there is, or stands among the facts already."""
    if moving is None:
        return True
    facts = select(moving_facts.c.moving).where(moving_facts.c.therapist_id == therapist_id)
    if occurred_at is not None:
        same = facts.where(moving_facts.c.occurred_at == occurred_at, moving_facts.c.moving == moving)
        return connection.execute(same.limit(1)).first() is not None
    newest = facts.order_by(moving_facts.c.occurred_at.desc(), moving_facts.c.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() == moving
