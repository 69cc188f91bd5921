"""HubSpot's limits, in sandbox time: rolling ten seconds, a second for search, and a day in the account's time zone.

Associations have a bucket and a day of their own. A refused call is not counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from credsync_sandbox.settings import Settings

ASSOCIATIONS = "associations"
TEN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a call may pass; if not, the policy it met and after how many sandbox seconds it may."""

    headers: dict[str, str]
    policy: str | None = None
    wait: float = 0.0


class Limits:
    """Counts calls in two buckets (associations, all else) and a third for search."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._recent: dict[bool, deque[float]] = {False: deque(), True: deque()}
        self._searches: deque[float] = deque()
        self._today: dict[bool, int] = {False: 0, True: 0}
        self._day_ends = 0.0

    def take(self, kind: str, now: float, *, search: bool = False) -> Taken:
        """Count a call at this sandbox moment, or say why not."""
        own = kind == ASSOCIATIONS
        settings = self._settings
        most = settings.association_calls_per_10s if own else settings.calls_per_10s
        daily = settings.daily_association_calls if own else settings.daily_calls
        recent = self._recent[own]
        _forget(recent, now - TEN_SECONDS)
        _forget(self._searches, now - 1.0)
        if now >= self._day_ends:
            self._today = {False: 0, True: 0}
            self._day_ends = next_midnight(now, settings.time_zone)
        policy, wait = None, 0.0
        if self._today[own] >= daily:
            policy, wait = "DAILY", self._day_ends - now
        elif len(recent) >= most:
            policy, wait = "TEN_SECONDLY_ROLLING", (recent[0] + TEN_SECONDS - now) if recent else TEN_SECONDS
        elif search and len(self._searches) >= settings.searches_per_s:
            policy, wait = "SECONDLY", self._searches[0] + 1.0 - now
        else:
            recent.append(now)
            self._today[own] += 1
            if search:
                self._searches.append(now)
        return Taken(
            {
                "X-HubSpot-RateLimit-Max": str(most),
                "X-HubSpot-RateLimit-Remaining": str(max(most - len(recent), 0)),
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
                "X-HubSpot-RateLimit-Daily": str(daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(daily - self._today[own], 0)),
            },
            policy,
            wait,
        )


def next_midnight(now: float, zone: str) -> float:
    """The next midnight of the account's time zone after this moment."""
    here = datetime.fromtimestamp(now, ZoneInfo(zone))
    tomorrow = (here + timedelta(days=1)).date()
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(zone)).timestamp()


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] <= before:
        moments.popleft()
