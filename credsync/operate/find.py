"""Who waits, since when, and why: a list in pages, by state, slot, portal or a search."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, or_, select

from credsync.core.links import LinkState
from credsync.core.portal import ByEach, Portal
from credsync.core.reasons import sentence
from credsync.core.states import TherapistState
from credsync.operate.outlook import Outlook, outlooks, standing_reason
from credsync.operate.portal_standing import Standing, standing_of
from credsync.operate.search import by_id, resolve
from credsync.operate.status import in_file_order, not_before
from credsync.store.clock import say_time
from credsync.store.names import found_by_name, in_many_names
from credsync.store.tables import links, therapists

__all__ = ["MOST", "BadCursor", "find_therapists", "resolve"]

MOST = 1_000
"""Therapists in one page."""
_MARK = b"after:"
_CHECKED = 6


class BadCursor(Exception):
    """The cursor is none that a page gave."""


def find_therapists(
    connection: Connection,
    portals: Mapping[str, Portal],
    *,
    state: str | None = None,
    slot: str | None = None,
    portal: str | None = None,
    q: str | None = None,
    within: Select[tuple[str]] | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> dict[str, Any]:
    """`{"therapists": [{id, portal, contact_id, name, state, reason, message, state_since, awaited_slots,
    next_look_at}], "next_cursor": str | None}`, in the order of the ids, so that paging neither repeats nor skips.

    `slot` finds those whose link of that slot is awaited and not found, as the last round left it; the name of a slot
    per value stands for all of its values. `q` is a UUID, a contact id, a record id, a record URL or a part of a name.
    `within` selects the ids of those looked for at all. Raises `BadCursor`.
    """
    size = max(1, min(limit, MOST))
    query = select(therapists).order_by(therapists.c.id).limit(size + 1)
    if cursor is not None:
        query = query.where(therapists.c.id > _last_seen(cursor))
    if within is not None:
        query = query.where(therapists.c.id.in_(within))
    if any("\x00" in text for text in (state, slot, portal, q) if text):
        return {"therapists": [], "next_cursor": None}
    if state is not None or slot is not None:
        states = [each.value for each in TherapistState if each is not TherapistState.IN_SYNC]
        names = [portal] if portal is not None else _portal_names(connection)
        query = query.where(
            therapists.c.portal.in_(names), therapists.c.state.in_(states if state is None else [state])
        )
    elif portal is not None:
        query = query.where(therapists.c.portal == portal)
    if slot is not None:
        query = _waiting_for(query, portals, slot)
    if q is not None and q.strip():
        meant = by_id(connection, q)
        meant = found_by_name(connection, q) if meant is None else meant
        held = in_many_names(therapists.c.name, q) if meant is None else therapists.c.id.in_(meant)
        query = query.where(held)
    rows = connection.execute(query).all()
    page = rows[:size]
    seen = outlooks(connection, portals, page, now)
    standings = {name: standing_of(connection, portals, name) for name in {row.portal for row in page}}
    return {
        "therapists": [
            _entry(row, portals.get(row.portal), standings[row.portal], seen[row.id], now) for row in page
        ],
        "next_cursor": cursor_after(page[-1].id) if len(rows) > size else None,
    }


def _portal_names(connection: Connection) -> list[str]:
    """Every portal that has therapists, with a file or not: one step into the index for each."""
    names: list[str] = []
    soonest = select(therapists.c.portal).order_by(therapists.c.portal).limit(1)
    step = connection.execute(soonest).scalar_one_or_none()
    while step is not None:
        names.append(step)
        step = connection.execute(soonest.where(therapists.c.portal > step)).scalar_one_or_none()
    return names


def _waiting_for(query: Select[Any], portals: Mapping[str, Portal], slot: str) -> Select[Any]:
    named = links.c.slot == slot
    rules = [portal.slots.get(slot) for portal in portals.values()]
    if any(rule is not None and isinstance(rule.marker, ByEach) for rule in rules):
        named = or_(named, links.c.slot.startswith(f"{slot}.", autoescape=True))
    waits = exists().where(
        links.c.therapist_id == therapists.c.id,
        named,
        links.c.awaited,
        links.c.state != LinkState.FOUND.value,
    )
    return query.where(waits)


def _entry(
    row: Row[Any], portal: Portal | None, standing: Standing, outlook: Outlook, now: datetime
) -> dict[str, Any]:
    goes_on_at = standing.goes_on_at(now)
    reason = standing_reason(row, goes_on_at)
    looks = standing.looks and row.contact_id is not None
    return {
        "id": row.id,
        "portal": row.portal,
        "contact_id": row.contact_id,
        "name": row.name,
        "state": row.state,
        "reason": reason.value,
        "message": sentence(reason),
        "state_since": say_time(row.state_since),
        "awaited_slots": [
            link.slot
            for link in in_file_order(portal, outlook.links)
            if link.awaited and link.state is not LinkState.FOUND
        ],
        "next_look_at": not_before(row.due_at if looks else None, goes_on_at),
    }


def cursor_after(last: str) -> str:
    """The place after a therapist, with a check sum: a changed cursor would silently skip therapists."""
    raw = last.encode()
    return base64.urlsafe_b64encode(raw + _check(raw)).decode().rstrip("=")


def _check(raw: bytes) -> bytes:
    return hashlib.sha256(_MARK + raw).digest()[:_CHECKED]


def _last_seen(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        last = raw[:-_CHECKED].decode("ascii")
    except (ValueError, binascii.Error):
        last = ""
    if not last or cursor_after(last) != cursor:
        raise BadCursor("the cursor is none that a page of this list gave")
    return last
