"""The oracle can fail: every kind of wrong, put into a log or a truth that was right, is found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.oracle.evidence import Told
from tests.oracle.judge import judge
from tests.oracle.scene import ACTIVE, ANN, BOB, MOVING, Scene, licences, npi
from tests.oracle.wrongs import CANARY, Rule

DAY = {"submitted_on": "2026-03-01"}
NPI = {"npi": "1234567893", **DAY}


def found(scene: Scene, **more: Any) -> set[Rule]:
    """The kinds of wrong in a scene."""
    return {wrong.rule for wrong in judge(scene.evidence(**more))}


ENROLLED = {"npi_and_caqh": {"medicare_status": "enrolled"}}


def linked(scene: Scene | None = None) -> Scene:
    """Ann has a contact with one Credentialing, and submitted a CA."""
    scene = scene or Scene()
    scene.sign_up(ANN, "1")
    scene.make("c1", ACTIVE, "1")
    scene.look("1")
    scene.submit(ANN, npi())
    return scene


def written() -> Scene:
    """And it is on its record."""
    scene = linked()
    scene.round("c1", "1", **NPI)
    return scene


def test_what_is_right_is_right() -> None:
    """Submitted, looked, written; again after Sync now; newer data when there is some; another form beside it."""
    scene = written()
    scene.tell(ANN, "sync", reason="again")
    scene.round("c1", "1", **NPI)
    scene.submit(ANN, npi("1000000004"))
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    scene.submit(ANN, {"attestation": {"attested_at": "2026-03-01T10:00:00Z"}}, form="af")
    scene.round("c1", "1", attested_on="2026-03-01", attestation_due_on="2026-06-29")
    scene.submit(ANN, npi(None))
    scene.round("c1", "1", **NPI | {"npi": ""})
    assert found(scene) == set()


def test_a_record_made_or_deleted_by_credsync() -> None:
    """It creates nothing, and ends nothing."""
    for name, method in (("objects batch/create", "POST"), ("objects merge", "POST"), ("objects", "DELETE")):
        scene = written()
        scene.call(name, [{}], method=method)
        assert found(scene) == {Rule.CREATED}


def test_a_class_c_or_d_value_in_anything_that_reached_hubspot() -> None:
    """In a body that was refused, too."""
    scene = written()
    scene.call("objects batch/update", [{"id": "c1", "properties": {"npi": f"{CANARY}-9"}}], status=400)
    assert found(scene) == {Rule.CANARY}


def test_a_write_to_a_record_of_nobody_of_ours() -> None:
    """A contact that no therapist has."""
    scene = written()
    scene.make("c9", ACTIVE, "9")
    scene.round("c9", "9", **NPI)
    assert found(scene) == {Rule.STRANGER}


def test_a_write_to_a_record_of_another_contact() -> None:
    """Bob's record with Ann's data: nothing was submitted for it."""
    scene = linked()
    scene.sign_up(BOB, "2")
    scene.make("c2", ACTIVE, "2")
    scene.look("1", "2")
    scene.write("c2", **NPI)
    assert found(scene) == {Rule.UNASKED, Rule.MISSING}


def test_a_write_to_a_record_without_the_slot() -> None:
    """It hangs on the contact, but has no label."""
    scene = linked()
    scene.make("c2", None, "1")
    scene.round("c2", "1", **NPI)
    assert found(scene) == {Rule.NO_SLOT, Rule.MISSING}


def test_a_write_to_a_record_that_lost_the_slot_before_the_look() -> None:
    """A stored id is a cache."""
    scene = written()
    scene.change("c1", slots=[])
    scene.submit(ANN, npi("1000000004"))
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    assert found(scene) == {Rule.NO_SLOT}


def test_a_slot_lost_between_look_and_write_is_no_fault() -> None:
    """HubSpot has no compare-and-set."""
    scene = linked()
    scene.look("1")
    scene.change("c1", slots=[])
    scene.write("c1", **NPI)
    assert found(scene) == set()


def test_a_write_without_any_look() -> None:
    """And one whose only look HubSpot did not answer."""
    scene = Scene()
    scene.sign_up(ANN, "1")
    scene.make("c1", ACTIVE, "1")
    scene.submit(ANN, npi())
    scene.look("1", status=503)
    scene.write("c1", **NPI)
    assert Rule.NO_LOOK in found(scene)


def test_a_second_write_without_a_look_of_its_own() -> None:
    """Each round looks."""
    scene = written()
    scene.submit(ANN, npi("1000000004"))
    scene.write("c1", **NPI | {"npi": "1000000004"})
    assert Rule.NO_LOOK in found(scene)


def test_a_round_may_write_a_record_in_two_parts() -> None:
    """What HubSpot refused goes apart from the rest when a person asks for it again; both are of one look."""
    scene = linked()
    scene.call("objects batch/update", [{"id": "c1", "properties": NPI}], status=400)
    scene.write("c1", **DAY)
    scene.tell(ANN, "sync", reason="the rule is mended")
    scene.look("1")
    scene.write("c1", **DAY)
    scene.write("c1", npi=NPI["npi"])
    assert found(scene) == set()


def test_a_write_while_two_records_hold_the_slot() -> None:
    """Neither may be written, unless a person chose."""
    scene = linked()
    scene.make("c2", ACTIVE, "1")
    scene.round("c1", "1", **NPI)
    assert found(scene) == {Rule.AMBIGUOUS}
    chosen = linked()
    chosen.make("c2", ACTIVE, "1")
    chosen.tell(ANN, f"links/{ACTIVE}", record_id="c1", reason="the newer one is a duplicate")
    chosen.round("c1", "1", **NPI)
    assert found(chosen) == set()


def test_a_write_to_a_record_under_two_therapists() -> None:
    """One record under both contacts."""
    scene = linked()
    scene.sign_up(BOB, "2")
    scene.change("c1", parents=["1", "2"])
    scene.round("c1", "1", **NPI)
    assert found(scene) == {Rule.AMBIGUOUS}


def test_a_licence_under_another_credentialing() -> None:
    """Two hops: only under the definitive one."""
    scene = Scene()
    scene.sign_up(ANN, "1")
    scene.make("c1", ACTIVE, "1")
    scene.make("c2", MOVING, "1")
    scene.make("l1", "license.NY", "c1", object_key="license")
    scene.make("l2", "license.NY", "c2", object_key="license")
    scene.submit(ANN, licences("NY"))
    scene.round("c1", "1", **DAY)
    scene.round("l1", "1", license_number="NY-77")
    assert found(scene) == set()
    scene.tell(ANN, "sync", reason="again")
    scene.round("l2", "1", license_number="NY-77")
    assert found(scene) == {Rule.OTHER_PARENT}


def test_a_value_nobody_submitted() -> None:
    """Another value, another property, another slot's value."""
    for values in ({"npi": "1999999984"}, {"medicare": "Yes"}, {"license_number": "NY-77"}):
        scene = written()
        scene.tell(ANN, "sync", reason="again")
        scene.round("c1", "1", **values)
        assert found(scene) == {Rule.UNASKED}


