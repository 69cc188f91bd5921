"""What goes out for one record: one input, whatever forms and slots feed it, and what each write has in it.

Computed when it is sent, from the submissions and the portal file of that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from credsync.core.facts import Facts
from credsync.core.mapping import Told, Wanted, merge
from credsync.core.plan import settled_slots
from credsync.core.portal import Portal
from credsync.core.properties import Property, ShapeFault, shape
from credsync.core.quarantine import Place, Quarantined, kept_back
from credsync.core.verdicts import Outcome, PropertyFault, Stamp, Verdict
from credsync.core.writes import Cause, Write, WriteState

_NONE: Final[Mapping[Place, Quarantined]] = MappingProxyType({})
_ENDED = frozenset({WriteState.WRITTEN, WriteState.PARTIAL, WriteState.REFUSED})


@dataclass(frozen=True, slots=True)
class Carried:
    """What one write has in an input: the properties it sets and those that cannot be sent at all.

    `index` is the write's place among the therapist's writes.
    """

    index: int
    names: tuple[str, ...]
    faults: tuple[PropertyFault, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record's input. `properties` may be empty: then nothing is sent and every write in it ends by its faults.

    `again` are those of its properties that a person wants tried again although HubSpot refused their values; `apart`
    says that HubSpot refused the record as a whole when it was last written. Neither may travel with others.
    """

    object_key: str
    record_id: str
    properties: Mapping[str, str | None]
    carried: tuple[Carried, ...]
    again: frozenset[str] = frozenset()
    apart: bool = False
    stamp: Stamp | None = None
    """Goes along with the properties and is none of them."""

    def stamped(self, properties: Mapping[str, str | None]) -> Mapping[str, str | None]:
        """Some or all of the properties with the stamp for just that; nothing is sent for the stamp's sake alone."""
        if self.stamp is None or not properties:
            return properties
        whole = properties.keys() == self.properties.keys()
        return {**properties, self.stamp.name: self.stamp.whole if whole else self.stamp.part}


def compose(
    portal: Portal,
    facts: Facts,
    writes: Sequence[Write],
    known: Mapping[str, Mapping[str, Property]],
    quarantined: Mapping[Place, Quarantined] = _NONE,
) -> list[Outgoing]:
    """One `Outgoing` per record that a therapist's due writes go to.

    `writes` are all of the therapist's, oldest first; `known` maps object keys to HubSpot's own properties by name.
    What is quarantined is left out, unless a person asks for it.
    """
    settled = settled_slots(w for w in writes if not w.goes_now)
    told = Told(portal, facts)
    by_record: dict[tuple[str, str], list[int]] = {}
    for index, write in enumerate(writes):
        if write.goes_now and write.record_id is not None:
            rule = portal.slot_rule(write.slot)
            assert rule is not None, "a due write has a linked slot, which has a rule"
            by_record.setdefault((rule.object, write.record_id), []).append(index)
    outgoing = [
        _input(
            told,
            object_key,
            record_id,
            {i: writes[i] for i in indexes},
            settled,
            known.get(object_key, {}),
            quarantined,
        )
        for (object_key, record_id), indexes in by_record.items()
    ]
    return [replace(each, apart=True) if _was_refused(writes, each.record_id) else each for each in outgoing]


def _was_refused(writes: Sequence[Write], record_id: str) -> bool:
    """Whether what was last sent to a record was refused as a whole."""
    ended = (w.state for w in reversed(writes) if w.record_id == record_id and w.state in _ENDED)
    return next(ended, None) is WriteState.REFUSED


def _input(
    told: Told,
    object_key: str,
    record_id: str,
    due: Mapping[int, Write],
    settled: Mapping[int, tuple[str, str | None]],
    known: Mapping[str, Property],
    quarantined: Mapping[Place, Quarantined],
) -> Outgoing:
    wanted: dict[str, Wanted] = {}
    shares: list[tuple[int, dict[str, Wanted]]] = []
    for index, write in due.items():
        share = wanted_by(told, write, settled)
        shares.append((index, share))
        for name, value in share.items():
            if name not in wanted or _age(told.facts, value) >= _age(told.facts, wanted[name]):
                wanted[name] = value
    properties: dict[str, str | None] = {}
    faults: dict[str, PropertyFault] = {}
    again: set[str] = set()
    by_person = {name for index, share in shares if due[index].cause is Cause.SYNC for name in share}
    for name, value in wanted.items():
        try:
            text = _shaped(name, value, known)
        except ShapeFault as fault:
            faults[name] = PropertyFault(name, fault.code, fault.message)
            continue
        row = kept_back(quarantined, (object_key, record_id, name), text, known[name])
        if row is None:
            properties[name] = text
        elif name in by_person:
            properties[name] = text
            again.add(name)
        else:
            faults[name] = row.fault
    carried = tuple(
        Carried(
            write, tuple(n for n in share if n in properties), tuple(faults[n] for n in share if n in faults)
        )
        for write, share in shares
    )
    return Outgoing(object_key, record_id, properties, carried, frozenset(again))


def wanted_by(told: Told, write: Write, settled: Mapping[int, tuple[str, str | None]]) -> dict[str, Wanted]:
    """The properties that one write sets: of its own submissions, what no newer one of the enrolment has."""
    own = dict.fromkeys(write.submissions, (write.slot, write.rule)) if write.rule is not None else {}
    also = write.submissions | _newer(told.facts, write)
    merged = merge(told, write.enrolment, write.slot, {**settled, **own}, also)
    return {name: w for name, w in merged.items() if w.submission in write.submissions}


def _newer(facts: Facts, write: Write) -> frozenset[int]:
    """What was submitted after all that a write carries, in later enrolments too: none of it may be overwritten."""
    last = max((s.age for s in facts.submissions if s.id in write.submissions), default=None)
    return frozenset(s.id for s in facts.submissions if last is not None and s.age > last)


def _age(facts: Facts, wanted: Wanted) -> tuple[object, int]:
    return next((s.age for s in facts.submissions if s.id == wanted.submission), (None, 0))


def _shaped(name: str, wanted: Wanted, known: Mapping[str, Property]) -> str | None:
    if name not in known:
        raise ShapeFault(
            "PROPERTY_DOESNT_EXIST", f"HubSpot has no property {name!r} here; add it or correct the mapping"
        )
    return shape(wanted.value, known[name], wanted.renames)


def share_of(verdict: Verdict, carried: Carried) -> Verdict:
    """One write's part of a record's verdict: only the faults of its own properties count, with our own added."""
    refused = {fault.name: fault for fault in verdict.faults if fault.name in carried.names}
    faults = (*carried.faults, *refused.values())
    outcome, code, message = verdict.outcome, verdict.code, verdict.message
    if outcome in (Outcome.WRITTEN, Outcome.PARTIAL):
        written = [name for name in carried.names if name not in refused]
        outcome = Outcome.WRITTEN if not faults else Outcome.PARTIAL if written else Outcome.REFUSED
        if outcome is Outcome.REFUSED and not code:
            code, message = faults[0].code, faults[0].message
    return Verdict(outcome, code, message, faults, verdict.correlation_ids, verdict.created_at)
