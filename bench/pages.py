"""How long the console's pages take a server that has 100,000 therapists, and how much a browser fetches for them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx2
from sqlalchemy import func, select, update

from bench.crowd import copy_everybody
from bench.ground import ground
from bench.one_round import LATE, apply_all, new_database
from bench.portal import NAME
from bench.processes import start_service
from bench.report import Row, percentile
from credsync.core.people import Role
from credsync.store import people, sessions
from credsync.store.database import Database
from credsync.store.tables import links, therapists

TIMES: Final = 30
"""Requests of each page, one after the other."""
FIRST: Final = 1_000
"""Therapists who came by intake; the rest are theirs once more."""
_ASSET: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')
MOST_MS: Final = 150.0
MOST_MS_OF_A_MILLION: Final = 300.0
MOST_BYTES: Final = 150_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page's figures; `seconds` of every request, `bytes` with all that it needs, as the network carries it."""

    what: str
    seconds: Sequence[float]
    bytes: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Every page, with so many therapists in the database."""

    therapists: int
    pages: Sequence[Page]


def measure(crowd: int = 100_000, times: int = TIMES) -> Pages:
    """Make the crowd, start a real service whose portal is paused, and ask for each page as an admin."""
    first = min(FIRST, crowd)
    with ground() as on:
        with new_database(on.folder) as database:
            apply_all(database, on.portal, dict(enumerate(on.judge.make_contacts(first, LATE))))
            copy_everybody(database, crowd // first - 1)
            _settle(database)
            session, one = _signed_in(database)
        with (
            start_service(on.folder, on.sandbox, {}) as running,
            httpx2.Client(base_url=running.service.url, cookies={"credsync": session}, timeout=60) as client,
        ):
            pages = [_ask(client, what, path, times) for what, path in _paths(one)]
    return Pages(crowd, pages)


def _paths(one: str) -> Sequence[tuple[str, str]]:
    return (
        ("Today", "/"),
        ("therapists", "/therapists"),
        ("  who waits", "/therapists?state=waiting"),
        (
            "  who waits for a slot",
            f"/therapists?state=waiting&slot=credentialing_active_attested&portal={NAME}",
        ),
        ("  by name", "/therapists?q=nobody+has+this"),
        ("a therapist", f"/therapists/{one}"),
        ("the report", f"/therapists/{one}/report?format=json"),
        ("workflows", "/workflows"),
        ("one workflow", f"/workflows/{NAME}/credentialing_active_attested"),
        ("alerts", "/alerts"),
        ("settings", "/settings"),
        ("people", "/people"),
        ("audit", "/audit"),
    )


def _settle(database: Database) -> None:
    """All but the first copy, one in a hundred of 100,000, are in step with their records found."""
    with database.write() as connection:
        number = func.substr(therapists.c.id, 7, 2)
        done = therapists.c.id.in_(select(therapists.c.id).where(number != "01"))
        connection.execute(
            update(links)
            .where(links.c.therapist_id.in_(select(therapists.c.id).where(done)))
            .values(
                state="found", reason="", record_id=func.substr(links.c.therapist_id, 1, 8), next_look_at=None
            )
        )
        connection.execute(update(therapists).where(done).values(state="in_sync", reason="", due_at=None))


def _signed_in(database: Database) -> tuple[str, str]:
    """A session of an admin, and somebody's id."""
    with database.write() as connection:
        now = database.clock.now()
        admin = people.add_person(connection, "bench@example.org", Role.ADMIN, "bench", now)
        secret = sessions.open_session(connection, admin, "127.0.0.1", "bench", now)
        one = connection.execute(select(func.max(therapists.c.id))).scalar_one()
    return secret, str(one)


def _ask(client: httpx2.Client, what: str, path: str, times: int) -> Page:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path, headers={"Accept": "text/html"})
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    needed = sorted(set(_ASSET.findall(answer.text)))
    weight = len(answer.content) + sum(len(client.get(each).content) for each in needed)
    return Page(what, seconds, weight)


def rows(found: Pages) -> list[Row]:
    """The lines of the table."""
    most = MOST_MS if found.therapists <= 100_000 else MOST_MS_OF_A_MILLION
    slowest = max(found.pages, key=lambda page: percentile(page.seconds, 0.95))
    heaviest = max(found.pages, key=lambda page: page.bytes)
    slow = percentile(slowest.seconds, 0.95) * 1e3
    return [
        Row(
            f"the console's slowest page ({slowest.what.strip()}) of {found.therapists:,} therapists",
            f"p95 {slow:,.0f} ms",
            target=f"<= {most:g} ms",
            met=slow <= most,
        ),
        Row(
            f"  its heaviest page ({heaviest.what.strip()}) with all it needs",
            f"{heaviest.bytes / 1e3:,.0f} kB",
            target=f"<= {MOST_BYTES / 1e3:g} kB",
            met=heaviest.bytes <= MOST_BYTES,
        ),
        *(
            Row(
                f"  {page.what}",
                f"p50 {percentile(page.seconds, 0.5) * 1e3:,.0f} ms, p95 {percentile(page.seconds, 0.95) * 1e3:,.0f} ms, "
                f"{page.bytes / 1e3:,.0f} kB",
            )
            for page in found.pages
        ),
    ]
