"""A portal's alarm clock: set from any thread, waited for by its loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import anyio


class Wake:
    """Wakes a portal's loop from any thread, at once or soon; a wake before it listens is kept, many are one.

    `clock` gives seconds, as the loop's own time does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at: float | None = None
        self._listener: Callable[[], None] | None = None

    def set(self, after: float = 0.0) -> None:
        """Wake it after so many seconds, unless it is woken sooner anyway."""
        at = self._clock() + after
        with self._lock:
            if self._at is not None and self._at <= at:
                return
            self._at = at
            listener = self._listener
        if listener is not None:
            listener()

    async def wait(self, seconds: float) -> None:
        """Until woken, at most so long. The wake is taken on return, before anything is claimed."""
        latest = self._clock() + seconds
        while True:
            event = anyio.Event()
            with self._lock:
                at = latest if self._at is None else min(latest, self._at)
                self._listener = _setter(event)
            left = at - self._clock()
            if left > 0:
                with anyio.move_on_after(left):
                    await event.wait()
                    continue
            with self._lock:
                self._at = self._listener = None
            return


def _setter(event: anyio.Event) -> Callable[[], None]:
    """Sets the event from any thread without waiting for the loop; nothing once the loop is gone."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    return wake
