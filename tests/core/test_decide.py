"""One therapist's turn: slots judged, writes named, each waiting for its own record only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credsync.core.decide import Case, claimed_records, decide
from credsync.core.links import LinkState
from credsync.core.observations import NotSeen
from credsync.core.portal_file import parse_portal
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, TypeSight
from credsync.core.verdicts import Outcome
from credsync.core.writes import Cause, WriteState
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
    T0,
    TWO_HOPS,
    Hub,
    Story,
    a_link,
    a_write,
    always,
    at,
    form_data,
    portal_text,
)

CA = form_data(npi="1", city="Rome", licenses=[{"state": "NY", "number": "7"}])


def in_sync(data: object = None, **story: object) -> tuple[Story, str]:
    """A therapist whose CA was written to their Credentialing; gives the story and the record."""
    told = Story(**story)  # type: ignore[arg-type]
    told.hub.add("therapist_address", CURRENT)
    record = told.hub.add("credentialing", ATTESTED)
    told.sign_up()
    told.submit(form_data(npi="1"))
    told.round()
    assert told.got(record) == {"npi": "1"}
    return told, record


def stir(story: Story) -> None:
    """Something is submitted that has nothing to do with the Credentialing: a look at everything."""
    story.submit(form_data(city="Rome"))


# Each waits for its own record only


def test_a_write_goes_as_soon_as_its_own_slot_is_linked_and_waits_for_no_other() -> None:
    """Each target waits for its own slot only: a License does not wait for an Address."""
    story = Story()
    story.sign_up()
    story.submit(CA)
    home = story.hub.add("therapist_address", CURRENT)
    story.round()
    assert story.got(home) == {"city": "Rome"}
    assert story.told(ACTIVE) == story.told(NY) == ["waiting record_awaited"]
    card = story.hub.add("license", license_state="NY")
    story.wait(5).round()
    assert story.got(card) == {"license_state": "NY", "number": "7"}
    assert story.told(ACTIVE) == ["waiting record_awaited"]


def test_a_found_id_starts_the_write_in_the_same_round() -> None:
    """A look that finds a link writes what waits for that link, at once."""
    story = Story()
    story.submit(CA, moving=False)
    story.round()
    record = story.hub.add("credentialing", ATTESTED)
    story.wait(5).round()
    assert story.got(record) == {"npi": "1"}
    assert story.told() == ["written"]


def test_a_section_and_a_changed_record_write_nothing() -> None:
    """A write never happens because HubSpot differs from what was sent."""
    story, record = in_sync()
    story.got(record)["npi"] = "edited by hand"
    story.section()
    story.wait(60).round()
    assert len(story.sent) == 1
    assert story.got(record) == {"npi": "edited by hand"}


def test_everything_waits_for_a_contact_and_a_therapist_without_one_is_never_due() -> None:
    story = Story(contact_id=None)
    story.submit(CA, moving=False)
    story.round()
    assert story.told() == ["waiting no_contact"]
    assert story.state == "waiting no_contact"
    assert story.due is None


def test_a_write_whose_rule_asks_for_moving_waits_until_somebody_says_and_is_never_sent_elsewhere() -> None:
    """With no fact on moving at all, a write whose rule asks it waits (`moving_unknown`)."""
    story = Story()
    active, move = story.hub.add("credentialing", ATTESTED), story.hub.add("credentialing", PROCESSING)
    story.submit(form_data(npi="1"))
    story.round()
    assert story.told("definitive") == ["waiting moving_unknown"]
    story.says_moving(True, occurred=T0)
    story.wait(5).round()
    assert (story.got(move), story.got(active)) == ({"npi": "1"}, {})


def test_an_unfound_definitive_slot_is_waited_for_never_replaced_by_another() -> None:
    """An unfound definitive slot is waited for, never replaced by another."""
    story = Story()
    active = story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(npi="1"), moving=True)
    story.run(most=30)
    assert story.got(active) == {}
    assert story.told(MOVE) == ["waiting record_awaited"]
    assert story.case.links[ACTIVE].record_id == active


def test_a_write_waits_for_the_moment_it_may_be_tried_again() -> None:
    story = Story()
    story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(npi="1"), moving=False)
    story.round(always(Outcome.NOT_SENT))
    story.section()
    story.wait(1).round()
    assert len(story.sent) == 0
    story.run()
    assert len(story.sent) == 1


def test_a_write_that_is_to_be_tried_again_goes_to_whoever_holds_the_slot_by_then() -> None:
    story = Story()
    old = story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(npi="1"), moving=False)
    story.round(always(Outcome.NOT_SENT))
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    story.section()
    story.wait(1).round()
    story.run()
    assert (story.got(old), story.got(new)) == ({}, {"npi": "1"})


def test_nothing_goes_to_a_record_that_this_look_did_not_see() -> None:
    story, record = in_sync()
    story.hub.silent = {"credentialing"}
    story.submit(form_data(npi="2"))
    story.wait(60).round()
    assert story.told()[-1] == "waiting look_failed"
    assert story.got(record) == {"npi": "1"}
    story.hub.silent = set()
    story.run()
    assert story.got(record) == {"npi": "2"}


def test_a_look_that_failed_for_a_new_submission_is_made_again_within_seconds() -> None:
    story, _record = in_sync()
    story.wait(90 * 86_400)
    story.hub.silent = {"credentialing"}
    story.submit(form_data(npi="2"))
    story.round()
    assert story.due is not None
    assert (story.due - story.now).total_seconds() == 5


def test_a_look_that_was_not_answered_changes_no_link_and_sends_nothing() -> None:
    story, _record = in_sync()
    story.hub.silent = {"credentialing", "therapist_address", "license"}
    before = dict(story.case.links)
    story.submit(form_data(npi="2"))
    story.wait(60).round()
    for slot, link in story.case.links.items():
        assert replace(link, next_look_at=None) == replace(before[slot], next_look_at=None)
    assert "link.lost" not in story.events


# Without a verdict


def without_a_verdict() -> tuple[Story, str]:
    """A CA was sent to the record of an attested Credentialing, and HubSpot's answer did not arrive."""
    story = Story()
    record = story.hub.add("credentialing", ATTESTED)
    story.hub.add("therapist_address", CURRENT)
    story.submit(form_data(npi="1"), moving=False)
    story.round(always(Outcome.UNKNOWN))
    return story, record


