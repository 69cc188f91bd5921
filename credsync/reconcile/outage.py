"""Our own database while it fails: said when it begins and when it is over, and not in between."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from credsync.store.failing import Failing, failing, name_of

_log = structlog.get_logger("credsync")

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 5.0
"""Seconds before the next try, doubled from the first to the longest."""
_QUIET = 60.0
"""Seconds without a failure after which somebody who only stands by believes that it is over."""


class Outage:
    """One portal's view of it. `clock` gives seconds."""

    def __init__(self, portal: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._portal = portal
        self._clock = clock
        self._failures = 0
        self._last = 0.0

    def failed(self, error: BaseException) -> float:
        """Take note of a failure; gives the seconds to stay away."""
        self._failures += 1
        self._last = self._clock()
        if self._failures == 1:
            _log.error(
                "database.failed",
                portal=self._portal,
                error=name_of(error),
                remedy=f"{failing(error) or Failing.AWAY}; rounds go on by themselves when it works again",
            )
        return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._failures - 1))

    def over(self) -> None:
        """A whole turn was recorded."""
        if self._failures:
            _log.warning("database.answers", portal=self._portal, failures=self._failures)
            self._failures = 0

    def standing_by(self) -> None:
        """The database said that another process has the portal: it may still refuse what a round records."""
        if self._clock() - self._last > _QUIET:
            self.over()
