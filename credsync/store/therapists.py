"""A therapist's row as intake sees it: found, made or completed as a call says, and marked due.

Statements stand ready-made: intake is the one place where their making would cost more than their running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, or_, select, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.store.contacts import contact_now, sharers_of, warn_sharers
from credsync.store.database import Moment, has_one_writer
from credsync.store.names import renamed
from credsync.store.row_locks import lock_therapists
from credsync.store.tables import therapists
from credsync.store.wakes import announce

_THERAPIST = select(therapists).where(therapists.c.id == bindparam("for_id")).with_for_update()
"""The row, held until the transaction ends, so that two facts of one therapist follow each other."""

_MAKE = therapists.insert()

_NEW_CONTACT: dict[str, Any] = {"merged_contact_id": None, "planned_by": None}
"""Another contact is planned and looked at anew, whatever is known of the one before."""

_IN_SYNC = therapists.c.state == TherapistState.IN_SYNC.value

_ONE_MORE_FACT = (
    update(therapists)
    .where(therapists.c.id == bindparam("for_id"))
    .values(
        generation=therapists.c.generation + 1,
        state=case((_IN_SYNC, TherapistState.WAITING.value), else_=therapists.c.state),
        reason=case((_IN_SYNC, Reason.NOT_LOOKED_YET.value), else_=therapists.c.reason),
        state_since=case((_IN_SYNC, bindparam("now", type_=Moment())), else_=therapists.c.state_since),
    )
)
"""Who was in sync waits from `now` on; who waited goes on waiting."""

_MARK_DUE = _ONE_MORE_FACT.values(
    rides=True,
    due_at=case(
        (
            or_(therapists.c.due_at.is_(None), therapists.c.due_at > bindparam("due", type_=Moment())),
            bindparam("due", type_=Moment()),
        ),
        else_=therapists.c.due_at,
    ),
)
"""Due no later than `due`."""

_MARK_BACKFILL = _ONE_MORE_FACT.values(
    backfill_at=func.coalesce(therapists.c.backfill_at, bindparam("now", type_=Moment()))
)
"""In the backfill lane, since `now` or since before."""


class ContactTaken(Exception):
    """The contact belongs to another therapist of the portal."""

    def __init__(self, contact_id: str, therapist_id: str) -> None:
        self.contact_id, self.therapist_id = contact_id, therapist_id
        super().__init__(f"contact {contact_id} belongs to therapist {therapist_id}")


class PortalDiffers(Exception):
    """The therapist already lives in another portal."""

    def __init__(self, therapist_id: str, portal: str) -> None:
        self.therapist_id, self.portal = therapist_id, portal
        super().__init__(f"therapist {therapist_id} lives in portal {portal}")


class TherapistUnknown(Exception):
    """No such therapist yet, and the call does not say in which portal to make it."""

    def __init__(self, therapist_id: str) -> None:
        self.therapist_id = therapist_id
        super().__init__(f"therapist {therapist_id} is unknown")


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a fact is about, and what the call says of them beside it. None leaves what is known alone."""

    therapist_id: str
    portal: str | None = None
    contact_id: str | None = None
    name: str | None = None
    email: str | None = None


