"""What happened, in order: one row and, after the commit, one log line each. No submitted value is in either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, select

from credsync.core.events import EventName, TimelineEvent
from credsync.store.bulk import Bulk
from credsync.store.tables import events

_log = structlog.get_logger("credsync")
_APPEND = Bulk(lambda _names: events.insert())
SAID = "said"
"""The detail that holds a person's own words: told in the timeline, never logged."""


def append(connection: Connection, happened: Sequence[TimelineEvent]) -> None:
    """Store events in the transaction that made them true."""
    _APPEND.run(
        connection,
        [
            {
                "at": e.at,
                "name": e.name.value,
                "portal": e.portal,
                "therapist_id": e.therapist_id,
                "contact_id": e.contact_id,
                "slot": e.slot,
                "record_id": e.record_id,
                "details": dict(e.details),
            }
            for e in happened
        ],
    )


def log(happened: Iterable[TimelineEvent]) -> None:
    """One log line per event, after its transaction has committed."""
    bound = _log.bind()
    for e in happened:
        known: dict[str, object] = {"slot": e.slot, "record_id": e.record_id, **e.details}
        fields = {key: value for key, value in known.items() if value is not None and key != SAID}
        bound.info(
            e.name.value, portal=e.portal, therapist_id=e.therapist_id, contact_id=e.contact_id, **fields
        )


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in the feed."""

    id: int
    event: TimelineEvent


def _stored(row: Any) -> StoredEvent:
    at: datetime = row.at
    event = TimelineEvent(
        EventName(row.name),
        row.portal,
        row.therapist_id,
        row.contact_id,
        at,
        row.slot,
        row.record_id,
        row.details,
    )
    return StoredEvent(row.id, event)


def of_therapist(connection: Connection, therapist_id: str, limit: int = 1_000) -> list[StoredEvent]:
    """A therapist's newest `limit` events, oldest first."""
    query = (
        select(events).where(events.c.therapist_id == therapist_id).order_by(events.c.id.desc()).limit(limit)
    )
    return [_stored(row) for row in reversed(connection.execute(query).all())]


def after(
    connection: Connection, event_id: int, names: Iterable[str] = (), limit: int = 500
) -> list[StoredEvent]:
    """The feed: events after `event_id` in order, only of `names` if any are given."""
    query = select(events).where(events.c.id > event_id).order_by(events.c.id).limit(limit)
    wanted = list(names)
    if wanted:
        query = query.where(events.c.name.in_(wanted))
    return [_stored(row) for row in connection.execute(query)]
