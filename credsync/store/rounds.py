"""Records what a round found and did, in two fenced transactions.

Before sending: links as seen, and the writes about to go as `unknown`, so that a crash leaves a trace that is read
back first. Afterwards: verdicts, the next look, the therapist's state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, bindparam, case, insert, select, update

from credsync.core.decide import Case
from credsync.core.delays import Delay
from credsync.core.events import TimelineEvent
from credsync.core.links import Link, LinkHistory
from credsync.core.quarantine import Place, Quarantined
from credsync.core.states import Condition, with_fact
from credsync.core.writes import Write, WriteState
from credsync.store import timeline
from credsync.store.bulk import Bulk
from credsync.store.choices import take_up
from credsync.store.contacts import ContactMerged, follow_merges, sharers_of
from credsync.store.delays import count_delays
from credsync.store.leases import Lease, fence
from credsync.store.links import Seen, found_by_others, save_links
from credsync.store.quarantine import save_quarantine
from credsync.store.refusals import Written, save_refusals
from credsync.store.row_locks import lock_therapists
from credsync.store.tables import syncs, therapists, writes


@dataclass(frozen=True, slots=True)
class Verified:
    """What one write's end adds to its row: never a value, only names, codes and correlation ids."""

    properties: Sequence[Mapping[str, str]] = ()
    correlation_ids: Sequence[str] = ()
    message: str = ""
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning anew settled beside the rows."""

    portal_digest: str | None
    """None while it must be planned, and looked at, as if for the first time."""
    enrolment: int
    enrolment_since: datetime | None
    definitive: str | None
    submission: int = 0
    """The newest that was planned."""
    syncs: Sequence[int] = ()
    choices: Sequence[int] = ()
    generation: int = 0
    """What was claimed: a contact that changed since is still to be planned anew."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a therapist leaves a round: what it had seen, its state, and when it is due next."""

    generation: int
    condition: Condition
    due_at: datetime | None
    rides: bool


@dataclass(slots=True)
class Turn:
    """One therapist's turn: `before` as claimed, then what is to be stored. `finish` is None while it still sends."""

    before: Case
    links: dict[str, Link]
    writes: list[Write]
    events: list[TimelineEvent] = field(default_factory=list)
    lost: Sequence[LinkHistory] = ()
    planned: Planned | None = None
    shared_with: Collection[str] = ()
    """Other therapists whose record this turn found to be shared; they must look again."""
    weighed: Collection[str] = ()
    """Other therapists who have a record of this turn's, as it was decided."""
    contact: ContactMerged | None = None
    """What this turn found the contact to have become."""
    finish: Finish | None = None
    verified: dict[int, Verified] = field(default_factory=dict)
    """By the write's place in `writes`."""
    quarantined: list[Quarantined] = field(default_factory=list)
    released: list[Place] = field(default_factory=list)
    """Values that HubSpot refused, and places of such that it has taken since."""
    delays: Sequence[Delay] = ()
    """The waits that ended in it."""


def record_turns(
    connection: Connection,
    lease: Lease,
    portal: str,
    turns: Sequence[Turn],
    objects: Mapping[str, str],
    now: datetime,
    weighed: Collection[str] = (),
) -> set[str]:
    """Store turns: links, writes, history, claims, events, and the therapists that are finished with this round.

    New writes get their ids in `turn.writes`. `objects` maps a slot's rule to its object key. Raises `LeaseLost`,
    having stored nothing, when the portal is no longer ours.

    Gives the therapists whose turns are left out, since one of their records turned out to be another's, too: of a
    therapist neither `weighed` by the whole round nor in the turn. They are due still, and the next turn knows. The
    fence lets in one such transaction of a portal after the other, so that no record is written for two.
    """
    fence(connection, lease)
    seen = [Seen(t.before.therapist_id, t.before.links, t.links, t.lost, t.weighed) for t in turns]
    left_out = found_by_others(connection, portal, seen, objects, weighed)
    turns = [turn for turn in turns if turn.before.therapist_id not in left_out]
    seen = [each for each in seen if each.therapist_id not in left_out]
    _lock(connection, portal, turns)
    merges = {turn.before.therapist_id: turn.contact for turn in turns if turn.contact is not None}
    follow_merges(connection, portal, merges, now)
    save_links(connection, portal, seen, objects)
    count_delays(connection, portal, [delay for turn in turns for delay in turn.delays])
    _save_writes(connection, turns)
    written = [Written(t.before.therapist_id, t.before.writes, t.writes) for t in turns]
    save_refusals(connection, portal, written, objects)
    save_quarantine(
        connection,
        portal,
        [(turn.before.therapist_id, each) for turn in turns for each in turn.quarantined],
        [place for turn in turns for place in turn.released],
    )
    for turn in turns:
        if turn.planned is not None and turn.planned.syncs:
            done = update(syncs).where(syncs.c.id.in_(turn.planned.syncs)).values(planned_at=now)
            connection.execute(done)
        if turn.planned is not None and turn.planned.choices:
            take_up(connection, turn.planned.choices, now)
    _save_plans(connection, turns)
    _finish(connection, turns, now)
    _warn_sharers(connection, turns, now)
    timeline.append(connection, [event for turn in turns for event in turn.events])
    return left_out