def test_a_value_of_a_definitive_slot_that_is_not_the_therapists() -> None:
    """Not moving: nothing for the relocation; moving: nothing for the other."""
    scene = written()
    scene.make("c2", MOVING, "1")
    scene.tell(ANN, "sync", reason="again")
    scene.round("c2", "1", **NPI)
    assert found(scene) == {Rule.UNASKED}
    moving = Scene()
    moving.sign_up(ANN, "1")
    moving.make("c1", ACTIVE, "1")
    moving.submit(ANN, npi(), moving=True)
    moving.round("c1", "1", **NPI)
    assert found(moving) == {Rule.UNASKED}


def test_an_older_value_over_a_newer() -> None:
    """Whichever arrived first."""
    scene = written()
    older = (scene.now - timedelta(days=9)).isoformat()
    scene.submit(ANN, npi("1000000004"), occurred_at=older)
    scene.round("c1", "1", npi="1000000004")
    assert found(scene) == {Rule.OLDER}


def test_a_dropped_licence_that_is_written_all_the_same() -> None:
    """A newer list replaces the list."""
    scene = Scene()
    scene.sign_up(ANN, "1")
    scene.submit(ANN, licences("NY", "CA"))
    scene.submit(ANN, licences("NY"))
    scene.make("c1", ACTIVE, "1")
    scene.make("l1", "license.CA", "c1", object_key="license")
    scene.round("c1", "1", **DAY)
    scene.round("l1", "1", license_number="CA-77")
    assert found(scene) == {Rule.UNASKED}


