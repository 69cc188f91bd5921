"""A record's stamp: one more property of a write, which tells which submission the record shows.

`submission-57.3f9c2a1b0d4e` names the newest submission the record shows, by the id that intake answered with, and after
the dot the very write: a digest of its row, the record and all that was sent. Read back, it proves that this write
arrived as a whole; no other can have left it, not even an earlier one of the same submission (Sync now sends it
again). What went in part says `submission-57` alone, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeVar

from credsync.core.facts import Facts, Submission
from credsync.core.outgoing import Outgoing
from credsync.core.portal import Portal
from credsync.core.properties import Property
from credsync.core.value_rules import broken_rule
from credsync.core.verdicts import Stamp
from credsync.core.writes import Write, WriteState

STAMP_REFUSED = "stamp_refused"
"""The state of a stamp that HubSpot did not take, beside a write's properties: nothing that was submitted is missing."""
_SHOWN = frozenset({WriteState.WRITTEN, WriteState.PARTIAL})
_SAMPLE = "submission-57.3f9c2a1b0d4e"
_Age = TypeVar("_Age", bound=tuple[datetime, int])


@dataclass(frozen=True, slots=True)
class StampFault:
    """Why a property cannot be a stamp, and what to do; neither ends in a full stop."""

    message: str
    remedy: str


def stamp_fault(prop: Property, text: str = _SAMPLE) -> StampFault | None:
    """What keeps a property from taking a stamp such as `text`; None if nothing does."""
    if prop.read_only:
        return StampFault(
            f"HubSpot lets nobody write {prop.name} (read-only or calculated)",
            "let HubSpot's administrator make it writable, or name another single-line text property",
        )
    if prop.type != "string" or prop.options:
        kind = "choice among options" if prop.options else prop.type
        return StampFault(
            f"{prop.name} is a {kind}, and a stamp is a text", "name a single-line text property"
        )
    if broken_rule(text, prop.rules) is not None:
        return StampFault(
            f"A validation rule of {prop.name} refuses a text such as {_SAMPLE}",
            "take the rule away in HubSpot, or name another single-line text property",
        )
    return None


def stamp_of(
    portal: Portal,
    facts: Facts,
    writes: Sequence[Write],
    outgoing: Outgoing,
    known: Mapping[str, Property],
) -> Stamp | None:
    """What an input carries beside its properties.

    None where the portal file asks for none, or its property takes none: then the write goes without it. `writes` are
    all of the therapist's, those of the input stored; `known` are HubSpot's properties of the object.
    """
    name = portal.objects[outgoing.object_key].stamp
    prop = known.get(name) if name is not None else None
    if name is None or prop is None:
        return None
    sending = [writes[carried.index] for carried in outgoing.carried if carried.names]
    before = (w for w in writes if is_on_record(portal, w, outgoing.object_key, outgoing.record_id))
    shown = newest_of([*before, *sending], {s.id: s.age for s in facts.submissions})
    if shown is None:
        return None
    assert all(write.id is not None for write in sending), "what goes out is stored"
    submission = next(each for each in facts.submissions if each.id == shown)
    part = say_submission(shown)
    whole = f"{part}.{_digest(outgoing, sending, submission, facts.restored_upto)}"
    return Stamp(name, whole, part) if stamp_fault(prop, whole) is None else None


def say_submission(submission: int) -> str:
    """A submission as a stamp names it.

    >>> say_submission(57)
    'submission-57'
    """
    return f"submission-{submission}"


def is_on_record(portal: Portal, write: Write, object_key: str, record_id: str | None) -> bool:
    """Whether a write put something on this record."""
    rule = portal.slot_rule(write.slot)
    return (
        write.state in _SHOWN
        and record_id is not None
        and write.record_id == record_id
        and rule is not None
        and rule.object == object_key
    )


def newest_of(writes: Iterable[Write], ages: Mapping[int, _Age]) -> int | None:
    """The newest submission that any of these writes carries: an older one that comes late does not hide it."""
    carried = {submission for write in writes for submission in write.submissions} & ages.keys()
    return max(carried, key=lambda submission: ages[submission], default=None)


def _digest(outgoing: Outgoing, sending: Iterable[Write], submission: Submission, restored_upto: int) -> str:
    """Of the very writes and all they send; a database that was restored gives the same ids to others."""
    words = [
        outgoing.object_key,
        outgoing.record_id,
        *sorted(str(write.id) for write in sending),
        submission.received_at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(restored_upto),
        *(repr(item) for item in sorted(outgoing.properties.items(), key=lambda item: item[0])),
    ]
    return blake2b("\x00".join(words).encode("utf-8", "replace"), digest_size=6).hexdigest()
