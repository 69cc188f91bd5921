"""What is missing at the end: what was submitted and is not on its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from tests.oracle.matter import Matter, Seen, mentions
from tests.oracle.reading import UNJUDGED, Knowledge, Offer
from tests.oracle.wrongs import Rule, Wrong

IN_SYNC, GIVEN_UP = "in_sync", "given_up"
MADE_FOR_IT = timedelta(seconds=10)
"""Who took a slot so shortly before an Extended Sign Up may have been made for it."""
A_ROUND = timedelta(seconds=5)
"""Killed so soon after its look, a round may have kept nothing of it."""


def of_end(matter: Matter, therapist: str, seen: Mapping[str, Sequence[Seen]]) -> Iterator[Wrong]:
    """What a therapist submitted in the current enrolment that is not where it belongs; `SILENT` where that is in order."""
    told = [t for t in matter.told[therapist] if t.answered is not None]
    if len(told) < len(matter.told[therapist]):
        return
    knowledge = Knowledge(matter.portal, told, matter.pinned[therapist])
    contacts = mentions(told)
    if not contacts:
        return
    contact = matter.history.heir(contacts[-1][2], matter.history.last)
    if len(matter.owners(contact, matter.history.last)) > 1:
        return
    newest: dict[tuple[str, str], Offer] = {}
    for offer in knowledge.offers():
        if knowledge.enrolment(offer.submission.occurred_at) == knowledge.current:
            newest[(offer.slot, offer.name)] = offer
    for offer in newest.values():
        if offer.sure and offer.value is not UNJUDGED and not _parked(matter, offer, contact):
            yield from _of_offer(matter, therapist, contact, knowledge, offer, seen)


def _parked(matter: Matter, offer: Offer, contact: str) -> bool:
    """Nobody's to send by itself: no round took it up before the portal only observed."""
    came = offer.submission.told.asked
    looks = [
        look.at
        for each in (contact, *matter.history.merged_into(contact, matter.history.last))
        for look in matter.calls.looks.get(each, ())
        if look.answered_well
        and look.at > came
        and not any(look.at <= at <= _kept_by(matter, look.at) for at in matter.evidence.interrupted)
    ]
    return any(
        came < ended and not any(look < began for look in looks) for began, ended in matter.evidence.observed
    )


def _kept_by(matter: Matter, looked: datetime) -> datetime:
    """When a round that looked then has kept what it found, at the latest."""
    latest = looked + A_ROUND
    for since, until in sorted(matter.evidence.stalled):
        if since <= latest:
            latest = max(latest, until + A_ROUND)
    return latest


def _of_offer(
    matter: Matter,
    therapist: str,
    contact: str,
    knowledge: Knowledge,
    offer: Offer,
    seen: Mapping[str, Sequence[Seen]],
) -> Iterator[Wrong]:
    holder = _holder(matter, contact, knowledge, offer.slot)
    there = [
        each
        for writes in seen.values()
        for each in writes
        if each.therapist == therapist
        and offer.slot in each.slots
        and each.write.at >= offer.submission.came
        and offer.name in each.write.values
        and offer.is_said_by(each.write.values[offer.name])
    ]
    where = f"{offer.name} of {offer.slot}, record {holder} of therapist {therapist}"
    if holder is None or _was_refused(matter, holder, offer):
        yield from () if there else [Wrong(Rule.SILENT, where)]
    elif not there:
        yield from () if _found_there(matter, holder, offer) else [Wrong(Rule.MISSING, where)]
    elif (
        (matter.evidence.shown or {}).get(therapist) != GIVEN_UP
        and holder not in {each.write.record_id for each in there}
        and all(_is_owed_again(matter, each, contact, knowledge) for each in there)
    ):
        yield Wrong(Rule.MISSING, f"{where}, which took the place of what was written")


def _found_there(matter: Matter, holder: str, offer: Offer) -> bool:
    """An equal value was written before, and the record read back: it need not be sent again."""
    written = [w for w in matter.history.writes if w.record_id == holder and offer.name in w.values]
    return (
        bool(written)
        and offer.is_said_by(written[-1].values[offer.name])
        and any(
            call.name == "POST objects batch/read" and call.answered_well and holder in call.ids
            for call in matter.calls.all
            if call.at > offer.submission.came
        )
    )


def of_silence(matter: Matter, therapist: str, unwritten: Sequence[Wrong]) -> Iterator[Wrong]:
    """Where something is not on its record, with or without good reason, the therapist must not be shown in sync."""
    if (matter.evidence.shown or {}).get(therapist) == IN_SYNC:
        yield from (Wrong(Rule.SILENT, each.what) for each in unwritten)


def _is_owed_again(matter: Matter, seen: Seen, contact: str, knowledge: Knowledge) -> bool:
    """Lost, or written to a holder from before the enrolment's own sign-up: what follows gets it again."""
    last = matter.history.last
    living = {matter.history.heir(c, last) for c in matter.history.contacts(seen.write.record_id, last)}
    if contact not in living:
        return True
    if not knowledge.extended:
        return False
    began = knowledge.extended[-1][0]
    starts = [matter.history.held_since(seen.write.record_id, slot, seen.write.seq) for slot in seen.slots]
    return any(n is not None and matter.history.moment_of(n) < began - MADE_FOR_IT for n in starts)


def _holder(matter: Matter, contact: str, knowledge: Knowledge, slot: str) -> str | None:
    """The one record in a slot at the end, if there is just one."""
    history, last = matter.history, matter.history.last
    key = matter.portal.object_of(slot)
    if key is None:
        return None
    parents: frozenset[str] = frozenset({contact})
    if history.two_hops(key):
        parents = frozenset(
            each for rule in knowledge.newest_definitive() for each in history.holders(rule, contact, last)
        )
    found = {each for parent in parents for each in history.holders(slot, parent, last)}
    if len(parents) != 1 or len(found) != 1:
        return None
    holder = found.pop()
    owners = {o for c in history.contacts(holder, last) for o in matter.owners(c, last)}
    return holder if len(owners) == 1 else None


def _was_refused(matter: Matter, holder: str, offer: Offer) -> bool:
    """By a rule that the evidence tells of; where it tells of no states, by any call that named it beside the record."""
    if matter.evidence.shown is not None:
        return offer.name in matter.evidence.ruled
    return any(f'"{offer.name}"' in call.text for call in matter.calls.refused.get(holder, ()))