def test_an_unknown_write_is_read_back_before_it_is_sent_again() -> None:
    story, record = without_a_verdict()
    assert story.told() == ["unknown no_verdict"]
    story.got(record)["npi"] = "1"
    story.run()
    assert story.told() == ["written"]
    assert len(story.sent) == 1


def test_an_unknown_write_whose_look_is_not_answered_comes_back_later_not_at_once() -> None:
    story, _ = without_a_verdict()
    story.hub.silent = {"credentialing"}
    story.wait(100).round()
    assert story.due is not None
    assert story.due > story.now
    story.hub.silent = set()
    story.run()
    assert story.told() == ["written"]


def test_a_crash_before_the_verdict_leaves_a_write_that_is_read_back() -> None:
    story, record = in_sync()
    story.submit(form_data(npi="2"))
    story.wait(1).round(always(Outcome.UNKNOWN))
    crashed = replace(story.case.writes[-1], not_before=None)
    story.case = replace(story.case, writes=(*story.case.writes[:-1], crashed))
    story.got(record)["npi"] = "2"
    story.wait(1).round()
    assert story.told() == ["written", "written"]
    assert len(story.sent) == 2


def test_an_unknown_write_is_not_sent_again_while_the_portal_only_observes() -> None:
    story, _ = without_a_verdict()
    story.change_portal(OBSERVING)
    story.wait(60).run(most=5)
    assert len(story.sent) == 1
    assert story.due is None
    story.change_portal(PORTAL)
    story.run()
    assert story.told() == ["written"]


def test_an_unknown_write_is_not_sent_again_while_the_labels_settle() -> None:
    story, old = without_a_verdict()
    story.wait(20).sign_up(again=True)
    story.round()
    assert len(story.sent) == 1
    assert story.told() == ["unknown settling"]
    story.run()
    assert story.told() == ["written"]
    assert (story.now - T0).total_seconds() == 620
    assert story.got(old) == {"npi": "1"}


def test_an_unknown_write_whose_slot_the_portal_file_no_longer_has_ends_and_is_not_due_for_ever() -> None:
    story = Story()
    story.hub.add("therapist_address", CURRENT)
    story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(city="Rome"), moving=False)
    story.round(always(Outcome.UNKNOWN))
    text = portal_text().split("[slots.therapist_address_current]")
    rest = text[1].split("[definitive]", 1)[1].split('[[writes]]\nform = "ca"\nto = "therapist')
    story.change_portal(
        parse_portal("alpha", f"{text[0]}[definitive]{rest[0]}[[writes]]{rest[1].split('[[writes]]', 1)[1]}")
    )
    story.wait(60).round()
    assert story.told(ADDRESS) == ["superseded not_mapped"]
    assert story.due is None


# Older than the sign-up


def esu_with_new_holder(story: Story, old: str, after: float = 60) -> str:
    """An Extended Sign Up whose label has moved to a new record by the next round."""
    story.sign_up(again=True)
    story.round()
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    story.wait(after).round()
    return new


def test_a_submission_older_than_the_sign_up_is_held_from_the_record_that_took_the_slot_after_it() -> None:
    """A submission older than the latest sign-up is never written to a record that took the slot after it."""
    story = Story()
    story.submit(form_data(npi="1"), moving=False)
    story.round()
    story.wait(30).sign_up(again=True)
    story.round()
    record = story.hub.add("credentialing", ATTESTED)
    story.wait(60).round()
    assert story.told() == ["held older_than_sign_up"]
    assert story.state == "held older_than_sign_up"
    assert story.got(record) == {}
    assert story.events.count("write.held") == 1


