"""Where a write belongs: whose record it went to, which slots that holds, and the look that led to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tests.oracle.evidence import Call, Write
from tests.oracle.matter import SLACK, Matter, Seen
from tests.oracle.wrongs import Rule, Wrong


def placed(matter: Matter, write: Write) -> Seen | Wrong:
    """A write with its owner, its slots and the look that led to it; or what is wrong with that already."""
    history = matter.history
    last = history.last_under_contact(write.record_id, write.seq)
    whole = history.contacts(write.record_id, last)
    owners = sorted(o for c in whole for o in matter.owners(c, last, write.at, write.at))
    if not owners:
        return Wrong(Rule.STRANGER, f"record {write.record_id} hangs on {sorted(whole)}")
    chose = [o for o in owners if matter.chose(o, write)]
    looks = _look_before(matter, write, owners, last)
    if looks is None:
        return Wrong(Rule.NO_LOOK, f"record {write.record_id} was written before any look at {sorted(whole)}")
    began, looked = looks
    claims = (matter.evidence.claims or {}).get(write.record_id, ())
    claimed = max((at for at in claims if at <= began), default=began)
    lower = min(claimed, _woke_before(matter, began)) - SLACK
    states = history.numbers(history.number_at(lower), write.seq)
    if not any(history.contacts(write.record_id, n) for n in states):
        return Wrong(Rule.STRANGER, f"record {write.record_id} hung on nothing when it was looked for")
    slots = frozenset(slot for n in states for slot in history.slots(write.record_id, n))
    mapped = frozenset(slot for slot in slots if matter.portal.object_of(slot))
    if not mapped:
        return Wrong(Rule.NO_SLOT, f"record {write.record_id} of {sorted(whole)}")
    return Seen(write, (chose or owners)[0], looked, lower, states, mapped)


def _woke_before(matter: Matter, began: datetime) -> datetime:
    """A round that stood still between its claim and its look may have claimed before that."""
    for since, until in sorted(matter.evidence.stalled, reverse=True):
        if since < began <= until + matter.evidence.between_looks:
            began = since
    return began


def _look_before(
    matter: Matter, write: Write, owners: Iterable[str], last: int
) -> tuple[datetime, datetime] | None:
    """When the round that led to a write began to look, and when its look at this record was answered well.

    `last` is the last change after which the record hung on a contact: HubSpot may change while a write is on its way.
    What was asked without a pause, and no object type of one contact twice, is one round; so is what was tried again.
    """
    contacts = {each for owner in owners for each in matter.ever(owner, write)}
    left = matter.sent_at(write)
    looks = [call for each in contacts for call in matter.calls.looks.get(each, ()) if call.at <= left]
    looks.sort(key=lambda call: call.at)
    types = matter.history.looked_for(write.record_id, last)
    good = [n for n, c in enumerate(looks) if c.answered_well and _to_type(c) in types]
    if not good:
        return None
    first = good[-1]
    seen = _asked(looks[first], contacts)
    while first > 0:
        before = looks[first - 1]
        if before.answered_well:
            if (
                _asked(before, contacts) & seen
                or before.ended < looks[first].at - matter.evidence.between_looks
            ):
                break
            seen |= _asked(before, contacts)
        first -= 1
    return looks[first].at, looks[good[-1]].at


def _asked(look: Call, contacts: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these contacts it asked for, and of which object type; a merged one is asked for under both its ids."""
    return {(_to_type(look), each) for each in contacts if each in look.ids}


def _to_type(look: Call) -> str:
    return look.path.split("/")[-3]
