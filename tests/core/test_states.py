"""A therapist's one state is the worst there is; whoever waits for what time can change is due."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.decide import Case, decide
from credsync.core.links import Link, LinkState
from credsync.core.observations import NotSeen
from credsync.core.portal import DEFINITIVE, Mode
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, ParentAwaited, TypeSight
from credsync.core.states import Condition, TherapistState, complete, condition, next_due
from credsync.core.writes import UNFINISHED, Cause, Write, WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    ATTESTED,
    CURRENT,
    MOVE,
    NJ,
    NY,
    OBSERVING,
    PORTAL,
    PROCESSING,
    TWO_HOPS,
    a_link,
    a_write,
    at,
)

FOUND = a_link(ADDRESS, state=LinkState.FOUND, reason=Reason.NONE, record_id="7", found_at=at(0))
WRITTEN = a_write(state=WriteState.WRITTEN, reason=Reason.NONE, record_id="7")


def told(*rows: Link | Write, contact: str | None = "101") -> Condition:
    links = [row for row in rows if isinstance(row, Link)]
    return condition(contact, links, [row for row in rows if isinstance(row, Write)])


def of(*rows: Link | Write, contact: str | None = "101") -> str:
    found = told(*rows, contact=contact)
    return f"{found.state} {found.reason}".strip()


LADDER: list[tuple[str, Link | Write]] = [
    ("refused", a_write(1, ACTIVE, state=WriteState.REFUSED, reason=Reason.REFUSED_BY_HUBSPOT)),
    ("ambiguous", a_link(ACTIVE, state=LinkState.AMBIGUOUS, reason=Reason.TWO_RECORDS_IN_SLOT)),
    ("held", a_write(2, MOVE, state=WriteState.HELD, reason=Reason.OLDER_THAN_SIGN_UP)),
    ("partial", a_write(3, ADDRESS, state=WriteState.PARTIAL, reason=Reason.PROPERTIES_REFUSED)),
    ("given_up", a_link(NY, state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)),
    ("overdue", a_link(NJ, overdue_since=at(5), reason=Reason.RECORD_AWAITED)),
    ("waiting", a_link(MOVE, reason=Reason.RECORD_AWAITED)),
    ("in_sync", FOUND),
]


def test_the_states_are_those_of_the_status_the_worst_first() -> None:
    assert [state.value for state in TherapistState] == [state for state, _ in LADDER]


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(range(len(LADDER)), 2)))
def test_of_two_things_the_worse_is_the_therapists_state(worse: int, better: int) -> None:
    assert told(LADDER[better][1], LADDER[worse][1]).state == LADDER[worse][0]
    assert told(LADDER[worse][1], LADDER[better][1]).state == LADDER[worse][0]


def test_nothing_at_all_is_in_sync() -> None:
    assert of() == "in_sync"
    assert told().message == ""


@pytest.mark.parametrize("state", [WriteState.WAITING, WriteState.DUE, WriteState.UNKNOWN])
def test_an_unfinished_write_waits_with_its_reason(state: WriteState) -> None:
    assert of(FOUND, a_write(state=state, reason=Reason.NO_VERDICT)) == "waiting no_verdict"


def test_a_newer_write_of_the_same_form_and_slot_speaks_for_the_older_one() -> None:
    refused = a_write(1, state=WriteState.REFUSED, reason=Reason.REFUSED_BY_HUBSPOT)
    assert of(refused, a_write(2, state=WriteState.WRITTEN, reason=Reason.NONE)) == "in_sync"
    assert of(refused, a_write(2, ADDRESS, state=WriteState.WRITTEN, reason=Reason.NONE)).startswith(
        "refused"
    )


def test_an_unfinished_write_speaks_for_itself_whatever_came_after_it() -> None:
    unknown = a_write(1, state=WriteState.UNKNOWN, reason=Reason.NO_VERDICT)
    assert of(unknown, a_write(2, state=WriteState.WRITTEN, reason=Reason.NONE)) == "waiting no_verdict"


def test_what_was_superseded_says_nothing() -> None:
    assert of(a_write(state=WriteState.SUPERSEDED, reason=Reason.NEWER_SUBMISSION)) == "in_sync"


def test_what_only_observing_keeps_back_does_not_count() -> None:
    """What observing held is not counted in the therapist's state."""
    assert of(FOUND, a_write(state=WriteState.HELD, reason=Reason.OBSERVE_ONLY)) == "in_sync"


def test_what_was_to_go_before_the_portal_only_observed_goes_on_waiting() -> None:
    """Nobody is in sync over a write that goes by itself once the portal writes again."""
    waits = a_write(state=WriteState.WAITING, reason=Reason.OBSERVE_ONLY)
    assert of(FOUND, waits) == "waiting observe_only"


def test_whoever_waits_without_a_contact_waits_for_the_contact() -> None:
    assert of(a_link(), contact=None) == "waiting no_contact"
    assert of(a_write(), contact=None).startswith("waiting")
    assert of(FOUND, WRITTEN, contact=None) == "in_sync"


