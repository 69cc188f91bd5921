"""An event loop whose time jumps to the next timer instead of waiting for it: hours pass in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio

_T = TypeVar("_T")
MANY = 20_000
"""Turns of the loop at one moment: some hundred are usual, and nobody does so much without waiting."""
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When storms begin."""


class VirtualTime:
    """Seconds since the start; a clock for whoever wants moments. It begins `after` so many seconds."""

    def __init__(self, after: float = 0.0) -> None:
        self.seconds = 0.0
        self._start = START + timedelta(seconds=after)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.seconds

    def now(self) -> datetime:
        """The moment, in whole microseconds as a clock tells them."""
        return self._start + timedelta(seconds=round(self.seconds, 6))

    def timestamp(self) -> float:
        """The moment as seconds since 1970."""
        return self.now().timestamp()


class SkewedClock:
    """A process's own clock: ahead of, or behind, the true one."""

    def __init__(self, time: VirtualTime, ahead: timedelta) -> None:
        self._time = time
        self._ahead = ahead

    def now(self) -> datetime:
        """What that process takes for the moment."""
        return self._time.now() + self._ahead


FROZEN_UNTIL: ContextVar[Callable[[], float]] = ContextVar("FROZEN_UNTIL")
"""Gives the second until which the process stands still whose tasks run in this context."""


class StandsStillError(AssertionError):
    """Somebody goes round and round, and time does not go on."""


class _Jumping(selectors.DefaultSelector):
    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self._turns = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        self._turns += 1
        if not ready and timeout is not None and timeout > 0:
            self._time.seconds += timeout
            self._turns = 0
        if self._turns > MANY:
            self._turns = 0
            raise StandsStillError(f"time stands still at {self._time.now()}")
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """Its time is virtual, and no timer of a process goes off while that stands still: all that are due do afterwards."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__(_Jumping(time))
        self.time = time.monotonic  # type: ignore[method-assign]

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        until = context.get(FROZEN_UNTIL)
        if until is None:
            return super().call_at(when, callback, *args, context=context)
        made: list[asyncio.TimerHandle] = []

        def goes_off() -> None:
            if self.time() < until():
                super(_Loop, self).call_at(until(), goes_off, context=context)
            elif not made[0].cancelled():
                callback(*args)

        made.append(super().call_at(when, goes_off, context=context))
        return made[0]


def run(time: VirtualTime, work: Callable[[], Awaitable[_T]]) -> _T:
    """Run to the end in virtual time. Nothing in it may wait for a thread or a socket.

    Raises `StandsStillError` where somebody does not wait at all.
    """
    return anyio.run(work, backend="asyncio", backend_options={"loop_factory": lambda: _Loop(time)})
