"""Ids with a life, end to end: what HubSpot brings back, moves to another parent, or erases."""

from __future__ import annotations

from typing import Any

from tests.flow.forms import ca, licences, npi
from tests.flow.world import ACTIVE, MOVING, World, someone, until

WORLD = {"delay": "1s"}
ONE, TWO = "1234567893", "1000000004"


def in_sync(here: World, data: dict[str, Any], **planned: Any) -> tuple[str, str]:
    """A therapist in sync after a submission: therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, data)
    here.until_state(therapist, "in_sync")
    return therapist, contact


def test_a_record_deleted_and_restored_is_linked_again_under_its_id(shared: World) -> None:
    """What was submitted while it was away is on it once it is back."""
    therapist, contact = in_sync(shared, npi(ONE))
    record = shared.records(contact)[ACTIVE]["id"]
    shared.change("delete", id=record)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.link(therapist, ACTIVE)["state"] == "awaited", 10, "the loss to be seen")
    shared.change("restore", id=record)
    shared.until_state(therapist, "in_sync")
    assert shared.link(therapist, ACTIVE)["record_id"] == record
    assert shared.record(contact, record)["properties"]["npi"] == TWO


def test_a_contact_deleted_and_restored_goes_on(shared: World) -> None:
    """It was said to be gone, and is found again with all that hung on it."""
    therapist, contact = in_sync(shared, npi(ONE))
    shared.change("delete", id=contact)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.link(therapist, ACTIVE)["reason"] == "contact_gone", 10, "the contact to be missed")
    shared.change("restore", id=contact)
    shared.sync(therapist)
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[ACTIVE]["properties"]["npi"] == TWO


def test_a_licence_under_another_parent_is_lost_until_it_comes_back(shared: World) -> None:
    """A licence counts under the definitive Credentialing only; nothing is written to it while it hangs elsewhere."""
    therapist, contact = in_sync(shared, ca(licenses=("NY",)), licenses=["NY"])
    records = shared.records(contact)
    licence = records["license.NY"]["id"]
    shared.change("reparent", id=licence, to=records[MOVING]["id"])
    shared.submit(therapist, licences("NY", number="88"))
    until(lambda: shared.link(therapist, "license.NY")["state"] == "awaited", 10, "the loss to be seen")
    shared.looked(therapist, "license.NY")
    assert shared.record(contact, licence)["properties"]["license_number"] == "NY-77"
    shared.change("reparent", id=licence, to=records[ACTIVE]["id"])
    shared.until_state(therapist, "in_sync")
    assert shared.link(therapist, "license.NY")["record_id"] == licence
    assert shared.record(contact, licence)["properties"]["license_number"] == "NY-88"


def test_an_erased_contact_is_said_and_nothing_is_written_for_it_any_more(shared: World) -> None:
    """A GDPR deletion: its records live on under nobody, and stay as they were."""
    therapist, contact = in_sync(shared, npi(ONE))
    record = shared.records(contact)[ACTIVE]
    shared.leaves(therapist, "the contact was erased")
    shared.change("erase", contact=contact)
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.link(therapist, ACTIVE)["reason"] == "contact_gone", 10, "the contact to be missed")
    shared.looked(therapist)
    assert shared.record(contact, record["id"])["writes"] == record["writes"]
