"""Whether a refused value delayed anybody else: whose values were sent beside it goes out in that round or the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from tests.oracle.evidence import Call
from tests.oracle.matter import Matter
from tests.oracle.wrongs import Rule, Wrong

_REFUSED = 400


def of_poison(matter: Matter) -> Iterator[Wrong]:
    """What was refused beside others, and written as it was, but only after the second look that followed."""
    for record_id, calls in matter.calls.refused.items():
        for call in calls:
            if len(call.ids) > 1 and (at := _written_late(matter, record_id, call)) is not None:
                yield Wrong(Rule.POISON, f"record {record_id}, refused at {call.at}, was written at {at}")


def _written_late(matter: Matter, record_id: str, call: Call) -> datetime | None:
    contacts = matter.history.contacts(record_id, matter.history.number_at(call.at))
    looks = sorted(
        look.at
        for contact in contacts
        for look in matter.calls.looks.get(contact, ())
        if look.answered_well and look.at > call.ended
    )
    written = [w for w in matter.history.writes if w.record_id == record_id and w.at > call.at]
    if len(looks) < 2 or not written or written[0].at <= looks[1]:
        return None
    sent = _values(call, record_id)
    same = any(sent.get(name) == value for name, value in written[0].values.items())
    return written[0].at if same and not _excused(matter, contacts, call.at, written[0].at) else None


def _excused(matter: Matter, contacts: frozenset[str], since: datetime, until: datetime) -> bool:
    """Something else came between: trouble, a freeze, a crash, or another fact."""
    return (
        any(
            since <= each.at <= until and not each.answered_well and each.status != _REFUSED
            for each in matter.calls.all
        )
        or any(began <= until and since <= ended for began, ended in matter.evidence.stalled)
        or any(since <= at <= until for at in matter.evidence.interrupted)
        or any(
            since <= told.asked <= until
            for contact in contacts
            for therapist in matter.named.get(contact, ())
            for told in matter.told[therapist]
        )
    )


def _values(call: Call, record_id: str) -> Mapping[str, str]:
    inputs = json.loads(call.text.partition("\n")[2])["inputs"]
    return next((dict(each["properties"]) for each in inputs if str(each["id"]) == record_id), {})
