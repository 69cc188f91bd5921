"""Keeps alerts: at most one open row per cause, and what was said to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from credsync.core.alerts import Alert, AlertChanges, AlertKind, Cause, Holding
from credsync.core.events import EventName, TimelineEvent
from credsync.store import timeline
from credsync.store.leases import Lease, fence
from credsync.store.tables import alerts


def open_alerts(connection: Connection, portal: str, kinds: Collection[AlertKind]) -> list[Alert]:
    """A portal's open alerts of these kinds, oldest first."""
    query = select(alerts).where(
        alerts.c.portal == portal,
        alerts.c.kind.in_([kind.value for kind in kinds]),
        alerts.c.closed_at.is_(None),
    )
    return [alert_of(row) for row in connection.execute(query.order_by(alerts.c.id))]


def alert_of(row: Row[Any]) -> Alert:
    """A row of `alerts` as the core knows it."""
    return Alert(
        row.id,
        Cause(row.portal, AlertKind(row.kind), row.object, row.slot, row.property, row.verb),
        Holding(row.therapists, row.details),
        row.first_seen_at,
        row.last_seen_at,
        row.closed_at,
        row.acknowledged_by,
        row.acknowledged_at,
        row.note,
    )


def save_alerts(
    connection: Connection, lease: Lease, changes: AlertChanges, now: datetime
) -> tuple[list[Alert], list[TimelineEvent]]:
    """Open, keep and close; gives the alerts that were opened or closed, and the events to log.

    Raises `LeaseLost`, having stored nothing, when the portal is no longer ours.
    """
    fence(connection, lease)
    told: list[Alert] = []
    for cause, holding in changes.opened.items():
        made = connection.execute(insert(alerts).values(_values(cause, holding, now))).inserted_primary_key
        assert made is not None
        told.append(Alert(int(made[0]), cause, holding, now, now))
    for alert_id, holding in changes.going_on.items():
        seen = {"therapists": holding.therapists, "details": dict(holding.details), "last_seen_at": now}
        connection.execute(update(alerts).where(alerts.c.id == alert_id).values(seen))
    if changes.ended:
        ids = [alert.id for alert in changes.ended]
        connection.execute(update(alerts).where(alerts.c.id.in_(ids)).values(closed_at=now))
        query = select(alerts).where(alerts.c.id.in_(ids)).order_by(alerts.c.id)
        told += [alert_of(row) for row in connection.execute(query)]
    events = [
        _event(EventName.ALERT_OPENED if alert.closed_at is None else EventName.ALERT_CLOSED, alert, now)
        for alert in told
    ]
    timeline.append(connection, events)
    return told, events


def acknowledge(
    connection: Connection, alert_id: int, by: str, note: str | None, now: datetime
) -> tuple[Alert, TimelineEvent] | None:
    """Note that somebody knows; None for an unknown alert. Whoever said it last stands there, and the last note.

    Gives the alert and the event to log.
    """
    said: dict[str, object] = {"acknowledged_by": by, "acknowledged_at": now}
    if note is not None:
        said["note"] = note
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(said))
    alert = alert_by_id(connection, alert_id)
    if alert is None:
        return None
    words = {"by": by} | ({timeline.SAID: note} if note is not None else {})
    event = _event(EventName.ALERT_ACKNOWLEDGED, alert, now, words)
    timeline.append(connection, [event])
    return alert, event


def alert_by_id(connection: Connection, alert_id: int) -> Alert | None:
    """One alert, open or closed."""
    row = connection.execute(select(alerts).where(alerts.c.id == alert_id)).one_or_none()
    return None if row is None else alert_of(row)


def alerts_page(
    connection: Connection,
    *,
    closed: bool | None,
    portal: str | None = None,
    kinds: Sequence[AlertKind] = (),
    before: int | None = None,
    limit: int,
) -> list[Alert]:
    """Alerts, newest first: open ones, closed ones, or (None) both; those with an id below `before`."""
    query = select(alerts).order_by(alerts.c.id.desc()).limit(limit)
    if closed is not None:
        query = query.where(alerts.c.closed_at.is_not(None) if closed else alerts.c.closed_at.is_(None))
    if portal is not None:
        query = query.where(alerts.c.portal == portal)
    if kinds:
        query = query.where(alerts.c.kind.in_([kind.value for kind in kinds]))
    if before is not None:
        query = query.where(alerts.c.id < before)
    return [alert_of(row) for row in connection.execute(query)]


def _values(cause: Cause, holding: Holding, now: datetime) -> dict[str, Any]:
    return {
        "portal": cause.portal,
        "kind": cause.kind.value,
        "object": cause.object,
        "slot": cause.slot,
        "property": cause.property,
        "verb": cause.verb,
        "therapists": holding.therapists,
        "details": dict(holding.details),
        "first_seen_at": now,
        "last_seen_at": now,
    }


def _event(
    name: EventName, alert: Alert, now: datetime, more: Mapping[str, object] | None = None
) -> TimelineEvent:
    cause = alert.cause
    about = {"object": cause.object, "property": cause.property, "verb": cause.verb}
    details: dict[str, object] = {"alert_id": str(alert.id), "kind": cause.kind.value}
    details |= {key: value for key, value in about.items() if value}
    details |= {"therapists": alert.holding.therapists, **(more or {})}
    return TimelineEvent(name, cause.portal, None, None, now, cause.slot or None, details=details)
