"""Reads what a round needs: who is due, what is known of them, and, only for those who need it, what they submitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, or_, select

from credsync.core.decide import Case
from credsync.core.facts import Facts, MovingFact, SignUp, SignUpKind, Submission
from credsync.core.links import Link, LinkState
from credsync.core.plan import SyncRequest
from credsync.core.reasons import Reason
from credsync.core.writes import Cause, Write, WriteState
from credsync.store.contacts import shared_contacts
from credsync.store.database import not_among
from credsync.store.hints import ANYBODY
from credsync.store.tables import (
    links,
    moving_facts,
    portals,
    sign_ups,
    submissions,
    syncs,
    therapists,
    writes,
)
from credsync.store.webhook_tables import hints

_CHUNK = 500
"""Ids in one IN list."""
FEWEST_BACKFILLED, MOST_BACKFILLED = 20, 300
"""Seats of a round that the backfill lane gets."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A therapist taken into a round: the case, and what the round must give back with it."""

    case: Case
    generation: int
    dirty: bool
    """A fact came since the last finished round (or the portal file changed): plan anew and look at everything."""
    state: str
    reason: str
    due: bool
    look_at_all: bool = False
    """Nothing is known of how things stand under this contact: look whether something is open or not."""
    planned_submission: int = 0
    """The newest submission that planning had seen."""
    fresh: bool = False
    """A fact came since the last finished round."""
    merged_contact_id: str | None = None
    """What HubSpot merged the contact into, while that was another therapist's."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What rounds in flight have taken: another leaves it alone, and it counts as due to nobody."""

    therapists: frozenset[str] = frozenset()
    woken: frozenset[str] = frozenset()
    """Object types of which they follow a hint for whoever waits."""


NOTHING_TAKEN = Taken()


def claim_due(
    connection: Connection,
    portal: str,
    portal_digest: str,
    now: datetime,
    limit: int = 1_000,
    *,
    hinted: Mapping[str, frozenset[str]] | None = None,
    woken: Collection[str] = (),
    besides: Taken = NOTHING_TAKEN,
) -> list[Claimed]:
    """The therapists who are due; then some of the backfill lane, longest waiting first; and in the free seats whoever
    waits, soonest next look first.

    Of the due, those of whom a fact came go first, then whoever is due longest: thousands who are due after an outage
    do not keep a person who presses Sync now. Whoever a webhook hinted at (therapist id to object keys) comes right
    after the due. `woken` are slots whose waiting are looked at even if nobody else is. Empty when nobody is due,
    hinted at, woken or in the lane. Nobody who is `besides` in a round. Reads only: a claim is the portal's lease, and
    what its owner knows to be in flight.
    """
    hinted = hinted or {}
    free = (therapists.c.portal == portal, *_not_in(connection, therapists.c.id, besides.therapists))
    due = (
        select(therapists)
        .where(*free, therapists.c.due_at <= now)
        .order_by(therapists.c.generation == therapists.c.settled_generation, therapists.c.due_at)
        .limit(limit)
    )
    rows = list(connection.execute(due))
    known = {row.id for row in rows}
    meant = [each for each in hinted if each not in known][: limit - len(rows)]
    rows += _rows(connection, select(therapists), therapists.c.id, meant)
    known |= set(meant)
    lane = _backfilled(connection, free, now, limit - len(rows))
    backfilled = [row for row in lane if row.id not in known]
    rows = [*rows[: limit - len(backfilled)], *backfilled]
    known |= {row.id for row in backfilled}
    if not rows and not woken:
        return []
    if len(rows) < limit:
        riders = select(therapists).where(*free, therapists.c.due_at > now, therapists.c.rides)
        if not rows:
            riders = riders.where(_waits_for(woken))
        riders = riders.order_by(therapists.c.due_at).limit(limit - len(rows) + len(known))
        riding = (row for row in connection.execute(riders) if row.id not in known)
        rows += islice(riding, limit - len(rows))
    return claim_rows(connection, rows, portal, portal_digest, now, hinted)


def _waits_for(slots: Collection[str]) -> ColumnElement[bool]:
    """Whether a therapist waits for one of these slots, or for an instance of one."""
    named = (links.c.slot.startswith(f"{slot}.", autoescape=True) for slot in slots)
    return (
        select(links.c.slot)
        .where(
            links.c.therapist_id == therapists.c.id,
            links.c.awaited,
            links.c.state != LinkState.FOUND.value,
            or_(links.c.slot.in_(slots), *named),
        )
        .exists()
    )


