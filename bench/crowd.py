"""What it costs that 100,000 therapists wait: memory of the service, and a round of those who are due."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from sqlalchemy import Connection, Integer, Table, func, insert, literal, select

from bench import beside
from bench.ground import ground
from bench.one_round import HURRY, LATE, Meter, apply_all, logging_to, new_database
from bench.portal import NAME, SLOTS
from bench.processes import Stage, start_service
from bench.report import Row, median
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.reconcile import round as reconcile
from credsync.store import leases
from credsync.store.database import Database, Moment
from credsync.store.tables import links, sign_ups, submissions, therapists, writes

DUE = 1_000
ROUNDS = 5
MOST_RATIO = 1.3
MOST_MEGABYTES = 200
MOST_MEGABYTES_OF_A_MILLION = 300
_WATCHED = 20.0
"""Seconds that the service runs and is asked while its memory is watched."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of those who are due."""

    therapists: int
    seconds: float
    """Of processor time: others on the machine must not count."""
    statements: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was measured: rounds with few and with many in the database, and the service's most memory."""

    few: int
    many: int
    with_few: Sequence[Round]
    with_many: Sequence[Round]
    others: Mapping[str, beside.Cost]
    """What stands beside the rounds, with many: by name."""
    megabytes: float
    rounds_watched: int
    asked: int

    @property
    def ratio(self) -> float:
        """Of what a therapist costs in the median rounds."""
        many, few = (median(r.seconds / r.therapists for r in rounds) for rounds in self._rounds)
        return many / few

    @property
    def _rounds(self) -> tuple[Sequence[Round], Sequence[Round]]:
        return self.with_many, self.with_few


def measure(crowd: int = 100_000, due: int = DUE, watched: float = _WATCHED, few: int | None = None) -> Crowd:
    """Rounds of `few` therapists who are all there are, then of `due` among `crowd`; then a real service on that database.

    Without `few` those are the `due`.
    """
    few = due if few is None else few
    with ground() as on:
        portal, judge = on.portal, on.judge
        edge_at = portal.hubspot.base_url
        with new_database(on.folder) as database, logging_to(on.folder / "rounds.log"):
            apply_all(database, portal, dict(enumerate(judge.make_contacts(few, LATE))))
            with_few = anyio.run(_rounds, database, Edge(portal, HubSpotClient(edge_at, "a-token")), few)
            more = judge.make_contacts(due - few, LATE) if due > few else []
            apply_all(database, portal, dict(enumerate(more, few)))
            copy_everybody(database, crowd // due - 1)
            with_many = anyio.run(_rounds, database, Edge(portal, HubSpotClient(edge_at, "a-token")), due)
        with start_service(on.folder, on.sandbox, {}) as running:
            since = judge.last_call()
            asked = _ask_for(running, watched)
            seen = judge.calls(since).by_call.get("POST associations batch/read", 0)
            megabytes = running.service.most_megabytes()
        with new_database(on.folder) as database, logging_to(on.folder / "beside.log"):
            others = anyio.run(beside.costs, database, Edge(portal, HubSpotClient(edge_at, "a-token")))
        return Crowd(few, crowd, with_few, with_many, others, megabytes, seen // len(SLOTS), asked)


async def _rounds(database: Database, edge: Edge, due: int) -> list[Round]:
    """The first look makes everybody a waiting one; the rounds after it are alike."""
    meter = Meter()
    meter.watch(database)
    async with edge.client:
        names = await edge.names(database.clock.now())
        with database.write() as connection:
            lease = leases.acquire(connection, f"portal:{NAME}-{time.monotonic()}", "bench", 600)
        assert lease is not None
        turns = max(1, due // reconcile.MOST_THERAPISTS)
        for _ in range(turns):
            await reconcile.Round(database, edge, names, lease, HURRY).run()
        rounds = []
        for _ in range(max(ROUNDS, turns)):
            statements, began = meter.statements, time.process_time()
            report = await reconcile.Round(database, edge, names, lease, HURRY).run()
            rounds.append(
                Round(report.therapists, time.process_time() - began, meter.statements - statements)
            )
        return rounds


def copy_everybody(database: Database, times: int) -> None:
    """Everybody again, so many times, under other ids and due in a year: a crowd that waits as the first do."""
    with database.write() as connection:
        soonest = connection.execute(select(func.min(therapists.c.due_at))).scalar_one()
        later = soonest.replace(year=soonest.year + 1)
        for copy in range(1, times + 1):
            _copy(connection, therapists, copy, {"due_at": literal(later, Moment())})
            for table in (links, writes, sign_ups, submissions):
                _copy(connection, table, copy, {})


def _copy(connection: Connection, table: Table, copy: int, changed: Mapping[str, Any]) -> None:
    """The first generation of a table's rows once more; their therapists' ids begin with the copy's number."""
    owner = table.c.id if table is therapists else table.c.therapist_id
    number = f"{copy:08x}"
    new: dict[str, Any] = {owner.name: literal(number) + func.substr(owner, 9), **changed}
    if table is therapists:
        new["contact_id"] = literal(f"{copy}0") + therapists.c.contact_id
    kept = [c for c in table.c if c.name not in new and not (c.name == "id" and isinstance(c.type, Integer))]
    names = [c.name for c in kept] + list(new)
    values: list[Any] = [*kept, *new.values()]
    first = func.substr(owner, 1, 6) != "000000"
    connection.execute(insert(table).from_select(names, select(*values).where(first)))


def _ask_for(on: Stage, seconds: float) -> int:
    """Ask the service for pages, searches and statuses for a while, as people do; gives how often."""
    ends, asked, cursor = time.monotonic() + seconds, 0, ""
    while time.monotonic() < ends:
        on.service.check()
        page = _get(on, f"/v1/therapists?state=waiting&limit=200{cursor}")
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        someone = page["therapists"][0]["id"]
        _get(on, f"/v1/therapists/{someone}")
        _get(on, f"/v1/therapists?q={someone}")
        asked += 3
    return asked


def _get(on: Stage, path: str) -> dict[str, Any]:
    request = urllib.request.Request(on.service.url + path, headers={"Authorization": f"Bearer {on.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def rows(found: Crowd) -> list[Row]:
    """The lines of the table."""
    few, many = found.with_few[-1], found.with_many[-1]
    most = MOST_MEGABYTES if found.many <= 100_000 else MOST_MEGABYTES_OF_A_MILLION
    slow, quick = (median(r.seconds for r in rounds) * 1e3 for rounds in (found.with_many, found.with_few))
    return [
        Row(
            f"a round of {many.therapists:,} of {found.many:,} therapists",
            f"{slow:,.0f} ms of processor, {many.statements} statements",
            f"{quick:,.0f} ms, {few.statements} (of {found.few:,})",
            f"{found.ratio:.2f} x",
            f"<= {MOST_RATIO:g} x",
            found.ratio <= MOST_RATIO and few.statements == many.statements,
        ),
        Row(
            f"  the service's most memory with {found.many:,} waiting",
            f"{found.megabytes:,.0f} MB in {found.rounds_watched} rounds and {found.asked} questions",
            "",
            "",
            f"< {most} MB",
            found.megabytes < most,
        ),
        *(
            Row(f"  {what}, of {found.many:,}", f"{cost.seconds * 1e3:,.0f} ms, {cost.statements} statements")
            for what, cost in found.others.items()
        ),
    ]
