"""Wakes portals of which a fact came in through another process; polling would find it a little later.

On PostgreSQL it listens, on SQLite it looks at the counter of commits. It runs in a thread of its own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from credsync.store.cases import next_due_at
from credsync.store.database import Database
from credsync.store.listening import Changes, changes, listener

_log = structlog.get_logger("credsync")

TICK = 0.02
"""Seconds between looks at SQLite's counter."""
_ENDS_WITHIN = 0.5
_AGAIN_AFTER = (0.2, 1.0, 5.0)
"""Seconds until the next try to listen, longer each time."""
_DEAF_FOR = 300.0
"""Seconds until it is tried again where nothing could be heard."""


class Hearing:
    """One process's ears; `wakes` has what wakes each portal's loop."""

    def __init__(self, database: Database, wakes: Mapping[str, Callable[[], None]]) -> None:
        self._database = database
        self._wakes = wakes
        self._deaf = False
        self._lost = 0

    def run(self, stop: threading.Event) -> None:
        """Hear until stopped; no failure ends it."""
        while not stop.is_set():
            try:
                again_after = self._look(stop) if self._database.is_sqlite else self._listen(stop)
            except (SQLAlchemyError, sqlite3.Error) as error:
                again_after = self._away(error)
            stop.wait(again_after)

    def _listen(self, stop: threading.Event) -> float:
        with listener(self._database.url) as ears:
            if not ears.hears():
                self._say_deaf()
                return _DEAF_FOR
            if self._deaf or self._lost:
                _log.info(
                    "listen.works", what="facts that come in through other processes wake rounds at once"
                )
            self._deaf, self._lost = False, 0
            self._wake(self._wakes)
            while not stop.is_set():
                self._wake(ears.announced(_ENDS_WITHIN))
        return 0.0

    def _look(self, stop: threading.Event) -> float:
        assert self._database.url.database is not None
        with changes(self._database.url.database) as counter:
            while not stop.wait(TICK):
                self._wake_due(counter)
        return 0.0

    def _wake_due(self, counter: Changes) -> None:
        if not counter.came():
            return
        now = self._database.clock.now()
        with self._database.read() as connection:
            soonest = {name: next_due_at(connection, name) for name in self._wakes}
        self._wake(name for name, due in soonest.items() if due is not None and due <= now)

    def _wake(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._wakes:
                self._wakes[name]()

    def _say_deaf(self) -> None:
        if not self._deaf:
            _log.info(
                "listen.useless",
                what="what PostgreSQL is told to announce does not arrive, as behind a pooler in transaction mode",
                remedy="none needed: polling finds every fact within 2.5 s; `listen = false` asks no more",
            )
        self._deaf = True

    def _away(self, error: Exception) -> float:
        if not self._lost:
            _log.warning(
                "listen.lost",
                error=type(error).__name__,
                remedy="none needed once the database answers: polling finds every fact meanwhile",
            )
        self._lost += 1
        return _AGAIN_AFTER[min(self._lost, len(_AGAIN_AFTER)) - 1]
