"""The governor of one portal: every call to HubSpot passes it, so that HubSpot's own limits are never met.

Objects and associations have a window each (`seats`); who goes first is said by the lane (`lanes`). What HubSpot
tells of its limits in every answer is obeyed: the smaller of its figure and ours holds, and calls that others make
with the same limit are left room.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from credsync.hubspot.lanes import current_lane
from credsync.hubspot.limits_told import LimitsTold
from credsync.hubspot.paths import Bucket
from credsync.hubspot.seats import Clock, Seat, Seats, Sleep

__all__ = ["WINDOW", "Clock", "LimitDiffers", "Pacing", "Sleep"]

WINDOW = 10.0
SAFETY = 0.005
"""Part of the window added on top, for clocks that do not run quite alike."""


@dataclass(frozen=True, slots=True)
class LimitDiffers:
    """HubSpot names another limit than the portal file: calls in `interval` seconds."""

    bucket: Bucket
    configured: int
    told: int
    interval: float


class Pacing:
    """The limits of one portal, in calls per 10 s; `left_alone` of each are for somebody else.

    `speed` is how many times faster than real time HubSpot's own limits run (a sandbox's): windows and pauses
    are divided by it. `pause` takes seconds of HubSpot's time, `paused_for` gives them.
    """

    def __init__(
        self,
        calls_per_10s: int = 190,
        association_calls_per_10s: int = 150,
        *,
        left_alone: int = 0,
        speed: float = 1.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        if calls_per_10s < 1 or association_calls_per_10s < 1:
            raise ValueError("a rate limit is at least one call in ten seconds")
        if not speed > 0:
            raise ValueError("speed is a number above zero")
        self.speed = speed
        self._left_alone = left_alone
        self._configured = {Bucket.OBJECTS: calls_per_10s, Bucket.ASSOCIATIONS: association_calls_per_10s}
        self._told: dict[Bucket, LimitsTold] = {}
        self._seats = {
            bucket: Seats(max(1, calls - left_alone), self._window(WINDOW), clock, sleep)
            for bucket, calls in self._configured.items()
        }

    @asynccontextmanager
    async def seat(self, bucket: Bucket) -> AsyncIterator[Seat]:
        """Wait for a seat, in the lane of whoever asks; it is held until a window after the call was answered."""
        seats = self._seats[bucket]
        seat = await seats.take(current_lane())
        try:
            yield seat
        finally:
            seats.answered(seat)

    def heard(self, bucket: Bucket, seat: Seat, told: LimitsTold) -> None:
        """The answer to this call has begun, and told so much of the limits."""
        seats = self._seats[bucket]
        seats.answered(seat)
        if told.most is None:
            return
        before = self._told.get(bucket)
        if before is None or (before.most, before.interval) != (told.most, told.interval):
            configured = max(1, int(self._configured[bucket] * told.interval / WINDOW))
            left_alone = -int(-self._left_alone * told.interval // WINDOW)
            seats.change(max(1, min(configured, told.most) - left_alone), self._window(told.interval))
        self._told[bucket] = told
        if told.left is not None:
            seats.used_elsewhere(seat, told.most, told.left, told.interval / self.speed)

    def differing(self) -> list[LimitDiffers]:
        """Where HubSpot names another limit than ours."""
        return [
            LimitDiffers(bucket, self._configured[bucket], told.most, told.interval)
            for bucket, told in self._told.items()
            if told.most is not None and told.most * WINDOW != self._configured[bucket] * told.interval
        ]

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """Seat nobody for so long. A shorter pause does not end a longer one."""
        self._seats[bucket].pause(seconds / self.speed)

    def paused_for(self, bucket: Bucket) -> float:
        """What is left of the pause, zero when there is none."""
        return self._seats[bucket].paused_for() * self.speed

    def _window(self, seconds: float) -> float:
        return seconds * (1 + SAFETY) / self.speed
