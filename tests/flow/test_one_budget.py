"""One budget of HubSpot calls per portal over all processes: two workers and an API that asks, at a tight limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from credsync.store.database import Database
from credsync.store.live_reads import SEATS
from credsync.store.tables import leases
from storm.real.stage import SPREAD, Stage
from tests.databases import PostgresServer
from tests.flow.caller import someone
from tests.flow.forms import street
from tests.flow.processes import until

WINDOW = 10.0
"""Seconds: longer than a portal takes to change hands, so that one window has calls of several owners."""
OBJECTS, ASSOCIATIONS = 26, 20


@pytest.fixture
def stage(tmp_path: Path, postgres: PostgresServer, migrated_postgres: str) -> Iterator[Stage]:
    """An API and two workers, and a HubSpot whose limits are soon met."""
    url = postgres.url(postgres.create_database(migrated_postgres))
    with closing(Stage(tmp_path, url, SPREAD, speed=1.0, limits=(OBJECTS, ASSOCIATIONS))) as made:
        yield made


def owner(stage: Stage) -> int | None:
    """The id of the process that holds the portal, if it runs."""
    with closing(Database(stage.environment["CREDSYNC_DATABASE_URL"])) as database, database.read() as read:
        found = read.execute(select(leases.c.owner).where(leases.c.name == "portal:demo")).scalar()
    number = int(found.split(":")[1]) if found else 0
    return number if number in stage.processes() else None


def calls(stage: Stage) -> list[dict[str, Any]]:
    """The service's own calls, in order."""
    own = [r for r in stage.requests() if r["correlation_id"] not in stage.by_people]
    return sorted(own, key=lambda r: r["sandbox_at"])


def most_in_a_window(moments: list[float]) -> int:
    """Of the rolling windows that end with a call, the fullest."""
    return max(sum(1 for at in moments if end - WINDOW < at <= end) for end in moments)


def ask(stage: Stage, therapists: list[str], over: threading.Event) -> None:
    """What people ask of HubSpot beside the rounds, one question after the other."""
    with httpx2.Client(base_url=stage.api.base_url, headers=stage.api.headers, timeout=30) as api:
        while not over.is_set():
            for therapist in therapists:
                api.get(f"/v1/therapists/{therapist}/diff")


def test_no_window_holds_more_calls_than_hubspot_allows_whoever_makes_them(stage: Stage) -> None:
    """One budget of HubSpot calls per portal over all processes: rounds, questions, and whoever takes the portal over.

    Facts wake a round each, and the API asks beside them, while the portal changes hands: by SIGTERM at once, by kill -9
    when the lease has run out.
    """
    therapists = [someone() for _ in range(3)]
    for therapist in therapists:
        stage.sign_up(therapist, stage.contact(delay="0s"))
        stage.submit(therapist, street("1 Elm St"))
    for therapist in therapists:
        stage.until_state(therapist, "in_sync")
    number = count(2)

    def load(seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            at = next(number)
            stage.submit(therapists[at % 3], street(f"{at} Elm St"))

    over = threading.Event()
    asking = threading.Thread(target=ask, args=(stage, therapists, over))
    asking.start()
    try:
        for end in (stage.end_in_order, stage.kill):
            load(3)
            before = until(lambda: owner(stage), 20, "an owner")
            end(stage.processes()[before])
            until(lambda before=before: owner(stage) not in (None, before), 20, "another owner")
        load(3)
    finally:
        over.set()
        asking.join()

    made = calls(stage)
    assert [(r["call"], r["sandbox_at"]) for r in made if r["status"] == 429] == []
    for kind, most in (("associations", ASSOCIATIONS), ("", OBJECTS)):
        moments = [
            datetime.fromisoformat(r["sandbox_at"]).timestamp()
            for r in made
            if (r["kind"] == "associations") == (kind == "associations")
        ]
        assert most_in_a_window(moments) <= most
        if kind:
            assert most_in_a_window(moments) >= most - SEATS - 2, "the limit was what bound"
