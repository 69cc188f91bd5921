"""Which writes an enrolment's submissions ask for: one per enrolment, form and slot, joined until it is sent.

Pure: from the facts, the portal file of the moment and the rows so far to the rows that should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from credsync.core.facts import Facts
from credsync.core.forms import FormName
from credsync.core.links import Link, LinkState
from credsync.core.mapping import targets
from credsync.core.portal import DEFINITIVE, Awaited, ByEach, Mode, Portal
from credsync.core.reasons import Reason
from credsync.core.writes import HELD_BY_BACKUP, OPEN, UNFINISHED, Cause, Write, WriteState, place_of


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Somebody pressed Sync now; `include_held` also sends what is held from before the latest sign-up.

    A re-sync is one that may be narrowed to a form and a slot; the name of a slot per value stands for all of them.
    """

    id: int
    include_held: bool
    form: FormName | None = None
    slot: str | None = None

    def covers(self, form: FormName, slot: str) -> bool:
        """Whether it asks for what this form has to say to this slot."""
        return self.form in (None, form) and self.slot in (None, slot, slot.split(".", 1)[0])


@dataclass(frozen=True, slots=True)
class Choice:
    """A person chose a record among the candidates of a slot."""

    id: int
    slot: str
    record_id: str


Key = tuple[int, str, str]
"""Enrolment, form and slot: one open row for each."""


@dataclass(frozen=True, slots=True)
class _Need:
    """What one open row should carry. `parked`: held by observing or a restored backup, which nothing that comes later joins or frees."""

    key: Key
    parked: bool
    rule: str | None
    submissions: frozenset[int]
    submitted_at: datetime
    cause: Cause


def settled_slots(rows: Iterable[Write]) -> dict[int, tuple[str, str | None]]:
    """The definitive slot and rule of each submission that was sent already: not judged again."""
    settled: dict[int, tuple[str, str | None]] = {}
    for row in rows:
        if row.rule is not None and row.state not in OPEN and row.state is not WriteState.SUPERSEDED:
            settled.update(dict.fromkeys(row.submissions, (row.slot, row.rule)))
    return settled


def plan_writes(
    portal: Portal,
    facts: Facts,
    rows: Sequence[Write],
    syncs: Sequence[SyncRequest] = (),
    seen: int = 0,
) -> list[Write]:
    """The rows that should be stored: changed ones and new ones (with `id` None), in no particular order.

    `seen` is the newest submission that was planned before: what the portal file mapped nowhere then is not written
    because it is mapped now.

    A portal that only observes queues nothing, so that Sync now pressed meanwhile asks for nothing.

    Idempotent: planning again over its own result changes nothing.
    """
    if portal.hubspot.mode is Mode.OBSERVE:
        syncs = ()
    needs = _needs(portal, facts, rows, syncs, seen)
    changed: list[Write] = []
    spare = [row for row in rows if row.state in OPEN]
    kept = {(need.key, need.parked): _taken(spare, need) for need in needs}
    for need in needs:
        row = kept[(need.key, need.parked)] or _moved(spare, need)
        planned = _planned(portal, need, row)
        if planned != row:
            changed.append(planned)
    carried = {(s, place_of(need.key[2], need.rule)) for need in needs for s in need.submissions}
    held_sent = any(sync.include_held for sync in syncs)
    for row in spare:
        joined = all((s, row.place) in carried for s in row.submissions)
        if row.state is WriteState.HELD and row.enrolment != facts.enrolment and not (held_sent and joined):
            continue
        reason = Reason.LIST_REPLACED if "." in row.slot else Reason.NOT_MAPPED
        if joined:
            reason = Reason.SENT_BY_SYNC if row.state is WriteState.HELD else Reason.JOINED_ANOTHER
        changed.append(replace(row, state=WriteState.SUPERSEDED, reason=reason))
    return changed


