"""Hints are kept until a look has answered them; one that comes meanwhile is another."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from credsync.core.facts import SignUpKind
from credsync.core.hints import Touch
from credsync.store import intake, leases
from credsync.store.cases import next_due_at
from credsync.store.database import Database
from credsync.store.hints import ANYBODY, Pending, keep_hints, pending_hints, settle_hints
from credsync.store.leases import Lease, LeaseLost
from credsync.store.tables import merged_contacts, record_claims
from credsync.store.therapists import Door, Who
from credsync.store.webhooks import use_signature

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BEA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SOON, LATER = NOW + timedelta(seconds=1), NOW + timedelta(seconds=60)
ALL = frozenset({"credentialing", "license"})


@pytest.fixture(autouse=True)
def therapists(database: Database) -> None:
    """Ann with contact 101 and a record, Bea with contact 102, which was 900 before."""
    door = Door(NOW, timedelta(seconds=3))
    with database.write() as connection:
        for who in (Who(ANN, "demo", "101"), Who(BEA, "demo", "102")):
            intake.accept_sign_up(connection, door, who, SignUpKind.FIRST, NOW, None, None)
        claim = {"portal": "demo", "object": "credentialing", "record_id": "801", "therapist_id": ANN}
        connection.execute(insert(record_claims).values(**claim))
        merged = {"portal": "demo", "contact_id": "900", "merged_into": "102", "seen_at": NOW}
        connection.execute(insert(merged_contacts).values(**merged))


def keep(database: Database, *ids: str, woken: tuple[str, ...] = (), due: datetime = SOON) -> int:
    with database.write() as connection:
        return keep_hints(connection, "demo", [Touch((each,), ALL) for each in ids], woken, due)


def pending(database: Database) -> list[Pending]:
    with database.read() as connection:
        return pending_hints(connection, "demo")


def lease_of(database: Database) -> Lease:
    with database.write() as connection:
        lease = leases.acquire(connection, "portal:demo", "test", 60)
    assert lease is not None
    return lease


@pytest.mark.parametrize(("named", "therapist"), [("101", ANN), ("801", ANN), ("102", BEA), ("900", BEA)])
def test_a_therapist_is_found_by_contact_by_record_and_by_what_the_contact_was(
    database: Database, named: str, therapist: str
) -> None:
    """And nobody by anything else."""
    assert keep(database, "555") == 0
    assert keep(database, named, "555") == 1
    assert {(each.therapist_id, each.object) for each in pending(database)} == {
        (therapist, key) for key in ALL
    }


def test_many_hints_at_one_therapist_are_one_row_due_when_the_first_was(database: Database) -> None:
    """They do not pile up while a portal is paused, and a later one puts nothing off."""
    for seconds in range(5):
        keep(database, "101", "801", woken=("license",), due=SOON + timedelta(seconds=seconds))
    assert {(each.seq, each.due_at) for each in pending(database)} == {(5, SOON)}
    assert len(pending(database)) == 3
    with database.read() as connection:
        assert next_due_at(connection, "demo") == SOON
        assert pending_hints(connection, "another") == []


def test_what_came_during_the_look_stays_and_what_was_not_answered_waits(database: Database) -> None:
    """Only the very hints that were looked after are forgotten."""
    keep(database, "101", "102", woken=("license",))
    seen = pending(database)
    keep(database, "102")
    lease, soon = lease_of(database), NOW + timedelta(seconds=2)
    unanswered = [each for each in seen if each.therapist_id == ANYBODY]
    with database.write() as connection:
        looked = [each for each in seen if each.therapist_id != ANYBODY]
        settle_hints(connection, lease, "demo", looked, unanswered, soon=soon, later=LATER)
    assert {(each.therapist_id, each.due_at) for each in pending(database)} == {(BEA, soon), (ANYBODY, LATER)}


def test_a_lost_lease_forgets_nothing(database: Database) -> None:
    """Whoever owns the portal by then looks again."""
    keep(database, "101")
    lease = lease_of(database)
    with database.write() as connection:
        leases.release(connection, lease)
    with pytest.raises(LeaseLost), database.write() as connection:
        settle_hints(connection, lease, "demo", pending(database), [], soon=SOON, later=LATER)
    assert len(pending(database)) == len(ALL)


def test_of_two_calls_with_one_signature_at_one_moment_one_has_an_effect(database: Database) -> None:
    """A replay cannot win by coming at the same time."""
    won: list[bool] = []
    together = threading.Barrier(4)

    def use() -> None:
        together.wait(10)
        with database.write() as connection:
            won.append(use_signature(connection, "demo", "signature", NOW, LATER))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == [False, False, False, True]
    with database.write() as connection:
        assert use_signature(connection, "other", "signature", NOW, LATER)
        assert use_signature(connection, "demo", "signature", LATER + timedelta(seconds=1), LATER), (
            "forgotten"
        )
