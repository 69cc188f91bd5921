"""Many portals over several workers of one database: each has one owner, none is hogged, none is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from credsync.reconcile.allowance import Allowance
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.spread import KEPT_FOR, Spread
from credsync.store import leases
from credsync.store.database import Database
from credsync.store.leases import Lease
from credsync.store.tables import leases as lease_rows
from tests.operate.scene import edge_to, portal_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
LEASE = timedelta(minutes=1)
NAMES = [f"portal-{number}" for number in range(9)]


class Time:
    """Seconds as the test has them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Loop:
    """A portal's loop as far as it is shared out: it gives back when it is told to, and takes what it may."""

    name: str
    holder: LeaseHolder
    leaving: bool = False
    lease: Lease | None = None

    def give_up(self) -> None:
        self.leaving = True

    async def step(self, spread: Spread) -> None:
        if self.lease is not None and self.leaving:
            await self.holder.give_back(self.lease)
            self.lease, self.leaving = None, False
        if self.lease is None and await spread.may_take(self.name):
            self.lease = await self.holder.take()


@dataclass
class Workers:
    """Worker processes, each with its own database connections."""

    url: str
    time: Time = field(default_factory=Time)
    running: dict[str, Spread] = field(default_factory=dict)

    def start(self, worker: str, names: list[str] | None = None) -> None:
        database = Database(self.url)
        loops = {}
        for name in names or NAMES:
            allowance = Allowance(edge_to("http://127.0.0.1:9", portal_of("http://127.0.0.1:9", name=name)))
            loops[name] = Loop(name, LeaseHolder(database, name, worker, LEASE, allowance, self.time))
        self.running[worker] = Spread(database, worker, LEASE, self.time, loops)

    async def go_on(self, beats: int) -> None:
        for _ in range(beats):
            for spread in self.running.values():
                await spread.turn()
                for loop in spread.portals.values():
                    assert isinstance(loop, Loop)
                    await loop.step(spread)
                owned = Counter(name for each in self.running.values() for name in self.owned(each))
                assert max(owned.values(), default=0) <= 1, "each with one owner at any moment"
            self.time.now += 1.0

    def owned(self, spread: Spread) -> list[str]:
        return [name for name, loop in spread.portals.items() if loop.holder.holds]

    @property
    def shares(self) -> list[int]:
        return [len(self.owned(spread)) for spread in self.running.values()]

    def kill(self, worker: str) -> None:
        """kill -9, and its leases run out."""
        spread = self.running.pop(worker)
        with spread.database.write() as connection:
            for name, owner in leases.held_now(connection).items():
                if owner == worker:
                    leases.release(connection, Lease(name, owner, _token(connection, name)))
        spread.database.close()


@pytest.fixture
def workers(database_url: str) -> Iterator[Workers]:
    made = Workers(database_url)
    yield made
    for spread in made.running.values():
        spread.database.close()


async def test_a_worker_alone_has_all_and_gives_back_when_others_come(workers: Workers) -> None:
    """No worker hogs all portals: nine over one, two, three workers; and again when one is gone."""
    workers.start("a")
    await workers.go_on(1)
    assert workers.shares == [9]
    workers.start("b")
    await workers.go_on(8)
    assert sorted(workers.shares) == [4, 5]
    workers.start("c")
    await workers.go_on(12)
    assert workers.shares == [3, 3, 3]
    workers.kill("b")
    await workers.go_on(8)
    assert sorted(workers.shares) == [4, 5]


async def test_workers_at_rest_give_nothing_back(workers: Workers) -> None:
    """Once it is even nothing moves: every change of owner costs a look-up of the portal's names."""
    for name in ("a", "b"):
        workers.start(name)
    await workers.go_on(10)
    before = [workers.owned(spread) for spread in workers.running.values()]
    await workers.go_on(10)
    assert [workers.owned(spread) for spread in workers.running.values()] == before


async def test_what_only_one_worker_knows_stays_with_it(workers: Workers) -> None:
    """A worker without a portal's file cannot take it: it is taken again, and not offered again for a while."""
    workers.start("a")
    workers.start("b", NAMES[:1])
    await workers.go_on(5)
    assert sum(workers.shares) < 9, "they are offered"
    for _ in range(3):
        workers.time.now += LEASE.total_seconds()
        await workers.go_on(5)
    assert workers.shares == [8, 1]
    everything = [workers.owned(spread) for spread in workers.running.values()]
    await workers.go_on(10)
    assert [workers.owned(spread) for spread in workers.running.values()] == everything
    assert KEPT_FOR > 10


def _token(connection: Connection, name: str) -> int:
    return int(connection.execute(select(lease_rows.c.token).where(lease_rows.c.name == name)).scalar_one())
