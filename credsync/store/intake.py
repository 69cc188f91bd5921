"""Takes facts in: each is appended, the therapist's generation rises, and a round is due. Nothing else happens here.

Every function takes a connection inside the caller's transaction; what it stored is durable when that commits.
On PostgreSQL two callers may make the same therapist at once: the second gets `IntegrityError` and tries again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, exists, insert, literal, or_, select, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.facts import SignUpKind
from credsync.core.forms import FormName
from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.store.clock import say_time
from credsync.store.database import Moment, insert_row
from credsync.store.tables import links, moving_facts, sign_ups, submissions, syncs, therapists
from credsync.store.timeline import append

PRESSED_TWICE = timedelta(seconds=1)
"""Two sign-ups of one kind this close together are one (a button pressed twice)."""


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
    events: list[TimelineEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Door:
    """The moment of a call and how long its fact may wait for company before a round."""

    now: datetime
    coalesce: timedelta


def accept_therapist(
    connection: Connection, door: Door, who: Who, moving: bool | None, occurred_at: datetime | None
) -> Taken:
    """Make or change a therapist."""
    taken = _therapist(connection, door, who)
    if moving is not None:
        _accept_moving(connection, taken, moving, occurred_at or door.now)
    _mark_due(connection, door, taken)
    return taken


def accept_sign_up(
    connection: Connection,
    door: Door,
    who: Who,
    kind: SignUpKind,
    occurred_at: datetime,
    moving: bool | None,
    data: Mapping[str, Any] | None,
) -> Taken:
    """A completed sign-up or Extended Sign Up. One that does not say means: not moving."""
    taken = _therapist(connection, door, who)
    near = select(sign_ups.c.id).where(
        sign_ups.c.therapist_id == taken.therapist_id,
        sign_ups.c.kind == kind.value,
        sign_ups.c.occurred_at > occurred_at - PRESSED_TWICE,
        sign_ups.c.occurred_at < occurred_at + PRESSED_TWICE,
    )
    same = connection.execute(near).scalars().first()
    if same is not None:
        taken.fact_id, taken.new = same, False
    else:
        taken.fact_id = insert_row(
            connection,
            sign_ups,
            therapist_id=taken.therapist_id,
            kind=kind.value,
            occurred_at=occurred_at,
            received_at=door.now,
        )
        _accept_moving(connection, taken, bool(moving), occurred_at)
        _tell(taken, door, EventName.SIGN_UP_COMPLETED, kind=kind.value)
    if data:
        _append_submission(connection, door, taken, "sign_up", occurred_at, moving, data)
    _mark_due(connection, door, taken)
    append(connection, taken.events)
    return taken


def accept_section(
    connection: Connection, door: Door, who: Who, form: FormName, section: str, occurred_at: datetime
) -> Taken:
    """A completed section: a reason to look, never to write."""
    taken = _therapist(connection, door, who)
    _tell(
        taken,
        door,
        EventName.SECTION_COMPLETED,
        form=form,
        section=section,
        occurred_at=say_time(occurred_at),
    )
    _mark_due(connection, door, taken)
    append(connection, taken.events)
    return taken


def accept_submission(
    connection: Connection,
    door: Door,
    who: Who,
    form: FormName,
    occurred_at: datetime,
    moving: bool | None,
    data: Mapping[str, Any],
) -> Taken:
    """A submitted form; `data` is what `core.forms.check_form` let through. The same again is the same submission."""
    taken = _therapist(connection, door, who)
    taken.fact_id, taken.new = _append_submission(connection, door, taken, form, occurred_at, moving, data)
    if taken.new:
        if moving is not None:
            _accept_moving(connection, taken, moving, occurred_at)
        linked = exists().where(
            links.c.therapist_id == taken.therapist_id, links.c.state == LinkState.FOUND.value
        )
        taken.urgent = bool(connection.execute(select(linked)).scalar())
        _mark_due(connection, door, taken)
        append(connection, taken.events)
    return taken


def accept_sync(
    connection: Connection, door: Door, therapist_id: str, reason: str, include_held: bool, requested_by: str
) -> Taken:
    """Sync now. Pressed again before a round has taken it up, it is the same press."""
    taken = _therapist(connection, door, Who(therapist_id))
    pending = select(syncs.c.id, syncs.c.include_held).where(
        syncs.c.therapist_id == taken.therapist_id, syncs.c.planned_at.is_(None)
    )
    row = connection.execute(pending).first()
    taken.urgent = True
    if row is not None:
        taken.fact_id, taken.new = row.id, False
        if include_held and not row.include_held:
            connection.execute(update(syncs).where(syncs.c.id == row.id).values(include_held=True))
    else:
        taken.fact_id = insert_row(
            connection,
            syncs,
            therapist_id=taken.therapist_id,
            reason=reason,
            include_held=include_held,
            requested_by=requested_by,
            requested_at=door.now,
        )
        _tell(taken, door, EventName.SYNC_REQUESTED, include_held=include_held, requested_by=requested_by)
    _mark_due(connection, door, taken)
    append(connection, taken.events)
    return taken


def _append_submission(
    connection: Connection,
    door: Door,
    taken: Taken,
    form: FormName,
    occurred_at: datetime,
    moving: bool | None,
    data: Mapping[str, Any],
) -> tuple[int, bool]:
    digest = hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    same = select(submissions.c.id).where(
        submissions.c.therapist_id == taken.therapist_id,
        submissions.c.form == form,
        submissions.c.occurred_at == occurred_at,
        submissions.c.digest == digest,
    )
    known = connection.execute(same).scalar_one_or_none()
    if known is not None:
        return known, False
    new = insert_row(
        connection,
        submissions,
        therapist_id=taken.therapist_id,
        form=form,
        occurred_at=occurred_at,
        received_at=door.now,
        moving=moving,
        digest=digest,
        data=data,
    )
    _tell(taken, door, EventName.FORM_SUBMITTED, form=form, submission=new, occurred_at=say_time(occurred_at))
    return new, True


def _accept_moving(connection: Connection, taken: Taken, moving: bool, occurred_at: datetime) -> None:
    connection.execute(
        insert(moving_facts).values(therapist_id=taken.therapist_id, moving=moving, occurred_at=occurred_at)
    )


def _tell(taken: Taken, door: Door, name: EventName, **details: object) -> None:
    event = TimelineEvent(name, taken.portal, taken.therapist_id, taken.contact_id, door.now, details=details)
    taken.events.append(event)


def _therapist(connection: Connection, door: Door, who: Who) -> Taken:
    """The therapist a fact is about, made or completed as the call says."""
    query = select(therapists).where(therapists.c.id == who.therapist_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return _made(connection, door, who) if row is None else _changed(connection, who, row)


def _made(connection: Connection, door: Door, who: Who) -> Taken:
    if who.portal is None:
        raise TherapistUnknown(who.therapist_id)
    _check_contact(connection, who, who.portal)
    connection.execute(
        insert(therapists).values(
            id=who.therapist_id,
            portal=who.portal,
            contact_id=who.contact_id,
            name=who.name,
            email=who.email,
            generation=0,
            settled_generation=0,
            state=TherapistState.WAITING.value,
            reason=Reason.NOT_LOOKED_YET.value,
            state_since=door.now,
            rides=True,
            created_at=door.now,
        )
    )
    return Taken(who.therapist_id, who.portal, who.contact_id)


def _changed(connection: Connection, who: Who, row: Row[Any]) -> Taken:
    if who.portal is not None and who.portal != row.portal:
        raise PortalDiffers(who.therapist_id, row.portal)
    said = {"contact_id": who.contact_id, "name": who.name, "email": who.email}
    changes = {key: value for key, value in said.items() if value is not None and value != getattr(row, key)}
    if "contact_id" in changes:
        _check_contact(connection, who, row.portal)
    if changes:
        connection.execute(update(therapists).where(therapists.c.id == row.id).values(**changes))
    return Taken(row.id, row.portal, changes.get("contact_id", row.contact_id))


def _holder(connection: Connection, who: Who, portal: str) -> str | None:
    query = select(therapists.c.id).where(
        therapists.c.portal == portal,
        therapists.c.contact_id == who.contact_id,
        therapists.c.id != who.therapist_id,
    )
    return connection.execute(query).scalar_one_or_none()


def _check_contact(connection: Connection, who: Who, portal: str) -> None:
    if who.contact_id is not None and (holder := _holder(connection, who, portal)) is not None:
        raise ContactTaken(who.contact_id, holder)


def _mark_due(connection: Connection, door: Door, taken: Taken) -> None:
    """Raise the generation and make a round due: at once if somebody waits for it, else soon."""
    due = door.now if taken.urgent else door.now + door.coalesce
    later = or_(therapists.c.due_at.is_(None), therapists.c.due_at > due)
    settled = therapists.c.state.in_([TherapistState.IN_SYNC.value, TherapistState.WAITING.value])
    connection.execute(
        update(therapists)
        .where(therapists.c.id == taken.therapist_id)
        .values(
            generation=therapists.c.generation + 1,
            rides=True,
            due_at=case((later, literal(due, Moment())), else_=therapists.c.due_at),
            state=case((settled, TherapistState.WAITING.value), else_=therapists.c.state),
            reason=case((settled, Reason.NOT_LOOKED_YET.value), else_=therapists.c.reason),
        )
    )
