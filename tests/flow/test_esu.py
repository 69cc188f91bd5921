"""Extended Sign Ups, end to end: labels that move under our hands, old submissions, and where new ones go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.flow.forms import af, ca, npi
from tests.flow.world import ACTIVE, ADDRESS, World, moment, someone, until

SETTLE_S = 2.0
WORLD = {"settings": {"settle_after": "80s"}, "delay": "1s"}
OLD, NEW = "1234567893", "1000000004"


def signed_up(here: World, *submitted: dict[str, Any], **planned: Any) -> tuple[str, str]:
    """A therapist in sync, with what was submitted on the records; gives therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    for data in submitted:
        here.submit(therapist, data)
    here.until_state(therapist, "in_sync")
    return therapist, contact


def test_an_unchanged_holder_stays_doubtful_and_unwritten_for_settle_after(shared: World) -> None:
    """A link whose holder has not changed stays doubtful and unwritten for `settle_after` after an ESU."""
    therapist, contact = signed_up(shared, npi(OLD))
    shared.extend(therapist)
    told = datetime.fromisoformat(moment())
    shared.looked(therapist)
    shared.submit(therapist, npi(NEW))
    until(lambda: ("waiting", "settling") in shared.writes(therapist, ACTIVE), 10, "the write to wait")
    link = shared.link(therapist, ACTIVE)
    assert (link["state"], link["reason"]) == ("found", "settling")
    assert shared.status(therapist)["state"] == "waiting"
    assert shared.records(contact)[ACTIVE]["writes"] == 1
    done = shared.until_state(therapist, "in_sync")
    written = max(datetime.fromisoformat(w["written_at"]) for w in done["writes"])
    assert written - told > timedelta(seconds=SETTLE_S - 0.1)
    assert shared.records(contact)[ACTIVE]["properties"]["npi"] == NEW
    assert shared.link(therapist, ACTIVE)["doubtful_since"] is None


def test_every_link_is_doubtful_after_an_extended_sign_up(shared: World) -> None:
    """An ESU makes every link of the therapist doubtful."""
    therapist, _ = signed_up(shared, ca(licenses=("NY",)), licenses=["NY"])
    shared.extend(therapist)
    slots = {ACTIVE, ADDRESS, "license.NY"}

    def doubtful() -> bool:
        links = shared.status(therapist)["links"]
        return slots <= {link["slot"] for link in links if link["reason"] == "settling"}

    until(doubtful, 10, "doubt about every link")
    shared.until_state(therapist, "in_sync")


def test_no_holder_for_a_while_is_waiting_without_alarm_and_the_next_submission_goes_to_the_new_one(
    shared: World,
) -> None:
    """Zero holders for a while is *awaited* without alarm until `overdue_after`. The next submission goes to the new holder."""
    therapist, contact = signed_up(shared, npi(OLD))
    old = shared.records(contact)[ACTIVE]["id"]
    shared.extend(therapist)
    new = shared.esu(contact, pause="1h")
    shared.advance("1h")
    shared.submit(therapist, npi(NEW))
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "awaited", 10, "the slot to be empty")
    assert shared.looked(therapist)["overdue_since"] is None
    assert shared.status(therapist)["state"] == "waiting"
    shared.advance("1h")
    shared.until_state(therapist, "in_sync")
    link = shared.link(therapist, ACTIVE)
    assert (link["record_id"], link["doubtful_since"]) == (new, None)
    assert [past["record_id"] for past in link["history"]] == [old]
    assert shared.record(contact, old)["properties"]["npi"] == OLD
    assert shared.record(contact, new)["properties"]["npi"] == NEW
    assert [shared.record(contact, each)["writes"] for each in (old, new)] == [1, 1]


def test_two_holders_for_a_while_is_ambiguous_without_alarm(shared: World) -> None:
    """Two holders for a while is *ambiguous* without alarm until `overdue_after`."""
    therapist, contact = signed_up(shared, npi(OLD))
    old = shared.records(contact)[ACTIVE]["id"]
    shared.extend(therapist)
    shared.submit(therapist, npi(NEW))
    new = shared.esu(contact, pause="1h", overlap=True)
    shared.advance("1h")
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "ambiguous", 10, "two holders to be seen")
    link = shared.looked(therapist)
    assert {each["record_id"] for each in link["candidates"]} == {old, new}
    assert (link["reason"], shared.status(therapist)["state"]) == ("settling", "waiting")
    shared.advance("1h")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["properties"]["npi"] == NEW
    assert [shared.record(contact, each)["writes"] for each in (old, new)] == [1, 1]


