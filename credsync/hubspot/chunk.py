"""A hundred records on their way in one refused batch after the other: what each still sends, and how each ended.

What HubSpot will not take is dropped here; which records are sent together is `isolate`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from credsync.core.refusal_words import refused_without_reason
from credsync.core.verdicts import Outcome, PropertyFault, Stamp, Verdict
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import Invalid
from credsync.hubspot.learnt import Learnt
from credsync.hubspot.objects import RecordInput, property_faults, refused_whole, send_batch
from credsync.hubspot.sift import sift

MOST_SENDS = 12
"""No input is sent more often as a whole: seven halvings of a hundred, and what may come before and after them."""
BARE = "VALIDATION_ERROR"
"""The category of a refusal, which is its code where nothing more was said."""
STOPS_THE_REST = frozenset(
    {"unauthorized", "forbidden", "missing_scopes", "rate_limited", "rate_limited_daily", "unreachable"}
)


@dataclass(slots=True)
class Stop:
    """Why nothing more of a type is sent, once that is so; and whether HubSpot took anything of it."""

    verdict: Verdict | None = None
    taken: bool = False
    in_vain: int = 0
    """Refusals that named no cause, while nothing was taken."""


class Sent(Enum):
    """How a call ended that was not refused as a whole."""

    PASSED = auto()
    """HubSpot judged every record: none of them is what it refused before."""
    FAILED = auto()
    """It did not, or nobody knows: nothing follows for those who were not in this call."""


@dataclass(slots=True)
class Work:
    """One record on its way."""

    trace_id: str
    properties: dict[str, str | None]
    stamp: Stamp | None = None
    faults: dict[str, PropertyFault] = field(default_factory=dict)
    correlation_ids: list[str] = field(default_factory=list)
    sends: int = 0

    def drop(
        self, names: Iterable[str], faults: Iterable[PropertyFault], correlation_ids: Iterable[str]
    ) -> None:
        """Go on without these properties; a stamp that is left says so, and does not go alone."""
        gone = set(names)
        for name in gone:
            del self.properties[name]
        if self.stamp is not None and self.properties.keys() == {self.stamp.name}:
            self.properties.clear()
        elif self.stamp is not None and gone != {self.stamp.name}:
            self.stamp_in_part()
        self.faults.update({each.name: each for each in faults if each.name in gone})
        self.correlation_ids.extend(correlation_ids)

    def stamp_in_part(self) -> None:
        """What is sent next is not everything: its stamp may not say that it is."""
        if self.stamp is not None and self.stamp.name in self.properties:
            self.properties[self.stamp.name] = self.stamp.part


class Chunk:
    """At most 100 records of one type, until each has its verdict."""

    def __init__(
        self,
        client: HubSpotClient,
        type_id: str,
        inputs: Sequence[RecordInput],
        stop: Stop,
        learnt: Learnt,
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.works = {each.id: Work(each.trace, dict(each.properties), each.stamp) for each in inputs}
        self.stop = stop
        self._client = client
        self._type_id = type_id
        self._learnt = learnt

    def sent(self, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
        """What these records still send."""
        return {each: self.works[each].properties for each in ids}

    def most_sends(self, ids: Sequence[str]) -> int:
        """How often the one of them that was sent most was sent."""
        return max(self.works[each].sends for each in ids)

    def suspects(self, ids: Sequence[str]) -> dict[str, set[str]]:
        """Those of them who send a value that this round found bad, though HubSpot did not name it."""
        return self._learnt.suspects(self._type_id, self.sent(ids))

    async def send(self, ids: Sequence[str]) -> tuple[Invalid | Sent, list[str]]:
        """Send them in one call and close those that got a verdict; a refusal of the whole is given back.

        Also given are those who were refused alone and can go again without what was named.
        """
        if self.stop.verdict is not None:
            for each in ids:
                self.close(each, self.stop.verdict)
            return Sent.FAILED, []
        if not ids:
            return Sent.PASSED, []
        works = {each: self.works[each] for each in ids}
        for work in works.values():
            work.sends += 1
        inputs = [RecordInput(each, work.properties, work.trace_id) for each, work in works.items()]
        sent = await send_batch(self._client, self._type_id, inputs)
        if isinstance(sent, Invalid):
            return sent, []
        outcomes = {each.outcome for each in sent.values()}
        self.stop.taken = self.stop.taken or bool(outcomes & {Outcome.WRITTEN, Outcome.MISSING})
        again = []
        for record, verdict in sent.items():
            if verdict.outcome is not Outcome.REFUSED:
                self.close(record, verdict)
            elif self._goes_without(record, verdict):
                again.append(record)
            elif verdict.code == BARE and not verdict.faults and len(works[record].properties) > 1:
                await self.sift(record, verdict)
            else:
                self.close(record, verdict)
        failed = outcomes & {Outcome.NOT_SENT, Outcome.UNKNOWN}
        return Sent.FAILED if failed else Sent.PASSED, again

    def forewarned(self, record: str) -> bool:
        """Drop what this round knows HubSpot to refuse; False when that leaves nothing to send."""
        work = self.works[record]
        faults = self._learnt.known_faults(self._type_id, work.properties)
        if faults:
            work.drop([each.name for each in faults], faults, ())
        if work.properties:
            return True
        self.close(record, Verdict(Outcome.REFUSED, faults[0].code, faults[0].message))
        return False

    def drop_everywhere(self, names: Mapping[str, Sequence[str]], refusal: Invalid) -> None:
        """Drop, from each of these records, properties that nobody can send."""
        for fault in property_faults(refusal.items):
            if any(fault.name in each for each in names.values()):
                self._learnt.property_refused(self._type_id, fault)
        for record, each in names.items():
            self._without(record, each, {f.name: f for f in property_faults(refusal.items)}, refusal)

    def drop(self, record: str, names: Sequence[str], refusal: Invalid) -> None:
        """Drop the properties a record was refused for, and remember their values for the batches to come."""
        work, told = self.works[record], {each.name: each for each in property_faults(refusal.items)}
        code = refused_whole(refusal).code
        for name in names:
            value = work.properties[name]
            if name in told:
                self._learnt.value_refused(self._type_id, told[name], value)
            else:
                told[name] = PropertyFault(name, code, refused_without_reason(name, code))
                self._learnt.value_suspected(self._type_id, name, value)
        self._without(record, names, told, refusal)

    async def sift(self, record: str, refusal: Verdict) -> None:
        """Find out which of its properties a record is refused for, writing the others."""
        work = self.works[record]
        work.stamp_in_part()

        async def send(names: Sequence[str]) -> Verdict:
            properties = {name: work.properties[name] for name in names}
            one = [RecordInput(record, properties, work.trace_id)]
            sent = await send_batch(self._client, self._type_id, one)
            return refused_whole(sent) if isinstance(sent, Invalid) else sent[record]

        found = await sift(list(work.properties), refusal, send)
        self.stop.taken = self.stop.taken or (found.last is not None and not found.failed)
        for name in found.faults:
            self._learnt.value_suspected(self._type_id, name, work.properties[name])
        work.drop(found.faults, found.faults.values(), [*refusal.correlation_ids, *found.correlation_ids])
        self.close(record, found.last or replace(refusal, faults=()))

    def close(self, record: str, verdict: Verdict) -> None:
        """The record's last word, with what was dropped and whom to ask about it."""
        work = self.works[record]
        told = tuple(dict.fromkeys([*work.correlation_ids, *verdict.correlation_ids]))
        if work.faults and verdict.outcome in (Outcome.WRITTEN, Outcome.REFUSED):
            faults = {**{each.name: each for each in verdict.faults}, **work.faults}
            partial = verdict.outcome is Outcome.WRITTEN
            verdict = replace(
                verdict,
                outcome=Outcome.PARTIAL if partial else Outcome.REFUSED,
                code=next(iter(work.faults.values())).code,
                message=f"HubSpot {'took all but' if partial else 'refused'} {', '.join(work.faults)}",
                faults=tuple(faults.values()),
            )
        elif work.faults and verdict.outcome is not Outcome.MISSING:
            verdict = replace(verdict, faults=tuple(work.faults.values()))
        if told != verdict.correlation_ids:
            verdict = replace(verdict, correlation_ids=told)
        self.verdicts[record] = verdict
        if verdict.code in STOPS_THE_REST and self.stop.verdict is None:
            outcome = Outcome.NOT_SENT
            self.stop.verdict = replace(verdict, outcome=outcome, faults=(), correlation_ids=())

    def _goes_without(self, record: str, verdict: Verdict) -> bool:
        """Whether a record that was refused alone, for properties it can go without, has others to send."""
        work = self.works[record]
        named = [each for each in verdict.faults if each.name in work.properties]
        if not named or work.sends >= MOST_SENDS:
            return False
        for each in named:
            self._learnt.value_refused(self._type_id, each, work.properties[each.name])
        work.drop([each.name for each in named], named, verdict.correlation_ids)
        return bool(work.properties)

    def _without(
        self, record: str, names: Sequence[str], faults: Mapping[str, PropertyFault], refusal: Invalid
    ) -> None:
        work = self.works[record]
        work.drop(names, faults.values(), refusal.correlation_ids)
        if not work.properties:
            self.close(record, replace(refused_whole(refusal), faults=()))
