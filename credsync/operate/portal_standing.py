"""Whether a portal's rounds look and write, and the words for it when they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from credsync.core.alert_words import words_of
from credsync.core.alerts import AlertKind, Cause, Holding
from credsync.core.phrases import Joined, phrase
from credsync.core.portal import Mode, Portal
from credsync.core.reasons import Reason, sentence
from credsync.store.portals import PortalStatus, status_of


class PortalState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    OBSERVE_ONLY = "observe_only"


@dataclass(frozen=True, slots=True)
class Standing:
    """A portal's state as the API shows it; `message` is empty while it simply runs."""

    state: PortalState
    message: str = ""
    stopped_until: datetime | None = None
    """When the account's next day begins, where the calls of one were used up: it may be over."""

    def goes_on_at(self, now: datetime) -> datetime | None:
        """When rounds go on, while the day has no calls left."""
        over = self.stopped_until is None or self.stopped_until <= now
        return None if over else self.stopped_until

    @property
    def looks(self) -> bool:
        """Whether rounds look at all."""
        return self.state is not PortalState.PAUSED


def standing_of(connection: Connection, portals: Mapping[str, Portal], name: str) -> Standing:
    """A portal's standing. One without a file counts as paused: nothing runs for it until there is one."""
    portal = portals.get(name)
    if portal is None:
        return Standing(
            PortalState.PAUSED,
            phrase(
                "No portal file named {name}.toml is configured, so nothing is looked at or written for this portal; "
                "put the file back, or correct the setting `portals`.",
                name=name,
            ),
        )
    status = status_of(connection, name)
    if status.paused_by_us:
        return Standing(PortalState.PAUSED, sentence(Reason.PORTAL_UNAUTHORIZED))
    if status.paused_at is not None:
        return Standing(PortalState.PAUSED, Joined([sentence(Reason.PORTAL_PAUSED), _paused(status)]))
    said: list[str] = []
    if portal.hubspot.mode is Mode.OBSERVE:
        said.append(sentence(Reason.OBSERVE_ONLY))
    if status.problem:
        said.append(Joined([status.problem.rstrip("."), "."], ""))
    for each in status.denied:
        cause = Cause(name, AlertKind.PORTAL_FORBIDDEN, each.object, verb=each.verb.value)
        words = words_of(cause, Holding(details={"scopes": each.scopes}))
        said += [Joined([words.title, "."], ""), words.message, words.remedy]
    state = PortalState.OBSERVE_ONLY if portal.hubspot.mode is Mode.OBSERVE else PortalState.RUNNING
    daily = status.problem_kind is AlertKind.RATE_LIMITED_DAILY
    return Standing(state, Joined(said), status.problem_until if daily else None)


def _paused(status: PortalStatus) -> str:
    if status.paused_reason:
        reason = status.paused_reason.rstrip(".")
        return phrase("Paused by {name}: {reason}.", name=status.paused_by, reason=reason)
    return phrase("Paused by {name}.", name=status.paused_by)
