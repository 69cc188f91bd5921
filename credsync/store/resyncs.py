"""A re-sync: everything submitted is written again for many, chosen by form, slot, cause and time, behind all else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from credsync.core.events import EventName, TimelineEvent
from credsync.core.forms import FormName
from credsync.core.writes import WriteState
from credsync.store.tables import submissions, syncs, therapists, writes
from credsync.store.therapists import Door, mark_many_for_backfill
from credsync.store.timeline import SAID, append


@dataclass(frozen=True, slots=True)
class Choosing:
    """Whom a re-sync is for; None chooses by nothing. `cause` is a write's state or reason.

    Without slot and cause whoever submitted is chosen, also what no write was ever planned for: since the portal file
    maps more now, say. With one of them, those whose write stands so.
    """

    portal: str | None = None
    form: FormName | None = None
    slot: str | None = None
    cause: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many therapists have a write of this form and slot that stands so."""

    portal: str
    form: str
    slot: str
    state: str
    reason: str
    therapists: int


def chosen(connection: Connection, by: Choosing) -> list[str]:
    """The therapists whom it is for, in the order of their ids."""
    return [row.id for row in connection.execute(_chosen(by).order_by(therapists.c.id))]


def standings(connection: Connection, by: Choosing) -> list[Standing]:
    """What their writes say now, by portal, form, slot, state and reason."""
    columns = (therapists.c.portal, writes.c.form, writes.c.slot, writes.c.state, writes.c.reason)
    query = (
        select(*columns, func.count(writes.c.therapist_id.distinct()))
        .join(therapists, therapists.c.id == writes.c.therapist_id)
        .where(writes.c.therapist_id.in_(_chosen(by)), *_of_write(by))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [Standing(*row) for row in connection.execute(query)]


def request_resync(
    connection: Connection,
    door: Door,
    therapist_ids: Sequence[str],
    by: Choosing,
    reason: str,
    include_held: bool,
    requested_by: str,
) -> int:
    """Ask for it for these therapists, and give for how many it was new: one that waits already is the same."""
    waiting = select(syncs.c.therapist_id).where(
        syncs.c.therapist_id.in_(therapist_ids),
        syncs.c.planned_at.is_(None),
        or_(syncs.c.form.is_(None), _same(syncs.c.form, by.form)),
        or_(syncs.c.slot.is_(None), _same(syncs.c.slot, by.slot)),
        *([syncs.c.include_held] if include_held else []),
    )
    asked = set(connection.execute(waiting).scalars())
    new = [each for each in therapist_ids if each not in asked]
    if not new:
        return 0
    told = {"include_held": include_held, "requested_by": requested_by, "form": by.form, "slot": by.slot}
    rows = [{"therapist_id": each, "reason": reason, "requested_at": door.now, **told} for each in new]
    connection.execute(syncs.insert(), rows)
    mark_many_for_backfill(connection, door, new)
    where = select(therapists.c.id, therapists.c.portal, therapists.c.contact_id).where(
        therapists.c.id.in_(new)
    )
    details = {name: value for name, value in told.items() if value is not None and name != "slot"}
    append(
        connection,
        [
            TimelineEvent(
                EventName.SYNC_REQUESTED,
                row.portal,
                row.id,
                row.contact_id,
                door.now,
                by.slot,
                details={**details, "resync": True, SAID: reason},
            )
            for row in connection.execute(where)
        ],
    )
    return len(new)


def _same(column: ColumnElement[str | None], value: str | None) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _chosen(by: Choosing) -> Select[tuple[str]]:
    query = select(therapists.c.id)
    if by.portal is not None:
        query = query.where(therapists.c.portal == by.portal)
    if by.slot is None and by.cause is None:
        of_submission = [
            submissions.c.therapist_id == therapists.c.id,
            or_(
                therapists.c.enrolment_since.is_(None),
                submissions.c.occurred_at >= therapists.c.enrolment_since,
            ),
        ]
        if by.form is not None:
            of_submission.append(submissions.c.form == by.form)
        if by.since is not None:
            of_submission.append(submissions.c.occurred_at >= by.since)
        return query.where(select(submissions.c.id).where(*of_submission).exists())
    mine = writes.c.therapist_id == therapists.c.id
    return query.where(select(writes.c.id).where(mine, *_of_write(by)).exists())


def _of_write(by: Choosing) -> list[ColumnElement[bool]]:
    """What can be sent again of the current enrolment, and what is held of any."""
    held = writes.c.state == WriteState.HELD.value
    current = and_(
        writes.c.enrolment == therapists.c.enrolment, writes.c.state != WriteState.SUPERSEDED.value
    )
    conditions: list[ColumnElement[bool]] = [or_(held, current)]
    if by.form is not None:
        conditions.append(writes.c.form == by.form)
    if by.slot is not None:
        instance = writes.c.slot.startswith(f"{by.slot}.", autoescape=True)
        conditions.append(or_(writes.c.slot == by.slot, instance))
    if by.cause is not None:
        conditions.append(or_(writes.c.state == by.cause, writes.c.reason == by.cause))
    if by.since is not None:
        conditions.append(writes.c.submitted_at >= by.since)
    return conditions
