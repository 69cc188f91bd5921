"""How many calls a portal has left, for the worker that owns it: kept in the database, told in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from sqlalchemy import Connection

from credsync.hubspot.daily import DailyCalls
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import LimitDiffers
from credsync.hubspot.paths import Bucket
from credsync.operate.kept_names import kept_time_zone
from credsync.operate.limits import say_differing, say_stopped
from credsync.store.daily_calls import CallsMade, add_calls, calls_on, stops_of

_log = structlog.get_logger("credsync")


@dataclass(slots=True)
class Allowance:
    """One portal's."""

    edge: Edge
    _said: frozenset[LimitDiffers] = field(default_factory=frozenset)

    def restore(self, connection: Connection) -> None:
        """Go on with what was counted of the account's day before, and with HubSpot's word to stop, whoever had it."""
        daily = self.edge.client.daily
        zone = kept_time_zone(connection, self.edge.portal.name)
        if zone:
            with suppress(ZoneInfoNotFoundError, ValueError, OSError):
                daily.zone = ZoneInfo(zone)
        kept = calls_on(connection, self.edge.portal.name, daily.day)
        made = {bucket: kept[bucket.value] for bucket in Bucket if bucket.value in kept}
        allowed = {bucket: each.allowed for bucket, each in made.items() if each.allowed is not None}
        calls = {bucket: each.calls for bucket, each in made.items()}
        stops = stops_of(connection, self.edge.portal.name)
        stopped = {bucket: stops[bucket.value] for bucket in Bucket if bucket.value in stops}
        daily.restore(DailyCalls(daily.day, calls, allowed, stopped))

    @property
    def has_uncounted(self) -> bool:
        """Whether calls were made that are not kept yet."""
        return self.edge.client.daily.has_unsaved

    @contextmanager
    def counted(self) -> Iterator[Callable[[Connection], None]]:
        """Gives what adds the calls made since the last time to those that are kept; a failure forgets none."""
        daily = self.edge.client.daily
        taken = daily.take_unsaved()

        def keep(connection: Connection) -> None:
            if taken is not None:
                made = {
                    bucket.value: CallsMade(
                        taken.calls.get(bucket, 0), taken.allowed.get(bucket), taken.stopped.get(bucket)
                    )
                    for bucket in (*taken.calls, *(each for each in taken.stopped if each not in taken.calls))
                }
                add_calls(connection, self.edge.portal.name, taken.day, made)

        try:
            yield keep
        except BaseException:
            daily.give_back(taken)
            raise

    def over_for_today(self) -> tuple[str, datetime] | None:
        """Why nothing goes on, and until when: the account's midnight at the latest. None while calls are left."""
        daily = self.edge.client.daily
        stopped = daily.stopped_anywhere()
        return None if stopped is None else (say_stopped(stopped, str(daily.zone)), stopped.until)

    def say_differences(self) -> None:
        """Log once where HubSpot names another limit than the portal file."""
        found = frozenset(self.edge.client.pacing.differing())
        for each in sorted(found - self._said, key=lambda one: one.bucket):
            what, remedy = say_differing(each)
            _log.warning("limit.differs", portal=self.edge.portal.name, what=what, remedy=remedy)
        self._said |= found
