"""Who waits, since when, and why: a list in pages, of all or of those who are wanted."""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select, union_all

from credsync.core.links import LinkState
from credsync.core.portal import Portal
from credsync.core.reasons import sentence
from credsync.core.wanted import Wanted
from credsync.operate.narrowing import few_of, fits, has_values, meant_by, names_of, narrowed
from credsync.operate.outlook import Outlook, outlooks, standing_reason
from credsync.operate.portal_standing import Standing, standing_of
from credsync.operate.search import resolve
from credsync.operate.status import in_file_order, not_before
from credsync.store.clock import say_time
from credsync.store.counting import Cell, cells, waits_for
from credsync.store.names import in_many_names
from credsync.store.tables import links, therapists

__all__ = ["MOST", "BadCursor", "find_therapists", "resolve"]

EVERYBODY: Final = Wanted()
MOST = 1_000
"""Therapists in one page."""
_MARK = b"after:"
_CHECKED = 6


class BadCursor(Exception):
    """The cursor is none that a page gave."""


def find_therapists(
    connection: Connection,
    portals: Mapping[str, Portal],
    wanted: Wanted = EVERYBODY,
    *,
    within: Select[tuple[str]] | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> dict[str, Any]:
    """`{"therapists": [{id, portal, contact_id, name, state, reason, message, state_since, awaited_slots,
    next_look_at}], "next_cursor": str | None}`, in the order of the ids, so that paging neither repeats nor skips.

    State, reason and slots are as the last round left them. `within` selects the ids of those looked for at all. Raises
    `BadCursor`.
    """
    size = max(1, min(limit, MOST))
    after = "" if cursor is None else _last_seen(cursor)
    if wanted.holds_nul:
        return {"therapists": [], "next_cursor": None}
    rows = connection.execute(_query(connection, portals, wanted, within, after, size + 1, now)).all()
    page = rows[:size]
    seen = outlooks(connection, portals, page, now)
    standings = {name: standing_of(connection, portals, name) for name in {row.portal for row in page}}
    return {
        "therapists": [
            _entry(row, portals.get(row.portal), standings[row.portal], seen[row.id], now) for row in page
        ],
        "next_cursor": cursor_after(page[-1].id) if len(rows) > size else None,
    }


def _query(
    connection: Connection,
    portals: Mapping[str, Portal],
    wanted: Wanted,
    within: Select[tuple[str]] | None,
    after: str,
    limit: int,
    now: datetime,
) -> Select[Any]:
    """The next of the wanted. A few who are known by an index are taken by their ids; many are read in the list's order,
    since a page of them is full soon.
    """
    meant = meant_by(connection, wanted.q)
    many = wanted.q if meant is None else None
    by_name = [] if many is None else [in_many_names(therapists.c.name, many)]
    held = narrowed(portals, wanted, now) + by_name
    if within is not None:
        held.append(therapists.c.id.in_(within))
    some: Sequence[Cell] = ()
    if within is None and meant is None and wanted.without("q"):
        some = [each for each in cells(connection) if fits(each, wanted)]
        meant = few_of(connection, portals, wanted, some, now) if some else []
    ordered = therapists.c.id > after
    if meant is not None:
        rest = meant[bisect_right(meant, after) :]
        return (
            select(therapists).where(therapists.c.id.in_(rest), *held).order_by(therapists.c.id).limit(limit)
        )
    slot = wanted.slot
    if slot is not None and wanted.state is wanted.reason is None and not has_values(portals.values(), slot):
        rest_held = narrowed(portals, wanted.without("slot"), now) + by_name
        return _first([_waiting(portal, slot, after, rest_held) for portal in sorted(names_of(some))], limit)
    if not some or wanted.without("q").without("longer_than") == EVERYBODY:
        return select(therapists).where(ordered, *held).order_by(therapists.c.id).limit(limit)
    standing = sorted({(cell.portal, cell.state) for cell in some})
    mine = select(therapists.c.id).where(ordered, *held).order_by(therapists.c.id)
    return _first([mine.where(therapists.c.portal == p, therapists.c.state == s) for p, s in standing], limit)


def _waiting(portal: str, slot: str, after: str, held: Sequence[ColumnElement[bool]]) -> Select[tuple[str]]:
    """Who waits for a slot, in the order of its index."""
    waits = (links.c.portal == portal, links.c.therapist_id > after, waits_for(slot, each=False))
    query = select(links.c.therapist_id.label("id")).join(therapists, therapists.c.id == links.c.therapist_id)
    return query.where(*waits, *held).order_by(links.c.therapist_id)


def _first(lists: Sequence[Select[tuple[str]]], limit: int) -> Select[Any]:
    """The first of several lists of ids, each of which an index has in order."""
    parts = [each.limit(limit).subquery() for each in lists]
    ids = union_all(*(select(one.c.id) for one in parts)).order_by("id").limit(limit).subquery()
    return select(therapists).join(ids, ids.c.id == therapists.c.id).order_by(therapists.c.id)


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