def test_ambiguous_while_the_labels_settle_is_waiting_without_alarm() -> None:
    settling = a_link(state=LinkState.AMBIGUOUS, reason=Reason.SETTLING, doubtful_since=at(0))
    assert of(settling) == "waiting settling"


def test_a_doubtful_link_waits() -> None:
    doubtful = a_link(state=LinkState.FOUND, reason=Reason.SETTLING, record_id="1", doubtful_since=at(0))
    assert of(doubtful) == "waiting settling"


def test_an_empty_slot_that_nobody_awaits_is_no_matter() -> None:
    assert of(a_link(awaited=False, reason=Reason.RECORD_AWAITED)) == "in_sync"


def test_it_is_complete_when_no_awaited_slot_is_empty() -> None:
    """`complete` is true when no awaited slot is empty."""

    def is_complete(*links: Link) -> bool:
        return complete({link.slot: link for link in links})

    assert is_complete()
    assert is_complete(FOUND, a_link(MOVE, awaited=False))
    assert not is_complete(FOUND, a_link(ACTIVE))
    assert not is_complete(a_link(state=LinkState.AMBIGUOUS))


def due(*rows: Link | Write, contact: str | None = "101", seconds: float = 100) -> datetime | None:
    links = [row for row in rows if isinstance(row, Link)]
    return next_due(contact, links, [row for row in rows if isinstance(row, Write)], at(seconds))


def test_the_next_round_is_at_the_soonest_next_look() -> None:
    looks = [a_link(ACTIVE, next_look_at=at(120)), a_link(ADDRESS, next_look_at=at(110))]
    assert due(*looks) == at(110)


def test_nobody_is_due_who_is_in_sync_or_has_no_contact() -> None:
    """Only those are looked at whose ids are missing or doubtful: nobody else is due."""
    assert due(FOUND, WRITTEN) is None
    assert due(a_link(next_look_at=at(120)), a_write(), contact=None) is None


def test_a_given_up_slot_is_looked_at_by_itself_only_if_something_submitted_waits_for_it() -> None:
    """A given-up link is looked at by itself only if something submitted waits for it."""
    given_up = a_link(state=LinkState.GIVEN_UP, next_look_at=at(86_400))
    assert due(given_up) is None
    assert due(given_up, a_write()) == at(86_400)


def test_a_write_that_is_to_be_tried_again_is_due_then() -> None:
    again = a_write(state=WriteState.DUE, reason=Reason.SEND_FAILED, not_before=at(130), record_id="7")
    assert due(FOUND, again) == at(130)


def test_a_write_that_a_crash_left_without_verdict_is_due_at_once() -> None:
    left = a_write(state=WriteState.UNKNOWN, reason=Reason.NO_VERDICT, record_id="7")
    assert due(FOUND, left) == at(100)


@pytest.mark.parametrize("state", [WriteState.WAITING, WriteState.UNKNOWN])
def test_what_only_observing_keeps_back_is_not_due(state: WriteState) -> None:
    assert due(FOUND, a_write(state=state, reason=Reason.OBSERVE_ONLY)) is None


# Whoever waits for what time can change has a due moment, and it is ahead

NOW = at(40 * 86_400)
MOMENTS = st.integers(0, 40 * 86_400).map(at)
SLOTS = {ACTIVE: ("credentialing", ATTESTED), MOVE: ("credentialing", PROCESSING)}


@st.composite
def any_link(draw: st.DrawFn, slot: str) -> Link:
    state = draw(st.sampled_from(list(LinkState)))
    held = state is LinkState.FOUND
    doubtful = draw(st.none() | MOMENTS)
    return a_link(
        slot,
        awaited=draw(st.booleans()),
        awaited_since=draw(MOMENTS),
        state=state,
        reason=draw(st.sampled_from([Reason.NONE, Reason.SETTLING, Reason.RECORD_LOST, Reason.LOOK_FAILED])),
        record_id="1" if held else None,
        found_at=draw(MOMENTS) if held else None,
        looks=draw(st.integers(0, 5)),
        next_look_at=draw(st.none() | MOMENTS),
        doubtful_since=doubtful,
        doubted_record_id="1" if doubtful else None,
        overdue_since=draw(st.none() | MOMENTS),
        chosen_record_id=draw(st.sampled_from([None, "1", "2"])),
    )


@st.composite
def any_write(draw: st.DrawFn, number: int) -> Write:
    slot = draw(st.sampled_from([ACTIVE, MOVE, ADDRESS, NY, DEFINITIVE]))
    state = draw(st.sampled_from(list(WriteState)))
    reason = {WriteState.UNKNOWN: Reason.NO_VERDICT, WriteState.DUE: Reason.SEND_FAILED}.get(
        state, draw(st.sampled_from([Reason.NOT_LOOKED_YET, Reason.OBSERVE_ONLY, Reason.OLDER_THAN_SIGN_UP]))
    )
    return a_write(
        number,
        slot,
        enrolment=draw(st.sampled_from([0, 5])),
        state=state,
        reason=reason,
        cause=draw(st.sampled_from(list(Cause))),
        record_id=draw(st.sampled_from([None, "1", "2"])),
        not_before=draw(st.none() | MOMENTS | st.just(NOW + timedelta(seconds=20))),
        attempts=draw(st.integers(0, 3)),
    )


