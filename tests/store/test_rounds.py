"""How a therapist leaves a round: what is recorded, and what a fact that came meanwhile keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from credsync.core.facts import SignUpKind
from credsync.core.reasons import Reason
from credsync.core.states import Condition, TherapistState
from credsync.store import intake, leases
from credsync.store.cases import Claimed, claim_one
from credsync.store.database import Database
from credsync.store.rounds import Finish, Turn, put_off, record_turns
from credsync.store.tables import therapists
from credsync.store.therapists import Door, Who

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = "11111111-1111-4111-8111-111111111111"
DOOR = Door(NOW, timedelta(seconds=3))
IN_SYNC = Condition(TherapistState.IN_SYNC, Reason.NONE)
REFUSED = Condition(TherapistState.REFUSED, Reason.REFUSED_BY_HUBSPOT)


def claimed(database: Database) -> Claimed:
    """Ann as a round takes her."""
    with database.read() as connection:
        found = claim_one(connection, ANN, "digest", NOW)
    assert found is not None
    return found


def submit(database: Database, caqh_id: str = "1") -> None:
    data = {"npi_and_caqh": {"caqh_id": caqh_id}}
    with database.write() as connection:
        intake.accept_submission(connection, DOOR, Who(ANN), "ca", NOW, None, data)


def leave(database: Database, taken: Claimed, condition: Condition, seconds: float) -> None:
    """The round that took her ends."""
    finish = Finish(taken.generation, condition, None, False)
    turn = Turn(taken.case, dict(taken.case.links), list(taken.case.writes), finish=finish)
    with database.write() as connection:
        lease = leases.acquire(connection, "portal:demo", "test", 60)
        assert lease is not None
        record_turns(connection, lease, "demo", [turn], {}, NOW + timedelta(seconds=seconds))
        leases.release(connection, lease)


def told(database: Database) -> tuple[str, str, float, bool]:
    """State, reason, since how many seconds into the story, and whether she is due."""
    columns = [therapists.c[name] for name in ("state", "reason", "state_since", "due_at")]
    with database.read() as connection:
        row = connection.execute(select(*columns)).one()
    return row.state, row.reason, (row.state_since - NOW).total_seconds(), row.due_at is not None


@pytest.fixture
def ann(database: Database) -> Database:
    """She has signed up."""
    with database.write() as connection:
        who = Who(ANN, "demo", "101")
        intake.accept_sign_up(connection, DOOR, who, SignUpKind.FIRST, NOW, None, None)
    return database


def test_nobody_is_in_sync_over_a_fact_that_came_while_the_round_was_under_way(ann: Database) -> None:
    """A fact that comes in the middle of a round keeps the therapist waiting, and due, until a round has seen it."""
    taken = claimed(ann)
    submit(ann)
    leave(ann, taken, IN_SYNC, 4)
    assert told(ann) == ("waiting", "not_looked_yet", 0, True)
    leave(ann, claimed(ann), IN_SYNC, 9)
    assert told(ann) == ("in_sync", "", 9, False)


def test_who_was_in_sync_waits_since_the_fact_came_not_since_the_round_ended(ann: Database) -> None:
    leave(ann, claimed(ann), IN_SYNC, -9)
    taken = claimed(ann)
    submit(ann)
    leave(ann, taken, IN_SYNC, 4)
    assert told(ann) == ("waiting", "not_looked_yet", 0, True)


def test_what_needs_a_person_is_said_although_a_fact_came_meanwhile(ann: Database) -> None:
    """Intake leaves such a state alone, too."""
    taken = claimed(ann)
    submit(ann)
    leave(ann, taken, REFUSED, 4)
    assert told(ann) == ("refused", "refused_by_hubspot", 4, True)
    taken = claimed(ann)
    submit(ann, "2")
    leave(ann, taken, IN_SYNC, 9)
    assert told(ann) == ("waiting", "not_looked_yet", 9, True)


def test_whose_turn_failed_is_put_off_unless_a_fact_came_meanwhile(ann: Database) -> None:
    """A turn that failed by our own fault is tried again later; a fact in the middle keeps its own due moment."""
    bea = "22222222-2222-4222-8222-222222222222"
    with ann.write() as connection:
        intake.accept_sign_up(connection, DOOR, Who(bea, "demo", "102"), SignUpKind.FIRST, NOW, None, None)
    taken = claimed(ann)
    submit(ann)
    with ann.write() as connection:
        lease = leases.acquire(connection, "portal:demo", "test", 60)
        assert lease is not None
        put_off(connection, lease, {ANN: taken.generation, bea: 1}, NOW + timedelta(hours=1))
    with ann.read() as connection:
        query = select(therapists.c.due_at, therapists.c.rides).order_by(therapists.c.id)
        due = [((row.due_at - NOW).total_seconds(), row.rides) for row in connection.execute(query)]
    assert due == [(3, True), (3_600, False)]
    assert claimed(ann).dirty, "the fact is still to be planned"
