"""The lease under anything that may happen to its holders, on both databases; the database's clock is the test's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from credsync.store.database import Database, Rehearsal
from credsync.store.leases import Lease, LeaseLost, acquire, fence, release, renew, renew_all
from credsync.store.tables import leases

NAME, PORTAL, SECONDS = "portal:demo", "demo", 12.0
OWNERS = ["a", "b", "c"]


class Time:
    """The database's clock."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


async def _no_turn() -> None:
    """Nothing runs beside the test."""


@pytest.fixture
def opened(database_url: str) -> Iterator[tuple[Database, Time]]:
    time = Time()
    turn: Callable[[], Awaitable[object]] = _no_turn
    database = Database(database_url, time, rehearsal=Rehearsal(time, turn))
    yield database, time
    database.close()


class LeaseMachine(RuleBasedStateMachine):
    """Three owners who each know no more than what the database told them, one of them perhaps frozen for long."""

    database: Database
    time: Time

    def __init__(self) -> None:
        super().__init__()
        self.believed: dict[str, Lease] = {}
        self.until: dict[str, datetime] = {}
        """Until when each holder's last word of the database lets it be the owner."""
        self.frozen: set[str] = set()
        self.tokens: list[int] = []

    @initialize()
    def empty(self) -> None:
        with self.database.write() as connection:
            connection.execute(delete(leases))

    def _awake(self, owner: str) -> bool:
        return owner not in self.frozen

    def _is_owner(self, owner: str) -> bool:
        return owner in self.believed and self.until[owner] > self.time.at

    @rule(owner=st.sampled_from(OWNERS))
    def take(self, owner: str) -> None:
        """Only a lease that nobody holds is taken; its token is the highest there ever was."""
        if not self._awake(owner):
            return
        free = all(until < self.time.at for until in self.until.values())
        with self.database.write() as connection:
            lease = acquire(connection, NAME, owner, SECONDS)
        assert (lease is not None) == free
        if lease is not None:
            assert lease.token > max(self.tokens, default=0), "tokens only rise"
            self.tokens.append(lease.token)
            self.believed[owner], self.until[owner] = lease, self.time.at + timedelta(seconds=SECONDS)

    @rule(owner=st.sampled_from(OWNERS), whole=st.booleans())
    def beat(self, owner: str, whole: bool) -> None:
        """Renewed by who holds it; refused to who does not any more, alone or with all that a process holds."""
        if owner not in self.believed or not self._awake(owner):
            return
        lease, is_owner = self.believed[owner], self._is_owner(owner)
        with self.database.write() as connection:
            if whole:
                renewed = renew_all(connection, owner, [PORTAL], SECONDS).get(NAME)
                done = renewed == lease.token
                assert renewed in (None, lease.token)
            else:
                done = _done(lambda: renew(connection, lease, SECONDS))
        assert done == is_owner
        if done:
            self.until[owner] = self.time.at + timedelta(seconds=SECONDS)

    @rule(owner=st.sampled_from(OWNERS))
    def record(self, owner: str) -> None:
        """Who comes back late records nothing: what is recorded is fenced by the token in the same transaction."""
        if owner not in self.believed or not self._awake(owner):
            return
        with self.database.write() as connection:
            done = _done(lambda: fence(connection, self.believed[owner]))
        assert done == self._is_owner(owner)

    @rule(owner=st.sampled_from(OWNERS))
    def give_back(self, owner: str) -> None:
        """It is free at once, and nothing of another's lease ends by it."""
        if owner not in self.believed or not self._awake(owner):
            return
        with self.database.write() as connection:
            release(connection, self.believed.pop(owner))
        del self.until[owner]

    @rule(owner=st.sampled_from(OWNERS))
    def freeze(self, owner: str) -> None:
        """SIGSTOP: it goes on believing what it knew."""
        self.frozen.add(owner)

    @precondition(lambda self: self.frozen)
    @rule()
    def thaw(self) -> None:
        """SIGCONT."""
        self.frozen.discard(min(self.frozen))

    @rule(seconds=st.sampled_from([0.001, 3.0, 11.999, 12.0, 12.001, 40.0]))
    def wait(self, seconds: float) -> None:
        """The database's clock goes on; no holder's is asked."""
        self.time.at += timedelta(seconds=seconds)

    @invariant()
    def one_owner(self) -> None:
        """At any moment one of those who may believe so is right, and the database names that one."""
        owners = [each for each in OWNERS if self._is_owner(each)]
        assert len(owners) <= 1
        with self.database.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == NAME)).one_or_none()
        held = row is not None and row.expires_at > self.time.at
        assert held == bool(owners)
        if row is not None and owners:
            assert (row.owner, row.token) == (owners[0], self.believed[owners[0]].token)


def _done(change: Callable[[], None]) -> bool:
    try:
        change()
    except LeaseLost:
        return False
    return True


def test_the_lease_holds_whatever_happens_to_its_holders(opened: tuple[Database, Time]) -> None:
    """One owner, tokens only rise, a fenced record is refused: take, renew, record, give back, freeze, expire."""
    database, time = opened

    class Here(LeaseMachine):
        pass

    Here.database, Here.time = database, time
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=60 if database.is_sqlite else 15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