def test_what_is_held_is_not_freed_by_another_sign_up_or_by_a_lost_record() -> None:
    story = Story()
    story.submit(form_data(npi="1"), moving=False)
    story.wait(30).sign_up(again=True)
    record = story.hub.add("credentialing", ATTESTED)
    story.wait(5).round()
    assert story.told() == ["held older_than_sign_up"]
    story.wait(3_600).sign_up(again=True)
    story.run()
    assert story.told() == ["held older_than_sign_up"]
    del story.hub.records[record]
    stir(story)
    story.wait(60).round()
    assert story.told() == ["held older_than_sign_up"]
    assert story.sent == []


def test_what_is_held_goes_to_the_new_record_when_a_person_says_so() -> None:
    """What is held is sent when Sync now is pressed with `include_held`."""
    story = Story()
    story.submit(form_data(npi="1"), moving=False)
    story.wait(30).sign_up(again=True)
    record = story.hub.add("credentialing", ATTESTED)
    story.wait(5).round()
    story.sync()
    story.wait(60).round()
    assert story.got(record) == {}
    story.sync(include_held=True)
    story.wait(60).round()
    assert story.got(record) == {"npi": "1"}
    assert story.told() == ["superseded sent_by_sync", "written"]


def test_sync_now_pressed_before_the_sign_up_carries_nothing_over_to_the_new_record() -> None:
    story, old = in_sync()
    story.hub.silent = {"credentialing"}
    story.sync()
    story.wait(60).round()
    story.hub.silent = set()
    new = esu_with_new_holder(story, old)
    story.run()
    assert story.got(new) == {}
    assert story.told()[-1] == "held older_than_sign_up"


def test_a_newer_write_to_the_form_and_slot_ends_what_was_held() -> None:
    """What is held ends as superseded when a newer enrolment's write to that form and slot is written."""
    story = Story()
    story.submit(form_data(npi="1"), moving=False)
    story.wait(30).sign_up(again=True)
    story.hub.add("therapist_address", CURRENT)
    record = story.hub.add("credentialing", ATTESTED)
    story.wait(60).round()
    story.submit(form_data(npi="2"))
    story.wait(60).round()
    assert story.told() == ["superseded newer_sign_up", "written"]
    assert story.got(record) == {"npi": "2"}
    assert story.state == "in_sync"


def test_an_older_submission_that_comes_late_never_overwrites_what_a_newer_enrolment_wrote() -> None:
    story, record = in_sync()
    story.wait(60).sign_up(again=True)
    story.submit(form_data(npi="2"), moving=False)
    story.run()
    assert story.got(record) == {"npi": "2"}
    story.submit(form_data(npi="late", bio="late"), occurred=at(10), moving=False)
    story.run()
    assert story.got(record)["npi"] == "2"


# Doubt


def test_two_holders_soon_after_an_extended_sign_up_are_no_alarm_even_in_a_slot_that_was_empty() -> None:
    """Zero or two holders for a while after an Extended Sign Up are no alarm until `overdue_after`."""
    story = Story()
    story.hub.add("therapist_address", CURRENT)
    story.sign_up()
    story.round()
    story.wait(60).sign_up(again=True)
    story.hub.add("credentialing", ATTESTED)
    story.hub.add("credentialing", ATTESTED)
    story.round()
    assert story.state == "waiting settling"
    story.run(most=60)
    assert story.state == "ambiguous two_records_in_slot"
    assert story.events.count("link.ambiguous") == 1


def test_after_an_extended_sign_up_an_unchanged_holder_is_not_written_until_the_labels_have_settled() -> None:
    """A link whose holder has not changed stays doubtful and unwritten for `settle_after`."""
    story, record = in_sync()
    story.wait(3_600).sign_up(again=True)
    story.submit(form_data(npi="2"))
    story.round()
    assert story.told()[-1] == "waiting settling"
    story.run()
    assert story.got(record) == {"npi": "2"}
    assert (story.now - at(3_600)).total_seconds() == 600


def test_after_an_extended_sign_up_a_new_holder_is_written_at_once() -> None:
    """After an Extended Sign Up the next submission goes to the new holder."""
    story, old = in_sync()
    story.wait(3_600)
    story.submit(form_data(npi="2"), occurred=at(3_700))
    story.sign_up(again=True)
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    story.round()
    assert (story.got(old), story.got(new)) == ({"npi": "1"}, {"npi": "2"})


