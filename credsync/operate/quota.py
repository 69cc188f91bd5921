"""How much of HubSpot's day a portal has used, and of what: its own calls, its share, the reserve for people."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from credsync.core.portal import Portal
from credsync.hubspot.paths import Bucket
from credsync.operate.kept_names import kept_time_zone
from credsync.operate.status import time_or_none
from credsync.store.daily_calls import CallsMade, calls_on, stops_of
from credsync.store.live_reads import SEATS

_NAMES: Final = {Bucket.OBJECTS: "calls", Bucket.ASSOCIATIONS: "association_calls"}


def quota(connection: Connection, portal: Portal, now: datetime) -> dict[str, Any]:
    """`{day, time_zone, reserve_per_10s, calls: {used, allowed, ours, per_10s, stopped_until}, association_calls: {…}}`.

    `used` are the calls that rounds made on the account's present day, as far as they are counted in the database;
    `allowed` what the account may make in all, `ours` the part of it that the portal file leaves to credsync: both
    null before HubSpot told. `stopped_until` is set while HubSpot wants no more of them.
    """
    zone = _zone(kept_time_zone(connection, portal.name))
    day = now.astimezone(zone).date()
    made, stops = calls_on(connection, portal.name, day), stops_of(connection, portal.name)
    told: dict[str, Any] = {"day": day.isoformat(), "time_zone": str(zone), "reserve_per_10s": SEATS}
    for bucket, name in _NAMES.items():
        until = stops.get(bucket.value)
        told[name] = _bucket(portal, bucket, made.get(bucket.value, CallsMade(0))) | {
            "stopped_until": time_or_none(until) if until is not None and until > now else None
        }
    return told


def _bucket(portal: Portal, bucket: Bucket, made: CallsMade) -> dict[str, Any]:
    account = portal.hubspot
    associations = bucket is Bucket.ASSOCIATIONS
    allowed = made.allowed
    if associations:
        allowed = min(allowed or account.association_calls_per_day, account.association_calls_per_day)
    return {
        "used": made.calls,
        "allowed": allowed,
        "ours": None if allowed is None else int(allowed * account.daily_share),
        "per_10s": account.association_calls_per_10s if associations else account.calls_per_10s,
    }


def _zone(name: str) -> tzinfo:
    """UTC until the account's zone is known, as its count is kept."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, LookupError):
        return UTC
