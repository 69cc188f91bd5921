"""What to think of one slot after one look: the link as it now is, and what happened to it.

Absence is a state, not an error: a slot without a record stays awaited and says since when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credsync.core.denials import reason_of_failure
from credsync.core.events import EventName
from credsync.core.links import Link, LinkHistory, LinkState
from credsync.core.observations import NotSeen
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, SEEN_OF_EMPTY, Reason
from credsync.core.schedule import Policy, next_look
from credsync.core.slots import Candidate


@dataclass(frozen=True, slots=True)
class SlotSight:
    """What a look says of one slot: who holds it, and which records of its type were there at all.

    `shared` are holders that another therapist's contact has, too; `taken` those of them that a person chose for another.
    """

    holders: tuple[Candidate, ...]
    present: frozenset[str]
    shared: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    empty_reason: Reason = Reason.RECORD_AWAITED


@dataclass(frozen=True, slots=True)
class Judgement:
    """A link after a look, the events to tell, and the holder it lost, if it lost one."""

    link: Link
    events: tuple[EventName, ...] = ()
    lost: LinkHistory | None = None


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans that hold for one slot."""

    policy: Policy
    overdue_after: timedelta


def judge_unseen(
    link: Link, sight: NotSeen, now: datetime, policy: Policy, asked_since: datetime | None = None
) -> Link:
    """The link after a look that HubSpot did not answer: nothing is concluded, it is looked at again.

    `asked_since` is when the newest unsent write to it was submitted: for a found link, the wait that counts.
    """
    since = link.awaited_since
    if link.state is LinkState.FOUND and asked_since is not None:
        since = max(since, asked_since)
    again = next_look(since, now, policy.without_hints())
    if sight.retry_after is not None:
        again = max(again, now + timedelta(seconds=sight.retry_after))
    failed = reason_of_failure(sight.code, Reason.LOOK_FAILED)
    reason = failed if link.state is LinkState.AWAITED else link.reason
    return replace(link, reason=reason, next_look_at=again)


def judge_link(link: Link, sight: SlotSight, now: datetime, spans: Spans) -> Judgement:
    """The link after a look that was answered."""
    holder = _holder(link, sight)
    if holder is not None:
        return _found(link, holder, sight, now, spans)
    looked = replace(link, looks=link.looks + 1, last_looked_at=now, candidates=())
    if any(c.record_id not in sight.taken for c in sight.holders):
        return _ambiguous(looked, sight, now, spans)
    return _missed(looked, sight, now, spans)


def _holder(link: Link, sight: SlotSight) -> Candidate | None:
    if len(sight.holders) == 1 and sight.holders[0].record_id not in sight.shared:
        return sight.holders[0]
    chosen = [c for c in sight.holders if c.record_id == link.chosen_record_id]
    return chosen[0] if chosen else None


def _found(link: Link, holder: Candidate, sight: SlotSight, now: datetime, spans: Spans) -> Judgement:
    chosen = len(sight.holders) > 1 or holder.record_id in sight.shared
    candidates = tuple(sorted(c.record_id for c in sight.holders)) if chosen else ()
    doubt_ends = link.doubtful_since + spans.policy.settle_after if link.doubtful_since else now
    doubted = holder.record_id == link.doubted_record_id and now < doubt_ends
    same = link.record_id == holder.record_id
    found = replace(
        link,
        looks=link.looks + 1,
        last_looked_at=now,
        state=LinkState.FOUND,
        reason=Reason.SETTLING if doubted else Reason.CHOSEN_BY_PERSON if chosen else Reason.NONE,
        record_id=holder.record_id,
        candidates=candidates,
        found_at=link.found_at if same else now,
        first_missed_at=None if link.record_id and not same else link.first_missed_at,
        record_created_at=link.record_created_at if same else None,
        overdue_since=None,
        doubtful_since=link.doubtful_since if doubted else None,
        doubted_record_id=link.doubted_record_id if doubted else None,
        chosen_record_id=link.chosen_record_id if link.chosen_record_id == holder.record_id else None,
        next_look_at=min(doubt_ends, next_look(link.awaited_since, now, spans.policy)) if doubted else None,
    )
    if same:
        return Judgement(found)
    lost = _history(link, now, _why_lost(link, sight)) if link.record_id else None
    return Judgement(found, (EventName.LINK_FOUND,), lost)