@pytest.mark.parametrize("steps", ["at once", "nobody between", "both between"])
def test_what_the_new_enrolment_wrote_to_a_holder_from_before_it_is_sent_again_to_the_new_one(
    steps: str,
) -> None:
    """What the new enrolment wrote to a holder from before its sign-up is sent again to the new one."""
    story, old = in_sync()
    story.wait(3_600).sign_up(again=True)
    story.submit(form_data(npi="2"))
    story.run()
    assert story.got(old) == {"npi": "2"}
    new = story.hub.add("credentialing")
    if steps == "nobody between":
        story.hub.records[old].labels.clear()
    elif steps == "both between":
        story.hub.records[new].labels.add(ATTESTED)
    if steps != "at once":
        stir(story)
        story.wait(60).round()
        assert story.got(new) == {}
    story.hub.records[old].labels.clear()
    story.hub.records[new].labels.add(ATTESTED)
    stir(story)
    story.wait(60).run(most=5)
    assert story.got(new) == {"npi": "2"}


@pytest.mark.parametrize("overlap", [False, True])
def test_a_holder_found_only_after_the_sign_up_may_be_from_before_it(overlap: bool) -> None:
    """What the new enrolment wrote to a holder from before its sign-up is sent again, though it was first seen after it."""
    story = Story()
    old = story.hub.add("credentialing", ATTESTED)
    story.sign_up()
    story.wait(60).sign_up(again=True)
    story.submit(form_data(npi="2"))
    story.wait(60).run(most=5)
    assert story.got(old) == {"npi": "2"}
    told = replace(story.case.links[ACTIVE], record_created_at=T0 + timedelta(seconds=30))
    story.case = replace(story.case, links={**story.case.links, ACTIVE: told})
    new = story.hub.add("credentialing", ATTESTED)
    if overlap:
        stir(story)
        story.wait(60).round()
    story.hub.records[old].labels.clear()
    stir(story)
    story.wait(60).run(most=5)
    assert story.got(new) == {"npi": "2"}


def test_a_record_made_after_the_sign_up_keeps_what_was_written_when_its_label_moves() -> None:
    """A label merely moved to another record while the old one lives: written ones are not sent again."""
    story = Story()
    first = story.hub.add("credentialing", ATTESTED)
    story.sign_up(again=True)
    story.submit(form_data(npi="2"))
    story.wait(60).run(most=5)
    told = replace(story.case.links[ACTIVE], record_created_at=T0 + timedelta(seconds=30))
    story.case = replace(story.case, links={**story.case.links, ACTIVE: told})
    second = story.hub.add("credentialing")
    story.hub.move(ATTESTED, first, second)
    stir(story)
    story.wait(60).run(most=5)
    assert (story.got(first), story.got(second)) == ({"npi": "2"}, {})


# Loss


def test_a_lost_records_successor_gets_the_enrolments_data_once_it_is_there() -> None:
    """A lost record's successor gets the newest data of the enrolment."""
    story, old = in_sync()
    story.submit(form_data(bio="b"))
    story.submit(form_data(bio="af"), form="af")
    story.wait(60).round()
    del story.hub.records[old]
    stir(story)
    story.wait(60).round()
    assert story.case.links[ACTIVE].state is LinkState.AWAITED
    assert story.state == "waiting record_lost"
    new = story.hub.add("credentialing", ATTESTED)
    story.run()
    assert story.got(new) == {"npi": "1", "bio": "af"}
    assert [h.record_id for h in story.lost] == [old]
    assert story.state == "in_sync"


def test_a_successor_that_is_there_at_the_same_look_gets_the_data_too() -> None:
    story, old = in_sync()
    del story.hub.records[old]
    new = story.hub.add("credentialing", ATTESTED)
    stir(story)
    story.submit(form_data(city="Rome"))
    story.wait(60).round()
    assert story.got(new) == {"npi": "1"}


def test_a_loss_that_a_new_submission_brings_to_light_leaves_nothing_of_the_older_ones_out() -> None:
    """A successor after loss carries the full merge."""
    story, old = in_sync()
    story.submit(form_data(bio="b"))
    del story.hub.records[old]
    story.wait(60).round()
    new = story.hub.add("credentialing", ATTESTED)
    story.run()
    assert story.got(new) == {"npi": "1", "bio": "b"}


def test_a_record_that_hubspot_no_longer_knows_when_it_is_sent_is_a_loss_like_any_other() -> None:
    story, old = in_sync()
    story.submit(form_data(bio="b"))
    story.wait(60).round(always(Outcome.MISSING))
    assert story.told()[-1] == "waiting record_missing"
    del story.hub.records[old]
    story.wait(60).round()
    assert story.due is not None
    assert story.due > story.now
    new = story.hub.add("credentialing", ATTESTED)
    story.run()
    assert story.got(new) == {"npi": "1", "bio": "b"}


def test_while_a_missing_records_successor_is_awaited_rounds_come_by_the_look_again_rule() -> None:
    story, old = in_sync()
    story.submit(form_data(bio="b"))
    story.wait(60).round(always(Outcome.MISSING))
    del story.hub.records[old]
    story.run(most=60)
    assert (story.now - at(60)).total_seconds() > 300


