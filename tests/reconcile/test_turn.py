"""A turn from its decision to its end: what is recorded before sending, and what the verdict makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credsync.core.decide import Case, Decision, SlotEvent
from credsync.core.events import EventName
from credsync.core.facts import Facts, Submission
from credsync.core.links import Link, LinkState
from credsync.core.outgoing import Carried
from credsync.core.portal import DEFINITIVE
from credsync.core.properties import Property
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.states import TherapistState
from credsync.core.verdicts import Outcome, PropertyFault, Verdict
from credsync.core.writes import Cause, Write, WriteState
from credsync.reconcile.prepare import Prepared
from credsync.reconcile.turn import TurnInProgress
from credsync.reconcile.verdict import end_of
from credsync.store.cases import Claimed
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    KNOWN,
    PORTAL,
    a_link,
    a_write,
    at,
    extended,
    form_data,
    submission,
)

NOW = at(1_000)
POLICY = Policy(look_again_min=timedelta(seconds=5), look_again_share=0.1)
FOUND = a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="7", found_at=at(0))
HOME = replace(FOUND, slot=ADDRESS, record_id="8")
DUE = a_write(state=WriteState.DUE, reason=Reason.NONE, record_id="7")
CA = submission(1, form_data(npi="1", bio="b", city="Rome"))


def begun(
    *writes: Write,
    submissions: Sequence[Submission] = (CA,),
    links: Sequence[Link] = (FOUND,),
    events: Sequence[SlotEvent] = (),
    known: Any = KNOWN,
    **facts: Any,
) -> TurnInProgress:
    """A turn that has composed what goes out."""
    case = Case("t-1", "101", {}, ())
    decision = Decision({link.slot: link for link in links}, tuple(writes), tuple(events), ())
    prepared = Prepared(Claimed(case, 3, True, "", "", True), case)
    turn = TurnInProgress(PORTAL, prepared, decision, NOW, POLICY)
    turn.begin(Facts.of(submissions=submissions, **facts), known, NOW)
    return turn


def ended(turn: TurnInProgress, verdict: Verdict, seconds: float = 1_001) -> TurnInProgress:
    turn.end({(o.object_key, o.record_id): verdict for o in turn.outgoing}, at(seconds))
    return turn


def said(turn: TurnInProgress) -> list[str]:
    return [f"{w.state} {w.reason}".strip() for w in turn.turn.writes]


def names(turn: TurnInProgress) -> list[str]:
    return [event.name.value for event in turn.turn.events]


def test_a_turn_with_nothing_to_send_ends_at_once() -> None:
    turn = begun(a_write(reason=Reason.RECORD_AWAITED), links=[a_link(next_look_at=at(1_010))])
    assert turn.outgoing == []
    finish = turn.turn.finish
    assert finish is not None
    assert (finish.generation, finish.due_at, finish.rides) == (3, at(1_010), True)
    assert finish.condition.state is TherapistState.WAITING


def test_what_goes_out_is_recorded_as_unknown_before_it_is_sent() -> None:
    turn = begun(DUE)
    (row,) = turn.turn.writes
    assert (row.state, row.reason, row.attempts, row.sent_at) == (
        WriteState.UNKNOWN,
        Reason.NO_VERDICT,
        1,
        NOW,
    )
    assert turn.turn.finish is None
    assert names(turn) == ["write.sent"]
    assert turn.turn.events[0].details == {"form": "ca", "properties": 2, "attempt": 1}


def test_only_what_may_be_there_already_is_doubtful() -> None:
    again = replace(DUE, reason=Reason.NO_VERDICT, attempts=1)
    fresh = replace(DUE, id=2, slot=ADDRESS, rule=None, record_id="8")
    assert begun(again, fresh, links=[FOUND, HOME]).doubtful == {0}


def test_events_of_the_decision_are_told_with_the_therapist_and_the_contact() -> None:
    turn = begun(events=[SlotEvent(EventName.LINK_FOUND, ACTIVE, "7", {"looks": 2})])
    (event,) = turn.turn.events
    assert (event.portal, event.therapist_id, event.contact_id, event.slot, event.record_id, event.at) == (
        "alpha",
        "t-1",
        "101",
        ACTIVE,
        "7",
        NOW,
    )


def test_no_event_holds_a_submitted_value() -> None:
    secret = submission(1, form_data(npi="SECRET", bio="SECRET"))
    known = {"credentialing": {"npi": Property("npi", "number"), "bio": Property("bio", "string")}}
    turn = begun(DUE, submissions=[secret], known=known)
    told = list(turn.turn.events)
    ended(turn, Verdict(Outcome.WRITTEN, correlation_ids=("c-1",)))
    assert "SECRET" not in str([*told, *turn.turn.events, turn.turn.verified])


def test_written_is_the_end_and_nobody_is_due() -> None:
    turn = ended(begun(DUE), Verdict(Outcome.WRITTEN, correlation_ids=("c-1",), created_at=at(-60)))
    assert said(turn) == ["written"]
    assert turn.turn.verified[0].written_at == at(1_001)
    assert turn.turn.verified[0].correlation_ids == ("c-1",)
    assert turn.turn.links[ACTIVE].record_created_at == at(-60)
    finish = turn.turn.finish
    assert finish is not None
    assert (finish.due_at, finish.condition.state, finish.rides) == (None, TherapistState.IN_SYNC, False)
    assert names(turn) == ["write.written"]


def test_the_second_turn_is_recorded_on_top_of_the_first() -> None:
    turn = begun(DUE)
    first = turn.turn
    ended(turn, Verdict(Outcome.WRITTEN))
    assert turn.turn.before.writes == tuple(first.writes)
    assert turn.turn.before.links == first.links
    assert turn.turn.planned is None


def test_a_records_creation_is_kept_as_it_was_first_told() -> None:
    link = replace(FOUND, record_created_at=at(-99))
    turn = ended(begun(DUE, links=[link]), Verdict(Outcome.WRITTEN, created_at=at(-60)))
    assert turn.turn.links[ACTIVE].record_created_at == at(-99)


ENDS = [
    (Outcome.UNKNOWN, "unknown no_verdict", ["write.unknown"]),
    (Outcome.NOT_SENT, "due send_failed", []),
    (Outcome.MISSING, "waiting record_missing", []),
]


@pytest.mark.parametrize(("outcome", "row", "events"), ENDS)
def test_what_did_not_end_is_tried_again_after_a_while(outcome: Outcome, row: str, events: list[str]) -> None:
    turn = ended(begun(DUE), Verdict(outcome, "X", "later"))
    assert said(turn) == [row]
    assert names(turn) == events
    assert turn.turn.writes[0].not_before == at(1_006)
    finish = turn.turn.finish
    assert finish is not None
    assert finish.due_at == at(1_006)
    assert not turn.turn.writes[0].goes_now


def test_every_further_try_waits_twice_as_long() -> None:
    spans = [
        end_of(replace(DUE, attempts=n), Carried(0, ("npi",), ()), Verdict(Outcome.UNKNOWN), NOW, POLICY)
        for n in (1, 2, 3, 4)
    ]
    waits = [(e.write.not_before - NOW).total_seconds() for e in spans if e.write.not_before is not None]
    assert waits == [5, 10, 20, 40]


def test_a_try_waits_at_least_as_long_as_hubspot_asked() -> None:
    turn = ended(begun(DUE), Verdict(Outcome.NOT_SENT, retry_after=90.0))
    assert turn.turn.writes[0].not_before == at(1_091)


def test_a_missing_record_leaves_its_data_owed_to_a_successor() -> None:
    turn = ended(begun(DUE), Verdict(Outcome.MISSING))
    assert turn.turn.writes[0].cause is Cause.SUCCESSOR


def test_a_refusal_needs_a_person_and_names_the_properties() -> None:
    fault = PropertyFault("npi", "INVALID_OPTION", "no such option")
    turn = ended(begun(DUE), Verdict(Outcome.REFUSED, "VALIDATION_ERROR", "no", (fault,)))
    assert said(turn) == ["refused refused_by_hubspot"]
    assert names(turn) == ["write.refused"]
    assert turn.turn.events[0].details["refused"] == ["npi: INVALID_OPTION"]
    finish = turn.turn.finish
    assert finish is not None
    assert finish.condition.state is TherapistState.REFUSED
    assert finish.due_at is None


def test_a_partly_refused_write_tells_every_property() -> None:
    fault = PropertyFault("npi", "INVALID_OPTION", "no such option")
    turn = ended(begun(DUE), Verdict(Outcome.PARTIAL, faults=(fault,)))
    assert said(turn) == ["partial properties_refused"]
    assert [(p["name"], p["state"]) for p in turn.turn.verified[0].properties] == [
        ("npi", "refused"),
        ("bio", "written"),
    ]


def test_one_records_verdict_ends_each_of_its_writes() -> None:
    af = submission(2, form_data(bio="c"), form="af")
    turn = begun(DUE, replace(DUE, id=2, form="af", submissions=frozenset({2})), submissions=[CA, af])
    assert len(turn.outgoing) == 1
    fault = PropertyFault("bio", "INVALID", "no")
    ended(turn, Verdict(Outcome.PARTIAL, faults=(fault,)))
    assert said(turn) == ["written", "refused refused_by_hubspot"]


def test_a_write_that_has_nothing_left_to_say_is_superseded_and_not_sent() -> None:
    newer = submission(2, form_data(npi="2", bio="c"), form="af")
    turn = begun(DUE, submissions=[CA, newer])
    assert turn.outgoing == []
    assert said(turn) == ["superseded newer_submission"]
    assert names(turn) == ["write.superseded"]
    assert turn.turn.finish is not None


def test_a_write_whose_every_value_is_unfit_ends_without_a_call() -> None:
    known: dict[str, dict[str, Property]] = {"credentialing": {}}
    turn = begun(DUE, known=known)
    assert turn.outgoing == []
    assert said(turn) == ["refused refused_by_hubspot"]
    assert turn.turn.finish is not None


def test_a_write_whose_values_are_partly_unfit_sends_the_others_and_is_partial() -> None:
    known = {"credentialing": {"npi": Property("npi", "string")}}
    turn = ended(begun(DUE, known=known), Verdict(Outcome.WRITTEN))
    assert said(turn) == ["partial properties_refused"]


def held(enrolment: int, submitted: float) -> Write:
    return a_write(
        5,
        enrolment=enrolment,
        state=WriteState.HELD,
        reason=Reason.OLDER_THAN_SIGN_UP,
        submitted_at=at(submitted),
    )


def test_a_newer_enrolments_written_write_ends_what_an_older_one_held() -> None:
    newer = replace(DUE, enrolment=5, submissions=frozenset({2}), submitted_at=at(200))
    late = submission(2, form_data(npi="2"), 200)
    turn = begun(newer, held(0, 10), submissions=[CA, late], sign_ups=[extended(5, 100)])
    ended(turn, Verdict(Outcome.WRITTEN))
    assert said(turn) == ["written", "superseded newer_sign_up"]
    assert names(turn) == ["write.superseded", "write.written"]


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.REFUSED, Outcome.NOT_SENT])
def test_what_was_not_written_ends_nothing_that_is_held(outcome: Outcome) -> None:
    newer = replace(DUE, enrolment=5, submissions=frozenset({2}), submitted_at=at(200))
    late = submission(2, form_data(npi="2"), 200)
    turn = begun(newer, held(0, 10), submissions=[CA, late], sign_ups=[extended(5, 100)])
    ended(turn, Verdict(outcome))
    assert said(turn)[1] == "held older_than_sign_up"


def test_an_older_enrolments_write_ends_nothing_that_a_newer_one_holds() -> None:
    turn = ended(begun(DUE, held(5, 200)), Verdict(Outcome.WRITTEN))
    assert said(turn) == ["written", "held older_than_sign_up"]


def test_whoever_waits_for_a_look_may_ride_in_a_free_seat_but_never_the_given_up() -> None:
    waiting = a_link(next_look_at=at(1_100))
    given_up = replace(waiting, state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)
    riding = [begun(a_write(), links=[link]).turn.finish for link in (waiting, given_up)]
    assert [(f.due_at, f.rides) for f in riding if f is not None] == [(at(1_100), True), (at(1_100), False)]


def test_who_only_waits_to_send_again_takes_no_free_seat() -> None:
    turn = ended(begun(DUE), Verdict(Outcome.NOT_SENT))
    assert turn.turn.finish is not None
    assert not turn.turn.finish.rides


def test_a_turn_whose_credentialing_nobody_can_choose_yet_is_due_only_by_an_event() -> None:
    unchosen = a_write(slot=DEFINITIVE, rule=None, reason=Reason.MOVING_UNKNOWN)
    finish = begun(unchosen, links=[HOME]).turn.finish
    assert finish is not None
    assert (finish.condition.state, finish.due_at) == (TherapistState.WAITING, None)
