"""One therapist's turn in a round: from the rows so far and what the look saw to the rows that should be.

Pure. `reconcile.round` calls it between looking and sending.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from credsync.core.denials import reason_of_failure
from credsync.core.events import EventName
from credsync.core.judge import Judgement, SlotSight, Spans, judge_link, judge_unseen
from credsync.core.links import Link, LinkHistory, LinkState
from credsync.core.loss import after_loss, gone_meanwhile
from credsync.core.observations import NotSeen
from credsync.core.portal import CONTACT, DEFINITIVE, Mode, Portal, SlotRule
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy, next_look
from credsync.core.slots import Candidate, ParentAwaited, TypeSight, holders
from credsync.core.two_hops import left_behind, under_definitive
from credsync.core.writes import UNFINISHED, Cause, Write, WriteState


@dataclass(frozen=True, slots=True)
class Case:
    """What a round knows of one therapist before it looks.

    `writes` are oldest first. `enrolment` is the current one and `enrolment_since` the `occurred_at` of the Extended
    Sign Up that opened it (None for the first). `definitive` is the slot under which two-hop records are judged.
    """

    therapist_id: str
    contact_id: str | None
    links: Mapping[str, Link]
    writes: tuple[Write, ...]
    definitive: str | None = None
    enrolment: int = 0
    enrolment_since: datetime | None = None
    contact_gone: bool = False
    """HubSpot no longer has the contact, as this round found out."""
    contact_shared_with: frozenset[str] = frozenset()
    """Other therapists whose contact was merged with this one's: nothing is written for any of them."""
    hinted: frozenset[str] = frozenset()
    """Object types of which HubSpot told something a moment ago, by key; `contact` for the contact itself."""


@dataclass(frozen=True, slots=True)
class SlotEvent:
    """Something that happened to a slot's link or write in this turn."""

    name: EventName
    slot: str
    record_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The links and writes as they should be stored, and which writes go out now (their state is `due`)."""

    links: Mapping[str, Link]
    writes: tuple[Write, ...]
    events: tuple[SlotEvent, ...]
    lost: tuple[LinkHistory, ...]
    shared_with: frozenset[str] = frozenset()
    """Other therapists whose record was found here for the first time."""

    @property
    def to_send(self) -> tuple[Write, ...]:
        """The writes to be sent, or read back, in this round."""
        return tuple(w for w in self.writes if w.goes_now)


def decide(
    portal: Portal,
    case: Case,
    sights: Mapping[str, TypeSight],
    shared: Mapping[tuple[str, str], Collection[str]],
    now: datetime,
    policy: Policy,
    unwritable: Collection[str] = frozenset(),
    taken: Collection[tuple[str, str]] = frozenset(),
) -> Decision:
    """Judge every slot that was looked at, then name the writes.

    What HubSpot told of and does not show yet is looked at again as if no hints came: it may show it a moment later.

    `sights` maps object keys to what the look saw; a type absent from it was not looked at. `shared` maps
    (object key, record id) to the other therapists whose contacts have that record in a slot. `unwritable` are the
    object types that the portal's token may not write. `taken` are those of the shared records that a person chose for
    another therapist.
    """
    links = dict(case.links)
    events: list[SlotEvent] = []
    lost: list[LinkHistory] = []
    gone: list[LinkHistory] = []
    seen: set[str] = set()
    stopped: dict[str, Reason] = {}
    for object_key in _parents_first(portal):
        sight = under_definitive(portal, case.definitive, links, object_key, sights.get(object_key))
        if sight is None:
            continue
        whole = sights[object_key]
        present = frozenset(c.record_id for c in whole) if isinstance(whole, tuple) else frozenset()
        spans = policy.without_hints() if object_key in case.hinted else policy
        for rule in portal.rules_of(object_key):
            stops = _stops_writes(rule, whole, unwritable)
            judgements = _judge(rule, case, links, sight, present, shared, taken, now, spans)
            for slot, judged in _shown_elsewhere(rule, judgements, whole, sight).items():
                before = links.get(slot)
                if stops is not Reason.NONE:
                    stopped[slot] = stops
                if isinstance(judged, Link):
                    links[slot] = judged
                    continue
                links[slot] = judged.link
                seen.add(slot)
                if judged.lost is not None:
                    lost.append(judged.lost)
                elif before is not None and _was_undecided(before):
                    gone.extend(gone_meanwhile(case.writes, judged.link, present, now))
                events.extend(_slot_events(judged))
    links |= left_behind(portal, case.definitive, case.links, links, seen, now, policy)
    writes = after_loss(case.writes, [*lost, *gone], case.enrolment, case.enrolment_since)
    decided = [_gate(portal, case, w, links, seen, stopped, now) for w in writes]
    links |= _awaited_by_writes(decided, links, now, policy)
    planned = {w.id: w for w in case.writes}
    for write in decided:
        old = planned.get(write.id) if write.id is not None else None
        if write.state is WriteState.HELD and (old is None or old.reason is not write.reason):
            events.append(SlotEvent(EventName.WRITE_HELD, write.slot, None, {"reason": write.reason.value}))
    return Decision(
        links, tuple(decided), tuple(events), tuple(lost), _newly_shared(portal, case, links, shared)
    )


def claimed_records(portal: Portal, sights: Mapping[str, TypeSight]) -> set[tuple[str, str]]:
    """The (object key, record id) of every record that holds one of the therapist's slots by this look."""
    claimed: set[tuple[str, str]] = set()
    for object_key, sight in sights.items():
        if isinstance(sight, tuple):
            for rule in portal.rules_of(object_key):
                for found in holders(rule, sight, ()).values():
                    claimed |= {(object_key, c.record_id) for c in found}
    return claimed


