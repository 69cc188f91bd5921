"""Alerts: one per cause, open while the cause holds, closing by itself.

A cause is what one person could mend with one act, whoever is hit by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from credsync.core.portal import Portal


class AlertKind(StrEnum):
    """What is wrong."""

    OVERDUE = "overdue"
    WORKFLOW_SLOW = "workflow_slow"
    WORKFLOW_NEVER_FIRED = "workflow_never_fired"
    GIVEN_UP = "given_up"
    CONTACT_GONE = "contact_gone"
    VALUES_REFUSED = "values_refused"
    PROPERTY_VANISHED = "property_vanished"
    PORTAL_UNAUTHORIZED = "portal_unauthorized"
    PORTAL_FORBIDDEN = "portal_forbidden"
    PORTAL_UNUSABLE = "portal_unusable"
    HUBSPOT_SILENT = "hubspot_silent"
    RATE_LIMITED_DAILY = "rate_limited_daily"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Cause:
    """What an alert is about. What does not apply is empty.

    `object` is an object type's key in the portal file (or `contact`), `slot` a key of its slots (a slot per value
    stands for all its values), `verb` is `read` or `write`.
    """

    portal: str
    kind: AlertKind
    object: str = ""
    slot: str = ""
    property: str = ""
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """A cause that holds now: how many therapists are beneath it, and names that its text needs (never a value)."""

    therapists: int = 0
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """A cause as it is kept: since when it holds, when that was last seen, who said that they know."""

    id: int
    cause: Cause
    holding: Holding
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AlertChanges:
    """What becomes of a portal's alerts: causes that are new, alerts that go on (those worth a word), alerts that
    ended."""

    opened: Mapping[Cause, Holding]
    going_on: Mapping[int, Holding]
    ended: tuple[Alert, ...]

    def __bool__(self) -> bool:
        return bool(self.opened or self.going_on or self.ended)


SEEN_EVERY = timedelta(minutes=1)
"""How often it is noted that an alert goes on in which nothing has changed."""


def alert_changes(open_: Iterable[Alert], holding: Mapping[Cause, Holding], now: datetime) -> AlertChanges:
    """What the causes that hold now make of the alerts that are open (all of the same kinds)."""
    known = {alert.cause: alert for alert in open_}
    return AlertChanges(
        {cause: held for cause, held in holding.items() if cause not in known},
        {
            alert.id: holding[cause]
            for cause, alert in known.items()
            if cause in holding
            and (holding[cause] != alert.holding or now - alert.last_seen_at >= SEEN_EVERY)
        },
        tuple(alert for cause, alert in known.items() if cause not in holding),
    )


def slot_key(portal: Portal | None, slot: str) -> str:
    """The key of the portal file's slot that a slot belongs to: `license` of `license.NY`."""
    rule = portal.slot_rule(slot) if portal is not None else None
    return rule.key if rule is not None else slot
