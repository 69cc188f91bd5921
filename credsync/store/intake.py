"""Takes facts in: each is appended, the therapist's generation rises, and a round is due. Nothing else happens here.

Every function takes a connection inside the caller's transaction; what it stored is durable when that commits.
On PostgreSQL two callers may make the same therapist at once: the second gets `IntegrityError` and tries again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, update

from credsync.core.events import EventName
from credsync.core.facts import SignUpKind
from credsync.core.forms import FormName
from credsync.core.links import LinkState
from credsync.store.clock import say_time
from credsync.store.database import JsonText, insert_row
from credsync.store.tables import links, moving_facts, sign_ups, submissions, syncs
from credsync.store.therapists import Door, Taken, Who, mark_due, tell, therapist_of
from credsync.store.timeline import SAID, append

PRESSED_TWICE = timedelta(seconds=1)
"""Two sign-ups of one kind this close together are one (a button pressed twice)."""


_SAME_SUBMISSION = select(submissions.c.id).where(
    submissions.c.therapist_id == bindparam("for_id"),
    submissions.c.form == bindparam("of_form"),
    submissions.c.occurred_at == bindparam("at"),
    submissions.c.digest == bindparam("having"),
)

_LINKED = select(
    exists().where(links.c.therapist_id == bindparam("for_id"), links.c.state == LinkState.FOUND.value)
)
"""Whether any record of the therapist is known, so that a submission may be written at once."""

_MOVING = moving_facts.insert()


def accept_therapist(
    connection: Connection, door: Door, who: Who, moving: bool | None, occurred_at: datetime | None
) -> Taken:
    """Make or change a therapist."""
    taken = therapist_of(connection, door, who)
    if moving is not None:
        _accept_moving(connection, taken, moving, occurred_at or door.now)
    mark_due(connection, door, taken)
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
    taken = therapist_of(connection, door, who)
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
        tell(taken, door, EventName.SIGN_UP_COMPLETED, kind=kind.value)
    if data:
        _append_submission(connection, door, taken, "sign_up", occurred_at, moving, data)
    mark_due(connection, door, taken)
    append(connection, taken.events)
    return taken


def accept_section(
    connection: Connection, door: Door, who: Who, form: FormName, section: str, occurred_at: datetime
) -> Taken:
    """A completed section: a reason to look, never to write."""
    taken = therapist_of(connection, door, who)
    tell(
        taken,
        door,
        EventName.SECTION_COMPLETED,
        form=form,
        section=section,
        occurred_at=say_time(occurred_at),
    )
    mark_due(connection, door, taken)
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
    taken = therapist_of(connection, door, who)
    taken.fact_id, taken.new = _append_submission(connection, door, taken, form, occurred_at, moving, data)
    if taken.new:
        if moving is not None:
            _accept_moving(connection, taken, moving, occurred_at)
        taken.urgent = not taken.made and bool(
            connection.execute(_LINKED, {"for_id": taken.therapist_id}).scalar()
        )
    if taken.new or taken.contact_changed:
        mark_due(connection, door, taken)
        append(connection, taken.events)
    return taken


def accept_sync(
    connection: Connection, door: Door, therapist_id: str, reason: str, include_held: bool, requested_by: str
) -> Taken:
    """Sync now. Pressed again before a round has taken it up, it is the same press."""
    taken = therapist_of(connection, door, Who(therapist_id))
    pending = select(syncs.c.id, syncs.c.include_held).where(
        syncs.c.therapist_id == taken.therapist_id,
        syncs.c.planned_at.is_(None),
        syncs.c.form.is_(None),
        syncs.c.slot.is_(None),
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
        said = {"include_held": include_held, "requested_by": requested_by, SAID: reason}
        tell(taken, door, EventName.SYNC_REQUESTED, **said)
    mark_due(connection, door, taken)
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
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    same = {"for_id": taken.therapist_id, "of_form": form, "at": occurred_at, "having": digest}
    known = None if taken.made else connection.execute(_SAME_SUBMISSION, same).scalar_one_or_none()
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
        data=JsonText(text),
    )
    told = {"form": form, "submission": str(new), "occurred_at": say_time(occurred_at)}
    tell(taken, door, EventName.FORM_SUBMITTED, **told)
    return new, True


def _accept_moving(connection: Connection, taken: Taken, moving: bool, occurred_at: datetime) -> None:
    row = {"therapist_id": taken.therapist_id, "moving": moving, "occurred_at": occurred_at}
    connection.execute(_MOVING, row)