def _newly_shared(
    portal: Portal, case: Case, links: Mapping[str, Link], shared: Mapping[tuple[str, str], Collection[str]]
) -> frozenset[str]:
    others: set[str] = set()
    for slot, link in links.items():
        old = case.links.get(slot)
        known = old is not None and old.state is LinkState.AMBIGUOUS
        rule = portal.slot_rule(slot)
        if link.state is LinkState.AMBIGUOUS and not known and rule is not None:
            for record_id in link.candidates:
                others |= set(shared.get((rule.object, record_id), ()))
    return frozenset(others)


def _parents_first(portal: Portal) -> Sequence[str]:
    return sorted(portal.objects, key=lambda key: portal.objects[key].parent != CONTACT)


def _judge(
    rule: SlotRule,
    case: Case,
    links: Mapping[str, Link],
    sight: TypeSight,
    present: frozenset[str],
    shared: Mapping[tuple[str, str], Collection[str]],
    taken: Collection[tuple[str, str]],
    now: datetime,
    policy: Policy,
) -> dict[str, Judgement | Link]:
    known = [slot for slot in links if slot.split(".", 1)[0] == rule.key]
    if isinstance(sight, NotSeen):
        return {
            slot: judge_unseen(links[slot], sight, now, policy, _asked_since(case, slot)) for slot in known
        }
    candidates: tuple[Candidate, ...] = sight if isinstance(sight, tuple) else ()
    spans = Spans(policy, policy.overdue_of(rule.key, rule.overdue_after))
    empty = Reason.PARENT_AWAITED if isinstance(sight, ParentAwaited) else Reason.RECORD_AWAITED
    if case.contact_gone:
        empty = Reason.CONTACT_GONE
    judged: dict[str, Judgement | Link] = {}
    for slot, found in holders(rule, candidates, known).items():
        link = links.get(slot)
        if link is None and not found:
            continue
        claimed = frozenset(c.record_id for c in found if shared.get((rule.object, c.record_id)))
        judged[slot] = judge_link(
            link or Link(slot, awaited=False, awaited_since=now),
            SlotSight(
                tuple(found),
                present,
                claimed,
                frozenset(each for each in claimed if (rule.object, each) in taken),
                empty,
            ),
            now,
            spans,
        )
    return judged


def _shown_elsewhere(
    rule: SlotRule, judged: Mapping[str, Judgement | Link], whole: TypeSight, sight: TypeSight
) -> Mapping[str, Judgement | Link]:
    """The same, and at every empty slot who would hold it but hangs on another record than the definitive one.

    They are shown for people to see why nothing comes; none of them can take the slot.
    """
    if not isinstance(whole, tuple) or sight is whole:
        return judged
    own = {(c.record_id, c.parent_id) for c in sight} if isinstance(sight, tuple) else set()
    elsewhere = holders(rule, [c for c in whole if (c.record_id, c.parent_id) not in own], judged)
    shown = dict(judged)
    for slot, each in judged.items():
        if isinstance(each, Judgement) and each.link.open and each.link.state is not LinkState.AMBIGUOUS:
            others = {c.record_id for c in elsewhere.get(slot, ())}
            ids = tuple(sorted(others.union(each.link.candidates)))
            shown[slot] = replace(each, link=replace(each.link, candidates=ids))
    return shown


def _was_undecided(link: Link) -> bool:
    """Whether it had records and yet no holder that could have been seen to go."""
    return link.state is LinkState.AMBIGUOUS or link.reason is Reason.CHOSEN_FOR_ANOTHER


def _asked_since(case: Case, slot: str) -> datetime | None:
    unsent = (w.submitted_at for w in case.writes if w.slot == slot and w.state in UNFINISHED)
    return max(unsent, default=None)


