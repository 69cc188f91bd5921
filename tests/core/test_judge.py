"""What one look makes of one slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credsync.core.events import EventName
from credsync.core.judge import Judgement, SlotSight, Spans, judge_link, judge_unseen
from credsync.core.links import Link, LinkState
from credsync.core.observations import NotSeen
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate
from credsync.core.states import next_due
from credsync.operate.outlook import will_be_looked_at
from tests.core.builders import ATTESTED, a_link, at

POLICY = Policy(look_again_min=timedelta(seconds=5), look_again_share=0.1)
SPANS = Spans(POLICY, POLICY.overdue_after)


def look(link: Link, *holders: str, seconds: float = 0, **sight: Any) -> Judgement:
    """One answered look; `present` is every holder unless said otherwise."""
    candidates = tuple(Candidate(h, "101", frozenset({ATTESTED})) for h in holders)
    sight.setdefault("present", frozenset(holders))
    return judge_link(link, SlotSight(candidates, **sight), at(seconds), SPANS)


def found(record_id: str = "1", seconds: float = 0, **changed: Any) -> Link:
    return a_link(
        state=LinkState.FOUND,
        reason=Reason.NONE,
        record_id=record_id,
        found_at=at(seconds),
        looks=1,
        last_looked_at=at(seconds),
        **changed,
    )


def doubted(seconds: float = 1_000) -> Link:
    """Found long before an Extended Sign Up that made it doubtful."""
    return found(doubtful_since=at(seconds), doubted_record_id="1", awaited_since=at(seconds))


def test_a_slot_without_a_record_stays_awaited_and_says_since_when_it_is_missed() -> None:
    """Waiting is a state, not an error: a slot without a record says since when."""
    judged = look(a_link(), seconds=60)
    assert judged.events == (EventName.LOOKUP_MISSED,)
    assert judged.lost is None
    assert judged.link == a_link(
        reason=Reason.RECORD_AWAITED,
        first_missed_at=at(60),
        last_looked_at=at(60),
        looks=1,
        next_look_at=at(66),
    )


def test_only_the_first_miss_is_told_and_the_others_are_counted() -> None:
    once = look(a_link(), seconds=1).link
    twice = look(once, seconds=10)
    assert twice.events == ()
    assert (twice.link.looks, twice.link.first_missed_at) == (2, at(1))


def test_a_slot_that_is_not_awaited_is_not_missed() -> None:
    judged = look(a_link(awaited=False), seconds=10**7)
    assert judged.events == ()
    assert judged.link.first_missed_at is None
    assert judged.link.next_look_at is None
    assert judged.link.overdue_since is None


def test_one_holder_is_found_and_need_not_be_looked_for_again() -> None:
    judged = look(look(a_link(), seconds=1).link, "1", seconds=61)
    assert judged.events == (EventName.LINK_FOUND,)
    link = judged.link
    assert (link.state, link.record_id, link.found_at) == (LinkState.FOUND, "1", at(61))
    assert link.next_look_at is None
    assert link.first_missed_at == at(1)
    assert link.writable
    assert not link.open


def test_a_slot_that_is_not_awaited_is_still_taken_when_it_is_there() -> None:
    """A slot that is not awaited is still taken when it is there."""
    assert look(a_link(awaited=False), "1").link.record_id == "1"


def test_the_same_holder_again_is_no_news() -> None:
    judged = look(found(record_created_at=at(-5)), "1", seconds=90)
    assert judged.events == ()
    assert (judged.link.found_at, judged.link.record_created_at) == (at(0), at(-5))


def test_two_records_in_a_slot_are_ambiguous_with_all_candidates_shown_and_none_taken() -> None:
    judged = look(a_link(), "10", "9", seconds=1)
    assert judged.events == (EventName.LINK_AMBIGUOUS,)
    link = judged.link
    assert (link.state, link.reason) == (LinkState.AMBIGUOUS, Reason.TWO_RECORDS_IN_SLOT)
    assert (link.record_id, set(link.candidates)) == (None, {"9", "10"})
    assert link.next_look_at == at(6)
    assert not link.writable
    assert look(link, "10", "9", seconds=7).events == ()


def test_a_second_record_takes_a_found_link_away_and_keeps_it_in_the_history() -> None:
    judged = look(found(), "1", "2", seconds=50)
    assert judged.link.record_id is None
    assert judged.lost is not None
    assert (judged.lost.record_id, judged.lost.reason) == ("1", Reason.TWO_RECORDS_IN_SLOT)


def test_a_record_that_two_therapists_have_is_ambiguous() -> None:
    link = look(a_link(), "1", shared=frozenset({"1"})).link
    assert (link.state, link.reason) == (LinkState.AMBIGUOUS, Reason.RECORD_OF_TWO_THERAPISTS)
    assert link.candidates == ("1",)


def test_a_record_that_was_chosen_for_another_is_shown_and_the_own_one_awaited() -> None:
    """Nothing is to be chosen any more: the wait for the own record begins, and says why, until that one comes."""
    both, taken = frozenset({"1"}), {"shared": frozenset({"1"}), "taken": frozenset({"1"})}
    undecided = look(a_link(), "1", shared=both, seconds=1).link
    judged = look(undecided, "1", seconds=9_000, **taken)
    link = judged.link
    assert (link.state, link.reason) == (LinkState.AWAITED, Reason.CHOSEN_FOR_ANOTHER)
    assert (link.candidates, link.awaited_since, link.next_look_at) == (("1",), at(9_000), at(9_005))
    assert (judged.lost, link.overdue_since) == (None, None)
    late = look(link, "1", seconds=20_000, **taken).link
    assert (late.reason, late.awaited_since, late.overdue_since) == (link.reason, at(9_000), at(20_000))
    gone = look(late, seconds=20_100).link
    assert (gone.reason, gone.candidates) == (Reason.RECORD_AWAITED, ())
    assert look(late, "2", seconds=20_100).link.record_id == "2"
    assert look(late, "1", seconds=20_100).link.record_id == "1"


def test_what_was_linked_and_is_chosen_for_another_is_lost_to_them() -> None:
    """Its history says to whom; a second record that holds the slot is still for a person to choose."""
    taken = {"shared": frozenset({"1"}), "taken": frozenset({"1"})}
    judged = look(found(), "1", seconds=50, **taken)
    assert judged.link.reason is Reason.CHOSEN_FOR_ANOTHER
    assert judged.lost is not None
    assert (judged.lost.record_id, judged.lost.reason) == ("1", Reason.CHOSEN_FOR_ANOTHER)
    both = look(judged.link, "1", "2", seconds=60, **taken).link
    assert (both.state, both.reason) == (LinkState.AMBIGUOUS, Reason.TWO_RECORDS_IN_SLOT)
    own = look(a_link(chosen_record_id="1"), "1", **taken).link
    assert (own.state, own.record_id) == (LinkState.FOUND, "1")


def test_what_a_person_chose_among_several_holds_the_slot() -> None:
    link = look(a_link(chosen_record_id="2"), "1", "2", "3").link
    assert (link.state, link.record_id, link.reason) == (LinkState.FOUND, "2", Reason.CHOSEN_BY_PERSON)
    assert link.chosen_record_id == "2"


def test_a_person_may_choose_whose_a_shared_record_is() -> None:
    link = look(a_link(chosen_record_id="1"), "1", shared=frozenset({"1"})).link
    assert (link.state, link.record_id, link.reason) == (LinkState.FOUND, "1", Reason.CHOSEN_BY_PERSON)
    assert link.chosen_record_id == "1"


def test_a_choice_holds_only_while_that_record_is_a_candidate() -> None:
    assert look(a_link(chosen_record_id="2"), "1", "3").link.state is LinkState.AMBIGUOUS
    alone = look(a_link(chosen_record_id="2"), "1").link
    assert (alone.record_id, alone.chosen_record_id, alone.reason) == ("1", None, Reason.NONE)


def test_a_record_that_is_gone_is_lost_and_its_successor_awaited_from_now_on() -> None:
    """A record deleted, merged or no longer associated: the link is awaited again, its old id kept."""
    judged = look(found(), seconds=9_000)
    assert judged.events[0] is EventName.LINK_LOST
    assert judged.lost is not None
    assert (judged.lost.record_id, judged.lost.found_at, judged.lost.lost_at, judged.lost.reason) == (
        "1",
        at(0),
        at(9_000),
        Reason.RECORD_LOST,
    )
    link = judged.link
    assert (link.state, link.reason, link.record_id) == (LinkState.AWAITED, Reason.RECORD_LOST, None)
    assert (link.awaited_since, link.next_look_at) == (at(9_000), at(9_005))
    assert link.overdue_since is None


def test_a_record_that_is_still_there_without_its_label_has_lost_the_label_only() -> None:
    judged = look(found(), present=frozenset({"1"}), seconds=50)
    assert judged.lost is not None
    assert judged.lost.reason is judged.link.reason is Reason.LABEL_MOVED


def test_why_a_record_was_lost_stays_said_while_its_successor_is_awaited() -> None:
    lost = look(found(), seconds=50).link
    assert look(lost, seconds=60).link.reason is Reason.RECORD_LOST


def test_a_label_that_is_seen_on_another_record_was_moved() -> None:
    judged = look(found(), "2", present=frozenset({"1", "2"}), seconds=50)
    assert judged.events == (EventName.LINK_FOUND,)
    assert judged.lost is not None
    assert (judged.lost.record_id, judged.lost.reason) == ("1", Reason.LABEL_MOVED)
    assert (judged.link.record_id, judged.link.found_at) == ("2", at(50))


def test_a_successor_that_is_there_already_follows_a_lost_record_not_a_moved_label() -> None:
    judged = look(found(), "2", seconds=50)
    assert judged.lost is not None
    assert judged.lost.reason is Reason.RECORD_LOST


def test_a_lost_record_with_two_successors_is_lost_too() -> None:
    judged = look(found(), "2", "3", seconds=50)
    assert judged.link.state is LinkState.AMBIGUOUS
    assert judged.lost is not None
    assert judged.lost.reason is Reason.RECORD_LOST


@pytest.mark.parametrize("seconds", [0, 1_799])
def test_nothing_is_overdue_before_its_time(seconds: float) -> None:
    assert EventName.LINK_OVERDUE not in look(a_link(looks=5), seconds=seconds).events


def test_a_link_is_overdue_once() -> None:
    """After `overdue_after` a link is overdue, once."""
    late = look(a_link(looks=5), seconds=1_800)
    assert late.events[-1] is EventName.LINK_OVERDUE
    assert late.link.overdue_since == at(1_800)
    later = look(late.link, seconds=3_000)
    assert EventName.LINK_OVERDUE not in later.events
    assert later.link.overdue_since == at(1_800)


def test_a_slot_may_have_its_own_patience() -> None:
    patient = Spans(POLICY, timedelta(minutes=45))
    sight = SlotSight((), frozenset())
    assert judge_link(a_link(looks=5), sight, at(2_000), patient).link.overdue_since is None
    assert judge_link(a_link(looks=5), sight, at(2_700), patient).link.overdue_since == at(2_700)


def test_what_was_imported_is_neither_overdue_nor_given_up_at_its_first_look() -> None:
    """What was imported is not overdue before its first look."""
    first = look(a_link(), seconds=30 * 86_400)
    assert first.events == (EventName.LOOKUP_MISSED,)
    assert first.link.state is LinkState.AWAITED
    second = look(first.link, seconds=30 * 86_400 + 3_600)
    assert EventName.LINK_GIVEN_UP in second.events


def test_after_seven_days_a_link_is_given_up_once_and_looked_at_once_a_day() -> None:
    """After `give_up_after` a link is given up: visible, and looked at once a day."""
    week = 7 * 86_400
    judged = look(a_link(looks=99, overdue_since=at(1_800)), seconds=week)
    assert judged.events[-1] is EventName.LINK_GIVEN_UP
    assert (judged.link.state, judged.link.reason) == (LinkState.GIVEN_UP, Reason.GIVEN_UP)
    assert judged.link.next_look_at == at(week + 86_400)
    assert look(judged.link, seconds=week + 86_400).events == ()


def test_giving_up_does_not_hide_that_the_contact_is_gone() -> None:
    """The remedy is another: the contact, not the workflow."""
    link = a_link(looks=3, first_missed_at=at(1))
    judged = look(link, seconds=8 * 86_400, empty_reason=Reason.CONTACT_GONE)
    assert (judged.link.state, judged.link.reason) == (LinkState.GIVEN_UP, Reason.CONTACT_GONE)


def test_an_ambiguous_slot_that_nobody_awaits_is_looked_at_again() -> None:
    """It clears by itself once one record alone holds it."""
    link = look(a_link(awaited=False), "1", "2").link
    assert link.state is LinkState.AMBIGUOUS
    assert next_due("101", [link], [], at(0)) == link.next_look_at
    assert will_be_looked_at(link, [])


def test_a_given_up_link_is_found_like_any_other() -> None:
    link = look(a_link(state=LinkState.GIVEN_UP, overdue_since=at(5)), "1", seconds=10**6).link
    assert (link.state, link.overdue_since) == (LinkState.FOUND, None)


@pytest.mark.parametrize(
    "link",
    [
        a_link(first_missed_at=at(1), looks=3, last_looked_at=at(1)),
        found(),
        doubted(),
        a_link(state=LinkState.AMBIGUOUS, reason=Reason.TWO_RECORDS_IN_SLOT, candidates=("1", "2")),
        a_link(state=LinkState.AMBIGUOUS, reason=Reason.SETTLING, candidates=("1", "2")),
        a_link(state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP, overdue_since=at(1)),
    ],
    ids=["awaited", "found", "doubtful", "ambiguous", "settling", "given-up"],
)
def test_a_look_that_was_not_answered_concludes_nothing_and_is_made_again(link: Link) -> None:
    unseen = judge_unseen(link, NotSeen("TIMEOUT", ""), at(100), POLICY)
    assert unseen.next_look_at is not None
    assert unseen.next_look_at > at(100)
    reason = Reason.LOOK_FAILED if link.state is LinkState.AWAITED else link.reason
    assert replace(unseen, next_look_at=None) == replace(link, reason=reason, next_look_at=None)


def test_a_look_that_was_not_answered_is_made_again_when_hubspot_asked_for_it() -> None:
    unseen = judge_unseen(a_link(), NotSeen("RATE_LIMIT", "", retry_after=90.0), at(0), POLICY)
    assert unseen.next_look_at == at(90)


def test_after_an_extended_sign_up_an_unchanged_holder_stays_doubtful_for_ten_minutes() -> None:
    link = look(doubted(1_000), "1", seconds=1_500).link
    assert (link.state, link.reason, link.record_id) == (LinkState.FOUND, Reason.SETTLING, "1")
    assert link.open
    assert not link.writable
    assert link.next_look_at == at(1_550)


def test_the_last_doubtful_look_is_at_the_end_of_the_doubt() -> None:
    assert look(doubted(1_000), "1", seconds=1_590).link.next_look_at == at(1_600)


def test_an_unchanged_holder_is_no_longer_doubted_once_the_labels_have_settled() -> None:
    link = look(doubted(1_000), "1", seconds=1_600).link
    assert link.writable
    assert (link.doubtful_since, link.doubted_record_id, link.next_look_at) == (None, None, None)
    assert link.found_at == at(0)


def test_a_new_holder_ends_the_doubt_at_once() -> None:
    judged = look(doubted(1_000), "2", present=frozenset({"1", "2"}), seconds=1_001)
    assert judged.link.writable
    assert judged.lost is not None
    assert judged.lost.record_id == "1"


def test_two_holders_while_the_labels_settle_are_no_alarm() -> None:
    judged = look(doubted(1_000), "1", "2", seconds=1_100)
    assert judged.events == ()
    assert (judged.link.state, judged.link.reason) == (LinkState.AMBIGUOUS, Reason.SETTLING)


def test_two_holders_are_told_when_they_are_still_there_after_the_overdue_time() -> None:
    settling = look(doubted(1_000), "1", "2", seconds=1_100).link
    judged = look(settling, "1", "2", seconds=2_800)
    assert judged.events == (EventName.LINK_AMBIGUOUS,)
    assert judged.link.reason is Reason.TWO_RECORDS_IN_SLOT
    assert look(judged.link, "1", "2", seconds=3_000).events == ()


def test_the_old_holder_alone_again_is_doubted_as_long_as_if_it_had_stayed() -> None:
    nobody = look(doubted(1_000), present=frozenset({"1"}), seconds=1_100).link
    assert look(nobody, "1", seconds=1_200).link.reason is Reason.SETTLING
    assert look(nobody, "1", seconds=1_600).link.writable


def unwanted(seconds: float = 1_000) -> Link:
    """Doubtful, and awaited by nobody."""
    return replace(doubted(seconds), awaited=False)


def test_a_doubtful_slot_that_nobody_awaits_is_looked_at_until_the_labels_have_settled() -> None:
    """A slot that loses its record is looked at until the labels have settled, awaited or not."""
    lost = look(unwanted(), present=frozenset({"1"}), seconds=1_100).link
    assert (lost.record_id, lost.open, lost.overdue_since) == (None, True, None)
    again = look(lost, present=frozenset({"1"}), seconds=1_690).link
    assert again.next_look_at == at(1_700), "counted from when it lost its record"
    over = look(again, present=frozenset({"1"}), seconds=1_700).link
    assert (over.open, over.next_look_at, over.reason) == (False, None, Reason.LABEL_MOVED)
    assert look(over, seconds=9_000).link.next_look_at is None


def test_what_follows_a_lost_record_is_taken_and_ends_the_doubt() -> None:
    lost = look(unwanted(), present=frozenset({"1"}), seconds=1_100).link
    follows = look(lost, "2", present=frozenset({"1", "2"}), seconds=1_200).link
    assert (follows.record_id, follows.writable, follows.next_look_at) == ("2", True, None)
    returns = look(lost, "1", seconds=1_200).link
    assert (returns.reason, returns.open) == (Reason.SETTLING, True), "it may yet be the old one"
    assert look(returns, "1", seconds=1_600).link.writable


def test_a_slot_that_nobody_awaits_is_looked_at_again_without_any_sign_up_too() -> None:
    lost = look(found(awaited=False), present=frozenset({"1"}), seconds=5_000).link
    assert (lost.open, lost.doubtful_since) == (True, at(5_000))
    assert look(lost, "1", seconds=5_100).link.writable
    assert not look(lost, seconds=5_600).link.open