def _lock(connection: Connection, portal: str, turns: Sequence[Turn]) -> None:
    """Take every therapist's row that these turns may touch: their own, and those of whoever must look again."""
    merged = {contact for turn in turns if turn.contact for contact in (turn.contact.old, turn.contact.new)}
    sharers = sharers_of(connection, portal, merged) if merged else set()
    own = {turn.before.therapist_id for turn in turns}
    lock_therapists(connection, own.union(sharers, *(turn.shared_with for turn in turns)))


def put_off(connection: Connection, lease: Lease, generations: Mapping[str, int], until: datetime) -> None:
    """Give therapists a later due moment without a turn, since theirs failed: no hot loop, and nobody forgotten.

    `generations` says of each therapist what was claimed: a fact that came meanwhile keeps its own due moment.
    """
    fence(connection, lease)
    lock_therapists(connection, generations)
    rows = [{"for_id": therapist, "seen": generation} for therapist, generation in generations.items()]
    unchanged = (therapists.c.id == bindparam("for_id")) & (therapists.c.generation == bindparam("seen"))
    later = update(therapists).where(unchanged).values(due_at=until, rides=False, backfill_at=None)
    connection.execute(later, rows)


_KEPT = [name for name in Write.__dataclass_fields__ if name not in ("id", "wrote", "refused")]
"""What of a write has a column of its own; what it wrote and refused is in the column `properties`."""


def _change(names: Sequence[str]) -> Update:
    named: dict[str, Any] = {name: bindparam(name) for name in names if name != "for_id"}
    return update(writes).where(writes.c.id == bindparam("for_id")).values(named)


_INSERT = Bulk(lambda _names: insert(writes))
_CHANGE = Bulk(_change)


def _stored(name: str, value: Any) -> Any:
    """An attribute of a write as its column takes it."""
    if name in ("state", "reason", "cause"):
        return value.value
    return sorted(value) if name == "submissions" else value


def _changes(write: Write, before: Write | None) -> dict[str, Any]:
    """What is to be stored of a write: all of a new one, else what has changed."""
    values = ((name, getattr(write, name)) for name in _KEPT)
    return {
        name: _stored(name, value)
        for name, value in values
        if before is None or value != getattr(before, name)
    }


def _save_writes(connection: Connection, turns: Sequence[Turn]) -> None:
    made: list[tuple[Turn, int]] = []
    changed: list[dict[str, Any]] = []
    for turn in turns:
        known = {w.id: w for w in turn.before.writes}
        for index, write in enumerate(turn.writes):
            before = known.get(write.id)
            if write.id is None:
                made.append((turn, index))
            elif write is not before or index in turn.verified:
                values = _changes(write, before) | _ended(turn, index)
                if values:
                    changed.append({**values, "for_id": write.id})
    for (turn, index), row_id in zip(made, _insert_writes(connection, made), strict=True):
        turn.writes[index] = replace(turn.writes[index], id=row_id)
    _CHANGE.run_mixed(connection, changed)


