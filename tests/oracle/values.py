"""What a write may say: only what was submitted, nothing that something newer replaces, nothing of before a sign-up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.oracle.matter import Matter, Seen
from tests.oracle.reading import UNJUDGED, Knowledge, Offer
from tests.oracle.wrongs import Rule, Wrong

_STAMP = re.compile(r"submission-[0-9]+(\.[0-9a-f]{12})?")


def explain(matter: Matter, seen: Seen, knowledge: Knowledge) -> list[Wrong]:
    """What is wrong with the values of a write, if this is what its round knew."""
    wrongs: list[Wrong] = []
    record = seen.write.record_id
    for name, written in seen.write.values.items():
        if name == matter.portal.stamps.get(seen.write.object):
            if not _STAMP.fullmatch(written):
                wrongs.append(Wrong(Rule.UNASKED, f"{name} of {record}"))
            continue
        offers = [o for o in knowledge.offers() if o.name == name and o.slot in seen.slots]
        said = [o for o in offers if o.is_said_by(written)]
        if not said:
            wrongs.append(Wrong(Rule.UNASKED, f"{name} of {record} in {sorted(seen.slots)}"))
            continue
        newest = said[-1]
        if any(o.sure and o.submission.age > newest.submission.age and o.slot == newest.slot for o in offers):
            wrongs.append(Wrong(Rule.OLDER, f"{name} of {record}"))
        wrongs += _of_age(matter, seen, knowledge, name, said)
        wrongs += _of_observed(matter, seen, name, said)
    return wrongs


def _of_age(
    matter: Matter, seen: Seen, knowledge: Knowledge, name: str, said: Sequence[Offer]
) -> Iterator[Wrong]:
    if not knowledge.extended or matter.sync_since(seen, knowledge.extended[-1][1], include_held=True):
        return
    began, told = knowledge.extended[-1]
    if told.answered is None or told.answered > seen.lower or matter.chosen(seen):
        return
    if all(matter.took_after(seen, o.slot, began) and o.submission.occurred_at < began for o in said):
        yield Wrong(Rule.OLDER_THAN_SIGN_UP, f"{name} of {seen.write.record_id}")


def _of_observed(matter: Matter, seen: Seen, name: str, said: Sequence[Offer]) -> Iterator[Wrong]:
    """What a look of an observing portal followed is nobody's to send by itself; what came in vain goes on waiting."""

    def parked(offer: Offer) -> bool:
        told = offer.submission.told
        return any(
            began < told.asked
            and told.answered is not None
            and told.answered < ended <= seen.write.at
            and any(told.answered < look.at and look.ended < ended for look in looks)
            for began, ended in matter.evidence.observed
        )

    looks = [
        call
        for contact in matter.ever(seen.therapist, seen.write)
        for call in matter.calls.looks.get(contact, ())
        if call.answered_well
    ]

    if all(parked(o) for o in said) and not matter.sync_since(seen, None, include_held=False):
        yield Wrong(Rule.OBSERVED, f"{name} of {seen.write.record_id} was submitted meanwhile")


def pin(matter: Matter, seen: Seen) -> None:
    """A definitive slot is judged until first sent: what only one submission can have said fixes its slot."""
    knowledge = next(matter.knowledges(seen))
    for name, written in seen.write.values.items():
        said = [
            o for o in knowledge.offers() if o.name == name and o.slot in seen.slots and o.is_said_by(written)
        ]
        carriers = {o.submission for o in said}
        if len(carriers) == 1 and said[0].ruled and said[0].value is not UNJUDGED:
            matter.pinned[seen.therapist].setdefault(said[0].submission, said[0].slot)
