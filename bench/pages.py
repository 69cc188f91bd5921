"""How long the console's pages take a server that has 100,000 therapists, and how much a browser fetches for them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from sqlalchemy import func, select

from bench.filling import fill
from bench.ground import ground
from bench.portal import NAME
from bench.processes import start_service
from bench.report import Row, percentile
from credsync.core.people import Role
from credsync.operate.find import cursor_after
from credsync.store import people, schema, sessions
from credsync.store.database import Database
from credsync.store.tables import therapists
from tests.databases import own_server

TIMES: Final = 30
"""Requests of each page, one after the other."""
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

    on: str
    therapists: int
    pages: Sequence[Page]


def measure(crowd: int = 100_000, times: int = TIMES, on: str = "sqlite") -> Pages:
    """Fill the database, start a real service whose portal is paused, and ask for each page as an admin."""
    with ExitStack() as undo:
        here = undo.enter_context(ground())
        url = undo.enter_context(_database_url(on, here.folder))
        with closing(Database(url)) as database:
            schema.upgrade(database)
            fill(database, here, crowd)
            session, one = _signed_in(database)
        running = undo.enter_context(start_service(here.folder, here.sandbox, {"database_url": url}))
        client = undo.enter_context(
            httpx2.Client(base_url=running.service.url, cookies={"credsync": session}, timeout=60)
        )
        token = {"Authorization": f"Bearer {running.token}"}
        pages = [_ask(client, what, path, times) for what, path in _paths(one)]
        pages += [_ask(client, what, path, times, token) for what, path in _calls(one)]
    return Pages(on, crowd, pages)


@contextmanager
def _database_url(on: str, folder: Path) -> Iterator[str]:
    """An empty database on disk, of a server of its own where it is PostgreSQL."""
    if on == "sqlite":
        yield f"sqlite:///{folder}/credsync.db"
        return
    with own_server() as server:
        yield server.url(server.create_database())


def _paths(one: str) -> Sequence[tuple[str, str]]:
    slot = "credentialing_active_attested"
    return (
        ("Today", "/"),
        ("therapists", "/therapists"),
        ("  who waits", "/therapists?state=waiting"),
        ("  who waits for a slot", f"/therapists?state=waiting&slot={slot}&portal={NAME}"),
        ("  for a reason, for a week", "/therapists?reason=two_records_in_slot&longer_than=7d"),
        ("  of one slot for a day", f"/therapists?slot={slot}&longer_than=1d"),
        ("  where nobody is left", f"/therapists?state=refused&slot={slot}"),
        ("  a late page", f"/therapists?state=in_sync&after={cursor_after(one)}"),
        ("  by a name that few have", "/therapists?q=cordunel+fer"),
        ("  by a name that many have", "/therapists?q=go"),
        ("  by a name that nobody has", "/therapists?q=nobody+has+this"),
        ("a therapist", f"/therapists/{one}"),
        ("the report", f"/therapists/{one}/report?format=json"),
        ("workflows", "/workflows"),
        ("one workflow", f"/workflows/{NAME}/{slot}"),
        ("alerts", "/alerts"),
        ("settings", "/settings"),
        ("people", "/people"),
        ("audit", "/audit"),
        ("sessions", "/sessions"),
    )


def _calls(one: str) -> Sequence[tuple[str, str]]:
    slot = "credentialing_active_attested"
    return (
        ("GET /v1/therapists", "/v1/therapists"),
        ("  by state and slot", f"/v1/therapists?state=waiting&slot={slot}"),
        ("  with counts", "/v1/therapists?state=overdue&counts=true"),
        ("  by name", "/v1/therapists?q=dunil"),
        ("GET /v1/therapists/{uuid}", f"/v1/therapists/{one}"),
        ("  /packet", f"/v1/therapists/{one}/packet"),
        ("GET /v1/events", "/v1/events"),
        ("GET /v1/delays", "/v1/delays"),
        ("GET /v1/alerts", "/v1/alerts"),
        ("GET /metrics", "/metrics"),
    )


def _signed_in(database: Database) -> tuple[str, str]:
    """A session of an admin, and the id of whoever stands in the middle of the list."""
    with database.write() as connection:
        now = database.clock.now()
        admin = people.add_person(connection, "bench@example.org", Role.ADMIN, "bench", now)
        secret = sessions.open_session(connection, admin, "127.0.0.1", "bench", now)
        middle = connection.execute(select(func.count()).select_from(therapists)).scalar_one() // 2
        one = connection.execute(
            select(therapists.c.id).order_by(therapists.c.id).offset(middle).limit(1)
        ).scalar_one()
    return secret, str(one)


def _ask(
    client: httpx2.Client, what: str, path: str, times: int, headers: Mapping[str, str] | None = None
) -> Page:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path, headers=headers or {"Accept": "text/html"})
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
            f"the console's slowest page ({slowest.what.strip()}) of {found.therapists:,} therapists, {found.on}",
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
