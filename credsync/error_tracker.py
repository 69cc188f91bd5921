"""Sends what is logged as an error to a Sentry-compatible tracker: which event, where it failed, never what was in it.

One issue per event, error and place, and each at most once in a while: a fault that repeats must not fill the tracker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import sentry_sdk
from structlog.typing import EventDict, Processor

AGAIN_AFTER = 300.0
"""Seconds until the same is told again."""
_MOST_KNOWN = 1_000
_LEVELS = frozenset({"error", "critical", "exception"})
_TOLD = ("error", "cause", "remedy", "problem", "portal", "kind", "route", "method", "instance")
"""Fields of a log line that may leave. None of them holds an id of a person or a value."""


class BadDsn(ValueError):
    """The setting is no DSN; the message says what one looks like."""

    def __init__(self) -> None:
        super().__init__("sentry_dsn is no DSN: write https://key@host/project")


class ErrorTracker:
    """Tells of error lines. `close` waits a little for what is still to be sent."""

    def __init__(self, dsn: str, release: str, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            self._client = sentry_sdk.Client(
                dsn=dsn,
                release=f"credsync@{release}",
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                include_source_context=False,
                max_breadcrumbs=0,
                auto_session_tracking=False,
            )
        except sentry_sdk.utils.BadDsn:
            raise BadDsn from None
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[str, ...], float] = {}

    def processor(self) -> Processor:
        """What stands among the log's processors, after failures have been reduced to places."""

        def tell(_logger: object, _method: str, line: EventDict) -> EventDict:
            if line.get("level") in _LEVELS:
                self._tell(line)
            return line

        return tell

    def close(self) -> None:
        """Send what is waiting, for at most two seconds."""
        self._client.close(timeout=2.0)

    def _tell(self, line: Mapping[str, Any]) -> None:
        passed = [str(each) for each in line.get("passed", ())]
        what = (
            str(line.get("event", "")),
            str(line.get("portal", "")),
            str(line.get("error", "")),
            passed[-1] if passed else "",
        )
        if not self._is_news(what):
            return
        told = {name: str(line[name]) for name in _TOLD if line.get(name) is not None}
        self._client.capture_event(
            {
                "level": "fatal" if line["level"] == "critical" else "error",
                "logger": "credsync",
                "message": ": ".join(filter(None, (what[0], what[2]))),
                "fingerprint": list(what),
                "tags": {"event": what[0], "portal": what[1] or "none"},
                "extra": {**told, "passed": passed},
            }
        )

    def _is_news(self, what: tuple[str, ...]) -> bool:
        now = self._clock()
        with self._lock:
            last = self._told.get(what)
            if last is not None and now - last < AGAIN_AFTER:
                return False
            if len(self._told) >= _MOST_KNOWN:
                self._told.clear()
            self._told[what] = now
            return True
