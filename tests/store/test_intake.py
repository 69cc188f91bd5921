"""Intake appends facts: once each, in any order, and makes a round due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from credsync.core.facts import SignUpKind
from credsync.store import intake
from credsync.store.cases import claim_due, facts_of
from credsync.store.database import Database
from credsync.store.tables import therapists
from credsync.store.therapists import ContactTaken, Door, PortalDiffers, TherapistUnknown, Who

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BEA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
DOOR = Door(NOW, timedelta(seconds=3))


def _sign_up(database: Database, who: Who, kind: SignUpKind = SignUpKind.FIRST, at: datetime = NOW) -> None:
    with database.write() as connection:
        intake.accept_sign_up(connection, DOOR, who, kind, at, None, None)


def _submit(database: Database, who: Who, data: dict[str, object], at: datetime = NOW) -> bool:
    with database.write() as connection:
        return intake.accept_submission(connection, DOOR, who, "ca", at, None, data).new


def test_a_fact_makes_a_round_due_within_the_time_it_may_wait_for_company(database: Database) -> None:
    """Nobody is due before, everybody afterwards."""
    _sign_up(database, Who(ANN, "demo", "101"))
    with database.read() as connection:
        assert claim_due(connection, "demo", "digest", NOW + timedelta(seconds=2.9)) == []
        due = claim_due(connection, "demo", "digest", NOW + timedelta(seconds=3))
    assert [(c.case.therapist_id, c.case.contact_id, c.dirty, c.due) for c in due] == [
        (ANN, "101", True, True)
    ]


def test_a_round_takes_along_whoever_waits_soonest_first(database: Database) -> None:
    """A look is filled up with everybody else who waits.

    Free seats are filled; with nobody due there is no round at all.
    """
    _sign_up(database, Who(ANN, "demo", "101"))
    later = Door(NOW + timedelta(seconds=2), timedelta(seconds=3))
    with database.write() as connection:
        intake.accept_sign_up(connection, later, Who(BEA, "demo", "102"), SignUpKind.FIRST, NOW, None, None)
    with database.read() as connection:
        due = claim_due(connection, "demo", "digest", NOW + timedelta(seconds=4))
        one = claim_due(connection, "demo", "digest", NOW + timedelta(seconds=4), limit=1)
        other = claim_due(connection, "another", "digest", NOW + timedelta(seconds=4))
    assert [(c.case.therapist_id, c.due) for c in due] == [(ANN, True), (BEA, False)]
    assert [c.case.therapist_id for c in one] == [ANN]
    assert other == []


def test_a_button_pressed_twice_is_one_sign_up(database: Database) -> None:
    """A sign-up pressed twice within a second is one.

    Within a second; a second later it is another.
    """
    for seconds in (0, 0.9, 5):
        _sign_up(database, Who(ANN, "demo", "101"), SignUpKind.EXTENDED, NOW + timedelta(seconds=seconds))
    with database.read() as connection:
        facts = facts_of(connection, [ANN])[ANN]
    assert [s.occurred_at - NOW for s in facts.sign_ups] == [timedelta(0), timedelta(seconds=5)]


def test_same_form_moment_and_data_is_one_submission(database: Database) -> None:
    """Same form, `occurred_at` and data is one submission even without an idempotency key.

    Another moment or other data is another.
    """
    who = Who(ANN, "demo", "101")
    assert _submit(database, who, {"npi_and_caqh": {"npi": "1234567893"}})
    assert not _submit(database, who, {"npi_and_caqh": {"npi": "1234567893"}})
    assert _submit(database, who, {"npi_and_caqh": {"npi": None}})
    assert _submit(database, who, {"npi_and_caqh": {"npi": "1234567893"}}, NOW + timedelta(microseconds=1))


def test_pressing_sync_now_twice_is_one_press_until_a_round_takes_it_up(database: Database) -> None:
    """The second press may widen the first."""
    _sign_up(database, Who(ANN, "demo", "101"))
    with database.write() as connection:
        first = intake.accept_sync(connection, DOOR, ANN, "asked", False, "test")
        second = intake.accept_sync(connection, DOOR, ANN, "asked again", True, "test")
    assert (first.fact_id, first.new, second.new) == (second.fact_id, True, False)
    with database.read() as connection:
        from credsync.store.cases import pending_syncs

        assert [s.include_held for s in pending_syncs(connection, [ANN])[ANN]] == [True]


def test_one_contact_belongs_to_one_therapist_of_a_portal(database: Database) -> None:
    """One contact belongs to one therapist of a portal.

    The refusal names who has it; another portal may have the same number.
    """
    _sign_up(database, Who(ANN, "demo", "101"))
    with pytest.raises(ContactTaken) as refused:
        _sign_up(database, Who(BEA, "demo", "101"))
    assert refused.value.therapist_id == ANN
    _sign_up(database, Who(BEA, "another", "101"))


def test_a_therapist_stays_in_its_portal_and_is_made_only_where_one_is_named(database: Database) -> None:
    """Nothing is guessed."""
    with pytest.raises(TherapistUnknown):
        _submit(database, Who(ANN), {})
    _sign_up(database, Who(ANN, "demo"))
    with pytest.raises(PortalDiffers):
        _submit(database, Who(ANN, "another"), {})
    with database.read() as connection:
        assert connection.execute(select(therapists.c.portal)).scalars().all() == ["demo"]


def test_every_fact_raises_the_generation(database: Database) -> None:
    """So that a fact in the middle of a round is never missed."""
    _sign_up(database, Who(ANN, "demo", "101"))
    _submit(database, Who(ANN), {})
    with database.write() as connection:
        intake.accept_section(connection, DOOR, Who(ANN), "ca", "npi_and_caqh", NOW)
        intake.accept_therapist(connection, DOOR, Who(ANN, name="Ann Example"), True, None)
    with database.read() as connection:
        row = connection.execute(select(therapists.c.generation, therapists.c.settled_generation)).one()
    assert tuple(row) == (4, 0)
