"""What the oracle may look at, and what became of the records, replayed from the sandbox's journal."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

Json = Mapping[str, Any]
CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Told:
    """A call to credsync that may have taken a fact in. `answered` None: it never answered, so nobody knows."""

    path: str
    body: Json
    asked: datetime
    answered: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the oracle judges by.

    `requests`, `journal` and `truth` are as the sandbox tells them, and a request may say when it `began`. `by_people` are the correlation ids of calls that
    somebody else made in HubSpot, `slow` the faults that delayed an answer and did nothing else. `settle_after` is in wall time. `observed` and `interrupted` are when the portal only
    observed and when the service was killed, `stalled` when it stood still, or had been asked to wait. `unfinished` are therapists of whom a test says that something is left
    undone on purpose, with the reason. `shown` is the state that credsync itself shows of each, if it was asked. `ruled` are properties of which HubSpot
    refuses some values by a rule that credsync may know, so that it does not send them. `claims` are when the rounds that
    wrote a record began, by its id, as the timeline tells: on a busy machine that may be long before the look.
    """

    portal: Json
    told: Sequence[Told]
    requests: Sequence[Json]
    journal: Sequence[Json]
    truth: Sequence[Json]
    settle_after: timedelta = timedelta(minutes=10)
    by_people: frozenset[str] = frozenset()
    slow: frozenset[int] = frozenset()
    observed: Sequence[tuple[datetime, datetime]] = ()
    interrupted: Sequence[datetime] = ()
    stalled: Sequence[tuple[datetime, datetime]] = ()
    unfinished: Mapping[str, str] | None = None
    shown: Mapping[str, str] | None = None
    ruled: frozenset[str] = frozenset()
    claims: Mapping[str, Sequence[datetime]] | None = None
    frozen: Sequence[tuple[datetime, datetime]] = ()
    """The part of `stalled` in which a whole process stood still."""
    between_looks: timedelta = timedelta(milliseconds=200)
    """How long two looks of one round may be apart: long, where few calls are allowed and a round waits for seats."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached HubSpot."""

    at: datetime
    ended: datetime
    name: str
    path: str
    text: str
    answered_well: bool
    status: int
    correlation_id: str
    began: datetime
    """When its first byte came, or a little before."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids it names as inputs."""
        _, _, body = self.text.partition("\n")
        try:
            inputs = json.loads(body)["inputs"]
            return frozenset(str(each["id"]) for each in inputs)
        except (ValueError, KeyError, TypeError):
            return frozenset()


@dataclass(frozen=True, slots=True)
class Write:
    """One effect of a call on one record."""

    seq: int
    at: datetime
    record_id: str
    object: str
    values: Mapping[str, str]
    correlation_id: str


