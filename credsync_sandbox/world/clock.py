"""The sandbox's own time, which can run faster than the wall's and be moved forward.

`now()` drives delays and limits. What HubSpot's answers report (createdAt and so on) is the wall's time, because the
service compares it with its own clock: `wall_of` says at which wall moment a sandbox moment was reached.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable


class Clock:
    """`now = start + elapsed * speed + advanced`. Speed 0 stands still and moves only by `advance`."""

    def __init__(
        self,
        speed: float = 1.0,
        start: float | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`start`: the sandbox moment to begin at (a restart goes on where it stopped); else the wall's."""
        if speed < 0:
            raise ValueError("speed must be 0 or more")
        self.speed = speed
        self._wall = wall
        self._monotonic = monotonic
        self._reached = [round(wall() if start is None else start, 6)]
        """Sandbox moments at which a stretch begins: the start, then one for each advance."""
        self._since = [monotonic()]
        """The monotonic moment of each of them."""

    def now(self) -> float:
        """The sandbox moment, in whole microseconds, so that advances add up to what a reader expects."""
        return round(self._reached[-1] + (self._monotonic() - self._since[-1]) * self.speed, 6)

    def seconds(self) -> float:
        """Seconds that only measure spans, of the wall's time."""
        return self._monotonic()

    def wall(self) -> float:
        """The wall moment."""
        return self._wall()

    def advance(self, seconds: float) -> float:
        """Move sandbox time forward at once; returns the new sandbox moment."""
        moment = round(self.now() + seconds, 6)
        self._since.append(self._monotonic())
        self._reached.append(moment)
        return moment

    def wall_of(self, moment: float) -> float:
        """The wall moment at which sandbox time reached (or, at this speed, will reach) `moment`.

        A moment that an advance leapt over was reached when that advance was made. Infinity: never at this speed.
        """
        stretch = max(bisect_right(self._reached, moment) - 1, 0)
        ahead = moment - self._reached[stretch]
        at = self._since[stretch]
        if self.speed > 0:
            at += ahead / self.speed
        elif ahead > 0:
            at = math.inf
        if stretch + 1 < len(self._since):
            at = min(at, self._since[stretch + 1])
        return self._wall() + at - self._monotonic()

    def leap(self) -> float:
        """Sandbox seconds gained by advances and speed over the wall, for `/_sandbox/time`."""
        return self.now() - self._wall()