def test_a_label_that_merely_moved_takes_later_submissions_along_and_sends_nothing_again() -> None:
    """A label merely moved: later submissions follow it, written ones are not sent again."""
    story, old = in_sync()
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    stir(story)
    story.submit(form_data(city="Rome"))
    story.wait(60).round()
    assert story.got(new) == {}
    story.submit(form_data(bio="b"))
    story.wait(60).round()
    assert (story.got(old), story.got(new)) == ({"npi": "1"}, {"bio": "b"})


def test_what_had_no_verdict_when_its_record_was_lost_goes_to_the_successor() -> None:
    story, old = without_a_verdict()
    del story.hub.records[old]
    new = story.hub.add("credentialing", ATTESTED)
    story.run()
    assert story.got(new) == {"npi": "1"}
    assert story.told() == ["written"]


def test_what_had_no_verdict_is_read_back_on_the_record_that_takes_its_slot_again() -> None:
    story, record = without_a_verdict()
    story.got(record)["npi"] = "1"
    gone = story.hub.records.pop(record)
    story.wait(60).round()
    assert story.told() == ["waiting record_lost"]
    story.hub.records[record] = gone
    story.run()
    assert story.told() == ["written"]
    assert len(story.sent) == 1


def test_of_two_records_in_a_slot_the_one_that_stays_gets_what_the_deleted_one_had() -> None:
    story, old = in_sync()
    new = story.hub.add("credentialing", ATTESTED)
    stir(story)
    story.submit(form_data(city="Rome"))
    story.wait(60).round()
    assert story.state == "ambiguous two_records_in_slot"
    del story.hub.records[old]
    story.wait(3_600).run(most=5)
    assert story.got(new) == {"npi": "1"}


def test_what_is_owed_to_a_successor_makes_its_slot_awaited() -> None:
    story = Story()
    story.hub.add("credentialing", ATTESTED)
    story.hub.add("therapist_address", CURRENT)
    old = story.hub.add("credentialing", PROCESSING)
    story.submit(form_data(npi="1"), moving=True)
    story.round()
    story.says_moving(False, occurred=at(50))
    story.wait(60).round()
    assert not story.case.links[MOVE].awaited
    del story.hub.records[old]
    story.submit(form_data(bio="b"), moving=False)
    story.wait(60).round()
    assert story.told(MOVE)[-1] == "waiting record_lost"
    link = story.case.links[MOVE]
    assert link.awaited is True
    assert story.due is not None
    new = story.hub.add("credentialing", PROCESSING)
    story.run()
    assert story.got(new) == {"npi": "1"}


def test_what_an_older_enrolment_wrote_is_not_owed_to_a_successor() -> None:
    story, old = in_sync()
    story.wait(60).sign_up(again=True)
    story.run()
    del story.hub.records[old]
    new = story.hub.add("credentialing", ATTESTED)
    stir(story)
    story.submit(form_data(city="Rome"))
    story.wait(60).run(most=5)
    assert story.got(new) == {}


def test_what_was_held_by_observing_does_not_ride_to_a_successor() -> None:
    story, old = in_sync()
    story.change_portal(OBSERVING)
    story.submit(form_data(bio="held"))
    story.wait(60).round()
    story.change_portal(PORTAL)
    del story.hub.records[old]
    new = story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(city="Rome"))
    story.wait(60).round()
    stir(story)
    story.wait(60).round()
    assert story.got(new) == {"npi": "1"}
    assert "held observe_only" in story.told()


# Ambiguous


def test_nothing_is_written_to_a_slot_that_two_records_hold() -> None:
    story = Story()
    one, two = story.hub.add("credentialing", ATTESTED), story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(npi="1"), moving=False)
    story.round()
    assert story.told() == ["waiting two_records_in_slot"]
    assert story.state == "ambiguous two_records_in_slot"
    assert story.due == at(5)
    story.hub.records[two].labels.clear()
    story.run()
    assert (story.got(one), story.got(two)) == ({"npi": "1"}, {})


def test_a_record_that_two_therapists_have_is_written_for_neither_and_the_other_one_looks_again() -> None:
    story = Story()
    record = story.hub.add("credentialing", ATTESTED)
    story.submit(form_data(npi="1"), moving=False)
    story.shared = {("credentialing", record): {"t-2"}}
    story.round()
    assert story.told() == ["waiting record_of_two_therapists"]
    assert story.turns[-1].shared_with == {"t-2"}
    story.wait(5).round()
    assert story.turns[-1].shared_with == frozenset()
    story.shared = {}
    story.run()
    assert story.got(record) == {"npi": "1"}


