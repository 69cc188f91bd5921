"""Alerts as people and machines ask for them: in a list, one by one, with the therapists beneath."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from credsync.core.alert_words import words_of
from credsync.core.alerts import Alert, AlertKind, Cause
from credsync.core.portal import Portal
from credsync.core.wanted import Wanted
from credsync.operate.find import find_therapists
from credsync.operate.status import time_or_none
from credsync.store.alerts import alert_by_id, alerts_page
from credsync.store.causes import LATE, late_beneath
from credsync.store.clock import say_time
from credsync.store.refusals import refused_beneath
from credsync.store.restoring import held_beneath
from credsync.store.tables import alerts
from credsync.store.workflows import late_ones

MOST = 500
"""Alerts in one page."""


def alerts_list(
    connection: Connection,
    *,
    closed: bool | None = False,
    portal: str | None = None,
    kind: AlertKind | None = None,
    before: int | None = None,
    limit: int = 100,
) -> dict[str, Any]:
    """`{"alerts": [...], "next_cursor": str | None, "open": int}`, newest first; `open` counts all that are open now.

    `closed` None lists both. Each alert is as `alert_json` gives it.
    """
    size = max(1, min(limit, MOST))
    kinds = [] if kind is None else [kind]
    found = alerts_page(connection, closed=closed, portal=portal, kinds=kinds, before=before, limit=size + 1)
    page = found[:size]
    still_open = select(func.count()).select_from(alerts).where(alerts.c.closed_at.is_(None))
    return {
        "alerts": [alert_json(alert) for alert in page],
        "next_cursor": str(page[-1].id) if len(found) > size else None,
        "open": connection.execute(still_open).scalar_one(),
    }


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert; what does not apply to its kind is null. `therapists` is how many are beneath it."""
    cause, words = alert.cause, words_of(alert.cause, alert.holding)
    return {
        "id": str(alert.id),
        "portal": cause.portal,
        "kind": cause.kind.value,
        "state": "open" if alert.closed_at is None else "closed",
        "object": cause.object or None,
        "slot": cause.slot or None,
        "property": cause.property or None,
        "verb": cause.verb or None,
        "title": words.title,
        "message": words.message,
        "remedy": words.remedy,
        "therapists": alert.holding.therapists,
        "therapists_url": f"/v1/alerts/{alert.id}/therapists" if beneath(cause) is not None else None,
        "first_seen_at": say_time(alert.first_seen_at),
        "last_seen_at": say_time(alert.last_seen_at),
        "closed_at": time_or_none(alert.closed_at),
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": time_or_none(alert.acknowledged_at),
        "note": alert.note,
    }


def therapists_beneath(
    connection: Connection,
    portals: Mapping[str, Portal],
    alert_id: int,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> dict[str, Any] | None:
    """`{"alert": {...}, "therapists": [...], "next_cursor": str | None}`: whom the cause hits now, as the list of
    therapists shows them; None for an unknown alert. Nobody, where the cause has ended or hits the portal as a whole.

    Raises `BadCursor`.
    """
    alert = alert_by_id(connection, alert_id)
    if alert is None:
        return None
    ids = beneath(alert.cause) if alert.closed_at is None else None
    told: dict[str, Any] = {"therapists": [], "next_cursor": None}
    if ids is not None:
        told = find_therapists(
            connection,
            portals,
            Wanted(portal=alert.cause.portal),
            within=ids,
            cursor=cursor,
            limit=limit,
            now=now,
        )
    return {"alert": alert_json(alert), **told}


def beneath(cause: Cause) -> Select[tuple[str]] | None:
    """The ids of the therapists that a cause hits; None where it hits a portal as a whole."""
    if cause.kind in LATE:
        return late_beneath(cause)
    if cause.kind in (AlertKind.WORKFLOW_SLOW, AlertKind.WORKFLOW_NEVER_FIRED):
        return late_ones(cause.portal, cause.slot)
    if cause.kind in (AlertKind.VALUES_REFUSED, AlertKind.PROPERTY_VANISHED):
        return refused_beneath(cause)
    if cause.kind is AlertKind.RESTORED:
        return held_beneath(cause.portal)
    return None
