"""What is known of a portal beside its file: paused or not, what keeps its rounds from running, its account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, or_, select, update

from credsync.core.alerts import AlertKind
from credsync.core.denials import Denied, Verb
from credsync.core.events import EventName, TimelineEvent
from credsync.store import timeline
from credsync.store.database import insert
from credsync.store.leases import Lease, fence
from credsync.store.tables import portals
from credsync.store.wakes import announce

OURSELVES = "credsync"
"""Who paused a portal whose pause ends by itself."""


@dataclass(frozen=True, slots=True)
class PortalStatus:
    """A portal's standing. `problem` is what keeps rounds from running, for people; None while they run."""

    name: str
    paused_by: str | None = None
    paused_reason: str | None = None
    paused_at: datetime | None = None
    problem: str | None = None
    problem_kind: AlertKind | None = None
    problem_until: datetime | None = None
    """When the problem ends by itself, where that is known."""
    denied: tuple[Denied, ...] = ()
    """What the token may not do, as HubSpot last said."""
    portal_id: str | None = None
    ui_domain: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    """Object type ids by the portal file's keys."""
    restored_at: datetime | None = None
    """When credsync was told that a backup had been restored."""

    @property
    def paused_by_us(self) -> bool:
        """Whether the pause is credsync's own, for a token that HubSpot does not take."""
        return self.paused_by == OURSELVES


_STATUS = select(portals).where(portals.c.name == bindparam("of_portal"))
"""Asked all the time, so put together once."""


def ensure(connection: Connection, name: str) -> None:
    """Make the portal's row if there is none."""
    connection.execute(insert(connection, portals).values(name=name).on_conflict_do_nothing())


def status_of(connection: Connection, name: str) -> PortalStatus:
    """A portal's standing; one never seen is neither paused nor in trouble."""
    row = connection.execute(_STATUS, {"of_portal": name}).one_or_none()
    if row is None:
        return PortalStatus(name)
    return _status(row)


def statuses(connection: Connection) -> list[PortalStatus]:
    """The standing of every portal that was ever paused, in trouble or known to HubSpot."""
    return [_status(row) for row in connection.execute(select(portals).order_by(portals.c.name))]


def _status(row: Row[Any]) -> PortalStatus:
    account = row.account or {}
    return PortalStatus(
        row.name,
        row.paused_by,
        row.paused_reason,
        row.paused_at,
        row.problem,
        AlertKind(row.problem_kind) if row.problem_kind else None,
        row.problem_until,
        tuple(Denied(each["object"], Verb(each["verb"]), tuple(each["scopes"])) for each in row.denied or ()),
        account.get("portal_id"),
        account.get("ui_domain"),
        account.get("types", {}),
        row.restored_at,
    )


def pause(connection: Connection, name: str, by: str, reason: str, now: datetime) -> list[TimelineEvent]:
    """Stop rounds until somebody resumes; gives the events to log. Pausing twice is one pause.

    A person's pause takes the place of credsync's own, which would end by itself.
    """
    free = or_(portals.c.paused_at.is_(None), portals.c.paused_by == OURSELVES)
    return _pause(connection, name, by if by != OURSELVES else f"{by} (a person)", reason, now, free)


def pause_ourselves(
    connection: Connection, lease: Lease, name: str, reason: str, now: datetime
) -> list[TimelineEvent]:
    """Stop rounds until `resume_ourselves`, unless they are paused already. Raises `LeaseLost`."""
    fence(connection, lease)
    return _pause(connection, name, OURSELVES, reason, now, portals.c.paused_at.is_(None))


def resume(connection: Connection, name: str, by: str, now: datetime) -> list[TimelineEvent]:
    """Let rounds run again, whoever paused them; gives the events to log."""
    return _resume(connection, name, by, now, portals.c.paused_at.is_not(None))


def resume_ourselves(connection: Connection, lease: Lease, name: str, now: datetime) -> list[TimelineEvent]:
    """End a pause of credsync's own, never a person's. Raises `LeaseLost`."""
    fence(connection, lease)
    return _resume(connection, name, OURSELVES, now, portals.c.paused_by == OURSELVES)


def _pause(
    connection: Connection, name: str, by: str, reason: str, now: datetime, free: ColumnElement[bool]
) -> list[TimelineEvent]:
    ensure(connection, name)
    said = {"paused_by": by, "paused_reason": reason, "paused_at": now}
    done = connection.execute(update(portals).where(portals.c.name == name, free).values(said))
    return _told(connection, name, EventName.PORTAL_PAUSED, by, now) if done.rowcount else []


def _resume(
    connection: Connection, name: str, by: str, now: datetime, paused: ColumnElement[bool]
) -> list[TimelineEvent]:
    said = {"paused_by": None, "paused_reason": None, "paused_at": None}
    done = connection.execute(update(portals).where(portals.c.name == name, paused).values(said))
    if not done.rowcount:
        return []
    announce(connection, name)
    return _told(connection, name, EventName.PORTAL_RESUMED, by, now)


def set_problem(
    connection: Connection,
    name: str,
    problem: str | None,
    kind: AlertKind | None = None,
    until: datetime | None = None,
) -> None:
    """Say what keeps rounds from running, and until when if that is known; None when they run.

    `kind` is the alert's, once it is worth one.
    """
    ensure(connection, name)
    said = {
        "problem": problem,
        "problem_kind": kind.value if kind is not None else None,
        "problem_until": until,
    }
    connection.execute(update(portals).where(portals.c.name == name).values(said))


def set_account(
    connection: Connection,
    name: str,
    portal_id: str,
    ui_domain: str,
    types: Mapping[str, str] | None = None,
) -> None:
    """Keep what HubSpot told of the account, for record links; `types` are object type ids by key."""
    _keep(connection, name, portal_id=portal_id, ui_domain=ui_domain, types=dict(types or {}))


def set_names(connection: Connection, name: str, names: Mapping[str, Any]) -> None:
    """Keep what HubSpot calls the portal's things, for questions that are asked beside the rounds."""
    _keep(connection, name, names=dict(names))


def names_of(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """What `set_names` kept; None before it ever did."""
    account = connection.execute(select(portals.c.account).where(portals.c.name == name)).scalar_one_or_none()
    names: Mapping[str, Any] | None = (account or {}).get("names")
    return names


def _keep(connection: Connection, name: str, **told: object) -> None:
    ensure(connection, name)
    mine = portals.c.name == name
    known = connection.execute(select(portals.c.account).where(mine).with_for_update()).scalar_one()
    connection.execute(update(portals).where(mine).values(account={**(known or {}), **told}))


def _told(connection: Connection, name: str, event: EventName, by: str, now: datetime) -> list[TimelineEvent]:
    told = [TimelineEvent(event, name, None, None, now, details={"by": by})]
    timeline.append(connection, told)
    return told
