"""One of HubSpot's rolling windows, kept on our side: who is seated, who waits, in which order they go.

HubSpot counts the calls it received in the last ten seconds. What we know is when a call was sent and when the first
of its answer was there; it was received somewhere between. So a call keeps its seat from the moment it is sent until
a window after that answer began, and no more are seated than the limit allows: then no window, wherever it begins
and however long calls travel, can hold more.

Lanes go strictly in their order (see `lanes`), within one in the order they came. `Lane.NOW` takes any free seat at
once. So do the others while the window is mostly empty; after that they go evenly, such that the free seats last until
the next becomes free, and whoever comes in `NOW` finds one. Evenly used seats become free evenly: nothing is lost by
it but the haste of the first window.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count, takewhile

import anyio

from credsync.hubspot.lanes import Lane

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]

AT_ONCE = 4
"""One part in so many of the limit goes at once in any lane."""
HASTE = 0.8
"""Lower lanes may go by so much sooner than evenly, since every timer is a little late."""


@dataclass(slots=True)
class Seat:
    """A seated call: when it was sent, and whether its answer has begun."""

    since: float
    answered: bool = False


@dataclass(slots=True, order=True)
class _Waiter:
    lane: Lane
    number: int
    gone: bool = field(default=False, compare=False)
    scope: anyio.CancelScope | None = field(default=None, compare=False)


class Seats:
    """The seats of one bucket. `window` is in seconds of this machine's clock, its margin included."""

    def __init__(
        self, limit: int, window: float, clock: Clock = time.monotonic, sleep: Sleep = anyio.sleep
    ) -> None:
        self.limit = limit
        self.window = window
        self._clock = clock
        self._sleep = sleep
        self._under_way = 0
        self._ended: deque[float] = deque()
        """When calls that still hold their seat were answered, oldest first."""
        self._past: deque[float] = deque()
        """The same of calls that lost it within the last window."""
        self._paused_until = float("-inf")
        self._last_even: float | None = None
        """When a call of a lower lane was last seated."""
        self._most = 0
        self._elsewhere = 0
        self._elsewhere_until = float("-inf")
        self._known_since = float("-inf")
        self._queue: list[_Waiter] = []
        self._numbers = count()

    async def take(self, lane: Lane) -> Seat:
        """Wait for a seat."""
        waiter = _Waiter(lane, next(self._numbers))
        heapq.heappush(self._queue, waiter)
        try:
            while (wait := self._wait(waiter)) != 0.0:
                with anyio.CancelScope() as waiter.scope:
                    await (anyio.sleep_forever() if wait is None else self._sleep(wait))
            self._under_way += 1
            now = self._clock()
            if lane is not Lane.NOW:
                self._last_even = now
            return Seat(now)
        finally:
            waiter.gone = True
            self._look_again()

    def answered(self, seat: Seat) -> None:
        """Its answer has begun, or it will get none: the seat is free a window from now. Twice is once."""
        if not seat.answered:
            seat.answered = True
            self._under_way -= 1
            self._ended.append(self._clock())
            self._look_again()

    def pause(self, seconds: float) -> None:
        """Seat nobody for so long. A shorter pause does not end a longer one."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def paused_for(self) -> float:
        """What is left of the pause, zero when there is none."""
        return max(0.0, self._paused_until - self._clock())

    def change(self, limit: int, window: float) -> None:
        """Another limit from now on."""
        self.limit, self.window = limit, window
        self._look_again()

    def used_elsewhere(self, seat: Seat, most: int, left: int, interval: float) -> None:
        """HubSpot said, to this call, that so many of so many calls are left.

        What is neither left nor ours was used by others with the same limit. So many seats are left to them until a
        window from now, or until a later call is told something else.
        """
        now = self._clock()
        self._forget(now)
        if seat.since < self._known_since or now - seat.since > self.window:
            return
        counted_since = seat.since - interval
        ours = self._under_way + len(self._ended)
        ours += sum(1 for _ in takewhile(lambda ended: ended >= counted_since, reversed(self._past)))
        self._known_since = seat.since
        self._most, self._elsewhere = most, max(0, most - left - ours)
        self._elsewhere_until = now + self.window
        self._look_again()

    def _wait(self, waiter: _Waiter) -> float | None:
        """Seconds until it may go, as far as one can tell now; None until somebody else moves."""
        if self._queue[0] is not waiter:
            return None
        now = self._clock()
        self._forget(now)
        if self._paused_until > now:
            return self._paused_until - now
        taken = self._under_way + len(self._ended)
        elsewhere = self._elsewhere if now < self._elsewhere_until else 0
        free = min(self.limit, self._most - elsewhere if elsewhere else self.limit) - taken
        if free <= 0:
            changes = [self._elsewhere_until] if elsewhere else []
            changes += [self._ended[0] + self.window] if self._ended else []
            return min(changes) - now if changes else None
        if waiter.lane is Lane.NOW or taken < max(1, self.limit // AT_ONCE) or self._last_even is None:
            return 0.0
        next_free = self._ended[0] + self.window if self._ended else now + self.window
        gap = max(HASTE * self.window / self.limit, (next_free - self._last_even) / (free + 1))
        return max(0.0, self._last_even + gap - now)

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0] + self.window <= now:
            self._past.append(self._ended.popleft())
        while self._past and self._past[0] + 3 * self.window <= now:
            self._past.popleft()

    def _look_again(self) -> None:
        """Whoever is first in the queue judges anew."""
        while self._queue and self._queue[0].gone:
            heapq.heappop(self._queue)
        if self._queue and (scope := self._queue[0].scope) is not None:
            scope.cancel()
