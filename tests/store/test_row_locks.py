"""Rows of several therapists are taken in one order: shown on PostgreSQL, where transactions run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from credsync.core.decide import Case
from credsync.core.facts import SignUpKind
from credsync.core.links import Link, LinkState
from credsync.core.reasons import Reason
from credsync.core.states import Condition, TherapistState
from credsync.store import intake, leases
from credsync.store.cases import claim_one
from credsync.store.choices import ChosenForAnother, accept_choice
from credsync.store.contacts import ContactMerged
from credsync.store.database import Database
from credsync.store.rounds import Finish, Turn, record_turns
from credsync.store.tables import choices, therapists
from credsync.store.therapists import Door, Who
from tests.databases import PostgresServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOOR = Door(NOW, timedelta(seconds=3))
ANN, BEA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SLOT, RECORD = "credentialing_active_attested", "900"
OBJECTS = {SLOT: "credentialing"}
IN_SYNC = Condition(TherapistState.IN_SYNC, Reason.NONE)


@pytest.fixture
def database(postgres: PostgresServer, migrated_postgres: str) -> Iterator[Database]:
    """Two therapists on PostgreSQL."""
    name = postgres.create_database(migrated_postgres)
    with closing(Database(postgres.url(name))) as opened:
        for therapist, contact in ((ANN, "101"), (BEA, "102")):
            with opened.write() as connection:
                who = Who(therapist, "demo", contact)
                intake.accept_sign_up(connection, DOOR, who, SignUpKind.FIRST, NOW, None, None)
        yield opened
    postgres.drop_database(name)


def case_of(database: Database, therapist: str) -> Case:
    with database.read() as connection:
        found = claim_one(connection, therapist, "digest", NOW)
    assert found is not None
    return found.case


def turn_of(case: Case, **more: Any) -> Turn:
    """A turn that changes nothing but what `more` says."""
    return Turn(case, dict(case.links), list(case.writes), finish=Finish(1, IN_SYNC, None, False), **more)


def record(database: Database, *turns: Turn) -> None:
    with database.write() as connection:
        lease = leases.acquire(connection, f"portal:{id(turns)}", "test", 60)
        assert lease is not None
        record_turns(connection, lease, "demo", turns, OBJECTS, NOW)


def waits_for_a_lock(database: Database) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.read() as connection:
        return connection.execute(text(asked)).scalar_one() > 0


def until_it_waits_or_ends(database: Database, running: Future[None]) -> None:
    pause = threading.Event()
    while not running.done() and not waits_for_a_lock(database):
        pause.wait(0.01)


def beside(database: Database, first: list[Callable[[Connection], Any]], other: Callable[[], None]) -> None:
    """The steps of one transaction, with another one begun after the first step; raises what either raises."""
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            first[0](connection)
            running = pool.submit(other)
            until_it_waits_or_ends(database, running)
            for step in first[1:]:
                step(connection)
        running.result()


def fact(therapist: str) -> Callable[[Connection], Any]:
    return lambda c: intake.accept_section(c, DOOR, Who(therapist), "ca", "npi_and_caqh", NOW)


def generations(database: Database) -> list[int]:
    with database.read() as connection:
        query = select(therapists.c.generation).order_by(therapists.c.id)
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize("many", [1, 2], ids=["one", "both"])
def test_a_round_that_warns_others_and_facts_that_come_in_never_wait_in_a_circle(
    database: Database, many: int
) -> None:
    """Whoever takes several therapists' rows takes them in one order, so that nobody waits in a circle."""
    turns = [turn_of(case_of(database, BEA), shared_with={ANN}), turn_of(case_of(database, ANN))][:many]
    beside(database, [fact(ANN), fact(BEA)], lambda: record(database, *turns))
    assert generations(database) == [3, 2], "her fact and the round's warning; the other's fact"


def test_a_round_that_follows_a_merge_warns_in_the_same_order(database: Database) -> None:
    merged = turn_of(case_of(database, BEA), contact=ContactMerged("102", "101", taken=True))
    beside(database, [fact(ANN), fact(BEA)], lambda: record(database, merged))
    assert generations(database) == [3, 3]


def test_a_therapist_who_leaves_a_shared_contact_warns_in_the_same_order(database: Database) -> None:
    """Bea's contact was merged into Ann's; then her backend names another."""
    record(database, turn_of(case_of(database, BEA), contact=ContactMerged("102", "101", taken=True)))

    def leave() -> None:
        with database.write() as connection:
            intake.accept_therapist(connection, DOOR, Who(BEA, contact_id="103"), None, None)

    beside(database, [fact(ANN), fact(BEA)], leave)
    with database.read() as connection:
        found = connection.execute(select(therapists.c.contact_id).order_by(therapists.c.id))
        assert list(found.scalars()) == ["101", "103"]


def ambiguous() -> Link:
    """A slot whose record two therapists have."""
    state, reason = LinkState.AMBIGUOUS, Reason.RECORD_OF_TWO_THERAPISTS
    return Link(SLOT, True, NOW, state, reason, candidates=(RECORD,), looks=1, last_looked_at=NOW)


def choose(therapist: str) -> Callable[[Connection], Any]:
    return lambda c: accept_choice(c, DOOR, therapist, SLOT, RECORD, "it is hers", "sam")


def test_two_people_who_choose_one_record_in_the_same_instant_do_not_both_get_it(database: Database) -> None:
    """One record belongs to one therapist, also when two people choose it in the same instant."""
    for therapist in (ANN, BEA):
        turn = turn_of(case_of(database, therapist))
        turn.links = {SLOT: ambiguous()}
        record(database, turn)

    def other() -> None:
        with database.write() as connection:
            choose(ANN)(connection)

    with pytest.raises(ChosenForAnother, match=BEA):
        beside(database, [choose(BEA)], other)
    with database.read() as connection:
        assert list(connection.execute(select(choices.c.therapist_id)).scalars()) == [BEA]
