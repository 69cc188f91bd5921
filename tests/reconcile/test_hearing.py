"""A fact that came in through another process wakes the portal's owner, and so does whatever may have been missed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from credsync.reconcile.crew import Crew
from credsync.reconcile.hearing import Hearing
from credsync.store import intake, leases
from credsync.store.database import Database
from credsync.store.therapists import Door, Who

THERAPIST = "00000000-0000-4000-8000-000000000001"
ME = "this worker"
LONG = 20.0
postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def _set(event: threading.Event, after: float) -> None:
    if after == 0.0:
        event.set()


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Database]:
    """The database as another process has it open."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def woken(database_url: str) -> Iterator[Mapping[str, threading.Event]]:
    """Two portals' wakes, heard for in a thread."""
    database, stop = Database(database_url), threading.Event()
    events = {"alpha": threading.Event(), "beta": threading.Event()}
    with database.write() as connection:
        for name in events:
            assert leases.acquire(connection, f"portal:{name}", ME, 3600)
    hearing = Hearing(database, ME, {name: partial(_set, event) for name, event in events.items()})
    thread = threading.Thread(target=hearing.run, args=(stop,))
    thread.start()
    if not database.is_sqlite:
        assert all(event.wait(LONG) for event in events.values()), "once it hears, everything is looked at"
    for event in events.values():
        event.clear()
    yield events
    stop.set()
    thread.join(LONG)
    assert not thread.is_alive()
    database.close()


def test_a_fact_that_somebody_waits_for_wakes_its_portal_at_once(
    woken: Mapping[str, threading.Event], elsewhere: Database
) -> None:
    """Sync now: wakes at once on an event, committed together with what made it due. Nobody else is woken."""
    now = elsewhere.clock.now()
    door = Door(now, timedelta(hours=1))
    with elsewhere.write() as connection:
        intake.accept_therapist(connection, door, Who(THERAPIST, "alpha", "101"), None, now)
    assert not woken["alpha"].wait(0.1), "what may wait for company wakes nobody"
    with elsewhere.write() as connection:
        intake.accept_sync(connection, door, THERAPIST, "wanted", False, "a person")
    assert woken["alpha"].wait(LONG)
    assert not woken["beta"].is_set()


@postgresql
def test_after_every_reconnect_everything_is_looked_at(
    woken: Mapping[str, threading.Event], elsewhere: Database
) -> None:
    """A wake that was announced while nobody listened is lost; a rescan finds what it was for."""
    with elsewhere.write() as connection:
        gone = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'credsync listens' AND datname = current_database()"
            )
        )
        assert gone.scalars().all()
    assert all(event.wait(LONG) for event in woken.values())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_nobody_waits_for_a_dead_workers_lease(database_url: str) -> None:
    """Whoever holds the file's one place for a worker takes every portal at once, with a higher token."""
    database = Database(database_url)
    with database.write() as connection:
        dead = leases.acquire(connection, "portal:alpha", "killed", 3600)
    crew = Crew(database, timedelta(seconds=12))
    with crew.place(), database.write() as connection:
        taken = leases.acquire(connection, "portal:alpha", crew.name, 12)
    assert dead is not None
    assert taken is not None
    assert taken.token > dead.token
    database.close()