def test_written_stays_written_and_the_new_holder_gets_nothing_of_before(shared: World) -> None:
    """A submission older than the latest sign-up is never written to a record that took the slot after it: written stays written."""
    therapist, contact = signed_up(shared, npi(OLD))
    shared.extend(therapist)
    new = shared.esu(contact, pause="1s")
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 10, "the new holder")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["writes"] == 0
    assert shared.writes(therapist, ACTIVE) == [("written", "")]


def unwritten(here: World) -> tuple[str, str, str]:
    """What was submitted before an ESU and could not be written: therapist, contact and the record that came after."""
    contact, therapist = here.contact(never=[ACTIVE]), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, npi(OLD))
    here.looked(therapist)
    here.extend(therapist)
    here.looked(therapist)
    record = here.change("create", contact=contact, slot=ACTIVE)["id"]
    held = here.until_state(therapist, "held")
    assert held["reason"] == "older_than_sign_up"
    assert here.writes(therapist, ACTIVE) == [("held", "older_than_sign_up")]
    return therapist, contact, record


def test_what_was_unwritten_is_held_and_ends_when_a_newer_write_is_written(shared: World) -> None:
    """Unwritten needs a person (`held`, reason `older_than_sign_up`), and ends as superseded when a newer enrolment's write to that form and slot is written."""
    therapist, contact, record = unwritten(shared)
    shared.submit(therapist, {"practice_preferences": {"specialties": ["anxiety"]}})
    shared.until_state(therapist, "in_sync")
    assert shared.writes(therapist, ACTIVE) == [("superseded", "newer_sign_up"), ("written", "")]
    assert "npi" not in shared.record(contact, record)["properties"]
    assert shared.record(contact, record)["writes"] == 1


def test_what_is_held_is_sent_by_sync_now_only_with_include_held(shared: World) -> None:
    """It ends as superseded when Sync now is pressed with `include_held`."""
    therapist, contact, record = unwritten(shared)
    looks = shared.looks(contact)
    shared.sync(therapist)
    until(lambda: shared.looks(contact) > looks, 10, "the look that Sync now asks for")
    shared.looked(therapist)
    assert shared.status(therapist)["state"] == "held"
    assert shared.record(contact, record)["writes"] == 0
    shared.sync(therapist, include_held=True)
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, record)["properties"]["npi"] == OLD
    assert shared.record(contact, record)["writes"] == 1


def test_what_is_held_never_overwrites_what_the_new_enrolment_said(shared: World) -> None:
    """An older submission never overwrites a newer, not even when a person sends what was held."""
    contact, therapist = shared.contact(never=[ACTIVE]), someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    shared.looked(therapist)
    shared.extend(therapist)
    shared.looked(therapist)
    changed = {"practice_preferences": {"specialties": ["couples"]}}
    shared.submit(therapist, af(**changed), form="af")
    record = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.until_state(therapist, "held")
    until(lambda: shared.record(contact, record)["writes"] == 1, 10, "the attestation")
    shared.sync(therapist, include_held=True)
    until(lambda: shared.record(contact, record)["writes"] == 2, 10, "what was held")
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, record)["properties"]
    assert (held["npi"], held["specialties"]) == (OLD, "couples")


def test_what_the_new_enrolment_wrote_to_the_old_holder_is_sent_again_to_the_new_one(shared: World) -> None:
    """What the new enrolment nevertheless wrote to a holder from before its sign-up is sent again to the one that takes the slot."""
    therapist, contact = signed_up(shared, ca())
    old = shared.records(contact)[ACTIVE]["id"]
    shared.extend(therapist)
    shared.submit(therapist, npi(NEW))
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, old)["properties"]["npi"] == NEW
    new = shared.esu(contact, pause="1s")
    until(lambda: ACTIVE in shared.record(contact, new)["slots"], 10, "the labels to move")
    shared.submit(therapist, {"practice_preferences": {"specialties": ["trauma"]}})
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 10, "the new holder")
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, new)["properties"]
    assert (held["npi"], held["specialties"]) == (NEW, "trauma")
    assert "medicare" not in held, "the old enrolment's data is not"
    assert shared.record(contact, old)["properties"]["specialties"] == "anxiety;trauma"