def _insert_writes(connection: Connection, made: Sequence[tuple[Turn, int]]) -> list[int]:
    """Insert new writes and give their ids: the newest of each therapist, enrolment, form and slot, in their order."""
    if not made:
        return []
    rows = [
        {
            **_changes(turn.writes[index], None),
            **(_ended(turn, index) or _NOT_ENDED),
            "therapist_id": turn.before.therapist_id,
        }
        for turn, index in made
    ]
    _INSERT.run(connection, rows)
    asked = [(row["therapist_id"], row["enrolment"], row["form"], row["slot"]) for row in rows]
    newest: dict[tuple[str, int, str, str], list[int]] = defaultdict(list)
    ids = sorted({turn.before.therapist_id for turn, _ in made})
    for start in range(0, len(ids), 500):
        key = (writes.c.therapist_id, writes.c.enrolment, writes.c.form, writes.c.slot)
        query = select(*key, writes.c.id).where(writes.c.therapist_id.in_(ids[start : start + 500]))
        for *found, row_id in connection.execute(query.order_by(writes.c.id)):
            newest[tuple(found)].append(row_id)
    left = Counter(asked)
    given = []
    for each in asked:
        given.append(newest[each][-left[each]])
        left[each] -= 1
    return given


def _ended(turn: Turn, index: int) -> dict[str, Any]:
    """What is known of a write's end, if it has one now; `written_at` stays empty until it is written."""
    verified = turn.verified.get(index)
    if verified is None:
        return {}
    written = turn.writes[index].state in (WriteState.WRITTEN, WriteState.PARTIAL)
    return {
        "properties": [dict(p) for p in verified.properties],
        "correlation_ids": list(verified.correlation_ids),
        "message": verified.message,
        "written_at": verified.written_at if written else None,
    }


_NOT_ENDED: Mapping[str, Any] = {"properties": [], "correlation_ids": [], "message": "", "written_at": None}


def _save_plans(connection: Connection, turns: Sequence[Turn]) -> None:
    rows = [
        {
            "for_id": turn.before.therapist_id,
            "by": turn.planned.portal_digest,
            "seen": turn.planned.generation,
            "in_enrolment": turn.planned.enrolment,
            "since": turn.planned.enrolment_since,
            "under": turn.planned.definitive,
            "up_to": turn.planned.submission,
        }
        for turn in turns
        if turn.planned is not None
    ]
    if rows:
        connection.execute(
            update(therapists)
            .where(therapists.c.id == bindparam("for_id"))
            .values(
                planned_by=case(
                    (therapists.c.generation == bindparam("seen"), bindparam("by")),
                    else_=therapists.c.planned_by,
                ),
                enrolment=bindparam("in_enrolment"),
                enrolment_since=bindparam("since"),
                definitive=bindparam("under"),
                planned_submission=bindparam("up_to"),
            ),
            rows,
        )


def _finish(connection: Connection, turns: Sequence[Turn], now: datetime) -> None:
    """Leave the round. A fact that came meanwhile keeps its own due moment, and nobody is in sync over it."""
    rows = [
        {
            "for_id": turn.before.therapist_id,
            "seen": turn.finish.generation,
            "next": turn.finish.due_at,
            "may_ride": turn.finish.rides,
            "now_state": turn.finish.condition.state.value,
            "now_reason": turn.finish.condition.reason.value,
            "with_fact": with_fact(turn.finish.condition).state.value,
            "with_fact_reason": with_fact(turn.finish.condition).reason.value,
            "at": now,
        }
        for turn in turns
        if turn.finish is not None
    ]
    if not rows:
        return
    unchanged = therapists.c.generation == bindparam("seen")
    state = case((unchanged, bindparam("now_state")), else_=bindparam("with_fact"))
    connection.execute(
        update(therapists)
        .where(therapists.c.id == bindparam("for_id"))
        .values(
            settled_generation=bindparam("seen"),
            due_at=case(
                (unchanged, bindparam("next", type_=therapists.c.due_at.type)), else_=therapists.c.due_at
            ),
            rides=case((unchanged, bindparam("may_ride")), else_=therapists.c.rides),
            backfill_at=case((unchanged, None), else_=therapists.c.backfill_at),
            state_since=case(
                (therapists.c.state == state, therapists.c.state_since),
                else_=bindparam("at", type_=therapists.c.due_at.type),
            ),
            state=state,
            reason=case((unchanged, bindparam("now_reason")), else_=bindparam("with_fact_reason")),
        ),
        rows,
    )


def _warn_sharers(connection: Connection, turns: Sequence[Turn], now: datetime) -> None:
    """Whoever else has a record that just turned out to be shared is looked at again, now."""
    sharers = {other for turn in turns for other in turn.shared_with}
    if sharers:
        connection.execute(
            update(therapists)
            .where(therapists.c.id.in_(sharers))
            .values(generation=therapists.c.generation + 1, due_at=now, rides=True)
        )
