"""Writing many records although one bad value makes HubSpot refuse the whole batch it travels in.

A refused batch is taken apart with as few calls as its refusal allows:

1. a fault of a property itself (unknown, read-only) hits every input alike: the property is dropped everywhere;
2. a refusal that repeats the offending value gives its senders away: the others go first, and when they pass (or
   are refused for something else), the senders go again without that property;
3. else by halves. When one half passes, the other holds the culprit and is not sent to find that out; the halves
   set aside on the way to the first culprit go together. Where culprits are many, one by one;
4. a single record that is refused for nothing it names is sifted: halves again, of its properties.

What was found is known to the batches that follow in the same round (`learnt`). What is dropped is a fault in the
record's verdict: PARTIAL when the rest was written, REFUSED when nothing is left. A batch that ended not sent or
unknown is not taken apart. Nothing more is sent once the token, its scopes, the day's allowance or the network is
gone, or when HubSpot took nothing at all of this type and names no cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from credsync.core.verdicts import Outcome, Verdict
from credsync.hubspot import suspects
from credsync.hubspot.chunk import MOST_SENDS, Chunk, Sent, Stop
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import Invalid
from credsync.hubspot.learnt import Learnt
from credsync.hubspot.objects import AT_ONCE, RecordInput, chunks, property_faults, refused_whole

FIRST_AT_ONCE = 4
"""Batches that are sent before anything is known; each that is settled lets one more go, up to `AT_ONCE`."""
MOST_IN_VAIN = 40
"""Refusals without a lead, while nothing of the type was taken, until the fault is not the records': four batches at
once may each have to be halved seven times before anything of them can pass."""
MANY = 3
"""Culprits in one chunk that make halving dear, when they are also a third of all that got their verdict."""


async def update_records(
    client: HubSpotClient,
    type_id: str,
    inputs: Sequence[RecordInput],
    learnt: Learnt | None = None,
    *,
    wary: bool = False,
) -> dict[str, Verdict]:
    """Write these records, each id once, 100 a call, a few and then more of them at once. Raises no HubSpotError.

    `learnt` is what this round knows of earlier refusals; it is added to. `wary`: each of these was refused before, so
    that a refusal without a lead sends them one by one.
    """
    assert len({each.id for each in inputs}) == len(inputs), "each record once"
    verdicts: dict[str, Verdict] = {}
    stop = Stop()
    known = learnt if learnt is not None else Learnt()
    seats = anyio.Semaphore(FIRST_AT_ONCE)
    more = AT_ONCE - FIRST_AT_ONCE

    async def write(part: Sequence[RecordInput]) -> None:
        nonlocal more
        async with seats:
            chunk = Chunk(client, type_id, part, stop, known)
            await _Isolation(chunk, wary=wary).settle([each.id for each in part], first=True)
            verdicts.update(chunk.verdicts)
        if more:
            more -= 1
            seats.release()

    async with anyio.create_task_group() as tasks:
        for part in chunks(inputs):
            tasks.start_soon(write, part)
    return verdicts


class _Isolation:
    """Which records of a chunk are sent together, until each has its verdict."""

    def __init__(self, chunk: Chunk, *, wary: bool) -> None:
        self._chunk = chunk
        self._wary = wary
        self._culprits = 0

    async def settle(self, ids: Sequence[str], *, first: bool = False) -> None:
        """Records of which nothing is known yet but what this round has learnt."""
        ids = [each for each in ids if self._chunk.forewarned(each)]
        sent = await self._send(ids)
        if isinstance(sent, Invalid):
            await self._divide(ids, sent, first=first)

    async def _send(self, ids: Sequence[str]) -> Invalid | Sent:
        sent, again = await self._chunk.send(ids)
        if again:
            await self.settle(again)
        return sent

    async def _divide(self, ids: Sequence[str], refusal: Invalid, *, first: bool = False) -> None:
        """Records at least one of which is the reason for this refusal."""
        if self._chunk.most_sends(ids) >= MOST_SENDS:
            self._refuse(ids, refusal)
        elif (kept := self._drop_alike(ids, refusal)) is not None:
            await self.settle(kept, first=first)
        elif len(ids) == 1:
            await self._settle_culprit(ids[0], refusal)
        elif (found := suspects.located(refusal.items, self._chunk.sent(ids))) and self._affords(ids, 2):
            await self._by_value(ids, refusal, found)
        elif (guess := self._suspects(ids, refusal)) and self._affords(ids, 2):
            await self._by_guess(ids, refusal, guess)
        elif self._is_in_vain(refusal):
            await self.settle(ids)
        elif self._one_by_one():
            for each in ids:
                await self.settle([each])
        elif first and self._affords(ids, 2):
            await self._by_search(ids, refusal)
        else:
            await self._by_halves(ids, refusal)

    def _drop_alike(self, ids: Sequence[str], refusal: Invalid) -> list[str] | None:
        """Drop the properties no input can send; gives who has something left, None when there is no such fault."""
        alike = [each for each in refusal.items if suspects.hits_all(each)]
        sent = self._chunk.sent(ids)
        hit = {record: suspects.named(alike, sent[record]) for record in suspects.carriers(alike, sent)}
        if not hit:
            return None
        self._chunk.drop_everywhere(hit, refusal)
        return self._open(ids)

    async def _settle_culprit(self, record: str, refusal: Invalid) -> None:
        work = self._chunk.works[record]
        told = property_faults(refusal.items)
        names = suspects.named(refusal.items, work.properties)
        if not names and not told and len(work.properties) == 1:
            names = list(work.properties)
        if names:
            self._culprits += 1
            self._chunk.drop(record, names, refusal)
            await self.settle(self._open([record]))
        elif told or work.sends >= MOST_SENDS:
            self._culprits += 1
            self._refuse([record], refusal)
        elif self._is_in_vain(refusal):
            await self.settle([record])
        else:
            self._culprits += 1
            await self._chunk.sift(record, refused_whole(refusal))

    async def _by_value(self, ids: Sequence[str], refusal: Invalid, found: Mapping[str, set[str]]) -> None:
        """The others first. Only when the complaint goes away with them were the accused rightly so."""
        rest = [each for each in ids if each not in found]
        blaming = [each for each in refusal.items if suspects.located([each], self._chunk.sent(ids))]
        sent = await self._send(rest)
        cleared = sent is Sent.FAILED
        if isinstance(sent, Invalid):
            cleared = bool({each.evidence for each in blaming} & {each.evidence for each in sent.items})
            await self._divide(rest, sent)
        if not cleared:
            self._drop_accused(found, refusal)
        await self.settle(self._open(list(found)))

    async def _by_guess(self, ids: Sequence[str], refusal: Invalid, guess: Mapping[str, set[str]]) -> None:
        """Without those who send a value that was found bad before: when the others pass, it was that again."""
        rest = [each for each in ids if each not in guess]
        sent = await self._send(rest)
        if isinstance(sent, Invalid):
            await self._divide(rest, sent)
        if sent is Sent.PASSED:
            self._drop_accused(guess, refusal)
        await self.settle(self._open(list(guess)))

    async def _by_search(self, ids: Sequence[str], refusal: Invalid) -> None:
        """Go straight for one culprit, setting the other halves aside; it is seldom that there is a second."""
        aside: list[Sequence[str]] = []
        while len(ids) > 1 and not self._has_lead(ids, refusal):
            one, other = self._split(ids, refusal)
            sent = await self._send(one)
            if sent is Sent.PASSED:
                ids = other
                continue
            aside.append(other)
            if sent is Sent.FAILED:
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
        if sent is Sent.PASSED:
            await self._divide(other, refusal)
            return
        if isinstance(sent, Invalid):
            await self._divide(one, sent)
        await self.settle(other)

    def _suspects(self, ids: Sequence[str], refusal: Invalid) -> dict[str, set[str]]:
        """Some, never all of these records, by what an earlier refusal that named nothing made suspect."""
        if property_faults(refusal.items):
            return {}
        guess = self._chunk.suspects(ids)
        return guess if len(guess) < len(ids) else {}

    def _one_by_one(self) -> bool:
        """Whether so many are to blame that halving costs more than asking for each."""
        return self._wary or (self._culprits >= MANY and 3 * self._culprits >= len(self._chunk.verdicts))

    def _is_in_vain(self, refusal: Invalid) -> bool:
        """Whether to send nothing more of this type: HubSpot goes on refusing, takes nothing, and names no cause."""
        stop = self._chunk.stop
        if stop.taken or property_faults(refusal.items):
            return False
        stop.in_vain += 1
        if stop.in_vain >= MOST_IN_VAIN and stop.verdict is None:
            told = refused_whole(refusal)
            message = (
                f"HubSpot refused everything of this object type so far, and names no cause: {told.code}"
            )
            stop.verdict = Verdict(Outcome.NOT_SENT, told.code, message)
        return stop.verdict is not None

    def _has_lead(self, ids: Sequence[str], refusal: Invalid) -> bool:
        """Whether the refusal, or an earlier one, says more than that somebody here is to blame."""
        records = self._chunk.sent(ids)
        alike = [each for each in refusal.items if suspects.hits_all(each)]
        return bool(
            suspects.carriers(alike, records)
            or suspects.located(refusal.items, records)
            or self._suspects(ids, refusal)
        )

    def _split(self, ids: Sequence[str], refusal: Invalid) -> tuple[Sequence[str], Sequence[str]]:
        """Those who do not send a property it names before those who do; else in halves."""
        accused = suspects.carriers(refusal.items, self._chunk.sent(ids))
        if 0 < len(accused) < len(ids) and self._affords(ids, 1):
            held = set(accused)
            return [each for each in ids if each not in held], accused
        middle = len(ids) // 2
        return ids[:middle], ids[middle:]

    def _affords(self, ids: Sequence[str], more: int) -> bool:
        """Whether these may be sent so often more and still be told apart by halves."""
        return self._chunk.most_sends(ids) + more + (len(ids) - 1).bit_length() + 1 <= MOST_SENDS

    def _open(self, ids: Sequence[str]) -> list[str]:
        return [each for each in ids if each not in self._chunk.verdicts]

    def _drop_accused(self, found: Mapping[str, set[str]], refusal: Invalid) -> None:
        for record, names in found.items():
            self._chunk.drop(record, sorted(names), refusal)

    def _refuse(self, ids: Sequence[str], refusal: Invalid) -> None:
        for each in ids:
            self._chunk.close(each, refused_whole(refusal))
