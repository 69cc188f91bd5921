"""HubSpot's values beside the submitted ones, property by property: what differs, what will be written, and why not.

Pure. The rows and links are those a round would have after its look; nothing here changes any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from credsync.core.facts import Facts
from credsync.core.links import Link, LinkState
from credsync.core.outgoing import Outgoing, compose
from credsync.core.phrases import Joined, phrase
from credsync.core.plan import SyncRequest, plan_writes, rows_as_planned
from credsync.core.portal import DEFINITIVE, Mode, Portal
from credsync.core.properties import Property
from credsync.core.quarantine import Place, Quarantined, kept_back
from credsync.core.readback import same_value
from credsync.core.reasons import Reason, sentence
from credsync.core.verdicts import PropertyFault
from credsync.core.writes import OPEN, UNFINISHED, Cause, Write, WriteState

RecordKey = tuple[str, str]
"""(object key, record id)"""


class Why(StrEnum):
    """How a property's two values stand to each other."""

    IN_STEP = "in_step"
    UNSENT = "unsent"
    WAITING = "waiting"
    HELD = "held"
    OBSERVE_ONLY = "observe_only"
    REFUSED = "refused"
    EDITED_IN_HUBSPOT = "edited_in_hubspot"
    NOT_SENT = "not_sent"
    NOTHING_SUBMITTED = "nothing_submitted"
    NOT_READABLE = "not_readable"


_SENTENCES = {
    Why.IN_STEP: phrase("HubSpot has what was submitted."),
    Why.UNSENT: phrase("It goes out with the next round."),
    Why.WAITING: phrase("It is not sent yet."),
    Why.HELD: phrase("It is held back until a person sends it."),
    Why.OBSERVE_ONLY: phrase("The portal only observes; this is what would be written."),
    Why.REFUSED: phrase("It cannot be written."),
    Why.EDITED_IN_HUBSPOT: phrase(
        "HubSpot's value is another than the one last written: somebody changed it there, or the portal file shapes it "
        "otherwise now. credsync leaves it; Sync now writes the submitted value again."
    ),
    Why.NOT_SENT: phrase(
        "It was never written to this record, and nothing waits that would. Sync now writes it."
    ),
    Why.NOTHING_SUBMITTED: phrase("Nothing was submitted for it, so it is left alone."),
    Why.NOT_READABLE: phrase("HubSpot's value could not be read now."),
}


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a record's values are not known."""

    code: str
    message: str


Values = Mapping[str, str | None] | Unread
"""A record's properties as HubSpot has them now."""


@dataclass(frozen=True, slots=True)
class PropertyDifference:
    """One mapped property. `differs` is None where there is nothing to compare; `clears` tells null from nothing."""

    name: str
    hubspot: str | None
    submitted: str | None
    clears: bool
    differs: bool | None
    will_be_written: bool
    why: Why
    reason: Reason = Reason.NONE
    code: str = ""
    detail: str = ""

    @property
    def message(self) -> str:
        """The sentences for people; no value is in them."""
        more = sentence(self.reason) or self.detail
        return Joined([_SENTENCES[self.why], more])


@dataclass(frozen=True, slots=True)
class SlotDifference:
    """One slot and the properties mapped to it; `unread` where HubSpot did not answer for it."""

    slot: str
    link: Link | None
    reason: Reason
    unread: Unread | None
    properties: tuple[PropertyDifference, ...]

    @property
    def record_id(self) -> str | None:
        """The record that holds the slot, if one alone does."""
        return self.link.record_id if self.link is not None else None


@dataclass(frozen=True, slots=True)
class Sighted:
    """What a round would know of one therapist after its look: links and rows as it would store them.

    `known` are HubSpot's own properties by object key and name. `values` are of every record that was read, `unseen`
    the object types that were not; `refusals` tell what HubSpot said of refused properties, by write id and name;
    `quarantined` are the refused values that are kept back.
    """

    portal: Portal
    facts: Facts
    links: Mapping[str, Link]
    writes: Sequence[Write]
    known: Mapping[str, Mapping[str, Property]]
    values: Mapping[RecordKey, Values] = field(default_factory=dict)
    unseen: Mapping[str, Unread] = field(default_factory=dict)
    refusals: Mapping[int, Mapping[str, PropertyFault]] = field(default_factory=dict)
    include_held: bool = False
    quarantined: Mapping[Place, Quarantined] = field(default_factory=dict)


def mapped_properties(portal: Portal, slot: str) -> list[str]:
    """The properties that the portal file maps to a slot, in the file's order."""
    names: dict[str, None] = {}
    for each in portal.writes:
        chosen = each.to == DEFINITIVE and (
            slot == DEFINITIVE or any(rule.slot == slot for rule in portal.rules(each.form))
        )
        if chosen or each.to == slot.split(".", 1)[0]:
            names.update(dict.fromkeys(each.fields))
    return list(names)