def test_old_data_on_a_record_that_took_the_slot_after_the_sign_up() -> None:
    """Only Sync now with `include_held` may send it."""
    for sync, wrong in ((False, {Rule.OLDER_THAN_SIGN_UP}), (True, set())):
        scene = linked()
        scene.sign_up(ANN, None, "extended")
        scene.change("c1", slots=[])
        scene.make("c2", ACTIVE, "1")
        if sync:
            scene.tell(ANN, "sync", reason="wanted", include_held=True)
        scene.round("c2", "1", **NPI)
        assert found(scene) == wrong


def test_a_write_before_the_labels_have_settled() -> None:
    """The holder is unchanged, and the Extended Sign Up just a minute old."""
    for spent, wrong in ((timedelta(minutes=1), {Rule.SETTLING}), (timedelta(minutes=11), set())):
        scene = linked()
        scene.sign_up(ANN, None, "extended")
        scene.submit(ANN, npi("1000000004"))
        scene.now += spent
        scene.round("c1", "1", **NPI | {"npi": "1000000004"})
        assert found(scene) == wrong


def test_a_write_while_the_portal_only_observes_and_of_what_came_then() -> None:
    """Nothing goes out then, and nothing that a look followed goes out by itself afterwards."""
    scene = written()
    hours = (scene.now - timedelta(hours=1), scene.now + timedelta(hours=1))
    assert found(scene, observed=[hours]) == {Rule.OBSERVED}
    for looked, wrong in ((True, {Rule.OBSERVED}), (False, set())):
        scene = linked()
        hours = (scene.now - timedelta(seconds=5), scene.now + timedelta(seconds=15))
        if looked:
            scene.look("1")
        else:
            scene.now += timedelta(seconds=10)
        scene.round("c1", "1", **NPI)
        assert found(scene, observed=[hours]) == wrong
    scene = linked()
    hours = (scene.now - timedelta(seconds=5), scene.now + timedelta(seconds=15))
    scene.look("1")
    scene.tell(ANN, "sync", reason="now")
    scene.round("c1", "1", **NPI)
    assert found(scene, observed=[hours]) == set()


def test_a_value_that_was_refused_beside_others_delays_them_by_a_round_at_most() -> None:
    """Written after the next look it is in order, after two more it is late."""
    for looks, wrong in ((1, set()), (3, {Rule.POISON})):
        scene = linked()
        scene.look("1")
        batch = [{"id": "c1", "properties": NPI}, {"id": "c2", "properties": NPI}]
        scene.call("objects batch/update", batch, status=400)
        for _ in range(looks):
            scene.look("1")
        scene.write("c1", **NPI)
        assert found(scene) == wrong


def test_what_is_not_on_its_record_must_not_be_shown_in_sync() -> None:
    """Nothing ends in silence, whether it may be left undone or not."""
    for shown, wrong in (("waiting", set()), ("in_sync", {Rule.SILENT})):
        assert found(linked(), shown={ANN: shown}, unfinished={ANN: "HubSpot is out of reach"}) == wrong


def test_a_write_while_the_portal_is_paused() -> None:
    """Until it is resumed."""
    for resumed, wrong in ((False, {Rule.PAUSED}), (True, set())):
        scene = linked()
        scene.told.append(Told("/v1/portals/demo/pause", {}, scene.now, scene.now + timedelta(seconds=1)))
        if resumed:
            at = scene.now + timedelta(seconds=5)
            scene.told.append(Told("/v1/portals/demo/resume", {}, at, at))
        scene.round("c1", "1", **NPI)
        assert found(scene) == wrong


def test_an_answer_that_is_heard_after_the_write_it_led_to_is_a_cause() -> None:
    """A busy caller reads the 202 late: the fact counts from somewhere between its call and that moment."""
    scene = written()
    scene.submit(ANN, npi("1000000004"))
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    scene.told[-1] = replace(scene.told[-1], answered=scene.now + timedelta(seconds=1))
    assert found(scene) == set()


