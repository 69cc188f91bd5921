"""One seed on a database of its own, on SQLite or PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import structlog

from credsync.logs import where_it_failed
from credsync.store.database import Database
from credsync.store.schema import upgrade
from storm.callers import CANARY
from storm.loop import StandsStillError, run
from storm.scene import Outcome, Scene
from tests.databases import PostgresServer

Fresh = Callable[[], AbstractContextManager[str]]
"""Gives the URL of a new, migrated database, and takes it back."""
OUR_FAULTS = frozenset({"round.failed", "turn.failed", "sweep.failed", "alerts.failed", "database.failed"})
"""Lines that the service writes of itself alone: no HubSpot and no network may lead to any."""
_in_the_log: list[str] = []


def storm(seed: int, fresh: Fresh, scene: Callable[[int, str], Scene] = Scene) -> Outcome:
    """One seed's storm; what the service logs meanwhile is searched, not shown."""
    _in_the_log.clear()
    with fresh() as url:
        made = scene(seed, url)
        try:
            outcome = run(made.time, made.run)
        except StandsStillError as error:
            outcome = made.outcome
            made.wrong(str(error))
    outcome.wrongs += _in_the_log
    return outcome


def listen() -> None:
    """From now on log lines are searched and dropped."""

    def searched(_logger: Any, name: str, line: Any) -> Any:
        event = line.get("event")
        if CANARY in repr(line):
            _in_the_log.append(f"a canary is in the log line {name} {event}")
        if event in OUR_FAULTS:
            told = where_it_failed(_logger, name, dict(line))
            _in_the_log.append(f"the service says {event}: {told.get('error')} at {told.get('passed')}")
        raise structlog.DropEvent

    structlog.configure(processors=[searched], cache_logger_on_first_use=False)


def on_sqlite(folder: Path) -> Fresh:
    """Copies of one migrated file."""
    template, copy = folder / "template.db", folder / "storm.db"
    _migrate(f"sqlite:///{template}")

    @contextmanager
    def fresh() -> Iterator[str]:
        for ending in ("", "-wal", "-shm"):
            copy.with_name(copy.name + ending).unlink(missing_ok=True)
        shutil.copyfile(template, copy)
        yield f"sqlite:///{copy}"

    return fresh


def on_postgres(server: PostgresServer) -> Fresh:
    """Copies of one migrated database."""
    template = server.create_database()
    _migrate(server.url(template))

    @contextmanager
    def fresh() -> Iterator[str]:
        name = server.create_database(template)
        try:
            yield server.url(name)
        finally:
            server.drop_database(name)

    return fresh


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()
