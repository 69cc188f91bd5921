"""Loss and return, end to end: records and contacts that are deleted, unlinked or merged, and labels that move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.forms import ca, npi
from tests.flow.world import ACTIVE, World, someone, until

WORLD = {"delay": "1s"}
ONE, TWO, THREE = "1234567893", "1000000004", "1999999984"
Loser = Callable[[World, str, str], None]


def delete(here: World, contact: str, record: str) -> None:
    """Somebody deletes the record."""
    here.change("delete", id=record)


def unlink(here: World, contact: str, record: str) -> None:
    """Somebody ends its association with the contact."""
    here.change("unlink", id=record, parent=contact)


def merge(here: World, contact: str, record: str) -> None:
    """Somebody merges it with another, and the new one has no label yet."""
    other = here.change("create", contact=contact, object="credentialing")["id"]
    merged = here.change("merge", primary=other, other=record)
    if merged["slots"]:
        here.change("unmark", id=merged["id"], slot=ACTIVE)


def in_sync(here: World, data: dict[str, Any], **planned: Any) -> tuple[str, str, str]:
    """A therapist in sync after a submission: therapist, contact and the record it is on."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, data)
    here.until_state(therapist, "in_sync")
    return therapist, contact, here.records(contact)[ACTIVE]["id"]


@pytest.mark.parametrize("lose", [delete, unlink, merge])
def test_a_lost_records_successor_gets_the_newest_data_of_the_enrolment(shared: World, lose: Loser) -> None:
    """A record deleted, merged or no longer associated: the link is awaited again, the old id kept in its history, and the successor gets the newest data of the enrolment."""
    therapist, contact, old = in_sync(shared, ca())
    lose(shared, contact, old)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "awaited", 10, "the loss to be seen")
    link = shared.looked(therapist)
    assert link["record_id"] is None
    assert [past["record_id"] for past in link["history"]] == [old]
    assert shared.status(therapist)["ids"][f"{ACTIVE}_id"] is None
    assert shared.status(therapist)["complete"] is False
    new = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, new)
    assert held["properties"]["npi"] == TWO
    assert held["properties"]["specialties"] == "anxiety;trauma"
    assert held["writes"] == 1
    assert shared.link(therapist, ACTIVE)["record_id"] == new


def test_a_label_that_moved_to_a_living_record_takes_only_later_submissions_along(shared: World) -> None:
    """A label merely moved to another record while the old one lives: later submissions follow the label, written ones are not sent again."""
    therapist, contact, old = in_sync(shared, ca())
    new = shared.change("create", contact=contact, object="credentialing")["id"]
    shared.change("move", slot=ACTIVE, to=new)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 10, "the new holder")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["properties"].keys() == {"npi", "submitted_on"}
    assert shared.record(contact, old)["properties"]["npi"] == ONE
    history = shared.link(therapist, ACTIVE)["history"]
    assert [(past["record_id"], past["reason"]) for past in history] == [(old, "label_moved")]


def test_a_record_that_goes_between_look_and_write_is_not_asked_for_again_and_again(shared: World) -> None:
    """No 404 loop: what HubSpot no longer knows is awaited again, and written once its successor is there."""
    therapist, contact, old = in_sync(shared, npi(ONE))
    shared.fault(match={"kind": "associations", "contains": contact}, latency=0.5, times=2)
    tries = shared.tries(old)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.faults_met(), 10, "the look to begin")
    shared.change("delete", id=old)
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "awaited", 10, "the loss to be seen")
    assert shared.tries(old) == tries + 1
    tries = shared.tries(old)
    shared.looked(therapist)
    shared.looked(therapist)
    assert shared.tries(old) == tries
    new = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.until_state(therapist, "in_sync")
    assert shared.tries(old) == tries
    assert shared.record(contact, new)["properties"]["npi"] == TWO


def test_a_record_that_comes_back_is_written_again(shared: World) -> None:
    """The record itself may return: unlinked and linked again, it is its own successor."""
    therapist, contact, record = in_sync(shared, npi(ONE))
    shared.change("unlink", id=record, parent=contact)
    shared.sync(therapist)
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "awaited", 10, "the loss to be seen")
    shared.change("link", id=record, parent=contact, slot=ACTIVE)
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, record)["properties"]["npi"] == ONE
    assert shared.link(therapist, ACTIVE)["record_id"] == record


def test_a_merged_contact_is_followed_and_nothing_is_sent_again(shared: World) -> None:
    """A contact merged into another is followed: its records stay the therapist's, and what was written is not sent again."""
    therapist, contact, record = in_sync(shared, npi(ONE))
    other = shared.contact(slots=[])
    body = {"primaryObjectId": contact, "objectIdToMerge": other}
    headers = {"Authorization": "Bearer a-person"}
    answer = shared.hubspot.post("/crm/objects/2026-09/0-1/merge", json=body, headers=headers)
    merged = answer.json()["id"]
    assert merged not in (contact, other)
    shared.submit(therapist, {"practice_preferences": {"specialties": ["couples"]}})
    until(lambda: shared.status(therapist)["contact_id"] == merged, 10, "the new contact id")
    shared.until_state(therapist, "in_sync")
    held = shared.record(merged, record)
    assert (held["properties"]["npi"], held["properties"]["specialties"]) == (ONE, "couples")
    assert held["writes"] == 2
    assert shared.link(therapist, ACTIVE)["record_id"] == record


def test_a_deleted_contact_is_said_and_not_asked_for_again_and_again(shared: World) -> None:
    """Nothing ends in silence: a contact that HubSpot no longer has is told as such, without a 404 loop."""
    therapist, contact, _ = in_sync(shared, npi(ONE))
    headers = {"Authorization": "Bearer a-person"}
    shared.hubspot.delete(f"/crm/objects/2026-09/0-1/{contact}", headers=headers).raise_for_status()
    shared.submit(therapist, npi(THREE))
    until(lambda: shared.link(therapist, ACTIVE)["reason"] == "contact_gone", 10, "the contact to be missed")
    asked = [r for r in shared.requests() if r["path"].endswith(f"/0-1/{contact}") and r["method"] == "GET"]
    shared.looked(therapist)
    shared.looked(therapist)
    again = [r for r in shared.requests() if r["path"].endswith(f"/0-1/{contact}") and r["method"] == "GET"]
    assert len(again) == len(asked) <= 2
