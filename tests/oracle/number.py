"""How often a record may be written: no more often than there are causes, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from tests.oracle.evidence import Told
from tests.oracle.matter import SLACK, Matter, Seen
from tests.oracle.reading import Knowledge
from tests.oracle.wrongs import Rule, Wrong

TO_KEEP = timedelta(seconds=1)
"""A process that stands still so soon after an answer may have lost its lease before it kept what that said."""
BUSY = timedelta(seconds=2)
"""A busy machine may take that long between claiming a therapist and looking: a fact told meanwhile is the next write's
cause. What this lets pass is bounded by the count of causes."""


def of_number(matter: Matter, record_id: str, writes: Sequence[Seen]) -> Iterator[Wrong]:
    """What is wrong with how often a record was written; `writes` are those that are right each for itself."""
    causes = _causes(matter, record_id, writes)
    refused = [call.at for call in matter.calls.refused.get(record_id, ())]
    unanswered = [seen for seen in writes if not _answered_well(matter, seen)]
    overtaken = {id(seen) for seen in writes if matter.sent_at(seen.write) < seen.write.at}
    if len(writes) > len(causes) + len(refused) + len(unanswered):
        yield Wrong(Rule.TOO_OFTEN, f"record {record_id}: {len(writes)} writes, {len(causes)} causes")
        return
    held: dict[str, str] = {}
    for before, after in pairwise(writes):
        held |= before.write.values
        late = any(held.get(name) != value for name, value in after.write.values.items())
        apart = before in unanswered or not overtaken.isdisjoint((id(before), id(after)))
        apart = apart or any(before.lower - SLACK < at <= after.write.at for at in refused)
        same_look = after.looked <= before.write.at
        if same_look and before.write.values.keys().isdisjoint(after.write.values):
            continue  # one round: what a person wants tried again goes apart, behind all else
        if same_look and not apart:
            yield Wrong(Rule.NO_LOOK, f"record {record_id} at {after.write.at}")
        claimed = before.lower - BUSY
        if apart or any(since <= after.write.at and claimed <= by for since, by in causes.values()):
            yield from () if apart else _of_repetition(matter, before, after)
            continue
        if late:  # what was tried in vain before goes out behind something newer
            continue
        if _ended_and_read_back(
            matter, before, after
        ):  # nobody heard of the first, and a person edited meanwhile
            continue
        yield Wrong(Rule.TOO_OFTEN, f"record {record_id} was written at {after.write.at} for no new cause")


def _answered_well(matter: Matter, seen: Seen) -> bool:
    """Whether credsync heard that this was written, and lived to keep it; else it may send it again."""
    call = matter.calls.by_correlation.get(seen.write.correlation_id)
    if call is None or not call.answered_well:
        return False
    kept = call.ended + TO_KEEP
    return not any(since <= kept and call.at <= until for since, until in matter.evidence.frozen)


def _causes(
    matter: Matter, record_id: str, writes: Sequence[Seen]
) -> dict[object, tuple[datetime, datetime]]:
    """Between which moments each cause came into credsync: where nobody answered, that may be long after it was told."""
    therapist, end = writes[0].therapist, writes[-1].write.at
    told = matter.told[therapist]
    slots = {slot for seen in writes for slot in seen.slots}
    causes: dict[object, tuple[datetime, datetime]] = {
        offer.submission: (offer.submission.told.asked, _taken_in(told, offer.submission.told) or end)
        for upto in range(len(told))
        for offer in Knowledge(matter.portal, told[: upto + 1]).offers()
        if offer.slot in slots
    }
    causes |= {
        each.asked: (each.asked, each.answered or end)
        for each in told
        if each.path.endswith("/sync") or "/links/" in each.path
    }
    return causes | {("took", n): (at, at) for n, at in enumerate(matter.history.takes(record_id))}


def _taken_in(told: Sequence[Told], fact: Told) -> datetime | None:
    """When it was first acknowledged, this time or told again."""
    answers = [t.answered for t in told if (t.path, t.body) == (fact.path, fact.body) and t.answered]
    return min(answers, default=None)


def _ended_and_read_back(matter: Matter, before: Seen, after: Seen) -> bool:
    """Whether the round of a write ended before its verdict, and its values were read before they were written again.

    HubSpot has no compare-and-set: what was on its way may be missing from what is read, and arrive later.
    """
    start, end = before.lower - BUSY, after.write.at
    if not any(start <= at <= end for at in matter.evidence.interrupted):
        return False
    return any(
        before.lower < call.at <= end and any(f'"{name}"' in call.text for name in after.write.values)
        for call in matter.calls.read.get(after.write.record_id, ())
    )


def _of_repetition(matter: Matter, before: Seen, after: Seen) -> Iterator[Wrong]:
    """Values of a submission that was sent already, with nothing that asks for the full merge."""
    start, end = before.lower - BUSY, after.write.at
    told = [t for t in matter.told[after.therapist] if t.asked <= end and (t.answered or end) >= start]
    asked = [t for t in told if t.path.endswith("/sync") or "/links/" in t.path]
    taken = [at for at in matter.history.takes(after.write.record_id) if start <= at <= end]
    if asked or taken or _ended_and_read_back(matter, before, after):
        return
    for name, written in after.write.values.items():
        if before.write.values.get(name) != written:
            continue
        said = {
            o.submission
            for knowledge in matter.knowledges(after)
            for o in knowledge.offers()
            if o.name == name and o.slot in after.slots and o.is_said_by(written)
        }
        sent = {s for s in said if s.came <= before.write.at}
        fresh = {s for s in said if (s.told.answered or end) >= start} - (sent if len(sent) == 1 else set())
        if said and not fresh:
            yield Wrong(Rule.AGAIN, f"{name} of {after.write.record_id}")
