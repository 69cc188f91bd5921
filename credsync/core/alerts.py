"""Alerts: one per cause, open while the cause holds, closing by itself. What they are called and what they say.

A cause is what one person could mend with one act, whoever is hit by it. No text here holds a time of day or a
submitted value, so equal conditions are equal alerts and none flaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

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


@dataclass(frozen=True, slots=True)
class AlertText:
    """An alert in words: a heading, what is the matter and what goes on meanwhile, and what to do."""

    title: str
    message: str
    remedy: str


def slot_key(portal: Portal | None, slot: str) -> str:
    """The key of the portal file's slot that a slot belongs to: `license` of `license.NY`."""
    rule = portal.slot_rule(slot) if portal is not None else None
    return rule.key if rule is not None else slot


_TEXTS: Final[Mapping[AlertKind, tuple[str, str, str]]] = {
    AlertKind.OVERDUE: (
        "The {object} record of slot {slot} is late",
        "{who} longer for it than is usual. credsync keeps looking, and writes as soon as it is there.",
        "Look in HubSpot at the workflow that makes and labels it. Whom it never took up are the contacts to enrol "
        "again.",
    ),
    AlertKind.WORKFLOW_SLOW: (
        "The workflow that makes the {object} record of slot {slot} is slow",
        "{who} longer for it than is usual, many at once. credsync keeps looking, and writes as soon as it is there.",
        "Look in HubSpot at the workflow's queue and history; `credsync delays --slot {slot}` shows what is usual. They "
        "come by themselves if it only is slow.",
    ),
    AlertKind.WORKFLOW_NEVER_FIRED: (
        "The workflow that makes the {object} record of slot {slot} did not fire",
        "{who} for it, several in a row, while other records come. credsync keeps looking, and writes as soon as it is "
        "there.",
        "Turn the workflow on in HubSpot, or mend what it enrols by, and enrol these contacts again: "
        "`credsync delays --reenrol {slot}` gives them as a list.",
    ),
    AlertKind.GIVEN_UP: (
        "The {object} record of slot {slot} never came",
        "{who} for it in vain; credsync looks only once a day now.",
        "Enrol their contacts again in the HubSpot workflow that makes it, then press Sync now for each.",
    ),
    AlertKind.CONTACT_GONE: (
        "Contacts are gone from HubSpot",
        "{who} for records under a contact that HubSpot no longer has.",
        "Restore the contacts in HubSpot, or have the backend send those that took their place.",
    ),
    AlertKind.VALUES_REFUSED: (
        "HubSpot refuses {what}",
        "It was refused for {whom}; everything else of theirs was written.",
        "Correct the property's options or rules in HubSpot, the mapping in portals/{portal}.toml, or the data; then "
        "press Sync now for each.",
    ),
    AlertKind.PROPERTY_VANISHED: (
        "HubSpot has no property {object}.{property}",
        "The portal file maps a field to it. Everything else is written.",
        "Make the property again in HubSpot, or correct the mapping in portals/{portal}.toml; then press Sync now for "
        "whom it is missing.",
    ),
    AlertKind.PORTAL_UNAUTHORIZED: (
        "HubSpot does not take the token of portal {portal}",
        "Its rounds are paused. What is submitted is still taken in and nothing is lost; credsync tries the token "
        "once a minute and goes on by itself.",
        "Set a valid token ({variable}) and start the service again; `credsync doctor` tells whether it will do.",
    ),
    AlertKind.PORTAL_FORBIDDEN: (
        "The token of portal {portal} may not {verb} {object}",
        "What needs it waits; everything else goes on. credsync tries once a minute and catches up by itself.",
        "Add {scopes} to the app's scopes in HubSpot. A new token is only needed if HubSpot gives one for it.",
    ),
    AlertKind.PORTAL_UNUSABLE: (
        "Portal {portal} cannot be used",
        "{problem}. Nothing is looked at or written; what is submitted is still taken in.",
        "Do what it says; `credsync doctor` names every fault. credsync goes on by itself.",
    ),
    AlertKind.HUBSPOT_SILENT: (
        "HubSpot does not answer for portal {portal}",
        "{problem}. What is submitted is still taken in.",
        "Look at https://status.hubspot.com and at this machine's network.",
    ),
    AlertKind.RATE_LIMITED_DAILY: (
        "HubSpot's calls of the day are used up in portal {portal}",
        "Everything waits until midnight in the account's time zone, then goes on by itself.",
        "Look in HubSpot at which app used them up; the whole account shares them.",
    ),
    AlertKind.RESTORED: (
        "A backup of credsync's database was restored (portal {portal})",
        "What came in after the backup is forgotten here. Every record is looked up anew, and what the backup does not "
        "know to have been sent is compared with HubSpot: what is there counts as written, the rest is held (now: "
        "{whom}), since HubSpot's value may be newer.",
        "Have the backend submit again what it submitted since the backup; what it submits twice is one. Then compare "
        "whoever is still held (credsync list --state held; credsync sync ID --dry-run), and press Sync now where the "
        "submitted value is the right one.",
    ),
}


def words_of(cause: Cause, holding: Holding) -> AlertText:
    """An alert in words.

    >>> words_of(Cause("alpha", AlertKind.OVERDUE, "license", "license"), Holding(2)).title
    'The license record of slot license is late'
    """
    count = holding.therapists
    names: dict[str, object] = {
        "portal": cause.portal,
        "object": cause.object,
        "slot": cause.slot,
        "property": cause.property,
        "verb": cause.verb,
        "who": "One therapist waits" if count == 1 else f"{count:,} therapists wait",
        "whom": "one therapist" if count == 1 else f"{count:,} therapists" if count else "nobody",
        "what": f"values of {cause.object}.{cause.property}"
        if cause.property
        else f"writes to {cause.object}",
        "variable": f"CREDSYNC_HUBSPOT_TOKEN_{cause.portal.upper().replace('-', '_')}",
        "scopes": "what is missing",
        "problem": "Nothing more is known",
        **{name: _said(value) for name, value in holding.details.items() if value},
    }
    title, message, remedy = (text.format_map(names) for text in _TEXTS[cause.kind])
    return AlertText(title, message, remedy)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value).rstrip(".")