class Calls:
    """The service's calls, in order."""

    def __init__(self, evidence: Evidence) -> None:
        self.all = [
            Call(
                when(each["at"]),
                when(each["at"]) + timedelta(milliseconds=each["ms"]),
                f"{each['method']} {each['call']}",
                each["path"],
                each["text"] or "",
                (each["fault"] is None or each["fault"] in evidence.slow) and 200 <= each["status"] < 300,
                each["status"],
                each["correlation_id"],
                when(each["began"])
                if "began" in each
                else when(each["at"]) - timedelta(milliseconds=each["ms"]),
            )
            for each in evidence.requests
            if each["correlation_id"] not in evidence.by_people
        ]
        self.all.sort(key=lambda call: call.at)

    @cached_property
    def looks(self) -> Mapping[str, Sequence[Call]]:
        """Association reads by each id they ask for."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.all:
            if call.name == "POST associations batch/read":
                for each in call.ids:
                    found[each].append(call)
        return found

    @cached_property
    def read(self) -> Mapping[str, Sequence[Call]]:
        """Reads of records' properties by each id they ask for."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.all:
            if call.name == "POST objects batch/read":
                for each in call.ids:
                    found[each].append(call)
        return found

    @cached_property
    def refused(self) -> Mapping[str, Sequence[Call]]:
        """Updates that HubSpot refused as a whole, by each record they named."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.all:
            if call.name == "POST objects batch/update" and call.status == 400:
                for each in call.ids:
                    found[each].append(call)
        return found

    @cached_property
    def by_correlation(self) -> Mapping[str, Call]:
        """Each call by its correlation id."""
        return {call.correlation_id: call for call in self.all}


class History:
    """What became of every record: its slots, parents and life at any number of the journal."""

    def __init__(self, evidence: Evidence) -> None:
        self._parent_of = {
            key: entry.get("parent", CONTACT) for key, entry in evidence.portal["objects"].items()
        }
        self._seqs: dict[str, list[int]] = defaultdict(list)
        self._states: dict[str, list[Json]] = defaultdict(list)
        self._under: dict[str, set[str]] = defaultdict(set)
        self._moments: list[datetime] = []
        self._numbers: list[int] = []
        self._heirs: list[tuple[int, frozenset[str], str]] = []
        self.writes: list[Write] = []
        self.effects: dict[str, int] = defaultdict(int)
        """How many calls, anybody's, wrote to each record."""
        for change in sorted(evidence.journal, key=lambda each: int(each["seq"])):
            self._take(change, evidence.by_people)
        self.last = self._numbers[-1] if self._numbers else 0

    def _take(self, change: Json, by_people: frozenset[str]) -> None:
        record, seq = change["record"], change["seq"]
        self._numbers.append(seq)
        self._moments.append(
            max(when(change["at"]), self._moments[-1] if self._moments else when(change["at"]))
        )
        self._seqs[record["id"]].append(seq)
        self._states[record["id"]].append(record)
        for parent in record["parents"]:
            self._under[parent].add(record["id"])
        if record["object"] == CONTACT and change["action"] == "merge":
            self._heirs.append((seq, frozenset(record["merged"]), record["id"]))
        if change["action"] == "write":
            self.effects[record["id"]] += 1
            if change["correlation_id"] not in by_people:
                self.writes.append(
                    Write(
                        seq,
                        when(change["at"]),
                        record["id"],
                        record["object"],
                        change["values"],
                        change["correlation_id"],
                    )
                )

    def number_at(self, moment: datetime) -> int:
        """The last change not after a moment."""
        index = bisect_right(self._moments, moment)
        return self._numbers[index - 1] if index else 0

    def moment_of(self, seq: int) -> datetime:
        """When a change happened."""
        return self._moments[bisect_right(self._numbers, seq) - 1]

    def numbers(self, start: int, end: int) -> Sequence[int]:
        """The states of the world from one change to another, both included."""
        return [start, *(n for n in self._numbers if start < n <= end)]

    def state(self, record_id: str, seq: int) -> Json | None:
        """A record as it was; None before it was made and once it is gone."""
        index = bisect_right(self._seqs.get(record_id, []), seq)
        found = self._states[record_id][index - 1] if index else None
        return None if found is None or found["archived_at"] is not None else found

    def slots(self, record_id: str, seq: int) -> frozenset[str]:
        """The slots a record was in."""
        found = self.state(record_id, seq)
        return frozenset(found["slots"]) if found and found["parents"] else frozenset()

    def parents(self, record_id: str, seq: int) -> frozenset[str]:
        """What a record hung on."""
        found = self.state(record_id, seq)
        return frozenset(found["parents"]) if found else frozenset()

    def contacts(self, record_id: str, seq: int) -> frozenset[str]:
        """The contacts a record hung on, directly or over another record."""
        found = self.state(record_id, seq)
        if found is None:
            return frozenset()
        if self._parent_of.get(found["object"], CONTACT) == CONTACT:
            return frozenset(found["parents"])
        return frozenset(c for parent in found["parents"] for c in self.contacts(parent, seq))

    def last_under_contact(self, record_id: str, seq: int) -> int:
        """The last change, not after `seq`, after which the record hung on a contact; `seq` if it never did."""
        above = {parent for state in self._states[record_id] for parent in state["parents"]}
        numbers = {n for each in (record_id, *above) for n in self._seqs.get(each, ()) if n <= seq}
        return next((n for n in (seq, *sorted(numbers, reverse=True)) if self.contacts(record_id, n)), seq)

    def two_hops(self, object_key: str) -> bool:
        """Whether records of this object hang on another record."""
        return bool(self._parent_of.get(object_key, CONTACT) != CONTACT)

    def holders(self, slot: str, parent: str, seq: int) -> frozenset[str]:
        """The records that were in a slot under this parent."""
        return frozenset(
            each
            for each in self._under[parent]
            if slot in self.slots(each, seq) and parent in self.parents(each, seq)
        )

    def looked_for(self, record_id: str, seq: int) -> frozenset[str]:
        """The object types of which a look at the contact shows this record: its own, or over two hops its parent's."""
        found = self.state(record_id, seq)
        if found is None:
            return frozenset()
        if not self.two_hops(found["object"]):
            return frozenset({found["type_id"]})
        return frozenset(t for parent in found["parents"] for t in self.looked_for(parent, seq))

    def heir(self, contact_id: str, seq: int) -> str:
        """What a contact had become by then, through merges."""
        for number, former, heir in self._heirs:
            if number <= seq and contact_id in former:
                contact_id = heir
        return contact_id

    @cached_property
    def holdings(self) -> Mapping[str, Sequence[Holding]]:
        """Each record's stays in slots, oldest first."""
        found: dict[str, list[Holding]] = {}
        for record_id, states in self._states.items():
            above = {parent for state in states for parent in state["parents"]}
            numbers = sorted({n for each in (record_id, *above) for n in self._seqs.get(each, ())})
            found[record_id] = _stays(record_id, [(n, self._held(record_id, n)) for n in numbers])
        return found

    def _held(self, record_id: str, seq: int) -> frozenset[tuple[str, str]]:
        contacts = {self.heir(contact, self.last) for contact in self.contacts(record_id, seq)}
        return frozenset((slot, contact) for slot in self.slots(record_id, seq) for contact in contacts)

    def merged_into(self, contact_id: str, seq: int) -> frozenset[str]:
        """The ids that this contact had before, through merges."""
        return frozenset(
            each
            for number, former, heir in self._heirs
            if number <= seq
            for each in former
            if heir == contact_id or self.heir(each, seq) == contact_id
        )

    def held_since(self, record_id: str, slot: str, seq: int) -> int | None:
        """Since which change a record has been in a slot without a break; hung elsewhere in one moment is no break."""
        start: int | None = None
        for stay in reversed(self.holdings.get(record_id, ())):
            if stay.slot != slot or stay.start > seq:
                continue
            if start is None:
                lasts = stay.end is None or seq < stay.end
            else:
                lasts = stay.end is not None and self.moment_of(stay.end) == self.moment_of(start)
            start = stay.start if lasts else start
        return start

    def takes(self, record_id: str) -> list[datetime]:
        """Each time a record came into a slot that somebody, it or another, had held before under that contact."""
        return [
            self.moment_of(stay.start)
            for stay in self.holdings.get(record_id, ())
            if any(
                (other.slot, other.contact) == (stay.slot, stay.contact) and other.start < stay.start
                for stays in self.holdings.values()
                for other in stays
            )
        ]


@dataclass(frozen=True, slots=True)
class Holding:
    """A record's stay in a slot, from one change to the one that ended it."""

    record_id: str
    slot: str
    contact: str
    start: int
    end: int | None


def _stays(record_id: str, held: Sequence[tuple[int, frozenset[tuple[str, str]]]]) -> list[Holding]:
    open_since: dict[tuple[str, str], int] = {}
    stays: list[Holding] = []
    for number, now in held:
        for place in [place for place in open_since if place not in now]:
            ended = Holding(record_id, *place, open_since.pop(place), number)
            stays.append(ended)
        for place in now:
            open_since.setdefault(place, number)
    stays += [Holding(record_id, *place, start, None) for place, start in open_since.items()]
    return sorted(stays, key=lambda stay: stay.start)


def when(text: str) -> datetime:
    """A moment as the sandbox or a caller writes it."""
    return datetime.fromisoformat(text)
