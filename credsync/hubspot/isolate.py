"""Writing many records although one bad value makes HubSpot refuse the whole batch it travels in.

A refused batch is taken apart with as few calls as its refusal allows:

1. a fault of a property itself (unknown, read-only) hits every input alike: the property is dropped everywhere;
2. a refusal that repeats the offending value gives its senders away: the others go first, and when they pass (or
   are refused for something else), the senders go again without that property;
3. else by halves. When one half passes, the other holds the culprit and is not sent to find that out; the halves
   set aside on the way to the first culprit go together.

What is dropped is a fault in the record's verdict: PARTIAL when the rest was written, REFUSED when nothing is left.
A batch that ended not sent or unknown is not taken apart, and nothing more is sent once the token, its scopes, the
day's allowance or the network is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import anyio

from credsync.core.verdicts import Outcome, PropertyFault, Verdict
from credsync.hubspot import suspects
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import Invalid
from credsync.hubspot.objects import (
    AT_ONCE,
    RecordInput,
    chunks,
    property_faults,
    refused_whole,
    send_batch,
)

MOST_SENDS = 12
"""No input is sent more often: seven halvings of a hundred, and what may come before and after them."""
STOPS_THE_REST = frozenset(
    {"unauthorized", "forbidden", "missing_scopes", "rate_limited", "rate_limited_daily", "unreachable"}
)


async def update_records(
    client: HubSpotClient, type_id: str, inputs: Sequence[RecordInput]
) -> dict[str, Verdict]:
    """Write these records, each id once, 100 a call, up to four calls at once. Raises no HubSpotError."""
    assert len({each.id for each in inputs}) == len(inputs), "each record once"
    verdicts: dict[str, Verdict] = {}
    stop = _Stop()
    seats = anyio.Semaphore(AT_ONCE)

    async def write(chunk: Sequence[RecordInput]) -> None:
        async with seats:
            isolation = _Isolation(client, type_id, chunk, stop)
            await isolation.settle([each.id for each in chunk], first=True)
            verdicts.update(isolation.verdicts)

    async with anyio.create_task_group() as tasks:
        for chunk in chunks(inputs):
            tasks.start_soon(write, chunk)
    return verdicts


@dataclass(slots=True)
class _Stop:
    """Why nothing more is sent, once that is so."""

    verdict: Verdict | None = None


class _Sent(Enum):
    """How a call ended that was not refused as a whole."""

    PASSED = auto()
    """HubSpot judged every record: none of them is what it refused before."""
    FAILED = auto()
    """It did not, or nobody knows: nothing follows for those who were not in this call."""


@dataclass(slots=True)
class _Work:
    """One record on its way."""

    trace_id: str
    properties: dict[str, str | None]
    faults: dict[str, PropertyFault] = field(default_factory=dict)
    correlation_ids: list[str] = field(default_factory=list)
    sends: int = 0

    def drop(
        self, names: Iterable[str], faults: Iterable[PropertyFault], correlation_ids: Iterable[str]
    ) -> None:
        for name in names:
            del self.properties[name]
        self.faults.update({each.name: each for each in faults if each.name in set(names)})
        self.correlation_ids.extend(correlation_ids)


class _Isolation:
    """One chunk of at most 100 records, until each has its verdict."""

    def __init__(
        self, client: HubSpotClient, type_id: str, inputs: Sequence[RecordInput], stop: _Stop
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._client = client
        self._type_id = type_id
        self._stop = stop
        self._works = {each.id: _Work(each.trace, dict(each.properties)) for each in inputs}

    async def settle(self, ids: Sequence[str], *, first: bool = False) -> None:
        """Records of which nothing is known yet."""
        sent = await self._send(ids)
        if isinstance(sent, Invalid):
            await self._divide(ids, sent, first=first)

    async def _send(self, ids: Sequence[str]) -> Invalid | _Sent:
        """Send them in one call and close those that got a verdict; a refusal of the whole is given back."""
        if self._stop.verdict is not None:
            for each in ids:
                self._close(each, self._stop.verdict)
            return _Sent.FAILED
        if not ids:
            return _Sent.PASSED
        works = {each: self._works[each] for each in ids}
        for work in works.values():
            work.sends += 1
        inputs = [RecordInput(each, work.properties, work.trace_id) for each, work in works.items()]
        sent = await send_batch(self._client, self._type_id, inputs)
        if isinstance(sent, Invalid):
            return sent
        again = [each for each, verdict in sent.items() if not self._take(each, verdict)]
        if again:
            await self.settle(again)
        failed = any(each.outcome in (Outcome.NOT_SENT, Outcome.UNKNOWN) for each in sent.values())
        return _Sent.FAILED if failed else _Sent.PASSED

    def _take(self, record: str, verdict: Verdict) -> bool:
        """Close the record, unless it was refused alone for properties it can go without."""
        work = self._works[record]
        names = [each.name for each in verdict.faults if each.name in work.properties]
        if verdict.outcome is Outcome.REFUSED and names and work.sends < MOST_SENDS:
            work.drop(names, verdict.faults, verdict.correlation_ids)
            if work.properties:
                return False
        self._close(record, verdict)
        return True

    async def _divide(self, ids: Sequence[str], refusal: Invalid, *, first: bool = False) -> None:
        """Records at least one of which is the reason for this refusal."""
        if max(self._works[each].sends for each in ids) >= MOST_SENDS:
            self._refuse(ids, refusal)
        elif (kept := self._drop_alike(ids, refusal)) is not None:
            await self.settle(kept, first=first)
        elif len(ids) == 1:
            await self._settle_culprit(ids[0], refusal)
        elif (found := suspects.located(refusal.items, self._sent(ids))) and self._affords(ids, 2):
            await self._by_value(ids, refusal, found)
        elif first and self._affords(ids, 2):
            await self._by_search(ids, refusal)
        else:
            await self._by_halves(ids, refusal)

    def _drop_alike(self, ids: Sequence[str], refusal: Invalid) -> list[str] | None:
        """Drop the properties no input can send; gives who has something left, None when there is no such fault."""
        alike = [each for each in refusal.items if suspects.hits_all(each)]
        hit = suspects.carriers(alike, self._sent(ids))
        if not hit:
            return None
        for each in hit:
            self._drop(each, suspects.named(alike, self._works[each].properties), refusal)
        return [each for each in ids if each not in self.verdicts]

    async def _settle_culprit(self, record: str, refusal: Invalid) -> None:
        names = suspects.named(refusal.items, self._works[record].properties)
        if not names or self._works[record].sends >= MOST_SENDS:
            self._refuse([record], refusal)
            return
        self._drop(record, names, refusal)
        if record not in self.verdicts:
            await self.settle([record])

    async def _by_value(self, ids: Sequence[str], refusal: Invalid, found: Mapping[str, set[str]]) -> None:
        """The others first. Only when the complaint goes away with them were the accused rightly so."""
        rest = [each for each in ids if each not in found]
        blaming = [each for each in refusal.items if suspects.located([each], self._sent(ids))]
        sent = await self._send(rest)
        cleared = sent is _Sent.FAILED
        if isinstance(sent, Invalid):
            cleared = bool({each.evidence for each in blaming} & {each.evidence for each in sent.items})
            await self._divide(rest, sent)
        if not cleared:
            for record, names in found.items():
                self._drop(record, sorted(names), refusal)
        await self.settle([each for each in found if each not in self.verdicts])

    async def _by_search(self, ids: Sequence[str], refusal: Invalid) -> None:
        """Go straight for one culprit, setting the other halves aside; it is seldom that there is a second."""
        aside: list[Sequence[str]] = []
        while len(ids) > 1 and not self._has_lead(ids, refusal):
            one, other = self._split(ids, refusal)
            sent = await self._send(one)
            if sent is _Sent.PASSED:
                ids = other
                continue
            aside.append(other)
            if sent is _Sent.FAILED:
                break
            ids, refusal = one, sent
        else:
            await self._divide(ids, refusal)
        together = [each for part in aside for each in part]
        sent = await self._send(together)
        if not isinstance(sent, Invalid):
            return
        if len(aside) == 1 or self._has_lead(together, sent):
            await self._divide(together, sent)
            return
        for part in aside:
            await self.settle(part)

    async def _by_halves(self, ids: Sequence[str], refusal: Invalid) -> None:
        one, other = self._split(ids, refusal)
        sent = await self._send(one)
        if sent is _Sent.PASSED:
            await self._divide(other, refusal)
            return
        if isinstance(sent, Invalid):
            await self._divide(one, sent)
        await self.settle(other)

    def _has_lead(self, ids: Sequence[str], refusal: Invalid) -> bool:
        """Whether the refusal says more than that somebody here is to blame."""
        records = self._sent(ids)
        alike = [each for each in refusal.items if suspects.hits_all(each)]
        return bool(suspects.carriers(alike, records) or suspects.located(refusal.items, records))

    def _split(self, ids: Sequence[str], refusal: Invalid) -> tuple[Sequence[str], Sequence[str]]:
        """Those who do not send a property it names before those who do; else in halves."""
        accused = suspects.carriers(refusal.items, self._sent(ids))
        if 0 < len(accused) < len(ids) and self._affords(ids, 1):
            held = set(accused)
            return [each for each in ids if each not in held], accused
        middle = len(ids) // 2
        return ids[:middle], ids[middle:]

    def _affords(self, ids: Sequence[str], more: int) -> bool:
        """Whether these may be sent so often more and still be told apart by halves."""
        sent = max(self._works[each].sends for each in ids)
        return sent + more + (len(ids) - 1).bit_length() + 1 <= MOST_SENDS

    def _sent(self, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
        return {each: self._works[each].properties for each in ids}

    def _drop(self, record: str, names: Sequence[str], refusal: Invalid) -> None:
        self._works[record].drop(names, property_faults(refusal.items), refusal.correlation_ids)
        if not self._works[record].properties:
            self._close(record, replace(refused_whole(refusal), faults=()))

    def _refuse(self, ids: Sequence[str], refusal: Invalid) -> None:
        for each in ids:
            self._close(each, refused_whole(refusal))

    def _close(self, record: str, verdict: Verdict) -> None:
        """The record's last word, with what was dropped and whom to ask about it."""
        work = self._works[record]
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
        self.verdicts[record] = replace(verdict, correlation_ids=told)
        if verdict.code in STOPS_THE_REST and self._stop.verdict is None:
            outcome = Outcome.NOT_SENT
            self._stop.verdict = replace(verdict, outcome=outcome, faults=(), correlation_ids=())
