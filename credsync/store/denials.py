"""Keeps what a portal's token may not do, and brings back whoever waited for it once it may."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from credsync.core.denials import Denied, Verb
from credsync.core.reasons import Reason
from credsync.store import portals
from credsync.store.bringing_back import bring_back
from credsync.store.hints import bring_hints_back
from credsync.store.leases import Lease, fence
from credsync.store.tables import portals as portals_table


def deny(connection: Connection, lease: Lease, name: str, denied: Iterable[Denied]) -> None:
    """Note what HubSpot denied. Raises `LeaseLost`."""
    fence(connection, lease)
    portals.ensure(connection, name)
    known = {(each.object, each.verb): each for each in portals.status_of(connection, name).denied}
    _keep(connection, name, (known | {(each.object, each.verb): each for each in denied}).values())


def permit(
    connection: Connection, lease: Lease, name: str, permitted: Iterable[tuple[str, Verb]], now: datetime
) -> None:
    """HubSpot denies these no longer: everybody who waits for want of a scope is due now. Raises `LeaseLost`."""
    fence(connection, lease)
    ended = set(permitted)
    known = portals.status_of(connection, name).denied
    _keep(connection, name, [each for each in known if (each.object, each.verb) not in ended])
    bring_back(connection, name, Reason.MISSING_SCOPES, now)
    bring_hints_back(connection, name, {key for key, verb in ended if verb is Verb.READ}, now)


def _keep(connection: Connection, name: str, denied: Iterable[Denied]) -> None:
    rows: list[dict[str, Any]] = [
        {"object": each.object, "verb": each.verb.value, "scopes": list(each.scopes)} for each in denied
    ]
    connection.execute(update(portals_table).where(portals_table.c.name == name).values(denied=rows or None))