def test_a_fact_told_while_a_busy_round_was_about_to_look_causes_the_next_write() -> None:
    """Claimed, told, and only then looked: the first write is without it, and the second has a cause."""
    scene = linked()
    scene.submit(ANN, {"npi_and_caqh": {"medicare_status": "enrolled"}})
    scene.look("1")
    told = scene.now - timedelta(seconds=1)
    scene.told[-1] = replace(scene.told[-1], asked=told, answered=told)
    scene.write("c1", **NPI)
    scene.round("c1", "1", medicare="Yes", **DAY)
    assert Rule.TOO_OFTEN not in found(scene)


def test_a_write_for_which_there_is_no_cause() -> None:
    """Written twice, submitted once; and two presses cannot make up for a write between them that had no cause."""
    scene = written()
    scene.round("c1", "1", **NPI)
    assert found(scene) == {Rule.TOO_OFTEN}
    scene = written()
    scene.round("c1", "1", **NPI)
    scene.tell(ANN, "sync", reason="again")
    scene.tell(ANN, "sync", reason="and again")
    assert found(scene) == {Rule.TOO_OFTEN}


def test_a_write_that_repeats_what_an_earlier_submission_said() -> None:
    """A write carries its own submissions' values: people may have edited the others."""
    scene = written()
    scene.submit(ANN, {"practice_preferences": {"specialties": ["trauma"]}})
    scene.round("c1", "1", **NPI, specialties="trauma")
    assert found(scene) == {Rule.AGAIN}


def test_a_successor_may_repeat_everything() -> None:
    """The record was deleted, another took the slot."""
    scene = written()
    scene.delete("c1")
    scene.make("c2", ACTIVE, "1")
    scene.round("c2", "1", **NPI)
    assert found(scene) == set()


def test_what_is_missing_in_the_end() -> None:
    """Never written, written without one property, or lost with the record it was on."""
    assert found(linked()) == {Rule.MISSING}
    assert found(linked(), unfinished={ANN: "HubSpot is out of reach"}) == set()
    scene = linked()
    scene.round("c1", "1", **DAY)
    assert found(scene) == {Rule.MISSING}
    scene = written()
    scene.delete("c1")
    scene.make("c2", ACTIVE, "1")
    assert found(scene) == {Rule.MISSING}


def test_what_followed_the_label_too_late_is_missing() -> None:
    """What the new enrolment wrote to the old holder is owed to the one that took the slot."""
    scene = linked()
    scene.sign_up(ANN, None, "extended")
    scene.submit(ANN, npi("1000000004"))
    scene.now += timedelta(minutes=11)
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    assert found(scene) == set()
    scene.change("c1", slots=[])
    scene.make("c2", ACTIVE, "1")
    assert found(scene) == {Rule.MISSING}


def test_a_log_and_a_truth_that_do_not_fit() -> None:
    """A write that is in one of them alone."""
    scene = written()
    scene.records["c1"]["writes"] += 1
    assert found(scene) == {Rule.LOG}


def test_a_contact_gets_its_page_and_nothing_else() -> None:
    """The one value that is written without a submit."""
    scene = written()
    scene.records["1"] = {
        "id": "1",
        "object": "contact",
        "slots": [],
        "parents": [],
        "archived_at": None,
        "writes": 0,
        "merged": [],
    }
    scene.write("1", credsync_url=f"https://credsync.example/therapists/{ANN}")
    assert found(scene) == {Rule.UNASKED}
    evidence = scene.evidence()
    linked_portal = {**evidence.portal, "contact": {"sync_url": "credsync_url"}}
    assert judge(replace(evidence, portal=linked_portal)) == []


def test_a_call_that_was_never_answered_may_or_may_not_have_been_taken() -> None:
    """Killed before the answer: its data may be there, and need not be."""
    for data in (npi(), npi("1000000004")):
        scene = linked()
        asked = scene.now + timedelta(seconds=1)
        body = {"form": "ca", "occurred_at": asked.isoformat(), "data": npi("1000000004")}
        scene.told.append(Told(f"/v1/therapists/{ANN}/submissions", body, asked, None))
        scene.round("c1", "1", **NPI | {"npi": data["npi_and_caqh"]["npi"]})
        assert found(scene) == set()


