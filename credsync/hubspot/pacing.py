"""HubSpot's rate limits, kept on our side so that its own are never met.

HubSpot counts the calls it received in the last ten seconds. What we know is when a call was sent and when its
answer was there; it was received somewhere between. So a call takes a seat from the moment it is sent until ten
seconds after it ended, and no more are seated than the limit allows: then no window of ten seconds, wherever it
begins and however long calls travel, can hold more. Seats are given in the order they were asked for.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from credsync.hubspot.paths import Lane

WINDOW = 10.0
SAFETY = 0.02
"""Part of the window added on top, for clocks that do not run quite alike."""

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class Pacing:
    """The limits of one portal: one lane for objects, one for associations.

    `speed` is how many times faster than real time HubSpot's own limits run (a sandbox's): windows and pauses
    are divided by it. `pause` takes seconds of HubSpot's time, `paused_for` gives them.
    """

    def __init__(
        self,
        calls_per_10s: int = 190,
        association_calls_per_10s: int = 150,
        *,
        speed: float = 1.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        if calls_per_10s < 1 or association_calls_per_10s < 1:
            raise ValueError("a rate limit is at least one call in ten seconds")
        if not speed > 0:
            raise ValueError("speed is a number above zero")
        window = WINDOW * (1 + SAFETY) / speed
        self.speed = speed
        self._lanes = {
            Lane.OBJECTS: _Seats(calls_per_10s, window, clock, sleep),
            Lane.ASSOCIATIONS: _Seats(association_calls_per_10s, window, clock, sleep),
        }

    @asynccontextmanager
    async def seat(self, lane: Lane) -> AsyncIterator[None]:
        """Wait for a seat; it is held while the call is under way and for a window after it."""
        seats = self._lanes[lane]
        await seats.take()
        try:
            yield
        finally:
            seats.leave()

    def pause(self, lane: Lane, seconds: float) -> None:
        """Seat nobody for so long. A shorter pause does not end a longer one."""
        self._lanes[lane].pause(seconds / self.speed)

    def paused_for(self, lane: Lane) -> float:
        """What is left of the pause, zero when there is none."""
        return self._lanes[lane].paused_for() * self.speed


class _Seats:
    def __init__(self, limit: int, window: float, clock: Clock, sleep: Sleep) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._sleep = sleep
        self._under_way = 0
        self._free_at: deque[float] = deque()
        self._paused_until = float("-inf")
        self._queue = anyio.Lock()
        self._left = anyio.Event()

    async def take(self) -> None:
        async with self._queue:
            while (wait := self._wait()) is None or wait > 0:
                if wait is None:
                    self._left = anyio.Event()
                    await self._left.wait()
                else:
                    await self._sleep(wait)
            self._under_way += 1

    def leave(self) -> None:
        self._under_way -= 1
        self._free_at.append(self._clock() + self._window)
        self._left.set()

    def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def paused_for(self) -> float:
        return max(0.0, self._paused_until - self._clock())

    def _wait(self) -> float | None:
        """Seconds until the next seat, as far as one can tell now; None when every seat's call is still under way."""
        now = self._clock()
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        if self._paused_until > now:
            return self._paused_until - now
        if self._under_way + len(self._free_at) < self._limit:
            return 0.0
        return self._free_at[0] - now if self._free_at else None
