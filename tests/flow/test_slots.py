"""Slots told otherwise than by labels, end to end: by a property, by two, by being the only record; and `sync_url`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.flow.forms import npi, street
from tests.flow.world import ACTIVE, ADDRESS, MOVING, World, someone, until

PUBLIC = "https://credsync.example"
WORLD = {
    "portal": Path(__file__).parent / "portals" / "told_by_properties.toml",
    "delay": "1s",
    "settings": {"public_url": PUBLIC},
}


def in_sync(here: World, data: dict[str, Any], **planned: Any) -> tuple[str, str]:
    """A therapist in sync after a submission; gives therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, data)
    here.until_state(therapist, "in_sync")
    return therapist, contact


def test_a_slot_by_a_property_is_the_record_that_has_its_value(shared: World) -> None:
    """A link may hold only a record that in this very round carries the slot's label (or property) under this contact."""
    therapist, contact = in_sync(shared, npi("1234567893"))
    records = shared.records(contact)
    assert records[ACTIVE]["properties"] == {"stage": "attested", "npi": "1234567893"}
    assert records[MOVING]["writes"] == 0
    shared.change("unmark", id=records[ACTIVE]["id"], slot=ACTIVE)
    new = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.submit(therapist, npi("1000000004"))
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 10, "the new holder")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["properties"]["npi"] == "1000000004"
    assert shared.record(contact, records[ACTIVE]["id"])["properties"]["npi"] == "1234567893"


def test_two_properties_name_one_slot(shared: World) -> None:
    """With a list, one slot per pair of values: `license.NY.PT`."""
    types = ["PT", "OT"]
    items = [{"state": "NY", "type": each, "number": f"NY-{each}"} for each in types]
    planned = [{"state": "NY", "type": each} for each in types]
    therapist, contact = in_sync(shared, {"education_and_training": {"licenses": items}}, licenses=planned)
    records = shared.records(contact)
    for each in types:
        assert records[f"license.NY.{each}"]["properties"]["license_number"] == f"NY-{each}"
        assert shared.status(therapist)["ids"][f"license_ny_{each.lower()}_id"]


def test_the_only_record_of_its_type_holds_the_slot_and_two_hold_it_both(shared: World) -> None:
    """`only = true`: the only record of its type; a second one makes it ambiguous, and none is written."""
    therapist, contact = in_sync(shared, street("1 Elm St"))
    first = shared.records(contact)[ADDRESS]["id"]
    second = shared.change("create", contact=contact, object="therapist_address")["id"]
    shared.submit(therapist, street("2 New Rd"))
    shared.until_state(therapist, "ambiguous")
    candidates = shared.link(therapist, ADDRESS)["candidates"]
    assert {each["record_id"] for each in candidates} == {first, second}
    shared.change("delete", id=second)
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[ADDRESS]["properties"]["street"] == "2 New Rd"


def test_what_sign_up_itself_submitted_is_written(shared: World) -> None:
    """Sign-up completed: what sign-up itself submitted (form `sign_up`), if mapped."""
    contact, therapist = shared.contact(), someone()
    shared.sign_up(therapist, contact, data={"postal_code": "12207", "first_name": "Ann"})
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[ADDRESS]["properties"] == {"postal_code": "12207"}


def test_each_contact_gets_the_link_to_its_therapists_page_once(shared: World) -> None:
    """The one value written without a submit is the contact's link to the therapist's page (`sync_url`)."""
    people = [(someone(), shared.contact(never=["therapist_address"])) for _ in range(2)]
    for therapist, contact in people:
        shared.sign_up(therapist, contact)
    for therapist, contact in people:

        def truth(contact: str = contact) -> dict[str, Any]:
            told: dict[str, Any] = shared.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
            return told

        until(lambda: truth()["properties"].get("credsync_url"), 20, "the link")
        assert truth()["properties"]["credsync_url"] == f"{PUBLIC}/therapists/{therapist}"
        shared.submit(therapist, npi("1234567893"))
        until(lambda: shared.writes(therapist, ACTIVE) == [("written", "")], 10, "the write")  # noqa: B023
        assert truth()["writes"] == 1
