"""Before a look, a therapist's links and writes are planned anew where a fact came in."""

from __future__ import annotations

from typing import Any

from credsync.core.decide import Case
from credsync.core.facts import Facts, MovingFact, SignUp, Submission
from credsync.core.links import LinkState
from credsync.core.plan import SyncRequest
from credsync.core.reasons import Reason
from credsync.core.writes import Cause, WriteState
from credsync.reconcile.prepare import Prepared, prepare
from credsync.store.cases import Claimed
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    MOVE,
    NY,
    PORTAL,
    a_link,
    a_write,
    at,
    extended,
    form_data,
    submission,
)


def prepared(
    *submissions: Submission,
    case: Case | None = None,
    sign_ups: tuple[SignUp, ...] = (),
    moving: tuple[MovingFact, ...] = (),
    syncs: tuple[SyncRequest, ...] = (),
) -> Prepared:
    claimed = Claimed(case or Case("t-1", "101", {}, ()), 3, True, "", "", True)
    return prepare(PORTAL, claimed, Facts.of(sign_ups, moving, submissions), syncs, at(500))


def test_without_a_new_fact_what_is_stored_stands() -> None:
    claimed = Claimed(Case("t-1", "101", {ACTIVE: a_link()}, (a_write(),)), 3, False, "", "", True)
    found = prepare(PORTAL, claimed, None, (), at(500))
    assert found.case is claimed.case
    assert (found.facts, found.planned) == (None, None)


def test_a_new_fact_gives_the_case_the_links_and_writes_that_should_be() -> None:
    found = prepared(submission(1, form_data(npi="1", licenses=[{"state": "NY", "number": "7"}])))
    assert set(found.case.links) == {ACTIVE, ADDRESS, NY}
    assert {w.slot for w in found.case.writes} == {ACTIVE, NY}
    assert found.claimed.case.links == {}


def test_rows_keep_their_place_and_new_ones_come_last() -> None:
    written = a_write(1, state=WriteState.WRITTEN, reason=Reason.NONE, record_id="7")
    waiting = a_write(2, ADDRESS, submissions=frozenset({1}))
    case = Case("t-1", "101", {}, (written, waiting))
    found = prepared(
        submission(1, form_data(npi="1", city="Rome")),
        submission(2, form_data(npi="2", city="Oslo")),
        case=case,
    )
    assert [(w.id, w.slot, set(w.submissions)) for w in found.case.writes] == [
        (1, ACTIVE, {1}),
        (2, ADDRESS, {1, 2}),
        (None, ACTIVE, {2}),
    ]


def test_a_press_of_sync_now_is_taken_up_and_told_back() -> None:
    found = prepared(submission(1, form_data(npi="1")), syncs=(SyncRequest(4, include_held=False),))
    assert found.planned is not None
    assert found.planned.syncs == (4,)
    assert [w.cause for w in found.case.writes] == [Cause.SYNC]


def test_the_current_enrolment_and_its_beginning_are_told_back() -> None:
    found = prepared(sign_ups=(extended(5, 100, received=400),))
    assert found.planned is not None
    assert (found.planned.enrolment, found.planned.enrolment_since) == (5, at(100))
    assert (found.case.enrolment, found.case.enrolment_since) == (5, at(100))
    assert found.planned.portal_digest == PORTAL.digest


def test_an_extended_sign_up_makes_the_links_doubtful() -> None:
    found = a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="7", last_looked_at=at(50))
    case = Case("t-1", "101", {ACTIVE: found}, ())
    after = prepared(case=case, sign_ups=(extended(5, 100, received=400),))
    assert after.case.links[ACTIVE].doubtful_since == at(400)


def definitive(*submissions: Submission, **rest: Any) -> str | None:
    return prepared(*submissions, **rest).case.definitive


def test_licences_are_judged_under_the_credentialing_of_the_newest_submission() -> None:
    stays, moves = submission(1, {}, 10, moving=False), submission(2, {}, 20, moving=True)
    assert definitive(stays) == ACTIVE
    assert definitive(moves, stays) == MOVE


def test_before_any_submission_the_rules_of_ca_say_with_what_is_known() -> None:
    assert definitive() == ACTIVE
    assert definitive(moving=(MovingFact(at(1), 1, True),)) == MOVE


def test_while_nobody_says_whether_the_therapist_moves_no_credentialing_is_definitive() -> None:
    assert definitive(submission(1, {}, moving=None)) is None


def test_what_was_sent_stays_definitive_whatever_is_said_of_moving_later() -> None:
    written = a_write(1, MOVE, state=WriteState.WRITTEN, reason=Reason.NONE, record_id="7")
    unsaid = submission(1, form_data(npi="1"), 50, moving=None)
    case = Case("t-1", "101", {}, (written,))
    assert definitive(unsaid, case=case, moving=(MovingFact(at(20), 1, False),)) == MOVE
