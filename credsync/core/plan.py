"""Which writes an enrolment's submissions ask for: one per enrolment, form and slot, joined until it is sent.

Pure: from the facts, the portal file of the moment and the rows so far to the rows that should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from credsync.core.facts import Facts
from credsync.core.forms import FormName
from credsync.core.links import Link
from credsync.core.mapping import targets
from credsync.core.portal import DEFINITIVE, Awaited, ByEach, Mode, Portal
from credsync.core.reasons import Reason
from credsync.core.writes import OPEN, UNFINISHED, Cause, Write, WriteState


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Somebody pressed Sync now; `include_held` also sends what is held from before the latest sign-up."""

    id: int
    include_held: bool


@dataclass(frozen=True, slots=True)
class _Need:
    """What one open row should carry."""

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
    portal: Portal, facts: Facts, rows: Sequence[Write], syncs: Sequence[SyncRequest] = ()
) -> list[Write]:
    """The rows that should be stored: changed ones and new ones (with `id` None), in no particular order.

    Idempotent: planning again over its own result changes nothing.
    """
    needs = _needs(portal, facts, rows, syncs)
    changed: list[Write] = []
    open_rows = {row.key: row for row in rows if row.state in OPEN}
    spare = [row for key, row in open_rows.items() if key not in needs]
    for key, need in needs.items():
        row = open_rows.get(key) or _moved(spare, key, need)
        planned = _planned(portal, key, need, row)
        if planned != row:
            changed.append(planned)
    held_sent = any(sync.include_held for sync in syncs)
    for row in spare:
        if row.state is WriteState.HELD and row.enrolment != facts.enrolment and not held_sent:
            continue
        reason = Reason.LIST_REPLACED if "." in row.slot else Reason.NOT_MAPPED
        if row.state is WriteState.HELD and held_sent:
            reason = Reason.SENT_BY_SYNC
        changed.append(replace(row, state=WriteState.SUPERSEDED, reason=reason))
    return changed


def _needs(
    portal: Portal, facts: Facts, rows: Sequence[Write], syncs: Sequence[SyncRequest]
) -> dict[tuple[int, str, str], _Need]:
    settled = settled_slots(rows)
    done = {(s, row.form, row.slot) for row in rows if row.state not in OPEN for s in row.submissions}
    held = {s for row in rows if row.state is WriteState.HELD for s in row.submissions}
    owed = {row.key: row for row in rows if row.state in OPEN and row.cause is not Cause.SUBMITTED}
    include_held = any(sync.include_held for sync in syncs)
    needs: dict[tuple[int, str, str], _Need] = {}
    for submission in facts.submissions:
        own = facts.enrolment_of(submission.occurred_at)
        for target in targets(portal, facts, submission, facts.in_enrolment(own), settled):
            enrolment = own
            rescued = include_held and own != facts.enrolment and submission.id in held
            if rescued:
                enrolment = facts.enrolment
            key = (enrolment, submission.form, target.slot)
            cause = Cause.SUBMITTED
            if (syncs and own == facts.enrolment) or rescued:
                cause = Cause.SYNC
            elif key in owed:
                cause = owed[key].cause
            elif (submission.id, submission.form, target.slot) in done:
                continue
            before = needs.get(key)
            needs[key] = _Need(
                target.rule,
                (before.submissions if before else frozenset()) | {submission.id},
                submission.occurred_at,
                Cause.SYNC if before and before.cause is Cause.SYNC else cause,
            )
    return needs


def _moved(spare: list[Write], key: tuple[int, str, str], need: _Need) -> Write | None:
    """The open row whose definitive slot was judged anew, if that is what this need is."""
    if need.rule is None and key[2] != DEFINITIVE:
        return None
    for row in spare:
        if row.key[:2] == key[:2] and (row.rule is not None or row.slot == DEFINITIVE):
            spare.remove(row)
            return row
    return None


def _planned(portal: Portal, key: tuple[int, str, str], need: _Need, row: Write | None) -> Write:
    enrolment, form, slot = key
    if row is None:
        name: FormName = form  # type: ignore[assignment]
        row = Write(None, enrolment, name, slot, need.rule, frozenset(), need.submitted_at)
        if portal.hubspot.mode is Mode.OBSERVE:
            row = replace(row, state=WriteState.HELD, reason=Reason.OBSERVE_ONLY)
    if need.cause is Cause.SYNC and row.state is WriteState.HELD and portal.hubspot.mode is Mode.WRITE:
        row = replace(row, state=WriteState.WAITING, reason=Reason.NOT_LOOKED_YET)
    return replace(
        row,
        slot=slot,
        rule=need.rule,
        submissions=need.submissions,
        submitted_at=need.submitted_at,
        cause=need.cause,
    )


def awaited_slots(portal: Portal, facts: Facts, rows: Iterable[Write], submitted: Iterable[str]) -> set[str]:
    """The slots that are waited for: always, while moving, submitted, or because an unsent write needs them.

    `submitted` are the per-value slots the current enrolment's lists name.
    """
    awaited = {row.slot for row in rows if row.state in UNFINISHED and row.slot != DEFINITIVE}
    named = set(submitted)
    for rule in portal.slots.values():
        if isinstance(rule.marker, ByEach):
            if rule.awaited in (Awaited.SUBMITTED, Awaited.ALWAYS):
                awaited |= {slot for slot in named if slot.split(".", 1)[0] == rule.key}
        elif rule.awaited is Awaited.ALWAYS or (rule.awaited is Awaited.MOVING and facts.moving_now):
            awaited.add(rule.key)
    return awaited


def plan_links(
    portal: Portal, facts: Facts, links: Mapping[str, Link], awaited: Iterable[str], now: datetime
) -> dict[str, Link]:
    """The links that should be stored: a row for every awaited slot, and doubt after an Extended Sign Up.

    A link whose latest Extended Sign Up came after it was last judged becomes doubtful. What was seen but is not
    awaited is kept.
    """
    wanted = set(awaited)
    planned: dict[str, Link] = {}
    for slot, link in links.items():
        awaits = slot in wanted
        since = now if awaits and not link.awaited and link.record_id is None else link.awaited_since
        planned[slot] = replace(link, awaited=awaits, awaited_since=since)
    for slot in sorted(wanted - set(links)):
        if portal.slot_rule(slot) is not None:
            planned[slot] = Link(slot, awaited=True, awaited_since=now)
    latest = facts.latest_extended
    if latest is not None:
        for slot, link in planned.items():
            judged = link.last_looked_at
            if link.record_id is None or judged is None or judged >= latest.received_at:
                continue
            planned[slot] = replace(
                link,
                doubtful_since=latest.received_at,
                doubted_record_id=link.record_id,
                awaited_since=latest.received_at,
            )
    return planned