def _ambiguous(link: Link, sight: SlotSight, now: datetime, spans: Spans) -> Judgement:
    undecided = sight.shared - sight.taken
    reason = Reason.RECORD_OF_TWO_THERAPISTS if undecided else Reason.TWO_RECORDS_IN_SLOT
    ids = tuple(sorted(c.record_id for c in sight.holders))
    settling = link.doubtful_since is not None and now < link.doubtful_since + spans.overdue_after
    told = link.state is LinkState.AMBIGUOUS and link.reason is not Reason.SETTLING
    ambiguous = replace(
        link,
        state=LinkState.AMBIGUOUS,
        reason=Reason.SETTLING if settling else reason,
        record_id=None,
        found_at=None,
        record_created_at=None,
        candidates=ids,
        chosen_record_id=None,
        next_look_at=next_look(link.awaited_since, now, spans.policy),
    )
    lost = None
    if link.record_id is not None:
        why = _why_lost(link, sight)
        lost = _history(link, now, why if why is Reason.RECORD_LOST else reason)
    return Judgement(ambiguous, () if told or settling else (EventName.LINK_AMBIGUOUS,), lost)


def _missed(link: Link, sight: SlotSight, now: datetime, spans: Spans) -> Judgement:
    """Nobody holds the slot, or only what a person chose for other therapists: that is shown, and the own is awaited."""
    events: list[EventName] = []
    lost = None
    since = link.awaited_since
    reason = Reason.CHOSEN_FOR_ANOTHER if sight.holders else sight.empty_reason
    if link.record_id is not None:
        why = Reason.CHOSEN_FOR_ANOTHER if link.record_id in sight.taken else _why_lost(link, sight)
        lost, since = _history(link, now, why), now
        reason = reason if reason in SEEN_OF_EMPTY else why
        events.append(EventName.LINK_LOST)
    elif reason is Reason.CHOSEN_FOR_ANOTHER and link.state is LinkState.AMBIGUOUS:
        since = now
    elif link.reason in OWED_BY_NO_WORKFLOW - {Reason.CHOSEN_FOR_ANOTHER} and reason not in SEEN_OF_EMPTY:
        reason = link.reason
    if link.first_missed_at is None and link.awaited:
        events.append(EventName.LOOKUP_MISSED)
    first = None if lost is not None else link.first_missed_at
    if first is None and link.awaited:
        first = now
    waited = now - since
    overdue = link.overdue_since
    if link.awaited and overdue is None and waited >= spans.overdue_after and link.looks > 1:
        overdue = now
        events.append(EventName.LINK_OVERDUE)
    given_up = link.awaited and waited >= spans.policy.give_up_after and link.looks > 1
    if given_up and link.state is not LinkState.GIVEN_UP:
        events.append(EventName.LINK_GIVEN_UP)
    doubt = link.doubtful_since
    again = now + spans.policy.given_up_look if given_up else next_look(since, now, spans.policy)
    if not link.awaited:
        doubt, ends = _doubt_of_unawaited(doubt, since, lost is not None, now, spans)
        again = min(again, ends)
    missed = replace(
        link,
        state=LinkState.GIVEN_UP if given_up else LinkState.AWAITED,
        reason=Reason.GIVEN_UP if given_up and reason not in SEEN_OF_EMPTY else reason,
        record_id=None,
        candidates=tuple(sorted(c.record_id for c in sight.holders)),
        found_at=None,
        record_created_at=None,
        chosen_record_id=None,
        awaited_since=since,
        first_missed_at=first,
        overdue_since=overdue,
        doubtful_since=doubt,
        next_look_at=again if link.awaited or doubt is not None else None,
    )
    return Judgement(missed, tuple(events), lost)


def _doubt_of_unawaited(
    doubt: datetime | None, since: datetime, lost: bool, now: datetime, spans: Spans
) -> tuple[datetime | None, datetime]:
    """Since when an empty slot that nobody awaits is doubtful, and when that ends.

    Who lost a record, or was in doubt, may get it, or the one that follows it, some time later (licences after their
    Credentialing): it is looked for until the labels have settled, counted from what happened last.
    """
    if doubt is None and lost:
        doubt = now
    ends = max(doubt or since, since) + spans.policy.settle_after
    return (doubt if now < ends else None), ends


def _why_lost(link: Link, sight: SlotSight) -> Reason:
    return Reason.LABEL_MOVED if link.record_id in sight.present else Reason.RECORD_LOST


def _history(link: Link, now: datetime, reason: Reason) -> LinkHistory:
    assert link.record_id is not None
    return LinkHistory(link.slot, link.record_id, link.found_at, now, reason, link.record_created_at)