@st.composite
def any_sights(draw: st.DrawFn, portal: Any) -> dict[str, TypeSight]:
    labels = st.sets(st.sampled_from([ATTESTED, PROCESSING, CURRENT])).map(frozenset)
    candidate = st.builds(
        Candidate,
        st.sampled_from(["1", "2"]),
        st.sampled_from(["1", "2", "101"]),
        labels,
        st.fixed_dictionaries({"license_state": st.sampled_from(["NY", "NJ", None])}),
    )
    records = st.lists(candidate, max_size=2, unique_by=lambda c: c.record_id).map(tuple)
    seen = st.one_of(records, st.just(NotSeen("TIMEOUT", "")), st.just(ParentAwaited()))
    return {key: draw(seen) for key in portal.objects}


@given(st.data())
def test_whoever_waits_for_what_time_can_change_is_due_and_never_at_once_again(data: st.DataObject) -> None:
    portal = data.draw(st.sampled_from([PORTAL, TWO_HOPS, OBSERVING]))
    links = {slot: data.draw(any_link(slot)) for slot in (ACTIVE, MOVE, ADDRESS, NY)}
    case = Case(
        "t-1",
        "101",
        links,
        tuple(data.draw(any_write(n)) for n in range(1, data.draw(st.integers(1, 4)))),
        definitive=data.draw(st.sampled_from([ACTIVE, MOVE, None])),
        enrolment=5,
        enrolment_since=at(1_000),
    )
    decision = decide(portal, case, data.draw(any_sights(portal)), {}, NOW, Policy())
    resting = [w for w in decision.writes if not w.goes_now]
    moment = next_due("101", decision.links.values(), resting, NOW)
    assert moment is None or moment > NOW
    for write in resting:
        if write.state in UNFINISHED and write.slot != DEFINITIVE and write.reason is not Reason.OBSERVE_ONLY:
            assert moment is not None, write
    for link in decision.links.values():
        if link.open and link.state is not LinkState.GIVEN_UP:
            assert moment is not None, link
    state = condition("101", decision.links.values(), resting).state
    if state in (TherapistState.WAITING, TherapistState.OVERDUE):
        asked = any(w.reason is Reason.MOVING_UNKNOWN for w in resting)
        assert moment is not None or asked


@given(st.data())
def test_nothing_goes_to_a_record_that_does_not_hold_its_slot_in_this_very_look(data: st.DataObject) -> None:
    """A link may hold only a record that in this very round carries the slot under this contact."""
    portal = data.draw(st.sampled_from([PORTAL, OBSERVING]))
    links = {slot: data.draw(any_link(slot)) for slot in (ACTIVE, MOVE)}
    writes = tuple(data.draw(any_write(n)) for n in range(1, 4))
    case = Case("t-1", "101", links, writes, enrolment=5, enrolment_since=at(1_000))
    sights = data.draw(any_sights(portal))
    decision = decide(portal, case, sights, {}, NOW, Policy())
    assert portal.hubspot.mode is Mode.WRITE or not decision.to_send
    for write in decision.to_send:
        if write.slot in SLOTS:
            object_key, label = SLOTS[write.slot]
            seen = sights[object_key]
            assert isinstance(seen, tuple)
            assert write.record_id in {c.record_id for c in seen if label in c.labels}


def test_a_refused_property_goes_on_telling_until_something_newer_answers_it() -> None:
    """Nothing ends in silence: a refused property tells until something newer answers it.

    Nothing ends in silence: a newer submission that says nothing of a refused property does not hide it.
    """
    partial = a_write(
        1,
        state=WriteState.PARTIAL,
        reason=Reason.PROPERTIES_REFUSED,
        wrote=frozenset({"bio"}),
        refused=frozenset({"npi"}),
    )
    silent = a_write(2, state=WriteState.WRITTEN, reason=Reason.NONE, wrote=frozenset({"bio"}))
    answer = a_write(3, state=WriteState.WRITTEN, reason=Reason.NONE, wrote=frozenset({"npi"}))
    elsewhere = a_write(4, ADDRESS, state=WriteState.WRITTEN, reason=Reason.NONE, wrote=frozenset({"npi"}))
    next_enrolment = a_write(5, state=WriteState.WRITTEN, reason=Reason.NONE, enrolment=9)
    assert of(partial, silent) == "partial properties_refused"
    assert of(partial, silent, elsewhere) == "partial properties_refused"
    assert of(partial, silent, answer) == "in_sync"
    assert of(partial, next_enrolment) == "in_sync"
