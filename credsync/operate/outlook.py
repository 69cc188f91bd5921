"""Links and writes as the next round will plan them, so that a fact shows before any round has seen it.

Nothing is stored: the same pure planning that a round does, over what was reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from credsync.core.facts import Facts
from credsync.core.links import Link, LinkState
from credsync.core.mapping import submitted_slots
from credsync.core.plan import SyncRequest, awaited_slots, plan_links, plan_writes, rows_as_planned
from credsync.core.portal import Portal
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.writes import UNFINISHED, Write, WriteState
from credsync.store.cases import facts_of, links_of, pending_syncs, writes_of


@dataclass(frozen=True, slots=True)
class Outlook:
    """A therapist's links by slot and writes, oldest first; a planned write that no round has stored has no id."""

    links: Mapping[str, Link]
    writes: Sequence[Write]


def outlooks(
    connection: Connection, portals: Mapping[str, Portal], rows: Sequence[Row[Any]], now: datetime
) -> dict[str, Outlook]:
    """The outlook of each of these rows of `therapists`, by id."""
    ids = [row.id for row in rows]
    links, writes = links_of(connection, ids), writes_of(connection, ids)
    unseen = [row.id for row in rows if row.generation != row.settled_generation and row.portal in portals]
    facts, syncs = facts_of(connection, unseen), pending_syncs(connection, unseen)
    found: dict[str, Outlook] = {}
    for row in rows:
        outlook = Outlook(links.get(row.id, {}), writes.get(row.id, []))
        if row.id in facts:
            told = facts[row.id]
            since = told.latest_received(now)
            pressed, seen = syncs.get(row.id, ()), row.planned_submission
            outlook = _planned(portals[row.portal], told, outlook, pressed, since, seen)
        found[row.id] = outlook if row.contact_id is not None else _without_contact(outlook)
    return found


def standing_reason(row: Row[Any], goes_on_at: datetime | None = None) -> Reason:
    """Why a therapist is in its state, before any round could say so: no contact, or no calls left until `goes_on_at`."""
    reason = Reason(row.reason)
    if row.state != TherapistState.WAITING:
        return reason
    if row.contact_id is None:
        return Reason.NO_CONTACT
    return Reason.RATE_LIMITED_DAILY if goes_on_at is not None and reason in _A_CALL_MAY_END else reason


_A_CALL_MAY_END = frozenset(
    {
        Reason.NONE,
        Reason.NOT_LOOKED_YET,
        Reason.RECORD_AWAITED,
        Reason.PARENT_AWAITED,
        Reason.LOOK_FAILED,
        Reason.SEND_FAILED,
    }
)
"""Why something waits that would go on with the next call: while none may be made, that is why it waits."""


def until_the_next_day(outlook: Outlook) -> Outlook:
    """The outlook while the day has no calls left."""
    why = Reason.RATE_LIMITED_DAILY
    links = {
        slot: replace(link, reason=why)
        if link.state is LinkState.AWAITED and link.awaited and link.reason in _A_CALL_MAY_END
        else link
        for slot, link in outlook.links.items()
    }
    writes = [
        replace(write, reason=why)
        if write.state in (WriteState.WAITING, WriteState.DUE) and write.reason in _A_CALL_MAY_END
        else write
        for write in outlook.writes
    ]
    return Outlook(links, writes)


def will_be_looked_at(link: Link, writes: Iterable[Write]) -> bool:
    """Whether rounds come back to this link by themselves."""
    needed = any(write.slot == link.slot and write.state in UNFINISHED for write in writes)
    return needed or (link.open and link.state is not LinkState.GIVEN_UP)


def _planned(
    portal: Portal,
    facts: Facts,
    stored: Outlook,
    syncs: Sequence[SyncRequest],
    since: datetime,
    seen: int,
) -> Outlook:
    planned = plan_writes(portal, facts, stored.writes, syncs, seen)
    in_order = sorted(planned, key=lambda w: (w.submitted_at, w.form, w.slot))
    writes = rows_as_planned(stored.writes, in_order)
    awaited = awaited_slots(portal, facts, writes, submitted_slots(portal, facts))
    return Outlook(plan_links(portal, facts, stored.links, awaited, since), writes)


def _without_contact(outlook: Outlook) -> Outlook:
    links = {
        slot: replace(link, reason=Reason.NO_CONTACT) if link.open else link
        for slot, link in outlook.links.items()
    }
    writes = [
        replace(write, reason=Reason.NO_CONTACT) if write.state is WriteState.WAITING else write
        for write in outlook.writes
    ]
    return Outlook(links, writes)
