"""One owner per portal: the same rules on both databases."""

from __future__ import annotations

import threading

import pytest

from credsync.store.database import Database
from credsync.store.leases import Lease, LeaseLost, acquire, fence, release, renew

NAME = "portal:demo"


def _acquire(database: Database, owner: str, seconds: float = 60) -> Lease | None:
    with database.write() as connection:
        return acquire(connection, NAME, owner, seconds)


def _held(database: Database, owner: str, seconds: float = 60) -> Lease:
    lease = _acquire(database, owner, seconds)
    assert lease is not None
    return lease


def test_nobody_gets_a_lease_that_is_held(database: Database) -> None:
    """Not even the same owner again: a lease is renewed, not taken twice."""
    _held(database, "a")
    assert _acquire(database, "b") is None
    assert _acquire(database, "a") is None


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_token(database: Database) -> None:
    """By the database's clock; what the old holder still tries is refused."""
    old = _held(database, "a", -1)
    new = _held(database, "b")
    assert new.token == old.token + 1
    with pytest.raises(LeaseLost), database.write() as connection:
        fence(connection, old)
    with pytest.raises(LeaseLost), database.write() as connection:
        renew(connection, old, 60)
    with database.write() as connection:
        fence(connection, new)


def test_a_lease_that_ran_out_is_lost_even_if_nobody_took_it(database: Database) -> None:
    """The holder must not record under a lease whose time is up."""
    lease = _held(database, "a", -1)
    with pytest.raises(LeaseLost), database.write() as connection:
        fence(connection, lease)


def test_renewing_keeps_it_and_releasing_gives_it_away(database: Database) -> None:
    """The token goes on rising over a release."""
    lease = _held(database, "a")
    with database.write() as connection:
        renew(connection, lease, 60)
    assert _acquire(database, "b") is None
    with database.write() as connection:
        release(connection, lease)
    assert _held(database, "b").token == lease.token + 1


def test_of_many_who_want_it_at_once_one_gets_it(database: Database) -> None:
    """One statement decides."""
    together = threading.Barrier(8)
    got: list[Lease | None] = []

    def want(owner: str) -> None:
        together.wait()
        got.append(_acquire(database, owner))

    threads = [threading.Thread(target=want, args=(f"owner-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in got if lease is not None]) == 1
    assert len(got) == 8
