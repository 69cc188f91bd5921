"""Which rows an enrolment's submissions ask for: one per enrolment, form and slot, joined until it is sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.facts import Facts, MovingFact, SignUp, Submission
from credsync.core.links import Link, LinkState
from credsync.core.mapping import submitted_slots
from credsync.core.plan import SyncRequest, awaited_slots, plan_links, plan_writes
from credsync.core.portal import DEFINITIVE, Portal
from credsync.core.portal_file import parse_portal
from credsync.core.reasons import Reason
from credsync.core.writes import Cause, Write, WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    MOVE,
    NJ,
    NY,
    OBSERVING,
    PORTAL,
    WRITES_TOML,
    a_link,
    a_write,
    at,
    extended,
    form_data,
    portal_text,
    submission,
)

SYNC = [SyncRequest(1, include_held=False)]
SYNC_HELD = [SyncRequest(1, include_held=True)]
CA = form_data(npi="1")


def plan(
    submissions: Sequence[Submission],
    rows: Sequence[Write] = (),
    syncs: Sequence[SyncRequest] = (),
    *,
    portal: Portal = PORTAL,
    sign_ups: Sequence[SignUp] = (),
    moving: Sequence[MovingFact] = (),
) -> list[Write]:
    """All rows after planning, new ones with ids; planned again they must not change."""
    facts = Facts.of(sign_ups, moving, submissions)
    after = applied(rows, plan_writes(portal, facts, rows, syncs))
    assert plan_writes(portal, facts, after) == []
    return after


def applied(rows: Sequence[Write], planned: Sequence[Write]) -> list[Write]:
    changed: dict[int | None, Write] = {w.id: w for w in planned if w.id is not None}
    new = sorted((w for w in planned if w.id is None), key=lambda w: (w.key, sorted(w.submissions)))
    after = [changed.get(w.id, w) for w in rows]
    return after + [replace(w, id=len(rows) + n) for n, w in enumerate(new, 1)]


def live(rows: Sequence[Write]) -> list[Write]:
    return [w for w in rows if w.state is not WriteState.SUPERSEDED]


def carried(rows: Sequence[Write]) -> dict[tuple[int, str, str], set[int]]:
    return {w.key: set(w.submissions) for w in live(rows)}


def sent(rows: Sequence[Write], state: WriteState = WriteState.WRITTEN, record_id: str = "9") -> list[Write]:
    """The live rows as they are after they went out."""
    return [
        replace(w, state=state, reason=Reason.NONE, record_id=record_id) if w in live(rows) else w
        for w in rows
    ]


# Rows


def test_a_submission_opens_one_row_for_every_slot_it_has_something_to_say_to() -> None:
    data = form_data(npi="1", city="Rome", licenses=[{"state": "NY", "number": "1"}])
    rows = plan([submission(1, data)])
    assert carried(rows) == {(0, "ca", slot): {1} for slot in (ACTIVE, ADDRESS, NY)}
    assert {w.slot: w.rule for w in rows} == {ACTIVE: "always", ADDRESS: None, NY: None}
    assert all(
        (w.state, w.cause, w.submitted_at) == (WriteState.WAITING, Cause.SUBMITTED, at(1)) for w in rows
    )


def test_a_submission_with_nothing_mapped_asks_for_no_row() -> None:
    assert plan([submission(1, {"personal_information": {"aliases": ["x"]}})]) == []


def test_two_submits_before_the_link_is_known_are_one_write() -> None:
    """Two submits before the link is known are one write."""
    first = plan([submission(1, CA)])
    rows = plan([submission(1, CA), submission(2, form_data(bio="b"))], first)
    assert len(rows) == 1
    assert carried(rows) == {(0, "ca", ACTIVE): {1, 2}}
    assert rows[0].submitted_at == at(2)


@pytest.mark.parametrize(
    "state", [WriteState.UNKNOWN, WriteState.WRITTEN, WriteState.PARTIAL, WriteState.REFUSED]
)
def test_after_it_was_sent_the_next_submission_opens_another_row(state: WriteState) -> None:
    first = sent(plan([submission(1, CA)]), state)
    rows = plan([submission(1, CA), submission(2, CA)], first)
    assert [set(w.submissions) for w in rows] == [{1}, {2}]
    assert rows[0] == first[0]


def test_each_form_has_a_row_of_its_own() -> None:
    rows = plan([submission(1, CA), submission(2, CA, form="af")])
    assert carried(rows) == {(0, "ca", ACTIVE): {1}, (0, "af", ACTIVE): {2}}


def test_an_older_submission_that_comes_late_joins_the_row_and_does_not_become_its_newest() -> None:
    rows = plan([submission(1, CA, 50)])
    rows = plan([submission(1, CA, 50), submission(2, CA, 10)], rows)
    assert carried(rows) == {(0, "ca", ACTIVE): {1, 2}}
    assert rows[0].submitted_at == at(50)


def test_what_was_sent_is_not_planned_again() -> None:
    rows = sent(plan([submission(1, CA)]))
    assert plan([submission(1, CA)], rows) == rows


# Lists


def test_unsent_items_that_a_newer_list_no_longer_has_are_superseded() -> None:
    """A list in a newer submission replaces the list: unsent items that are gone are superseded."""
    both = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}, {"state": "NJ", "number": "2"}]))
    newer = submission(2, form_data(licenses=[{"state": "NY", "number": "3"}]))
    rows = plan([both, newer], plan([both]))
    assert carried(rows) == {(0, "ca", NY): {2}}
    (gone,) = (w for w in rows if w.slot == NJ)
    assert (gone.state, gone.reason) == (WriteState.SUPERSEDED, Reason.LIST_REPLACED)


def test_sent_items_that_a_newer_list_no_longer_has_stay_written() -> None:
    one = submission(1, form_data(licenses=[{"state": "NJ", "number": "2"}]))
    rows = sent(plan([one]))
    newer = submission(2, form_data(licenses=[{"state": "NY", "number": "3"}]))
    assert plan([one, newer], rows)[0] == rows[0]


# Which Credentialing


def words(*told: tuple[float, bool]) -> list[MovingFact]:
    return [MovingFact(at(moment), seq, moving) for seq, (moment, moving) in enumerate(told)]


def test_the_row_waits_without_a_slot_while_nobody_has_said_whether_the_therapist_moves() -> None:
    unsaid = submission(1, CA, moving=None)
    rows = plan([unsaid])
    assert [(w.slot, w.rule) for w in rows] == [(DEFINITIVE, None)]
    rows = plan([unsaid], rows, moving=words((0, True)))
    assert [(w.id, w.slot, w.rule) for w in rows] == [(1, MOVE, "moving")]


def test_the_credentialing_is_judged_anew_until_the_row_is_sent() -> None:
    """The definitive slot is judged again until the write is first sent."""
    unsaid = submission(1, CA, 50, moving=None)
    rows = plan([unsaid], moving=words((0, True)))
    rows = plan([unsaid], rows, moving=words((0, True), (20, False)))
    assert [(w.id, w.slot, w.rule, w.state) for w in rows] == [(1, ACTIVE, "always", WriteState.WAITING)]


@pytest.mark.parametrize("state", [WriteState.UNKNOWN, WriteState.WRITTEN, WriteState.REFUSED])
def test_the_credentialing_is_kept_once_the_row_was_sent(state: WriteState) -> None:
    """Slot and rule are stored on the write: once sent, they stay."""
    unsaid = submission(1, CA, 50, moving=None)
    rows = sent(plan([unsaid], moving=words((0, True))), state)
    told = words((0, True), (20, False))
    assert plan([unsaid], rows, moving=told) == rows
    again = plan([unsaid], rows, SYNC, moving=told)
    assert carried(again[1:]) == {(0, "ca", MOVE): {1}}


def test_a_submission_that_goes_to_another_credentialing_than_its_sibling_and_back_is_not_forgotten() -> None:
    here, there = submission(1, CA, 50, moving=None), submission(2, CA, 60, moving=False)
    moves, stays = words((0, True)), words((0, True), (20, False))
    rows = plan([here, there], moving=moves)
    assert carried(rows) == {(0, "ca", MOVE): {1}, (0, "ca", ACTIVE): {2}}
    rows = plan([here, there], rows, moving=stays)
    assert carried(rows) == {(0, "ca", ACTIVE): {1, 2}}
    rows = plan([here, there], rows, moving=[*stays, MovingFact(at(30), 9, True)])
    assert carried(rows) == {(0, "ca", MOVE): {1}, (0, "ca", ACTIVE): {2}}


# Sync now


def test_sync_now_opens_a_row_with_everything_submitted_again() -> None:
    """Sync now carries the full merge."""
    ones = [submission(1, CA), submission(2, form_data(bio="b")), submission(3, CA, form="af")]
    rows = sent(plan(ones))
    again = plan(ones, rows, SYNC)[len(rows) :]
    assert carried(again) == {(0, "ca", ACTIVE): {1, 2}, (0, "af", ACTIVE): {3}}
    assert all(w.cause is Cause.SYNC for w in again)


def test_sync_now_widens_the_row_that_is_still_unsent() -> None:
    one, two = submission(1, CA), submission(2, form_data(bio="b"))
    rows = plan([one, two], sent(plan([one])))
    synced = plan([one, two], rows, SYNC)
    assert len(synced) == len(rows)
    assert (set(synced[1].submissions), synced[1].cause) == ({1, 2}, Cause.SYNC)


def test_pressing_twice_is_one() -> None:
    rows = plan([submission(1, CA)], sent(plan([submission(1, CA)])), SYNC)
    assert plan([submission(1, CA)], rows, SYNC) == rows


def test_sync_now_sends_nothing_of_an_older_enrolment() -> None:
    before, after = submission(1, CA, 10), submission(2, CA, 200)
    rows = sent(plan([before]))
    rows = sent(plan([before, after], rows, sign_ups=[extended(5, 100)]))
    again = plan([before, after], rows, SYNC, sign_ups=[extended(5, 100)])[2:]
    assert carried(again) == {(5, "ca", ACTIVE): {2}}


# Extended Sign Up


def test_what_comes_after_an_extended_sign_up_has_a_row_of_its_own() -> None:
    before, after = submission(1, CA, 10), submission(2, CA, 200)
    rows = plan([before, after], plan([before]), sign_ups=[extended(5, 100)])
    assert carried(rows) == {(0, "ca", ACTIVE): {1}, (5, "ca", ACTIVE): {2}}


def test_an_extended_sign_up_that_is_told_late_divides_the_row_that_was_unsent() -> None:
    before, after = submission(1, CA, 10), submission(2, CA, 200)
    rows = plan([before, after])
    rows = plan([before, after], rows, sign_ups=[extended(5, 100)])
    assert carried(rows) == {(0, "ca", ACTIVE): {1}, (5, "ca", ACTIVE): {2}}


def held_before_the_sign_up(*later: Submission) -> tuple[list[Submission], list[SignUp], list[Write]]:
    """A CA of the first enrolment, held since the second; its address was written in time."""
    before = submission(1, form_data(npi="1", city="Rome"), 10)
    esu = [extended(5, 100)]
    rows = [
        replace(w, state=WriteState.HELD, reason=Reason.OLDER_THAN_SIGN_UP)
        if w.slot == ACTIVE
        else replace(w, state=WriteState.WRITTEN, reason=Reason.NONE, record_id="7")
        for w in plan([before])
    ]
    return [before, *later], esu, plan([before, *later], rows, sign_ups=esu)


def test_what_is_held_stays_held_whatever_else_is_planned() -> None:
    submissions, esu, rows = held_before_the_sign_up(submission(2, CA, 200))
    assert [(w.enrolment, w.state) for w in rows if w.slot == ACTIVE] == [
        (0, WriteState.HELD),
        (5, WriteState.WAITING),
    ]
    rows = plan(submissions, rows, SYNC, sign_ups=esu)
    assert rows[0].state is WriteState.HELD


def test_sync_now_with_held_sends_it_under_the_current_enrolment_and_ends_the_held_row() -> None:
    submissions, esu, rows = held_before_the_sign_up()
    rows = plan(submissions, rows, SYNC_HELD, sign_ups=esu)
    assert carried([w for w in rows if w.slot == ACTIVE]) == {(5, "ca", ACTIVE): {1}}
    held = next(w for w in rows if w.slot == ACTIVE and w.enrolment == 0)
    assert (held.state, held.reason) == (WriteState.SUPERSEDED, Reason.SENT_BY_SYNC)


def test_what_a_person_rescued_stays_rescued_until_it_is_sent_whatever_comes_in() -> None:
    submissions, esu, rows = held_before_the_sign_up()
    rows = plan(submissions, rows, SYNC_HELD, sign_ups=esu)
    later = [*submissions, submission(2, form_data(bio="b"), 200)]
    rows = plan(later, rows, sign_ups=esu)
    assert carried([w for w in rows if w.slot == ACTIVE]) == {(5, "ca", ACTIVE): {1, 2}}


def test_sync_now_with_held_leaves_alone_what_the_same_form_had_written_in_time() -> None:
    submissions, esu, rows = held_before_the_sign_up()
    rows = plan(submissions, rows, SYNC_HELD, sign_ups=esu)
    assert [(w.enrolment, w.state) for w in rows if w.slot == ADDRESS] == [(0, WriteState.WRITTEN)]


# Observe-only


def test_what_is_submitted_while_a_portal_only_observes_is_held() -> None:
    """Observe-only does not queue: what was submitted meanwhile is `held` (`observe_only`)."""
    (row,) = plan([submission(1, CA)], portal=OBSERVING)
    assert (row.state, row.reason) == (WriteState.HELD, Reason.OBSERVE_ONLY)


def test_what_was_held_by_observing_stays_held_when_the_portal_writes_again() -> None:
    rows = plan([submission(1, CA)], portal=OBSERVING)
    assert plan([submission(1, CA)], rows) == rows


def test_what_is_submitted_after_observing_is_written_without_what_was_held() -> None:
    rows = plan([submission(1, CA)], portal=OBSERVING)
    rows = plan([submission(1, CA), submission(2, CA)], rows)
    assert [(set(w.submissions), w.state) for w in rows] == [
        ({1}, WriteState.HELD),
        ({2}, WriteState.WAITING),
    ]


def test_what_is_submitted_while_observing_does_not_join_a_row_from_before() -> None:
    rows = plan([submission(1, CA)])
    rows = plan([submission(1, CA), submission(2, CA)], rows, portal=OBSERVING)
    assert [(set(w.submissions), w.state) for w in rows] == [
        ({1}, WriteState.WAITING),
        ({2}, WriteState.HELD),
    ]


@pytest.mark.parametrize("cause", [Cause.SYNC, Cause.SUCCESSOR])
def test_what_is_submitted_while_observing_does_not_join_a_row_that_is_owed(cause: Cause) -> None:
    """Observe-only does not queue: not even where Sync now or a loss owed a write when it began."""
    rows = [replace(row, cause=cause) for row in plan([submission(1, CA)])]
    both = [submission(1, CA), submission(2, CA)]
    expected = [({1}, WriteState.WAITING, cause), ({2}, WriteState.HELD, Cause.SUBMITTED)]
    rows = plan(both, rows, portal=OBSERVING)
    assert [(set(w.submissions), w.state, w.cause) for w in rows] == expected
    rows = plan(both, rows)
    assert [(set(w.submissions), w.state, w.cause) for w in rows] == expected, "nor when it writes again"


def test_submissions_while_observing_are_one_held_row() -> None:
    rows = plan([submission(1, CA)], portal=OBSERVING)
    rows = plan([submission(1, CA), submission(2, CA)], rows, portal=OBSERVING)
    assert [(set(w.submissions), w.state) for w in rows] == [({1, 2}, WriteState.HELD)]


def test_sync_now_sends_what_was_held_by_observing_with_everything_else() -> None:
    both = [submission(1, CA), submission(2, CA)]
    rows = plan(both, plan(both[:1], portal=OBSERVING))
    rows = plan(both, rows, SYNC)
    assert carried(rows) == {(0, "ca", ACTIVE): {1, 2}}
    assert [w.state for w in live(rows)] == [WriteState.WAITING]


def test_sync_now_pressed_while_observing_sends_nothing_later() -> None:
    """Observe-only does not queue: Sync now pressed meanwhile is not kept either, and must be pressed again."""
    rows = plan([submission(1, CA)], portal=OBSERVING)
    for pressed in (SYNC, SYNC_HELD):
        assert plan([submission(1, CA)], rows, pressed, portal=OBSERVING) == rows
    assert plan([submission(1, CA)], rows) == rows
    after = plan([submission(1, CA)], rows, SYNC)
    assert [(w.state, w.cause) for w in after] == [(WriteState.WAITING, Cause.SYNC)]


def test_sync_now_pressed_while_observing_sends_nothing_written_before_again() -> None:
    """Observe-only does not queue: Sync now pressed meanwhile is not kept either, and must be pressed again."""
    written = [replace(row, state=WriteState.WRITTEN) for row in plan([submission(1, CA)])]
    assert plan([submission(1, CA)], written, SYNC, portal=OBSERVING) == written


# Two ways to one slot

BOTH_WAYS = parse_portal(
    "alpha",
    portal_text(
        writes='[[writes]]\nform = "ca"\nto = "definitive"\nfields = { npi = "npi_and_caqh.npi" }\n'
        '[[writes]]\nform = "ca"\nto = "credentialing_active_attested"\n'
        'fields = { bio = "practice_preferences.bio" }\n'
    ),
)


def test_a_rule_and_a_map_that_name_one_slot_are_one_row_and_part_when_the_rule_chooses_another() -> None:
    unsaid = [submission(1, form_data(npi="1", bio="b"), 50, moving=None)]
    rows = plan(unsaid, portal=BOTH_WAYS, moving=words((0, False)))
    assert carried(rows) == {(0, "ca", ACTIVE): {1}}
    rows = plan(unsaid, rows, portal=BOTH_WAYS, moving=words((0, False), (20, True)))
    assert carried(rows) == {(0, "ca", ACTIVE): {1}, (0, "ca", MOVE): {1}}
    assert plan(unsaid, sent(rows), portal=BOTH_WAYS, moving=words((0, False), (20, True))) == sent(rows)


# The portal file changes

ADDRESS_TOO = parse_portal(
    "alpha",
    portal_text(
        writes=WRITES_TOML
        + '[[writes]]\nform = "af"\nto = "therapist_address_current"\n'
        + 'fields = { city = "practice_preferences.treating_address.city" }\n'
    ),
)


def test_a_change_of_the_portal_file_alone_writes_nothing() -> None:
    one = [submission(1, form_data(npi="1", city="Rome"), form="af")]
    rows = sent(plan(one))
    assert plan(one, rows, portal=ADDRESS_TOO) == rows


def test_sync_now_sends_what_the_portal_file_maps_by_then() -> None:
    one = [submission(1, form_data(npi="1", city="Rome"), form="af")]
    rows = plan(one, sent(plan(one)), SYNC, portal=ADDRESS_TOO)
    assert carried(rows[1:]) == {(0, "af", ACTIVE): {1}, (0, "af", ADDRESS): {1}}


def test_what_is_no_longer_mapped_is_superseded_with_its_reason_and_asked_for_again_when_it_is() -> None:
    one = [submission(1, form_data(npi="1", city="Rome"), form="af")]
    rows = plan(one, portal=ADDRESS_TOO)
    rows = plan(one, rows)
    (gone,) = (w for w in rows if w.slot == ADDRESS)
    assert (gone.state, gone.reason) == (WriteState.SUPERSEDED, Reason.NOT_MAPPED)
    assert carried(plan(one, rows, portal=ADDRESS_TOO)) == {
        (0, "af", ACTIVE): {1},
        (0, "af", ADDRESS): {1},
    }


# Any order

EVENTS: list[Any] = [
    submission(1, form_data(npi="1", licenses=[{"state": "NY", "number": "1"}]), 10, moving=None),
    submission(2, form_data(bio="b", city="Rome"), 20, moving=True),
    submission(3, form_data(licenses=[{"state": "NJ", "number": "2"}]), 30, form="af", moving=None),
    submission(4, form_data(npi="4", city="Oslo"), 120, moving=None),
    submission(5, form_data(npi=None), 130, form="af", moving=None),
    extended(7, 100, received=0),
    MovingFact(at(5), 1, True),
    MovingFact(at(15), 2, False),
    MovingFact(at(110), 3, True),
]


def planned_as_told(events: Sequence[Any]) -> list[Write]:
    """Rows after planning anew with every event that comes in."""
    rows: list[Write] = []
    for n in range(1, len(events) + 1):
        told = events[:n]
        rows = plan(
            [e for e in told if isinstance(e, Submission)],
            rows,
            sign_ups=[e for e in told if isinstance(e, SignUp)],
            moving=[e for e in told if isinstance(e, MovingFact)],
        )
    return rows


@given(st.permutations(EVENTS))
def test_the_plan_is_the_same_whatever_order_things_are_told_in(events: list[Any]) -> None:
    def told(rows: Sequence[Write]) -> set[Any]:
        return {(w.key, w.rule, w.submissions, w.submitted_at, w.state, w.cause) for w in live(rows)}

    assert told(planned_as_told(events)) == told(planned_as_told(EVENTS))


@given(st.permutations(EVENTS), st.lists(st.sampled_from(list(WriteState)), min_size=9, max_size=9))
def test_planning_again_over_its_own_result_changes_nothing(
    events: list[Any], states: list[WriteState]
) -> None:
    """Whatever became of the rows meanwhile; what has no Credentialing yet can only wait."""
    rows: list[Write] = []
    for n, state in enumerate(states):
        told = events[: n + 1]
        rows = plan(
            [e for e in told if isinstance(e, Submission)],
            [replace(w, state=state) if w.id == n and w.slot != DEFINITIVE else w for w in rows],
            SYNC_HELD if n % 4 == 3 else (),
            sign_ups=[e for e in told if isinstance(e, SignUp)],
            moving=[e for e in told if isinstance(e, MovingFact)],
        )


# Links


def awaited(*submissions: Submission, rows: Sequence[Write] = (), **facts: Any) -> set[str]:
    told = Facts.of(submissions=submissions, **facts)
    return awaited_slots(PORTAL, told, rows, submitted_slots(PORTAL, told))


def test_always_slots_are_awaited_before_anything_was_submitted() -> None:
    assert awaited() == {ACTIVE, ADDRESS}


def test_moving_slots_are_awaited_only_while_the_therapist_moves() -> None:
    assert awaited(moving=words((0, True))) == {ACTIVE, ADDRESS, MOVE}
    assert awaited(moving=words((0, True), (10, False))) == {ACTIVE, ADDRESS}


def test_every_licence_submitted_is_awaited() -> None:
    one = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}, {"state": "NJ", "number": "1"}]))
    assert awaited(one) == {ACTIVE, ADDRESS, NY, NJ}


@pytest.mark.parametrize("state", list(WriteState))
def test_a_slot_with_an_unsent_write_is_awaited_whatever_its_rule_says(state: WriteState) -> None:
    """A slot with an unsent write is awaited."""
    unsent = state in (WriteState.WAITING, WriteState.DUE, WriteState.UNKNOWN)
    assert (MOVE in awaited(rows=[a_write(slot=MOVE, state=state)])) is unsent


def test_no_slot_is_awaited_while_no_credentialing_is_chosen() -> None:
    assert awaited(rows=[a_write(slot=DEFINITIVE, rule=None)]) == {ACTIVE, ADDRESS}


def links(
    *known: Link, wanted: Collection[str] = (), facts: Facts | None = None, seconds: float = 0
) -> dict[str, Link]:
    return plan_links(PORTAL, facts or Facts(), {link.slot: link for link in known}, wanted, at(seconds))


def test_an_awaited_slot_gets_a_link_that_waits_from_now_on() -> None:
    assert links(wanted={ACTIVE}, seconds=50) == {ACTIVE: Link(ACTIVE, awaited=True, awaited_since=at(50))}


def test_a_slot_that_the_portal_file_does_not_have_gets_no_link() -> None:
    assert links(wanted={"no_such_slot"}) == {}


def test_what_was_seen_but_is_not_awaited_is_kept() -> None:
    seen = a_link(NJ, awaited=True, state=LinkState.FOUND, record_id="1")
    assert links(seen)[NJ] == replace(seen, awaited=False)


def test_an_empty_slot_that_is_awaited_anew_waits_from_now_on_as_if_it_never_had() -> None:
    old = a_link(
        awaited=False,
        state=LinkState.GIVEN_UP,
        reason=Reason.GIVEN_UP,
        overdue_since=at(9),
        last_looked_at=at(9),
        looks=90,
    )
    link = links(old, wanted={ACTIVE}, seconds=10**6)[ACTIVE]
    assert link.awaited_since == at(10**6)
    assert link.state is LinkState.AWAITED
    assert link.overdue_since is None


ESU = Facts.of([extended(5, 100, received=110)])


def test_an_extended_sign_up_makes_every_link_doubtful_since_it_was_told() -> None:
    """An Extended Sign Up makes every link of the therapist doubtful."""
    link = links(a_link(state=LinkState.FOUND, record_id="1", last_looked_at=at(50)), facts=ESU)[ACTIVE]
    assert (link.doubtful_since, link.doubted_record_id, link.awaited_since) == (at(110), "1", at(110))
    assert not link.writable


def test_doubt_is_cast_once() -> None:
    judged = a_link(state=LinkState.FOUND, record_id="2", last_looked_at=at(110))
    assert links(judged, wanted={ACTIVE}, facts=ESU)[ACTIVE] == judged


def test_a_look_that_was_under_way_when_the_sign_up_was_told_does_not_end_the_doubt() -> None:
    under_way = a_link(state=LinkState.FOUND, record_id="1", last_looked_at=at(109))
    assert links(under_way, facts=ESU)[ACTIVE].doubtful_since == at(110)


def test_a_first_sign_up_casts_no_doubt() -> None:
    link = a_link(state=LinkState.FOUND, record_id="1", last_looked_at=at(50))
    facts = Facts.of([replace(extended(5, 100), kind="first")])  # type: ignore[arg-type]
    assert links(link, wanted={ACTIVE}, facts=facts)[ACTIVE] == link


def test_an_extended_sign_up_begins_the_wait_for_an_empty_slot_anew() -> None:
    given_up = a_link(
        state=LinkState.GIVEN_UP,
        reason=Reason.GIVEN_UP,
        overdue_since=at(10),
        last_looked_at=at(50),
        looks=90,
    )
    link = links(given_up, wanted={ACTIVE}, facts=ESU)[ACTIVE]
    assert (link.state, link.awaited_since, link.overdue_since) == (LinkState.AWAITED, at(110), None)
    assert (link.doubtful_since, link.doubted_record_id) == (at(110), None)


def test_sync_now_begins_the_wait_for_what_was_given_up_anew() -> None:
    """As its sentence says: re-enrol the contact in its workflow, then press Sync now."""
    given_up = a_link(state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP, overdue_since=at(10), looks=90)
    pressed = plan_links(PORTAL, Facts(), {ACTIVE: given_up}, {ACTIVE}, at(900), asked=True)[ACTIVE]
    assert (pressed.state, pressed.awaited_since, pressed.overdue_since) == (LinkState.AWAITED, at(900), None)
    assert links(given_up, wanted={ACTIVE}, seconds=900)[ACTIVE] == given_up


def test_links_planned_again_are_the_same() -> None:
    first = links(
        a_link(state=LinkState.FOUND, record_id="1", last_looked_at=at(50)), wanted={NY, ACTIVE}, facts=ESU
    )
    again = plan_links(PORTAL, ESU, first, {NY, ACTIVE}, at(500))
    assert again == first


def test_what_was_mapped_nowhere_when_it_was_planned_is_not_written_because_it_is_mapped_now() -> None:
    """A write happens because something was submitted, never because the portal file changed."""
    facts = Facts.of(submissions=[submission(1, form_data(npi="1"))])
    nowhere = parse_portal("alpha", portal_text(writes=""))
    assert plan_writes(nowhere, facts, []) == []
    assert plan_writes(PORTAL, facts, [], (), 1) == []
    later = Facts.of(submissions=[*facts.submissions, submission(2, form_data(npi="2"))])
    assert [w.submissions for w in plan_writes(PORTAL, later, [], (), 1)] == [frozenset({2})]
    pressed = plan_writes(PORTAL, facts, [], [SyncRequest(1, False)], 1)
    assert [w.submissions for w in pressed] == [frozenset({1})], "Sync now sends everything submitted"


def test_a_slot_awaited_long_after_the_last_fact_that_arrived_waits_from_now_on() -> None:
    """A word on moving has no arrival of its own: a month-old submission must not make its slot given up."""
    facts = Facts.of(submissions=[submission(1, form_data(npi="1"))])
    looked = a_link(ACTIVE, last_looked_at=at(5_000))
    assert plan_links(PORTAL, facts, {ACTIVE: looked}, {ACTIVE, MOVE}, at(9_000))[MOVE].awaited_since == at(
        9_000
    )
    fresh = plan_links(PORTAL, facts, {}, {MOVE}, at(9_000))[MOVE]
    assert fresh.awaited_since == facts.submissions[0].received_at


def test_a_link_whose_slot_the_portal_file_no_longer_has_is_in_no_doubt_and_never_due() -> None:
    facts = Facts.of(sign_ups=[extended(7, 100)])
    gone = a_link("former_slot", doubtful_since=at(50), next_look_at=at(60))
    planned = plan_links(PORTAL, facts, {"former_slot": gone}, set(), at(200))["former_slot"]
    assert (planned.doubtful_since, planned.next_look_at, planned.open) == (None, None, False)
