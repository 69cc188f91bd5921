"""What happened, as the API tells it: to one therapist, and to everybody as a feed that a backend follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from credsync.store import timeline
from credsync.store.clock import say_time
from credsync.store.database import now_plus
from credsync.store.tables import events
from credsync.store.timeline import StoredEvent

MOST_EVENTS = 1_000
HOLD_SECONDS = 10.0
"""How long the feed waits for a transaction that took a place in it and has not committed yet."""


def timeline_of(connection: Connection, therapist_id: str) -> list[dict[str, Any]]:
    """A therapist's newest events, oldest first: `{id, event, at, portal, therapist_id, contact_id, slot, record_id,
    details}`."""
    return [event_json(stored) for stored in timeline.of_therapist(connection, therapist_id, MOST_EVENTS)]


def feed(
    connection: Connection, after: int = 0, types: Iterable[str] = (), limit: int = 500
) -> dict[str, Any]:
    """`{"events": [...], "next_after": int}`: the events after `after` in order, only of `types` if any are given.

    Asking again with `next_after` goes on where this answer ends; at the end it stays the same.
    """
    horizon = _horizon(connection, after)
    found = timeline.after(connection, after, list(types), max(1, min(limit, MOST_EVENTS)))
    told = [stored for stored in found if horizon is None or stored.id <= horizon]
    return {"events": [event_json(each) for each in told], "next_after": told[-1].id if told else after}


def event_json(stored: StoredEvent) -> dict[str, Any]:
    """One event; `id` is its place in the feed."""
    happened = stored.event
    return {
        "id": stored.id,
        "event": happened.name.value,
        "at": say_time(happened.at),
        "portal": happened.portal,
        "therapist_id": happened.therapist_id,
        "contact_id": happened.contact_id,
        "slot": happened.slot,
        "record_id": happened.record_id,
        "details": dict(happened.details),
    }


def _horizon(connection: Connection, after: int) -> int | None:
    """The place up to which the feed is settled; None where it always is.

    On PostgreSQL a place is taken before it is committed: whoever read on past a gap would miss what is committed
    into it. A gap that a rolled back transaction left is passed once the event behind it is older than `HOLD_SECONDS`.
    SQLite has one writer, and no such gaps.
    """
    if connection.dialect.name == "sqlite":
        return None
    young = (events.c.at > now_plus(connection, -HOLD_SECONDS)).label("young")
    newest = select(events.c.id, young).where(events.c.id > after).order_by(events.c.id.desc())
    horizon: int | None = None
    behind: int | None = None
    with connection.execute(newest.execution_options(yield_per=MOST_EVENTS)) as places:
        for place, is_young in places:
            if behind is None or behind - place > 1:
                horizon = place
            if not is_young:
                return horizon
            behind = place
    return after if behind is None or behind - after > 1 else horizon