def _awaited_by_writes(
    writes: Sequence[Write], links: Mapping[str, Link], now: datetime, policy: Policy
) -> dict[str, Link]:
    """The empty links that only now have something waiting for them: they are awaited from here on."""
    slots = {w.slot for w in writes if w.state in UNFINISHED}
    return {
        slot: replace(link, awaited=True, awaited_since=now, next_look_at=next_look(now, now, policy))
        for slot, link in links.items()
        if slot in slots and not link.awaited and link.state is LinkState.AWAITED
    }


def _slot_events(judged: Judgement) -> list[SlotEvent]:
    link = judged.link
    told = []
    for name in judged.events:
        record_id = judged.lost.record_id if name is EventName.LINK_LOST and judged.lost else link.record_id
        details: dict[str, object] = {"looks": link.looks}
        if name is EventName.LINK_AMBIGUOUS:
            details["candidates"] = list(link.candidates)
        if name is not EventName.LINK_FOUND:
            details["reason"] = link.reason.value
        told.append(SlotEvent(name, link.slot, record_id, details))
    return told


def _stops_writes(rule: SlotRule, sight: TypeSight, unwritable: Collection[str]) -> Reason:
    """Why nothing is written to a slot's record after this look, found or not; NONE if nothing keeps it."""
    if rule.object in unwritable:
        return Reason.MISSING_SCOPES
    return reason_of_failure(sight.code, Reason.LOOK_FAILED) if isinstance(sight, NotSeen) else Reason.NONE


def _gate(
    portal: Portal,
    case: Case,
    write: Write,
    links: Mapping[str, Link],
    seen: Collection[str],
    stopped: Mapping[str, Reason],
    now: datetime,
) -> Write:
    """Whether a write goes now, and if not, why. What is held stays so until a person or a newer write ends it."""
    if write.state not in UNFINISHED:
        return write
    unknown = write.state is WriteState.UNKNOWN
    if unknown and portal.slot_rule(write.slot) is None:
        return replace(write, state=WriteState.SUPERSEDED, reason=Reason.NOT_MAPPED)
    link = links.get(write.slot)
    early = write.not_before is not None and write.not_before > now
    waiting = _waits_for(portal, case, write, links)
    if waiting is Reason.NONE:
        waiting = stopped.get(write.slot, Reason.NONE if write.slot in seen else Reason.LOOK_FAILED)
    if waiting is Reason.OLDER_THAN_SIGN_UP:
        return replace(write, state=WriteState.HELD, reason=waiting)
    if waiting is not Reason.NONE:
        state = WriteState.UNKNOWN if unknown else WriteState.WAITING
        return replace(write, state=state, reason=waiting, not_before=write.not_before if early else None)
    if early:
        return write
    assert link is not None
    owed = write.cause is Cause.SUCCESSOR and write.sent_at is not None
    without_verdict = unknown or (owed and write.state is WriteState.WAITING)
    again = without_verdict and write.record_id == link.record_id
    reason = Reason.NO_VERDICT if again else Reason.NONE
    return replace(write, state=WriteState.DUE, reason=reason, record_id=link.record_id)


def _under_doubtful(portal: Portal, case: Case, slot: str, links: Mapping[str, Link]) -> bool:
    """Whether what holds a slot hangs on a record that may yet lose its own: its first look may have come since."""
    rule, above = portal.slot_rule(slot), links.get(case.definitive or "")
    if rule is None or above is None or above.doubtful_since is None:
        return False
    parent = portal.slot_rule(above.slot)
    return parent is not None and parent.object == portal.objects[rule.object].parent


def _waits_for(portal: Portal, case: Case, write: Write, links: Mapping[str, Link]) -> Reason:
    link = links.get(write.slot)
    if case.contact_id is None:
        return Reason.NO_CONTACT
    if case.contact_shared_with:
        return Reason.CONTACT_OF_TWO_THERAPISTS
    if write.slot == DEFINITIVE:
        return Reason.MOVING_UNKNOWN
    if link is None:
        return Reason.RECORD_AWAITED if portal.slot_rule(write.slot) else Reason.NOT_MAPPED
    if link.state is not LinkState.FOUND:
        return link.reason or Reason.RECORD_AWAITED
    if portal.hubspot.mode is Mode.OBSERVE:
        return Reason.OBSERVE_ONLY
    if (
        write.enrolment != case.enrolment
        and case.enrolment_since is not None
        and (link.found_at is None or link.found_at > case.enrolment_since)
    ):
        return Reason.OLDER_THAN_SIGN_UP
    if link.doubtful_since is not None or _under_doubtful(portal, case, write.slot, links):
        return Reason.SETTLING
    return Reason.NONE
