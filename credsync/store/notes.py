"""What people write down about a therapist: on the timeline, and nowhere else."""

from __future__ import annotations

from sqlalchemy import Connection, select

from credsync.core.events import EventName
from credsync.store.row_locks import lock_therapists
from credsync.store.tables import therapists
from credsync.store.therapists import Door, Taken, TherapistUnknown, tell
from credsync.store.timeline import SAID, append


def accept_note(connection: Connection, door: Door, therapist_id: str, text: str, by: str) -> Taken:
    """Put a note on the timeline. It is no fact: nobody becomes due by it. Raises `TherapistUnknown`."""
    lock_therapists(connection, {therapist_id})
    row = connection.execute(select(therapists).where(therapists.c.id == therapist_id)).one_or_none()
    if row is None:
        raise TherapistUnknown(therapist_id)
    taken = Taken(row.id, row.portal, row.contact_id)
    tell(taken, door, EventName.NOTE_ADDED, **{"by": by, SAID: text})
    append(connection, taken.events)
    return taken