def test_a_record_is_claimed_only_where_it_holds_a_slot() -> None:
    labelled = Candidate("1", "101", frozenset({ATTESTED}))
    plain = Candidate("2", "101")
    card = Candidate("3", "101", frozenset(), {"license_state": "CT"})
    sights: dict[str, TypeSight] = {
        "credentialing": (labelled, plain),
        "license": (card,),
        "therapist_address": NotSeen("X", ""),
    }
    assert claimed_records(PORTAL, sights) == {("credentialing", "1"), ("license", "3")}


def test_a_record_seen_in_a_slot_that_nobody_awaits_is_linked_and_not_waited_for() -> None:
    story = Story()
    story.hub.add("license", license_state="CT")
    story.sign_up()
    story.round()
    link = story.case.links["license.CT"]
    assert (link.state, link.awaited, link.next_look_at) == (LinkState.FOUND, False, None)


# Two hops


def licences(story: Story) -> dict[str, str | None]:
    return {slot: link.record_id for slot, link in story.case.links.items() if slot.startswith("license.")}


def test_a_licence_is_judged_and_written_under_the_definitive_credentialing_only() -> None:
    """Licences are judged under the definitive Credentialing of the newest submission."""
    story = Story(TWO_HOPS)
    active, move = story.hub.add("credentialing", ATTESTED), story.hub.add("credentialing", PROCESSING)
    other = story.hub.add("license", parent=move, license_state="NY")
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]), moving=False)
    story.round()
    assert licences(story) == {NY: None}
    own = story.hub.add("license", parent=active, license_state="NY")
    story.run()
    assert licences(story) == {NY: own}
    assert story.got(own)["number"] == "7"
    assert "number" not in story.got(other)


def test_a_licence_waits_for_its_credentialing_and_says_so() -> None:
    story = Story(TWO_HOPS)
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]), moving=False)
    story.round()
    assert story.told(NY) == ["waiting parent_awaited"]
    story.hub.add("credentialing", PROCESSING)
    story.wait(5).round()
    assert story.told(NY) == ["waiting parent_awaited"]


def test_while_nobody_says_which_credentialing_is_definitive_no_licence_is_written() -> None:
    story = Story(TWO_HOPS)
    active = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=active, license_state="NY")
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]))
    story.round()
    assert "number" not in story.got(card)
    assert story.told(NY) == ["waiting parent_awaited"]
    story.says_moving(False, occurred=T0)
    story.wait(5).round()
    assert story.got(card)["number"] == "7"


def test_licences_follow_the_definitive_credentialing_of_the_newest_submission_as_a_label_moves() -> None:
    """When the definitive Credentialing changes, its licences move with it: no loss."""
    story = Story(TWO_HOPS)
    story.hub.add("therapist_address", CURRENT)
    active, move = story.hub.add("credentialing", ATTESTED), story.hub.add("credentialing", PROCESSING)
    old = story.hub.add("license", parent=active, license_state="NY")
    new = story.hub.add("license", parent=move, license_state="NY")
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]), moving=False)
    story.round()
    story.submit(form_data(npi="2"), moving=True)
    story.wait(60).round()
    assert licences(story) == {NY: new}
    assert [(h.record_id, h.reason) for h in story.lost] == [(old, Reason.LABEL_MOVED)]
    assert "number" not in story.got(new)
    story.submit(form_data(licenses=[{"state": "NY", "number": "8"}]), moving=True)
    story.wait(60).round()
    assert (story.got(old)["number"], story.got(new)["number"]) == ("7", "8")


def overtaken() -> tuple[Story, str, str]:
    """An Extended Sign Up whose new Credentialing has the label, the licence still under the old one.

    Gives the story, the new Credentialing and the licence; in the new enrolment nothing was submitted.
    """
    story = Story(TWO_HOPS)
    story.hub.add("therapist_address", CURRENT)
    old = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=old, license_state="NY")
    story.sign_up()
    story.submit(form_data(npi="1", licenses=[{"state": "NY", "number": "7"}]))
    story.run()
    assert story.state == "in_sync"
    story.wait(60).sign_up(again=True)
    story.wait(4).round()
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    story.wait(4).round()
    return story, new, card


def test_a_licence_that_follows_its_credentialing_is_found_though_nothing_waits_for_it() -> None:
    """After an Extended Sign Up a licence is looked for until it follows its Credentialing or the labels have settled."""
    story, new, card = overtaken()
    assert licences(story) == {NY: None}
    assert (story.state, story.due is not None) == ("waiting label_moved", True)
    story.run(most=5)
    assert licences(story) == {NY: None}
    story.hub.records[card].parent = new
    story.run()
    assert licences(story) == {NY: card}
    assert story.state == "in_sync"
    assert story.got(card)["number"] == "7", "nothing was written again"
    assert len(story.sent) == 2