def test_a_record_that_goes_between_its_look_and_its_write_was_right_to_be_written() -> None:
    """HubSpot has no compare-and-set: what was deleted long before, and looked for since, is another matter."""
    scene = linked()
    scene.look("1")
    scene.change("c1", parents=[], slots=[])
    scene.write("c1", **NPI)
    assert found(scene) == set()
    late = linked()
    late.change("c1", parents=[], slots=[])
    late.round("c1", "1", **NPI)
    assert found(late) == {Rule.STRANGER}


def test_a_cause_that_was_not_acknowledged_until_it_was_told_again() -> None:
    """It may have come in at any moment between the two."""
    scene = written()
    at = scene.submit(ANN, npi("1000000004"))
    unanswered = replace(scene.told.pop(), answered=None)
    scene.told += [unanswered, replace(unanswered, answered=at + timedelta(seconds=1))]
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    scene.submit(ANN, npi())
    scene.round("c1", "1", **NPI)
    assert found(scene) == set()


def test_a_round_that_stood_still_may_have_begun_before_what_came_meanwhile() -> None:
    """Only then: else what was acknowledged before the look must be in the write."""
    scene = linked()
    began = scene.now
    scene.submit(ANN, npi("1000000004"))
    scene.round("c1", "1", **NPI)
    assert Rule.OLDER in found(scene) or Rule.UNASKED in found(scene)
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    assert found(scene, stalled=[(began, scene.now - timedelta(seconds=30.1))]) == set()


def test_what_a_round_that_ended_had_sent_is_read_before_it_is_sent_again() -> None:
    """A kill alone excuses nothing: the values themselves are read back, not only whose slot the record holds."""
    for asked, wrong in ((None, {Rule.AGAIN}), ("license_state", {Rule.AGAIN}), ("npi", set())):
        scene = written()
        killed = scene.now + timedelta(seconds=1)
        scene.submit(ANN, ENROLLED)
        scene.look("1")
        if asked is not None:
            scene.call("objects batch/read", [{"id": "c1"}])
            scene.requests[-1]["text"] = scene.requests[-1]["text"][:-1] + f', "properties": ["{asked}"]}}'
        scene.write("c1", **NPI, medicare="Yes")
        assert found(scene, interrupted=[killed]) == wrong, asked


def test_a_round_began_when_the_timeline_says_so_however_slow_its_look_was() -> None:
    """What was acknowledged between the two need not be in its write; what was acknowledged before both must be."""
    for seconds, wrong in ((-1, False), (5, True)):
        scene = linked()
        began = scene.now + timedelta(seconds=seconds)
        at = scene.submit(ANN, npi("1000000004"))
        claimed = began if not wrong else at + timedelta(seconds=5)
        scene.round("c1", "1", **NPI)
        found_now = found(scene, claims={"c1": [claimed]})
        scene.round("c1", "1", **NPI | {"npi": "1000000004"})
        assert bool(found_now & {Rule.OLDER, Rule.UNASKED}) is wrong


def test_what_was_half_sent_when_its_process_froze_arrives_when_it_goes_on() -> None:
    """HubSpot has no compare-and-set: another wrote meanwhile, and its look was none of this write's."""
    scene = written()
    for data in (npi("1000000004"), ENROLLED):
        scene.submit(ANN, data)
    scene.round("c1", "1", **NPI | {"npi": "1000000004"})
    scene.write("c1", npi="1000000004", medicare="Yes")
    assert Rule.NO_LOOK in found(scene)
    sent = scene.now - timedelta(seconds=15)
    scene.requests[-1]["ms"] = 15_000.0
    ends = scene.now - timedelta(seconds=1)
    assert found(scene, stalled=[(sent + timedelta(seconds=1), ends)]) == set()
    assert found(scene, stalled=[(sent - timedelta(seconds=1), ends)]) == {Rule.NO_LOOK}, (
        "sent while it stood still?"
    )
