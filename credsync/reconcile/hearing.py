"""Wakes portals' loops for what other processes did: facts that came in, leases that were given back or ran out.

It listens on PostgreSQL and watches SQLite's counter of commits, and asks anyway every few seconds how all portals stand:
one statement for all of them, so that polling alone does as well. It runs in a thread of its own.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from credsync.store.database import Database
from credsync.store.listening import Listener, changes, listener
from credsync.store.standings import Standing, standings

_log = structlog.get_logger("credsync")

POLL = 2.5
"""Seconds between looks at how the portals stand."""
TICK = 0.02
"""Seconds between looks at SQLite's counter, which cost no statement."""
_REST = 9
"""After a look that SQLite's counter brought about, so many times as long nothing is looked at."""
_AGAIN_AFTER = (0.2, 1.0, 5.0)
"""Seconds until the next try to connect, longer each time."""
_DEAF_FOR = 300.0
"""Seconds until it is tried again where nothing could be heard."""
_A_LITTLE = 0.05
"""Seconds after a lease ran out."""

Waken = Callable[[float], None]
"""Wakes a portal's loop after so many seconds."""


class Hearing:
    """The ears of one process whose worker is `worker`. Without `listens` it only polls."""

    def __init__(
        self, database: Database, worker: str, wakes: Mapping[str, Waken], *, listens: bool = True
    ) -> None:
        self._database = database
        self._worker = worker
        self._wakes = wakes
        self._listens = listens
        self._deaf_until: float | None = None
        self._lost = 0

    def run(self, stop: threading.Event) -> None:
        """Hear until stopped; no failure ends it."""
        while not stop.is_set():
            try:
                if self._database.is_sqlite:
                    self._watch_commits(stop)
                elif self._listens and (self._deaf_until or 0.0) <= time.monotonic():
                    self._listen(stop)
                else:
                    stop.wait(POLL)
                    self._look()
            except (SQLAlchemyError, sqlite3.Error) as error:
                self._say_lost(error)
                stop.wait(_AGAIN_AFTER[min(self._lost, len(_AGAIN_AFTER)) - 1])
            else:
                self._lost = 0

    def _listen(self, stop: threading.Event) -> None:
        with listener(self._database.url) as ears:
            if not ears.hears():
                self._say_deaf()
                return
            if self._deaf_until is not None or self._lost:
                _log.info(
                    "listen.works", what="facts that come in through other processes wake rounds at once"
                )
            self._deaf_until, self._lost = None, 0
            self._wake(self._wakes)
            while not stop.is_set():
                self._hear(ears, stop)
                self._look()

    def _hear(self, ears: Listener, stop: threading.Event) -> None:
        ends = time.monotonic() + POLL
        while not stop.is_set() and (left := ends - time.monotonic()) > 0:
            self._wake(ears.announced(min(left, 0.5)))

    def _watch_commits(self, stop: threading.Event) -> None:
        assert self._database.url.database is not None
        with changes(self._database.url.database) as counter:
            looked = rest_until = 0.0
            while not stop.wait(TICK):
                now = time.monotonic()
                if now - looked >= POLL or (now >= rest_until and counter.came()):
                    self._look()
                    looked = time.monotonic()
                    rest_until = looked + _REST * (looked - now)

    def _look(self) -> None:
        """Wake whoever has something to do before the next look, when it is time."""
        now = self._database.clock.now()
        with self._database.read() as connection:
            found = standings(connection, self._wakes)
        for name, standing in found.items():
            due = None if standing.due is None else (standing.due - now).total_seconds()
            after = self._after(standing, due)
            if after is not None and after < POLL:
                self._wakes[name](after)

    def _after(self, standing: Standing, due: float | None) -> float | None:
        if standing.holder == self._worker:
            return None if due is None else max(0.0, due)
        return standing.held_for + _A_LITTLE if standing.holder is not None else 0.0

    def _wake(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._wakes:
                self._wakes[name](0.0)

    def _say_deaf(self) -> None:
        if self._deaf_until is None:
            _log.info(
                "listen.useless",
                what="what PostgreSQL is told to announce does not arrive, as behind a pooler in transaction mode",
                remedy="none needed: polling finds every fact within 2.5 s; `listen = false` asks no more",
            )
        self._deaf_until = time.monotonic() + _DEAF_FOR

    def _say_lost(self, error: Exception) -> None:
        if not self._lost:
            _log.warning(
                "listen.lost",
                error=type(error).__name__,
                remedy="none needed once the database answers: then everything is looked at again",
            )
        self._lost += 1
