"""What is wrong with one write: its record, its moment, its parent."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle.evidence import Write
from tests.oracle.matter import SLACK, Matter, Seen
from tests.oracle.reading import Knowledge
from tests.oracle.values import explain, pin
from tests.oracle.wrongs import Rule, Wrong


def of_contact(matter: Matter, write: Write) -> Iterator[Wrong]:
    """A contact gets the link to its own therapist's page and nothing else."""
    contact = matter.history.heir(write.record_id, write.seq)
    owners = matter.owners(contact, write.seq, write.at - SLACK, write.at)
    if not owners:
        yield Wrong(Rule.STRANGER, f"contact {write.record_id}")
    elif set(write.values) != {matter.portal.sync_url} or not any(
        o in value for o in owners for value in write.values.values()
    ):
        yield Wrong(Rule.UNASKED, f"contact {write.record_id} got {sorted(write.values)}")


def of_write(matter: Matter, seen: Seen) -> Iterator[Wrong]:
    """What is wrong with one write to a record, by the kindest reading of what its round may have known."""
    write = seen.write
    yield from _of_ambiguity(matter, seen)
    yield from _of_parent(matter, seen)
    yield from _of_settling(matter, seen)
    for began, ended in matter.evidence.observed:
        if began < write.at < ended:
            yield Wrong(Rule.OBSERVED, f"record {write.record_id} was written meanwhile")
    for began, until in matter.pauses:
        if began < seen.lower and (until is None or write.at < until):
            yield Wrong(Rule.PAUSED, f"record {write.record_id} was written meanwhile")
    reasons = [explain(matter, seen, knowledge) for knowledge in matter.knowledges(seen)]
    best = min(reasons, key=len)
    yield from best
    if not best:
        pin(matter, seen)


def _of_ambiguity(matter: Matter, seen: Seen) -> Iterator[Wrong]:
    history, record = matter.history, seen.write.record_id
    if matter.chosen(seen):
        return
    shared = [
        len({o for c in contacts for o in matter.owners(c, n, seen.lower, seen.write.at)}) > 1
        for n in seen.states
        if (contacts := history.contacts(record, n))
    ]
    if shared and all(shared):
        yield Wrong(Rule.AMBIGUOUS, f"record {record} is under two therapists")
    alone = any(
        len(history.holders(slot, parent, n)) == 1
        for n in seen.states
        for slot in history.slots(record, n)
        for parent in history.parents(record, n)
    )
    if not alone:
        yield Wrong(Rule.AMBIGUOUS, f"record {record} is not alone in {sorted(seen.slots)}")


def _of_parent(matter: Matter, seen: Seen) -> Iterator[Wrong]:
    history, write = matter.history, seen.write
    if not history.two_hops(write.object):
        return
    right = any(
        slot in history.slots(parent, n)
        for n in seen.states
        for parent in history.parents(write.record_id, n)
        for knowledge in matter.knowledges(seen)
        for slot in knowledge.newest_definitive()
    )
    if not right:
        yield Wrong(Rule.OTHER_PARENT, f"{write.object} {write.record_id}")


def _of_settling(matter: Matter, seen: Seen) -> Iterator[Wrong]:
    """Only where a look had seen the holder before the Extended Sign Up was told."""
    known = Knowledge(matter.portal, matter.told_by(seen.therapist, seen.lower))
    if not known.extended or matter.chosen(seen):
        return
    _, told = known.extended[-1]
    assert told.answered is not None
    if seen.write.at >= told.answered + matter.evidence.settle_after - SLACK:
        return
    since = [matter.history.held_since(seen.write.record_id, slot, seen.write.seq) for slot in seen.slots]
    starts = [matter.history.moment_of(n) for n in since if n is not None]
    above = matter.history.parents(seen.write.record_id, seen.write.seq)
    hops = matter.history.two_hops(seen.write.object)
    looks = [
        call.at
        for each in (above if hops else matter.ever(seen.therapist, seen.write))
        for call in matter.calls.looks.get(each, ())
        if call.answered_well and call.ended < told.asked
    ]
    if starts and looks and max(starts) < max(looks):
        yield Wrong(Rule.SETTLING, f"record {seen.write.record_id} in {sorted(seen.slots)}")