def rows_as_planned(stored: Sequence[Write], planned: Sequence[Write]) -> list[Write]:
    """All rows after planning: the stored ones, changed where planned so, then the new ones in their order."""
    changed = {write.id: write for write in planned if write.id is not None}
    return [changed.get(write.id or 0, write) for write in stored] + [w for w in planned if w.id is None]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the rows so far say of each submission at each place."""

    planned: frozenset[int]
    asked: frozenset[tuple[int, str]]
    done: frozenset[tuple[int, str]]
    held: frozenset[tuple[int, str]]
    parked: frozenset[tuple[int, str]]
    under_way: frozenset[tuple[int, str]]
    owed: Mapping[Key, Cause]
    rescued: Mapping[tuple[int, str], int]

    @classmethod
    def by(cls, rows: Sequence[Write], facts: Facts) -> _Told:
        """Read off the rows."""

        def at(wanted: Callable[[Write], bool]) -> frozenset[tuple[int, str]]:
            return frozenset(each for row in rows if wanted(row) for each in row.asks)

        age = {enrolment: n for n, enrolment in enumerate([0, *(e.id for e in facts.extended)])}
        own = {s.id: age[facts.enrolment_of(s.occurred_at)] for s in facts.submissions}
        by_hand = [row for row in rows if row.state in OPEN and row.cause is Cause.SYNC]
        return cls(
            planned=frozenset(s for row in rows for s in row.submissions),
            asked=frozenset(each for row in rows for each in row.asks),
            done=at(lambda row: row.state not in OPEN and not _may_come_back(row)),
            held=at(lambda row: row.state is WriteState.HELD),
            parked=at(_is_parked),
            under_way=at(lambda row: row.state in OPEN and not _is_parked(row)),
            owed={
                row.key: row.cause for row in rows if row.state in OPEN and row.cause is not Cause.SUBMITTED
            },
            rescued={
                (s, place): row.enrolment
                for row in by_hand
                for s, place in row.asks
                if s in own and age.get(row.enrolment, 0) > own[s]
            },
        )


_PARKED = frozenset({Reason.OBSERVE_ONLY, *HELD_BY_BACKUP})


def _is_parked(row: Write) -> bool:
    return row.state is WriteState.HELD and row.reason in _PARKED


def _may_come_back(row: Write) -> bool:
    """Superseded because nothing asked for it, not because something else was sent in its place."""
    unasked = (Reason.NOT_MAPPED, Reason.LIST_REPLACED, Reason.JOINED_ANOTHER)
    return row.state is WriteState.SUPERSEDED and row.reason in unasked


def _needs(
    portal: Portal, facts: Facts, rows: Sequence[Write], syncs: Sequence[SyncRequest], seen: int
) -> list[_Need]:
    settled, told = settled_slots(rows), _Told.by(rows, facts)
    observing = portal.hubspot.mode is Mode.OBSERVE
    needs: dict[tuple[Key, bool], _Need] = {}
    for submission in facts.submissions:
        own = facts.enrolment_of(submission.occurred_at)
        for target in targets(portal, facts, submission, facts.in_enrolment(own), settled):
            at = (submission.id, place_of(target.slot, target.rule))
            enrolment = told.rescued.get(at, own)
            pressed = [sync for sync in syncs if sync.covers(submission.form, target.slot)]
            include_held = any(sync.include_held for sync in pressed)
            if include_held and own != facts.enrolment and at in told.held:
                enrolment = facts.enrolment
            key = (enrolment, submission.form, target.slot)
            cause, parked = Cause.SUBMITTED, False
            if (pressed and own == facts.enrolment) or enrolment != own:
                cause = Cause.SYNC
            elif at in told.parked:
                parked = True
            elif key in told.owed and not (observing and at not in told.under_way):
                cause = told.owed[key]
            elif at in told.done or (
                (submission.id <= seen or submission.id in told.planned) and at not in told.asked
            ):
                continue
            else:
                alone = observing or submission.id <= facts.restored_upto
                parked = alone and at not in told.under_way
            before = needs.get((key, parked))
            needs[(key, parked)] = _Need(
                key,
                parked,
                target.rule or (before.rule if before else None),
                (before.submissions if before else frozenset()) | {submission.id},
                submission.occurred_at,
                Cause.SYNC if before and before.cause is Cause.SYNC else cause,
            )
    return list(needs.values())


def _taken(spare: list[Write], need: _Need) -> Write | None:
    """The open row of this need, taken out of `spare`; Sync now frees what observing holds."""
    for parked in (need.parked, True) if need.cause is Cause.SYNC else (need.parked,):
        for row in spare:
            if row.key == need.key and _is_parked(row) is parked:
                spare.remove(row)
                return row
    return None


def _moved(spare: list[Write], need: _Need) -> Write | None:
    """The open row whose definitive slot was judged anew, if that is what this need is."""
    if place_of(need.key[2], need.rule) != DEFINITIVE:
        return None
    for row in spare:
        if row.key[:2] == need.key[:2] and row.place == DEFINITIVE and _is_parked(row) is need.parked:
            spare.remove(row)
            return row
    return None


def _planned(portal: Portal, need: _Need, row: Write | None) -> Write:
    enrolment, form, slot = need.key
    if row is None:
        name: FormName = form  # type: ignore[assignment]
        row = Write(
            None, enrolment, name, slot, need.rule, need.submissions, need.submitted_at, cause=need.cause
        )
        if portal.hubspot.mode is Mode.OBSERVE:
            row = replace(row, state=WriteState.HELD, reason=Reason.OBSERVE_ONLY)
        elif need.parked:
            row = replace(row, state=WriteState.HELD, reason=Reason.RESTORED)
    if need.cause is Cause.SYNC and row.state is WriteState.HELD and portal.hubspot.mode is Mode.WRITE:
        row = replace(row, state=WriteState.WAITING, reason=Reason.NOT_LOOKED_YET)
    told = (slot, need.rule, need.submissions, need.submitted_at, need.cause)
    if (row.slot, row.rule, row.submissions, row.submitted_at, row.cause) == told:
        return row
    return replace(
        row,
        slot=slot,
        rule=need.rule,
        submissions=need.submissions,
        submitted_at=need.submitted_at,
        cause=need.cause,
    )


def awaited_slots(portal: Portal, facts: Facts, rows: Iterable[Write], submitted: Iterable[str]) -> set[str]:
    """The slots that are waited for: always, while moving, submitted, or because an unsent write needs them (one that a
    restored backup holds, to be compared).

    `submitted` are the per-value slots the current enrolment's lists name.
    """
    awaited = {
        row.slot
        for row in rows
        if (row.state in UNFINISHED or (row.state is WriteState.HELD and row.reason in HELD_BY_BACKUP))
        and row.slot != DEFINITIVE
    }
    named = set(submitted)
    for rule in portal.slots.values():
        if isinstance(rule.marker, ByEach):
            if rule.awaited in (Awaited.SUBMITTED, Awaited.ALWAYS):
                awaited |= {slot for slot in named if slot.split(".", 1)[0] == rule.key}
        elif rule.awaited is Awaited.ALWAYS or (rule.awaited is Awaited.MOVING and facts.moving_now):
            awaited.add(rule.key)
    return awaited


def plan_links(
    portal: Portal,
    facts: Facts,
    links: Mapping[str, Link],
    awaited: Iterable[str],
    now: datetime,
    *,
    asked: bool = False,
    choices: Iterable[Choice] = (),
) -> dict[str, Link]:
    """The links that should be stored: a row for every awaited slot, and doubt after an Extended Sign Up.

    `asked` says that somebody pressed Sync now: what was given up is waited for again from `now` on. `choices`, oldest
    first, are remembered by their links; the look of this round says whether the record holds the slot at all.

    A link whose latest Extended Sign Up came after it was last judged becomes doubtful, or, if it is empty, is awaited
    anew. What was seen but is not awaited is kept.
    """
    wanted = set(awaited)
    planned: dict[str, Link] = {}
    for slot, link in links.items():
        awaits = slot in wanted
        planned[slot] = replace(link, awaited=awaits)
        if (awaits and not link.awaited and link.record_id is None) or (
            asked and link.state is LinkState.GIVEN_UP
        ):
            planned[slot] = _awaited_from(planned[slot], now)
    since = _awaited_since(facts, links, now)
    for slot in sorted(wanted - set(links)):
        if portal.slot_rule(slot) is not None:
            planned[slot] = Link(slot, awaited=True, awaited_since=since)
    latest = facts.latest_extended
    if latest is not None:
        for slot, link in planned.items():
            told = latest.received_at
            if link.last_looked_at is not None and link.last_looked_at >= told:
                continue
            empty = link.record_id is None
            anew = _awaited_from(link, max(link.awaited_since, told)) if empty else link
            planned[slot] = replace(
                anew,
                chosen_record_id=None,
                doubtful_since=told,
                doubted_record_id=link.record_id,
                awaited_since=anew.awaited_since if empty else told,
            )
    for slot in planned:
        if portal.slot_rule(slot) is None:
            planned[slot] = replace(
                planned[slot], doubtful_since=None, doubted_record_id=None, next_look_at=None
            )
    for choice in choices:
        if choice.slot in planned:
            planned[choice.slot] = replace(planned[choice.slot], chosen_record_id=choice.record_id)
    return planned


def _awaited_since(facts: Facts, links: Mapping[str, Link], now: datetime) -> datetime:
    """When the fact came that makes a slot awaited: the newest, if nobody has looked since; else nobody knows."""
    came = facts.latest_received(now)
    looked = [link.last_looked_at for link in links.values() if link.last_looked_at is not None]
    return came if all(at < came for at in looked) else now


def _awaited_from(link: Link, moment: datetime) -> Link:
    """An empty link whose wait begins anew."""
    state = LinkState.AWAITED if link.state is LinkState.GIVEN_UP else link.state
    return replace(link, state=state, awaited_since=moment, overdue_since=None)
