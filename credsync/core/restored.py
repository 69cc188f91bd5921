"""What a restored backup holds back, beside what HubSpot has: the database cannot know whether it was sent.

Pure. What its record shows counts as written. What differs stays held: HubSpot's value may be that of a newer
submission, which the database has forgotten, and an older one never overwrites it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from credsync.core.facts import Facts
from credsync.core.links import Link
from credsync.core.outgoing import Carried, Outgoing, compose
from credsync.core.portal import Portal
from credsync.core.properties import Property
from credsync.core.readback import same_value
from credsync.core.reasons import Reason
from credsync.core.writes import HELD_BY_BACKUP, Write, WriteState


def uncompared(writes: Iterable[Write], links: Mapping[str, Link], *, again: bool) -> frozenset[int]:
    """The places of the writes that can be compared now: their slot's record is found and stays.

    `again` takes those with it that were found to differ before: a fact came that may have changed that.
    """
    reasons = HELD_BY_BACKUP if again else (Reason.RESTORED,)
    return frozenset(
        index
        for index, write in enumerate(writes)
        if write.state is WriteState.HELD
        and write.reason in reasons
        and (link := links.get(write.slot)) is not None
        and link.writable
    )


def inputs_of(
    portal: Portal,
    facts: Facts,
    writes: Sequence[Write],
    links: Mapping[str, Link],
    which: Iterable[int],
    known: Mapping[str, Mapping[str, Property]],
) -> list[Outgoing]:
    """What these writes would send, one input per record; what any newer submission says is in none of them."""
    asked = {index for index in which if portal.slot_rule(writes[index].slot) is not None}
    as_due = [
        replace(write, state=WriteState.DUE, reason=Reason.NONE, record_id=links[write.slot].record_id)
        if index in asked
        else replace(write, state=WriteState.WAITING)
        if write.goes_now
        else write
        for index, write in enumerate(writes)
    ]
    return compose(portal, facts, as_due, known)


def unlike(
    outgoing: Outgoing, carried: Carried, got: Mapping[str, str | None], known: Mapping[str, Property]
) -> tuple[str, ...]:
    """The properties of one write that its record shows otherwise, or that could never have been sent."""
    differing = (
        name
        for name in carried.names
        if not same_value(outgoing.properties[name], got.get(name), known[name])
    )
    return (*differing, *(fault.name for fault in carried.faults))