def test_a_licence_first_seen_under_a_credentialing_that_settles_is_not_written_until_it_has_settled() -> (
    None
):
    """After an Extended Sign Up every link is doubtful: a licence hangs on a Credentialing that may yet lose its label."""
    story = Story(TWO_HOPS)
    story.hub.add("therapist_address", CURRENT)
    old = story.hub.add("credentialing", ATTESTED)
    story.sign_up()
    story.submit(form_data(npi="1"))
    story.run()
    card = story.hub.add("license", parent=old, license_state="NY")
    story.wait(3_600).sign_up(again=True)
    told = story.now
    story.submit(form_data(npi="1", licenses=[{"state": "NY", "number": "7"}]))
    story.round()
    assert licences(story) == {NY: card}
    assert story.got(card).get("number") is None
    story.run()
    assert story.got(card)["number"] == "7"
    assert (story.now - told).total_seconds() == 600


def test_a_licence_that_never_follows_is_no_alarm_and_no_longer_looked_for_in_the_end() -> None:
    story, _, _ = overtaken()
    story.run()
    assert (story.state, story.due) == ("in_sync", None)
    assert "link.overdue" not in story.events
    assert story.now <= at(60 + 8 + 600 + 10)


def test_licences_are_looked_for_when_their_credentialing_comes_later_than_the_labels_settle() -> None:
    """Zero holders for an hour: the licence's own doubt is over by then."""
    story = Story(TWO_HOPS)
    story.hub.add("therapist_address", CURRENT)
    old = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=old, license_state="NY")
    story.sign_up()
    story.submit(form_data(npi="1", licenses=[{"state": "NY", "number": "7"}]))
    story.run()
    story.wait(60).sign_up(again=True)
    story.hub.records[old].labels.clear()
    for _ in range(60):
        story.wait(60).round()
    assert not story.case.links[NY].open
    new = story.hub.add("credentialing", ATTESTED)
    story.run(most=10)
    assert licences(story) == {NY: None}
    story.hub.records[card].parent = new
    story.run()
    assert licences(story) == {NY: card}


def test_licences_are_looked_at_when_only_their_credentialing_was_seen_to_change() -> None:
    """A round that had no reason to look at licences sees another record in the definitive slot."""
    story = Story(TWO_HOPS)
    old = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=old, license_state="NY")
    story.sign_up()
    story.submit(form_data(npi="1", licenses=[{"state": "NY", "number": "7"}]))
    story.round()
    assert story.state == "waiting record_awaited", "the address is awaited"
    new = story.hub.add("credentialing")
    story.hub.move(ATTESTED, old, new)
    links, seen = story.case.links, (Candidate(new, "101", frozenset({ATTESTED})),)
    open_one = {**links, ACTIVE: replace(links[ACTIVE], doubtful_since=story.now)}
    case = replace(story.case, links=open_one, definitive=ACTIVE)
    decided = decide(TWO_HOPS, case, {"credentialing": seen}, {}, at(60), Policy()).links
    assert (decided[ACTIVE].record_id, decided[NY].record_id) == (new, card)
    assert (decided[NY].open, decided[NY].reason) == (True, Reason.SETTLING)
    later = replace(case, links=decided)
    under_new = (Candidate(card, new, frozenset(), {"license_state": "NY"}),)
    sights = {"credentialing": seen, "license": under_new}
    settled = decide(TWO_HOPS, later, sights, {}, at(70), Policy()).links[NY]
    assert (settled.record_id, settled.open) == (card, False)


def test_a_licence_whose_whole_credentialing_is_gone_is_lost() -> None:
    story = Story(TWO_HOPS)
    active = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=active, license_state="NY")
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]), moving=False)
    story.round()
    del story.hub.records[active]
    story.section()
    story.wait(60).round()
    assert [(h.record_id, h.reason) for h in story.lost if h.slot == NY] == [(card, Reason.RECORD_LOST)]


def test_a_credentialing_that_was_not_seen_says_nothing_of_its_licences() -> None:
    story = Story(TWO_HOPS)
    active = story.hub.add("credentialing", ATTESTED)
    card = story.hub.add("license", parent=active, license_state="NY")
    story.submit(form_data(licenses=[{"state": "NY", "number": "7"}]), moving=False)
    story.round()
    story.hub.silent = {"credentialing"}
    story.section()
    story.wait(60).round()
    assert licences(story) == {NY: card}


def test_a_licence_says_too_that_the_contact_is_gone() -> None:
    links = {ACTIVE: a_link(), NY: a_link(NY, record_id="77")}
    case = Case("t", "101", links, (), ACTIVE, contact_gone=True)
    decided = decide(TWO_HOPS, case, {"credentialing": (), "license": ()}, {}, at(50), Policy()).links
    assert {link.reason for link in decided.values()} == {Reason.CONTACT_GONE}


# Observe-only