def test_a_licence_that_follows_the_new_credentialing_some_seconds_later_keeps_its_id(shared: World) -> None:
    """An ESU makes every link doubtful: a licence that nothing unsent waits for is looked for until it follows."""
    therapist, contact = signed_up(shared, ca(licenses=("NY",)), licenses=["NY"])
    card = shared.records(contact)["license.NY"]["id"]
    shared.extend(therapist)
    new = shared.esu(contact, pause="20s")
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 20, "the new holder")
    done = shared.until_state(therapist, "in_sync")
    assert done["ids"]["license_ny_id"] == card
    assert done["ids"]["credentialing_active_attested_id"] == new
    assert shared.record(contact, card)["parents"] == [new]
    assert shared.record(contact, card)["writes"] == 1


def test_an_extended_sign_up_pressed_twice_within_a_second_is_one(shared: World) -> None:
    """An ESU twice within a second is one."""
    therapist, contact = signed_up(shared, npi(OLD))
    first = datetime.fromisoformat(moment())
    for after in (0, 400):
        at = (first + timedelta(milliseconds=after)).isoformat()
        shared.extend(therapist, occurred_at=at)
    shared.submit(therapist, npi(NEW), occurred_at=(first + timedelta(milliseconds=200)).isoformat())
    shared.esu(contact, pause="1s")
    shared.until_state(therapist, "in_sync")
    until(lambda: shared.records(contact)[ACTIVE]["writes"] == 1, 10, "the new holder's write")
    timeline = shared.api.get(f"/v1/therapists/{therapist}/timeline").json()
    kinds = [e["details"]["kind"] for e in timeline["events"] if e["event"] == "sign_up.completed"]
    assert sorted(kinds) == ["extended", "first"]


def test_an_extended_sign_up_in_the_middle_of_a_round_is_not_missed(shared: World) -> None:
    """A fact that comes in the middle of a round is never missed; what the look saw before it may still be written."""
    therapist, contact = signed_up(shared, npi(OLD))
    old = shared.records(contact)[ACTIVE]["id"]
    before = shared.looks(contact)
    shared.fault(match={"kind": "associations", "contains": contact}, latency=0.7, times=2)
    shared.submit(therapist, npi("1999999984"))
    until(lambda: shared.faults_met(), 10, "the look to begin")
    shared.extend(therapist)
    new = shared.esu(contact, pause="1s")
    shared.submit(therapist, npi(NEW))
    assert shared.looks(contact) == before, "the look is still under way"
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 20, "the new holder")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["properties"]["npi"] == NEW
    assert shared.record(contact, new)["writes"] == 1
    assert shared.record(contact, old)["properties"]["npi"] == "1999999984"


def test_fifty_extended_sign_ups_at_once(shared: World) -> None:
    """Many ESUs at once: each therapist's new data on the new holder, the old data where it was, nothing lost."""
    people = [(someone(), shared.contact(licenses=["NY"])) for _ in range(50)]
    for therapist, contact in people:
        shared.sign_up(therapist, contact)
        shared.submit(therapist, ca(licenses=("NY",)))
    for therapist, _ in people:
        shared.until_state(therapist, "in_sync")
    old = {contact: shared.records(contact)[ACTIVE]["id"] for _, contact in people}
    new = {}
    for therapist, contact in people:
        shared.extend(therapist)
        new[contact] = shared.esu(contact, pause="20s")
        shared.submit(therapist, npi(NEW))
    for therapist, contact in people:
        until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new[contact], 20, "the new holder")  # noqa: B023
        shared.until_state(therapist, "in_sync")
        assert shared.record(contact, old[contact])["properties"]["npi"] == OLD
        assert shared.record(contact, new[contact])["properties"]["npi"] == NEW
        assert [shared.record(contact, each[contact])["writes"] for each in (old, new)] == [1, 1]
        assert shared.records(contact)["license.NY"]["writes"] == 1
        assert (
            shared.link(therapist, "license.NY")["record_id"] == shared.records(contact)["license.NY"]["id"]
        )