@dataclass(slots=True)
class Taken:
    """What an intake call stored: the fact's id, whether it was new, and the events to log after the commit."""

    therapist_id: str
    portal: str
    contact_id: str | None
    fact_id: int | None = None
    new: bool = True
    urgent: bool = False
    contact_changed: bool = False
    made: bool = False
    """The therapist was not known before this call: its row is due already, and nothing else is stored of it."""
    events: list[TimelineEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Door:
    """The moment of a call and how long its fact may wait for company before a round.

    With `backfill` it waits in the lane behind everybody who is due, however many come in at once.
    """

    now: datetime
    coalesce: timedelta
    backfill: bool = False


def tell(taken: Taken, door: Door, name: EventName, **details: object) -> None:
    """Note what happened, to store and to log."""
    event = TimelineEvent(name, taken.portal, taken.therapist_id, taken.contact_id, door.now, details=details)
    taken.events.append(event)


def therapist_of(connection: Connection, door: Door, who: Who) -> Taken:
    """The therapist a fact is about, made or completed as the call says."""
    _lock_with_sharers(connection, who)
    row = connection.execute(_THERAPIST, {"for_id": who.therapist_id}).one_or_none()
    return _made(connection, door, who) if row is None else _changed(connection, door, who, row)


def _lock_with_sharers(connection: Connection, who: Who) -> None:
    """Take the row of a therapist who gets another contact together with those who share the one that is left."""
    if who.contact_id is None or has_one_writer(connection):
        return
    known = select(therapists.c.portal, therapists.c.contact_id, therapists.c.merged_contact_id)
    row = connection.execute(known.where(therapists.c.id == who.therapist_id)).one_or_none()
    if row is not None and row.contact_id != who.contact_id:
        sharers = sharers_of(connection, row.portal, _known(row.contact_id, row.merged_contact_id))
        lock_therapists(connection, {who.therapist_id, *sharers})


def _known(*contact_ids: str | None) -> list[str]:
    return [each for each in contact_ids if each is not None]


def _made(connection: Connection, door: Door, who: Who) -> Taken:
    if who.portal is None:
        raise TherapistUnknown(who.therapist_id)
    contact = _free_contact(connection, who, who.portal)
    connection.execute(
        _MAKE,
        {
            "id": who.therapist_id,
            "portal": who.portal,
            "contact_id": contact,
            "sync_url_at": None if contact is None else door.now,
            "name": who.name,
            "email": who.email,
            "generation": 1,
            "settled_generation": 0,
            "due_at": None if door.backfill else door.now + door.coalesce,
            "backfill_at": door.now if door.backfill else None,
            "state": TherapistState.WAITING.value,
            "reason": Reason.NOT_LOOKED_YET.value,
            "state_since": door.now,
            "rides": True,
            "created_at": door.now,
            "verified_at": door.now,
        },
    )
    renamed(connection, who.therapist_id, None, who.name)
    return Taken(who.therapist_id, who.portal, contact, made=True)


def _changed(connection: Connection, door: Door, who: Who, row: Row[Any]) -> Taken:
    if who.portal is not None and who.portal != row.portal:
        raise PortalDiffers(who.therapist_id, row.portal)
    said = {"contact_id": who.contact_id, "name": who.name, "email": who.email}
    changes: dict[str, Any] = {
        key: value for key, value in said.items() if value is not None and value != getattr(row, key)
    }
    if "contact_id" in changes:
        contact = _free_contact(connection, who, row.portal)
        del changes["contact_id"]
        if contact != row.contact_id:
            changes |= _NEW_CONTACT | {"contact_id": contact, "sync_url_at": door.now}
            left = _known(row.contact_id, row.merged_contact_id)
            warn_sharers(connection, row.portal, left, door.now)
    if changes:
        connection.execute(update(therapists).where(therapists.c.id == row.id).values(**changes))
        if "name" in changes:
            renamed(connection, row.id, row.name, who.name)
    contact_changed = "contact_id" in changes
    return Taken(
        row.id, row.portal, changes.get("contact_id", row.contact_id), contact_changed=contact_changed
    )


def _free_contact(connection: Connection, who: Who, portal: str) -> str | None:
    """The contact as HubSpot has it now, under its new id if it was merged. Raises `ContactTaken` for another's."""
    if who.contact_id is None:
        return None
    contact, holder = contact_now(connection, portal, who.contact_id, who.therapist_id)
    if holder is not None:
        raise ContactTaken(who.contact_id, holder)
    return contact


def mark_due(connection: Connection, door: Door, taken: Taken) -> None:
    """Raise the generation and make a round due: at once if somebody waits for it, soon, or in the backfill lane."""
    if taken.made:
        return
    if door.backfill:
        connection.execute(_MARK_BACKFILL, {"for_id": taken.therapist_id, "now": door.now})
        return
    if taken.urgent:
        announce(connection, taken.portal)
    due = door.now if taken.urgent else door.now + door.coalesce
    connection.execute(_MARK_DUE, {"for_id": taken.therapist_id, "due": due, "now": door.now})


def mark_many_for_backfill(connection: Connection, door: Door, therapist_ids: Sequence[str]) -> None:
    """Raise the generation of therapists who are known, and put them into the backfill lane."""
    lock_therapists(connection, therapist_ids)
    connection.execute(_MARK_BACKFILL, [{"for_id": each, "now": door.now} for each in therapist_ids])
