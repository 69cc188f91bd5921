"""The rounds of a portal that are in flight: at most three, each on therapists of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio

from credsync.hubspot.edge import Names
from credsync.reconcile.report import RoundReport
from credsync.store.cases import Taken

MOST = 3
"""While one waits for HubSpot another works; more would only hold more in memory."""
PATIENCE = 2.0
"""Seconds that others who are due wait for the round before them, to go together; a full one is not waited for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A round that is over: what it did, with which names it began, and its seconds."""

    report: RoundReport
    names: Names
    seconds: float


class Flights:
    """One portal's, in the process that owns it. `clock` gives seconds, as the loop's own time does."""

    def __init__(self, clock: Callable[[], float], speed: float = 1.0) -> None:
        self._clock = clock
        self._patience = PATIENCE / speed
        self._under_way: dict[int, Taken] = {}
        self._numbers = 0
        self._next_from = 0.0
        self._ended: list[Ended] = []
        self._landing: anyio.Event | None = None

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._under_way)

    @property
    def taken(self) -> Taken:
        """What they have taken, all together."""
        each = self._under_way.values()
        return Taken(
            frozenset[str]().union(*(taken.therapists for taken in each)),
            frozenset[str]().union(*(taken.woken for taken in each)),
        )

    def next_in(self, most: int = MOST) -> float | None:
        """Seconds until another may begin; None while so many are under way that one must end first."""
        if not self._under_way:
            return 0.0
        if len(self._under_way) >= most:
            return None
        return max(0.0, self._next_from - self._clock())

    def began(self, taken: Taken, *, full: bool) -> int:
        """One begins; gives the number to call when it ends."""
        self._numbers += 1
        self._under_way[self._numbers] = taken
        self._next_from = self._clock() + (0.0 if full else self._patience)
        return self._numbers

    def gone(self, number: int) -> None:
        """It is under way no more, however it ended."""
        del self._under_way[number]

    def ended(self, ended: Ended) -> bool:
        """Keep what one did until the owner takes it in; whether somebody waited for the `landing`."""
        self._ended.append(ended)
        if self._landing is None:
            return False
        self._landing.set()
        return True

    def take_ended(self) -> list[Ended]:
        """What ended since the last time, in that order."""
        ended, self._ended = self._ended, []
        return ended

    async def landing(self, seconds: float) -> None:
        """Until one ends, at most so long."""
        if self._ended:
            return
        self._landing = anyio.Event()
        try:
            with anyio.move_on_after(seconds):
                await self._landing.wait()
        finally:
            self._landing = None