def differences(sighted: Sighted) -> list[SlotDifference]:
    """Every slot that is awaited, held or written to, in the portal file's order."""
    numbered = [replace(w, id=-n) if w.id is None else w for n, w in enumerate(sighted.writes, 1)]
    view = _View(replace(sighted, portal=_with_definitive(sighted.portal), writes=numbered))
    links = {
        slot: link
        for slot, link in sighted.links.items()
        if link.awaited or link.record_id is not None or link.candidates
    }
    slots = {*links, *view.slots}
    order = {key: place for place, key in enumerate([DEFINITIVE, *sighted.portal.slots])}
    in_order = sorted(slots, key=lambda slot: (order.get(slot.split(".", 1)[0], len(order)), slot))
    return [view.slot(slot, links.get(slot)) for slot in in_order]


def _with_definitive(portal: Portal) -> Portal:
    """The portal with a slot of its own for what no rule can place yet, so that it is shaped like the placed."""
    rules = next(iter(portal.definitive.values()), ())
    if not rules:
        return portal
    undecided = replace(portal.slots[rules[0].slot], key=DEFINITIVE)
    return replace(portal, slots={**portal.slots, DEFINITIVE: undecided})


class _View:
    """What the rows say of every slot's properties."""

    def __init__(self, sighted: Sighted) -> None:
        self._seen = sighted
        self._going = self._next_round()
        self._full = self._merged(sighted.include_held)
        self._with_held = self._full if sighted.include_held else self._merged(include_held=True)
        self._carriers = self._unsent()
        rows = [w for w in sighted.writes if w.state is not WriteState.SUPERSEDED]
        self.slots = {w.slot for w in rows if sighted.portal.slot_rule(w.slot) is not None}

    def slot(self, slot: str, link: Link | None) -> SlotDifference:
        rule = self._seen.portal.slot_rule(slot)
        object_key = rule.object if rule is not None else ""
        found = link is not None and link.state is LinkState.FOUND and link.record_id is not None
        undecided = slot == DEFINITIVE and bool(self._seen.known)
        unread = None if undecided else self._seen.unseen.get(object_key)
        values: Values | None = unread
        if found and unread is None:
            values = self._seen.values.get(self._record(slot), Unread("unanswered", "it was not asked"))
            unread = values if isinstance(values, Unread) else None
        reason = link.reason if link is not None else Reason.NOT_LOOKED_YET
        if slot == DEFINITIVE:
            reason = Reason.MOVING_UNKNOWN
        names = mapped_properties(self._seen.portal, slot)
        properties = tuple(self._property(slot, object_key, name, values) for name in names)
        return SlotDifference(slot, link, reason, unread, properties)

    def _property(self, slot: str, object_key: str, name: str, values: Values | None) -> PropertyDifference:
        record = self._record(slot)
        sources = [each.get(record) for each in (self._full, self._with_held)]
        source = next(
            (s for s in sources if s is not None and (name in s.properties or _fault(s, name))), None
        )
        fault = _fault(source, name) if source is not None else None
        said = source is not None and fault is None
        submitted = source.properties[name] if source is not None and said else None
        hubspot = values.get(name) or None if isinstance(values, Mapping) else None
        differs: bool | None = None
        if isinstance(values, Mapping) and fault is None:
            prop = self._seen.known.get(object_key, {}).get(name)
            same = prop is not None and same_value(submitted, hubspot, prop)
            differs = said and not same
        will = name in self._going.get(record, ())
        made = PropertyDifference(
            name, hubspot, submitted, said and submitted is None, differs, will, Why.IN_STEP
        )
        if isinstance(values, Unread):
            return replace(made, why=Why.NOT_READABLE, code=values.code, detail=_as_sentence(values.message))
        if fault is not None:
            return replace(made, why=Why.REFUSED, code=fault.code, detail=_as_sentence(fault.message))
        if not said:
            return replace(made, why=Why.NOTHING_SUBMITTED)
        if will:
            return replace(made, why=Why.UNSENT)
        return made if differs is False else self._unwritten(made, slot, record)

    def _unwritten(self, made: PropertyDifference, slot: str, record: RecordKey) -> PropertyDifference:
        """Why a submitted value that HubSpot does not have will not be written now."""
        prop = self._seen.known.get(record[0], {}).get(made.name)
        place = (*record, made.name)
        row = None if prop is None else kept_back(self._seen.quarantined, place, made.submitted, prop)
        if row is not None:
            detail = _as_sentence(row.fault.message)
            return replace(made, why=Why.REFUSED, code=row.code, detail=detail)
        carrier = self._carriers.get((slot, made.name))
        if carrier is not None:
            if carrier.state is not WriteState.HELD:
                return replace(made, why=Why.WAITING, reason=carrier.reason)
            if carrier.reason is Reason.OBSERVE_ONLY:
                return replace(made, why=Why.OBSERVE_ONLY)
            return replace(made, why=Why.HELD, reason=carrier.reason)
        for write in reversed(self._seen.writes):
            if write.slot != slot or write.state is WriteState.SUPERSEDED:
                continue
            if made.name in write.refused:
                fault = self._seen.refusals.get(write.id or 0, {}).get(made.name)
                code, detail = (fault.code, _as_sentence(fault.message)) if fault is not None else ("", "")
                return replace(made, why=Why.REFUSED, code=code, detail=detail)
            if made.name in write.wrote:
                here = write.record_id == record[1]
                return replace(made, why=Why.EDITED_IN_HUBSPOT if here else Why.NOT_SENT)
        return replace(made, why=Why.NOT_SENT)

    def _record(self, slot: str) -> RecordKey:
        """The record in a slot, or the slot itself while no record holds it: a slot's name is never an id."""
        rule, link = self._seen.portal.slot_rule(slot), self._seen.links.get(slot)
        found = link is not None and link.state is LinkState.FOUND
        return (rule.object if rule is not None else "", link.record_id or slot if link and found else slot)

    def _next_round(self) -> dict[RecordKey, frozenset[str]]:
        """The properties that the next round writes, by record; what may be there already is read back first."""
        going: dict[RecordKey, frozenset[str]] = {}
        for out in self._composed(self._seen.writes):
            rows = [self._seen.writes[each.index] for each in out.carried if each.names]
            if any(row.reason is Reason.NO_VERDICT for row in rows) and self._is_there(out):
                continue
            going[(out.object_key, out.record_id)] = frozenset(out.properties)
        return going

    def _is_there(self, out: Outgoing) -> bool:
        values = self._seen.values.get((out.object_key, out.record_id))
        known = self._seen.known.get(out.object_key, {})
        return isinstance(values, Mapping) and all(
            same_value(value, values.get(name), known[name]) for name, value in out.properties.items()
        )

    def _merged(self, include_held: bool) -> dict[RecordKey, Outgoing]:
        """What Sync now would write to every slot, linked or not."""
        writing = replace(self._seen.portal.hubspot, mode=Mode.WRITE)
        portal = replace(self._seen.portal, hubspot=writing)
        facts, rows = self._seen.facts, self._seen.writes
        pressed = rows_as_planned(rows, plan_writes(portal, facts, rows, [SyncRequest(0, include_held)]))
        outs = self._composed(
            [
                self._sent_at_once(row)
                if row.state in OPEN and row.cause is Cause.SYNC and row.enrolment == facts.enrolment
                else _kept_back(row)
                for row in pressed
            ]
        )
        return {(out.object_key, out.record_id): out for out in outs}

    def _unsent(self) -> dict[tuple[str, str], Write]:
        """The unsent row that carries each property of each slot; of several, the one that is nearest to going."""
        rows = self._seen.writes
        unsent = [row.state in OPEN | UNFINISHED for row in rows]
        at_once = [self._sent_at_once(row) if open_ else row for row, open_ in zip(rows, unsent, strict=True)]
        carriers: dict[tuple[str, str], Write] = {}
        for out in self._composed(at_once):
            for carried in out.carried:
                row = rows[carried.index]
                for name in (*carried.names, *(fault.name for fault in carried.faults)):
                    before = carriers.get((row.slot, name))
                    if before is None or before.state is WriteState.HELD:
                        carriers[(row.slot, name)] = row
        return carriers

    def _composed(self, rows: Sequence[Write]) -> list[Outgoing]:
        portal = self._seen.portal
        placed = [row if portal.slot_rule(row.slot) is not None else _kept_back(row) for row in rows]
        return compose(portal, self._seen.facts, placed, self._seen.known, self._seen.quarantined)

    def _sent_at_once(self, row: Write) -> Write:
        return replace(row, state=WriteState.DUE, reason=Reason.NONE, record_id=self._record(row.slot)[1])


def _kept_back(row: Write) -> Write:
    return replace(row, state=WriteState.WAITING) if row.state is WriteState.DUE else row


def _fault(out: Outgoing, name: str) -> PropertyFault | None:
    faults: Iterable[PropertyFault] = (fault for each in out.carried for fault in each.faults)
    return next((fault for fault in faults if fault.name == name), None)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
