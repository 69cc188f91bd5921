"""What stands beside the rounds costs where many therapists are known: statements and milliseconds of each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import select, update

from bench.one_round import HURRY, Meter
from bench.portal import NAME
from bench.processes import BenchFailed
from bench.report import median
from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge, Names
from credsync.operate.delays import delays_report, judge_deadlines
from credsync.operate.workflows import troubled_workflows
from credsync.reconcile.denials import Learnt
from credsync.reconcile.sweep import Sweep
from credsync.reconcile.watch import Watch
from credsync.store import in_thread, leases
from credsync.store.database import Database
from credsync.store.leases import Lease
from credsync.store.tables import therapists

TRIES = 5
SWEPT = 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One of it; the seconds are the median of some."""

    statements: int
    seconds: float


async def costs(database: Database, edge: Edge) -> dict[str, Cost]:
    """By what it is: the delays page, what the owner judges from it, the causes of alerts, a sweep."""
    meter = Meter()
    meter.watch(database)
    async with edge.client:
        names = await edge.names(database.clock.now())
        with database.write() as connection:
            lease = leases.acquire(connection, f"portal:{NAME}-{time.monotonic()}", "bench", 600)
        assert lease is not None
        now = database.clock.now()
        read = partial(in_thread.read, database)
        found = {
            "the delays page": await _cost(meter, partial(read, delays_report, [edge.portal], now, HURRY)),
            "the deadlines judged": await _cost(
                meter, partial(read, judge_deadlines, edge.portal, now, HURRY)
            ),
            "the workflows judged": await _cost(meter, partial(read, troubled_workflows, edge.portal, now)),
            "the causes of alerts": await _cost(
                meter, lambda: Watch(database, edge.portal).look(lease, names)
            ),
        }
        _leave_some_to_verify(database)
        sweep = Sweep(database, edge, Policy(), partial(_same, names), _learn_nothing)
        found[f"a sweep of {SWEPT:,}"] = await _cost(meter, partial(_swept, sweep, lease), tries=1)
        return found


async def _cost(meter: Meter, act: Callable[[], Awaitable[object]], tries: int = TRIES) -> Cost:
    seconds = []
    for _ in range(tries):
        statements, began = meter.statements, time.perf_counter()
        await act()
        seconds.append(time.perf_counter() - began)
    return Cost(meter.statements - statements, median(seconds))


def _leave_some_to_verify(database: Database) -> None:
    """Nobody is due, and as many as a sweep takes were last verified two days ago."""
    now = database.clock.now()
    some = select(therapists.c.id).limit(SWEPT).scalar_subquery()
    with database.write() as connection:
        connection.execute(update(therapists).values(due_at=now + timedelta(days=365)))
        settled = {"due_at": None, "rides": False, "verified_at": now - timedelta(days=2)}
        connection.execute(update(therapists).where(therapists.c.id.in_(some)).values(settled))


async def _same(names: Names, _now: object) -> Names:
    return names


async def _learn_nothing(_lease: Lease, _learnt: Learnt) -> None:
    raise BenchFailed("the sandbox denied something to the sweep")


async def _swept(sweep: Sweep, lease: Lease) -> None:
    if await sweep.turn(lease) is None:
        raise BenchFailed("no sweep began: somebody is due, or nobody is to be verified")