def test_a_portal_that_only_observes_links_and_sends_nothing() -> None:
    story = Story(OBSERVING)
    record = story.hub.add("credentialing", ATTESTED)
    story.hub.add("therapist_address", CURRENT)
    story.sign_up()
    story.submit(form_data(npi="1"))
    story.round()
    assert story.case.links[ACTIVE].record_id == record
    assert (story.sent, story.told()) == ([], ["held observe_only"])
    assert story.state == "in_sync"


def test_what_waited_when_a_portal_began_to_observe_waits_on_and_goes_when_it_writes_again() -> None:
    story = Story()
    story.submit(form_data(npi="1"), moving=False)
    story.round()
    record = story.hub.add("credentialing", ATTESTED)
    story.hub.add("therapist_address", CURRENT)
    story.change_portal(OBSERVING)
    story.wait(60).round()
    assert story.told() == ["waiting observe_only"]
    assert story.due is None
    story.change_portal(PORTAL)
    story.wait(60).round()
    assert story.got(record) == {"npi": "1"}


# Without a story


def test_a_type_that_was_not_looked_at_leaves_its_links_alone() -> None:
    case = Case("t", "101", {ACTIVE: a_link(), NJ: a_link(NJ)}, (a_write(),))
    decision = decide(PORTAL, case, {"therapist_address": ()}, {}, at(50), Policy())
    assert decision.links == case.links
    assert decision.to_send == ()


def test_a_write_to_a_linked_slot_that_this_round_did_not_look_at_is_not_sent() -> None:
    link = a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="9", found_at=T0)
    decision = decide(PORTAL, Case("t", "101", {ACTIVE: link}, (a_write(),)), {}, {}, at(50), Policy())
    assert decision.to_send == ()
    assert decision.writes[0].state is WriteState.WAITING


def test_a_successors_cause_is_told_on_its_row() -> None:
    written = a_write(state=WriteState.WRITTEN, reason=Reason.NONE, record_id="9")
    link = a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="9", found_at=T0)
    case = Case("t", "101", {ACTIVE: link}, (written,))
    decision = decide(PORTAL, case, {"credentialing": ()}, {}, at(50), Policy())
    kept, owed = decision.writes
    assert kept == written
    assert (owed.id, owed.cause, owed.state, owed.record_id) == (
        None,
        Cause.SUCCESSOR,
        WriteState.WAITING,
        None,
    )
    assert owed.submissions == written.submissions


def test_a_hub_of_no_records_is_looked_at_without_harm() -> None:
    story = Story(hub=Hub())
    story.sign_up()
    story.round()
    assert story.state == "waiting record_awaited"


@pytest.mark.parametrize("state", [WriteState.WAITING, WriteState.DUE, WriteState.UNKNOWN])
def test_what_the_token_may_not_write_waits_with_its_reason(state: WriteState) -> None:
    """A write that HubSpot denies waits with its reason though its record is found; other types' writes go."""
    links = {slot: a_link(slot, state=LinkState.FOUND, record_id=slot) for slot in (ACTIVE, ADDRESS)}
    writes = tuple(
        a_write(n, slot, state=state, record_id=slot) for n, slot in enumerate((ACTIVE, ADDRESS), 1)
    )
    sights: dict[str, TypeSight] = {
        "credentialing": (Candidate(ACTIVE, "1", frozenset({ATTESTED})),),
        "therapist_address": (Candidate(ADDRESS, "1", frozenset({CURRENT})),),
    }
    case = Case("t", "1", links, writes)
    decided = decide(PORTAL, case, sights, {}, at(10), Policy(), {"therapist_address"})
    by_slot = {w.slot: w for w in decided.writes}
    assert by_slot[ACTIVE].goes_now
    assert not by_slot[ADDRESS].goes_now
    assert by_slot[ADDRESS].reason is Reason.MISSING_SCOPES
    assert by_slot[ADDRESS].state is (
        WriteState.UNKNOWN if state is WriteState.UNKNOWN else WriteState.WAITING
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("missing_scopes", Reason.MISSING_SCOPES),
        ("forbidden", Reason.MISSING_SCOPES),
        ("unauthorized", Reason.PORTAL_UNAUTHORIZED),
        ("timeout", Reason.LOOK_FAILED),
    ],
)
def test_a_look_that_was_denied_says_so(code: str, reason: Reason) -> None:
    """What waits for a look that HubSpot denies says which: a scope or the token is missing, or it did not answer."""
    links = {
        ACTIVE: a_link(ACTIVE, state=LinkState.FOUND, record_id="900"),
        ADDRESS: a_link(ADDRESS),
    }
    case = Case("t", "1", links, (a_write(1, ACTIVE, state=WriteState.WAITING),))
    unseen: dict[str, TypeSight] = dict.fromkeys(("credentialing", "therapist_address"), NotSeen(code, ""))
    decided = decide(PORTAL, case, unseen, {}, at(10), Policy())
    assert decided.links[ADDRESS].reason is reason
    assert [w.reason for w in decided.writes] == [reason]
    assert not decided.to_send
