"""The calls of one day: our share of what the account may make, and when the day is over.

HubSpot resets its daily limits at midnight in the account's time zone. It tells the account's limit and what all apps
have left of it in every answer. Our own calls are counted here; whoever runs the portal keeps the count, and until when
HubSpot said stop, in the database (`take_unsaved`, `restore`), so that a new process goes on with both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from credsync.hubspot.limits_told import LimitsTold
from credsync.hubspot.paths import Bucket

ASSOCIATION_CALLS = 500_000
MARGIN = timedelta(seconds=5)
"""How long after midnight by our clock: HubSpot's may be behind it."""
_JUST_BEGUN = timedelta(minutes=10)
_ASK_AGAIN = timedelta(minutes=1)
_LONGEST = timedelta(hours=26)
"""No day is longer, whatever an answer says."""


@dataclass(frozen=True, slots=True)
class DailyCalls:
    """Our calls of one account's day, by bucket."""

    day: date
    calls: Mapping[Bucket, int]
    allowed: Mapping[Bucket, int] = field(default_factory=dict)
    """What the account may make, as HubSpot told it."""
    stopped: Mapping[Bucket, datetime] = field(default_factory=dict)
    """Until when HubSpot said that nothing is left, of any day."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A bucket is closed until `until`: used up by all apps of the account, or, with `share`, our part of it by us."""

    bucket: Bucket
    until: datetime
    share: float | None
    daily: int | None
    """The account's limit, if HubSpot told it."""


def until_next_day(now: datetime, zone: tzinfo) -> timedelta:
    """From `now` until the daily limits are reset.

    A limit that is said to be used up when the day has just begun is most likely yesterday's, told by a clock behind
    ours: then only a minute, so that a second's difference does not cost a day.
    """
    local = now.astimezone(zone)
    begun = datetime.combine(local.date(), time.min, zone).astimezone(UTC)
    if now - begun < _JUST_BEGUN:
        return _ASK_AGAIN
    return _until_midnight(now, zone)


def _until_midnight(now: datetime, zone: tzinfo) -> timedelta:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time.min, zone)
    return midnight.astimezone(UTC) - now.astimezone(UTC) + MARGIN


class Daily:
    """A portal's day. `share` is the part of the account's daily calls that we may make."""

    def __init__(
        self,
        share: float = 1.0,
        association_calls: int = ASSOCIATION_CALLS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._share = share
        self._association_calls = association_calls
        self._now = now
        self._zone: tzinfo = UTC
        self._day = self._today()
        self._made: Counter[Bucket] = Counter()
        self._unsaved: Counter[Bucket] = Counter()
        self._restored: DailyCalls | None = None
        self._keeps_count = False
        self._told: dict[Bucket, LimitsTold] = {}
        self._stopped: dict[Bucket, Stopped] = {}
        self._unsaved_stops: set[Bucket] = set()

    @property
    def zone(self) -> tzinfo:
        """The account's time zone; UTC until it is known."""
        return self._zone

    @zone.setter
    def zone(self, zone: tzinfo) -> None:
        self._zone = zone
        self._day = self._today()

    @property
    def day(self) -> date:
        """The account's present day."""
        self._turn_over()
        return self._day

    def count(self, bucket: Bucket) -> None:
        """A call is sent."""
        self._turn_over()
        self._made[bucket] += 1
        self._unsaved[bucket] += 1

    def made(self, bucket: Bucket) -> int:
        """Our calls of today."""
        self._turn_over()
        restored = self._restored
        before = restored.calls.get(bucket, 0) if restored is not None and restored.day == self._day else 0
        return before + self._made[bucket]

    def heard(self, bucket: Bucket, told: LimitsTold) -> None:
        """What an answer of this bucket told."""
        if told.daily is not None or told.daily_left is not None:
            self._told[bucket] = told
        if told.daily_left == 0:
            self.used_up(bucket)

    def used_up(self, bucket: Bucket, after: timedelta | None = None) -> timedelta:
        """HubSpot says that nothing is left, and perhaps for how long; gives how long."""
        now = self._now()
        closed_for = until_next_day(now, self._zone) if after is None else min(after, _LONGEST)
        self._unsaved_stops.add(bucket)
        self._stopped[bucket] = Stopped(bucket, now + closed_for, None, self.allowed_by_hubspot(bucket))
        return closed_for

    def stopped(self, bucket: Bucket) -> Stopped | None:
        """Whether no call may be made today any more."""
        now = self._now()
        by_hubspot = self._stopped.get(bucket)
        if by_hubspot is not None and now < by_hubspot.until:
            return by_hubspot
        most = self._ours(bucket)
        if most is None or self.made(bucket) < most:
            return None
        until = now + _until_midnight(now, self._zone)
        return Stopped(bucket, until, self._share, self.allowed_by_hubspot(bucket))

    def stopped_anywhere(self) -> Stopped | None:
        """The bucket that is closed for longest, if any is."""
        closed = [stopped for bucket in Bucket if (stopped := self.stopped(bucket)) is not None]
        return max(closed, key=lambda each: each.until, default=None)

    def seconds_left(self, stopped: Stopped) -> float:
        """Until it goes on."""
        return max(0.0, (stopped.until - self._now()).total_seconds())

    def allowed_by_hubspot(self, bucket: Bucket) -> int | None:
        """The account's daily limit; None before HubSpot told it."""
        told = self._told[bucket].daily if bucket in self._told else None
        if bucket is Bucket.ASSOCIATIONS:
            return min(told or self._association_calls, self._association_calls)
        return told

    @property
    def has_unsaved(self) -> bool:
        """Whether `take_unsaved` would give anything."""
        return bool(self._unsaved) and self._keeps_count

    def take_unsaved(self) -> DailyCalls | None:
        """What was counted since the last time, to be added to what is kept.

        None when there is nothing, or before `restore`.
        """
        self._turn_over()
        if not self._keeps_count or not (self._unsaved or self._unsaved_stops):
            return None
        allowed = {bucket: told.daily for bucket, told in self._told.items() if told.daily is not None}
        stopped = {bucket: self._stopped[bucket].until for bucket in self._unsaved_stops}
        taken = DailyCalls(self._day, dict(self._unsaved), allowed, stopped)
        self._unsaved, self._unsaved_stops = Counter(), set()
        return taken

    def give_back(self, taken: DailyCalls | None) -> None:
        """It could not be kept after all."""
        if taken is None:
            return
        self._unsaved_stops.update(taken.stopped)
        if taken.day == self._day:
            self._unsaved.update(taken.calls)

    def restore(self, kept: DailyCalls | None) -> None:
        """Begin with what is kept; what this process made is in it as far as it was taken."""
        self._restored = kept
        self._keeps_count = True
        for bucket, allowed in kept.allowed.items() if kept is not None else ():
            self._told.setdefault(bucket, LimitsTold(daily=allowed))
        for bucket, until in kept.stopped.items() if kept is not None else ():
            if bucket not in self._stopped or self._stopped[bucket].until < until:
                self._stopped[bucket] = Stopped(bucket, until, None, self.allowed_by_hubspot(bucket))
        self._made = Counter(self._unsaved)

    def _ours(self, bucket: Bucket) -> int | None:
        most = self.allowed_by_hubspot(bucket)
        return None if most is None else int(most * self._share)

    def _turn_over(self) -> None:
        today = self._today()
        if today != self._day:
            self._day = today
            self._made.clear()
            self._unsaved.clear()

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()