def _backfilled(
    connection: Connection, free: Sequence[ColumnElement[bool]], now: datetime, seats: int
) -> Sequence[Row[Any]]:
    """Those of the lane who get a seat: few enough that a fact which comes meanwhile does not wait long for the next
    round, and some even where everybody else who is due would fill it.
    """
    waiting = (
        select(therapists)
        .where(
            *free,
            therapists.c.backfill_at.is_not(None),
            or_(therapists.c.due_at.is_(None), therapists.c.due_at > now),
        )
        .order_by(therapists.c.backfill_at)
        .limit(max(FEWEST_BACKFILLED, min(seats, MOST_BACKFILLED)))
    )
    return connection.execute(waiting).all()


def claim_one(connection: Connection, therapist_id: str, portal_digest: str, now: datetime) -> Claimed | None:
    """One therapist as a round would claim them, due or not; None for an unknown one. Reads only."""
    row = connection.execute(select(therapists).where(therapists.c.id == therapist_id)).one_or_none()
    return None if row is None else claim_rows(connection, [row], row.portal, portal_digest, now)[0]


def claim_rows(
    connection: Connection,
    rows: Sequence[Row[Any]],
    portal: str,
    portal_digest: str,
    now: datetime,
    hinted: Mapping[str, frozenset[str]] | None = None,
) -> list[Claimed]:
    shared = shared_contacts(connection, portal)
    known_links = links_of(connection, [row.id for row in rows])
    known_writes = writes_of(connection, [row.id for row in rows])
    return [
        Claimed(
            Case(
                therapist_id=row.id,
                contact_id=row.contact_id,
                links=known_links[row.id],
                writes=tuple(known_writes[row.id]),
                definitive=row.definitive,
                enrolment=row.enrolment,
                enrolment_since=row.enrolment_since,
                contact_shared_with=shared.get(row.merged_contact_id or row.contact_id or "", frozenset())
                - {row.id},
                hinted=(hinted or {}).get(row.id, frozenset()),
            ),
            row.generation,
            row.generation != row.settled_generation or row.planned_by != portal_digest,
            row.state,
            row.reason,
            row.due_at is not None and row.due_at <= now,
            row.planned_by is None,
            row.planned_submission,
            row.generation != row.settled_generation,
            row.merged_contact_id,
        )
        for row in rows
    ]


