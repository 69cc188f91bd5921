"""What came by webhook: which signatures were used, how many calls and events, and whether hints can be relied on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, select, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.schedule import Policy
from credsync.store import timeline
from credsync.store.clock import say_time
from credsync.store.database import insert
from credsync.store.webhook_tables import webhook_signatures, webhooks

NOBODY = ""
"""The portal under which calls for a portal that nobody has are counted: a stranger's words are kept nowhere."""
TOLD_EVERY = timedelta(minutes=1)
"""How often the feed is told at most; the counts are of everything since."""


@dataclass(frozen=True, slots=True)
class WebhookStanding:
    """What came for a portal so far."""

    calls: int = 0
    events: int = 0
    replayed: int = 0
    refused: int = 0
    received_at: datetime | None = None
    refused_at: datetime | None = None
    refused_for: str | None = None
    associated: dict[str, datetime] = field(default_factory=dict)
    """When associations of each object type were last told of, by key."""

    def hints_come(self, objects: Collection[str], now: datetime, policy: Policy) -> bool:
        """Whether HubSpot is known to tell of all these object types, and did tell something lately."""
        return (
            self._came_lately(now, policy)
            and bool(objects)
            and all(
                key in self.associated and now - self.associated[key] <= policy.hints_proven
                for key in objects
            )
        )

    def hints_likely(self, now: datetime, policy: Policy) -> bool:
        """Whether HubSpot has begun to call, so few times that it may not have had anything to tell of any type."""
        return self._came_lately(now, policy) and self.calls <= policy.likely_calls

    def _came_lately(self, now: datetime, policy: Policy) -> bool:
        return self.received_at is not None and now - self.received_at <= policy.hints_last


def webhook_standing(connection: Connection, portal: str) -> WebhookStanding:
    """What came for a portal; all zero for one that HubSpot never called."""
    row = connection.execute(select(webhooks).where(webhooks.c.portal == portal)).one_or_none()
    if row is None:
        return WebhookStanding()
    return WebhookStanding(
        row.calls,
        row.events,
        row.replayed,
        row.refused,
        row.received_at,
        row.refused_at,
        row.refused_for,
        {key: datetime.fromisoformat(at) for key, at in (row.types or {}).items()},
    )


def use_signature(
    connection: Connection, portal: str, signature: str, now: datetime, until: datetime
) -> bool:
    """Whether a signature is used for the first time; until then it is remembered. What is stale is forgotten."""
    connection.execute(delete(webhook_signatures).where(webhook_signatures.c.until < now))
    digest = hashlib.sha256(f"{portal}\n{signature}".encode()).hexdigest()
    kept = insert(connection, webhook_signatures).values(digest=digest, until=until)
    first = kept.on_conflict_do_nothing().returning(webhook_signatures.c.digest)
    return connection.execute(first).one_or_none() is not None


def note_received(
    connection: Connection,
    portal: str,
    events: int,
    therapists: int,
    associated: Iterable[str],
    now: datetime,
) -> list[TimelineEvent]:
    """Count a call that HubSpot signed; gives the event to log, if the feed was not told for a while."""
    row = _held(connection, portal)
    counts = {"calls": row.calls + 1, "events": row.events + events}
    told = row.told or {"calls": 0, "events": 0}
    values = {
        **counts,
        "received_at": now,
        "types": {**(row.types or {}), **dict.fromkeys(associated, say_time(now))},
    }
    happened = []
    if row.told_at is None or not timedelta(0) <= now - row.told_at < TOLD_EVERY:
        values |= {"told_at": now, "told": counts}
        since = {name: counts[name] - told[name] for name in counts}
        details = {**since, "therapists": therapists}
        happened.append(TimelineEvent(EventName.WEBHOOK_RECEIVED, portal, None, None, now, details=details))
        timeline.append(connection, happened)
    connection.execute(update(webhooks).where(webhooks.c.portal == portal).values(**values))
    return happened


def note_replayed(connection: Connection, portal: str) -> None:
    """Count a call whose signature was used before."""
    _held(connection, portal)
    mine = webhooks.c.portal == portal
    connection.execute(update(webhooks).where(mine).values(replayed=webhooks.c.replayed + 1))


def note_refused(connection: Connection, portal: str, count: int, flaw: str, now: datetime) -> None:
    """Count calls that were not HubSpot's; nothing else is kept of them."""
    _held(connection, portal)
    values = {"refused": webhooks.c.refused + count, "refused_at": now, "refused_for": flaw}
    connection.execute(update(webhooks).where(webhooks.c.portal == portal).values(**values))


def _held(connection: Connection, portal: str) -> Row[tuple[object, ...]]:
    """The portal's row, held until the transaction ends: calls of one portal follow each other."""
    connection.execute(insert(connection, webhooks).values(portal=portal).on_conflict_do_nothing())
    return connection.execute(select(webhooks).where(webhooks.c.portal == portal).with_for_update()).one()