def _soonest(*which: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The soonest of the due, of the lane and of the hints, each of those that are meant."""
    return select(
        *(
            select(column)
            .where(column.table.c.portal == bindparam("of_portal"), column.is_not(None), *meant)
            .order_by(column)
            .limit(1)
            .scalar_subquery()
            for column, meant in zip(
                (therapists.c.due_at, therapists.c.backfill_at, hints.c.due_at), which, strict=True
            )
        )
    )


_SOONEST = _soonest((), (), ())
"""Asked all the time, so put together once."""


def next_due_at(connection: Connection, portal: str, besides: Taken = NOTHING_TAKEN) -> datetime | None:
    """When the next therapist or hint of a portal is due, or since when one waits in the backfill lane; else None."""
    query = _SOONEST
    if besides != NOTHING_TAKEN:
        free = _not_in(connection, therapists.c.id, besides.therapists)
        untold = _not_in(connection, hints.c.therapist_id, besides.therapists)
        if besides.woken:
            untold += [or_(hints.c.therapist_id != ANYBODY, hints.c.object.not_in(sorted(besides.woken)))]
        query = _soonest(free, free, untold)
    found = connection.execute(query, {"of_portal": portal}).one()
    return min((each for each in found if each is not None), default=None)


def _not_in(
    connection: Connection, column: ColumnElement[str], taken: Collection[str]
) -> list[ColumnElement[bool]]:
    return [not_among(connection, column, taken)] if taken else []


def links_of(connection: Connection, therapist_ids: Sequence[str]) -> dict[str, dict[str, Link]]:
    """Every link by therapist and slot."""
    found: dict[str, dict[str, Link]] = defaultdict(dict)
    for row in _rows(connection, select(links), links.c.therapist_id, therapist_ids):
        found[row.therapist_id][row.slot] = link_of(row)
    return found


def link_of(row: Row[Any]) -> Link:
    """A row of `links` as the core knows it."""
    return Link(
        slot=row.slot,
        awaited=row.awaited,
        awaited_since=row.awaited_since,
        state=LinkState(row.state),
        reason=Reason(row.reason),
        record_id=row.record_id,
        candidates=tuple(row.candidates),
        first_missed_at=row.first_missed_at,
        last_looked_at=row.last_looked_at,
        looks=row.looks,
        next_look_at=row.next_look_at,
        found_at=row.found_at,
        record_created_at=row.record_created_at,
        doubtful_since=row.doubtful_since,
        doubted_record_id=row.doubted_record_id,
        overdue_since=row.overdue_since,
        chosen_record_id=row.chosen_record_id,
        measured_from=row.measured_from,
    )


def writes_of(connection: Connection, therapist_ids: Sequence[str]) -> dict[str, list[Write]]:
    """Every write by therapist, oldest first."""
    found: dict[str, list[Write]] = defaultdict(list)
    for row in _rows(connection, select(writes), writes.c.therapist_id, therapist_ids):
        found[row.therapist_id].append(write_of(row))
    for rows in found.values():
        rows.sort(key=lambda w: w.id or 0)
    return found


def write_of(row: Row[Any]) -> Write:
    """A row of `writes` as the core knows it."""
    return Write(
        id=row.id,
        enrolment=row.enrolment,
        form=row.form,
        slot=row.slot,
        rule=row.rule,
        submissions=frozenset(row.submissions),
        submitted_at=row.submitted_at,
        state=WriteState(row.state),
        reason=Reason(row.reason),
        cause=Cause(row.cause),
        record_id=row.record_id,
        attempts=row.attempts,
        sent_at=row.sent_at,
        not_before=row.not_before,
        wrote=frozenset(p["name"] for p in row.properties if p["state"] == "written"),
        refused=frozenset(p["name"] for p in row.properties if p["state"] == "refused"),
    )


_RESTORED = (
    select(therapists.c.id, portals.c.restored_upto)
    .join(portals, portals.c.name == therapists.c.portal)
    .where(portals.c.restored_upto.is_not(None))
)
"""Of therapists whose portal's facts came out of a backup, the last of its submissions."""


def facts_of(connection: Connection, therapist_ids: Sequence[str]) -> dict[str, Facts]:
    """Everything reported about these therapists, with what they submitted."""
    ups: dict[str, list[SignUp]] = defaultdict(list)
    for row in _rows(connection, select(sign_ups), sign_ups.c.therapist_id, therapist_ids):
        ups[row.therapist_id].append(SignUp(row.id, SignUpKind(row.kind), row.occurred_at, row.received_at))
    moving: dict[str, list[MovingFact]] = defaultdict(list)
    for row in _rows(connection, select(moving_facts), moving_facts.c.therapist_id, therapist_ids):
        moving[row.therapist_id].append(MovingFact(row.occurred_at, row.id, row.moving))
    submitted: dict[str, list[Submission]] = defaultdict(list)
    for row in _rows(connection, select(submissions), submissions.c.therapist_id, therapist_ids):
        submitted[row.therapist_id].append(
            Submission(row.id, row.form, row.occurred_at, row.received_at, row.moving, row.data)
        )
    restored: dict[str, int] = {}
    if therapist_ids and connection.execute(select(_RESTORED.exists())).scalar():
        for row in _rows(connection, _RESTORED, therapists.c.id, therapist_ids):
            restored[row.id] = row.restored_upto
    return {
        id_: Facts.of(ups[id_], moving[id_], submitted[id_], restored.get(id_, 0)) for id_ in therapist_ids
    }


def pending_syncs(connection: Connection, therapist_ids: Sequence[str]) -> dict[str, list[SyncRequest]]:
    """The Sync now presses and re-syncs that no round has turned into writes yet."""
    found: dict[str, list[SyncRequest]] = defaultdict(list)
    query = select(syncs).where(syncs.c.planned_at.is_(None))
    for row in _rows(connection, query, syncs.c.therapist_id, therapist_ids):
        found[row.therapist_id].append(SyncRequest(row.id, row.include_held, row.form, row.slot))
    return found


def _rows(
    connection: Connection, query: Select[Any], column: Any, therapist_ids: Sequence[str]
) -> Iterator[Row[Any]]:
    for start in range(0, len(therapist_ids), _CHUNK):
        yield from connection.execute(query.where(column.in_(therapist_ids[start : start + _CHUNK])))
