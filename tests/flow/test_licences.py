"""Licences, end to end: two hops away, one slot per state, each to its own record and to nobody else's."""

from __future__ import annotations

from typing import Any

from tests.flow.forms import ca, licences
from tests.flow.world import ACTIVE, MOVING, World, someone, until

WORLD = {"delay": "1s"}


def in_sync(here: World, data: dict[str, Any], **planned: Any) -> tuple[str, str]:
    """A therapist in sync after a submission; gives therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, data)
    here.until_state(therapist, "in_sync")
    return therapist, contact


def under(here: World, contact: str, parent_slot: str, state: str) -> dict[str, Any]:
    """The licence of a state that hangs on the Credentialing in a slot."""
    parent = here.records(contact)[parent_slot]["id"]
    truth = here.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()["records"]
    found: dict[str, Any] = next(
        r for r in truth if r["parents"] == [parent] and r["slots"] == [f"license.{state}"]
    )
    return found


def test_each_submitted_licence_goes_to_its_own_record_and_to_nobody_elses(shared: World) -> None:
    """One slot per value (`license.NY`): each submitted licence is written to its own; other people's never."""
    people = [in_sync(shared, licences("NY", "CA", number=number), licenses=["NY", "CA"]) for number in "12"]
    for number, (therapist, contact) in zip("12", people, strict=True):
        records = shared.records(contact)
        for state in ("NY", "CA"):
            held = records[f"license.{state}"]
            assert held["properties"]["license_number"] == f"{state}-{number}"
            assert held["writes"] == 1
        ids = shared.status(therapist)["ids"]
        assert (ids["license_ny_id"], ids["license_ca_id"]) == (
            records["license.NY"]["id"],
            records["license.CA"]["id"],
        )


def test_licences_of_another_credentialing_are_never_written(shared: World) -> None:
    """Licences are judged under the definitive Credentialing of the newest submission; others are shown, never written."""
    contact, therapist = shared.contact(licenses=["NY"]), someone()
    shared.advance("1s")
    other = shared.records(contact)[MOVING]["id"]
    stranger = shared.change("create", contact=contact, slot="license.NY", parent=other)["id"]
    alone = shared.change("create", contact=contact, slot="license.CA", parent=other)["id"]
    shared.sign_up(therapist, contact)
    shared.submit(therapist, licences("NY", "CA"))
    until(lambda: shared.writes(therapist, "license.NY") == [("written", "")], 10, "the definitive one's")
    shared.looked(therapist, "license.CA")
    assert shared.writes(therapist, "license.CA") == [("waiting", "record_awaited")]
    link = shared.link(therapist, "license.CA")
    assert (link["state"], link["record_id"]) == ("awaited", None)
    assert [each["record_id"] for each in link["candidates"]] == [alone]
    chosen = shared.api.post(
        f"/v1/therapists/{therapist}/links/license.CA", json={"record_id": alone, "reason": "that one"}
    )
    assert chosen.status_code == 409
    assert [shared.record(contact, each)["writes"] for each in (stranger, alone)] == [0, 0]
    parent = shared.records(contact)[ACTIVE]["id"]
    own = shared.change("create", contact=contact, slot="license.CA", parent=parent)["id"]
    shared.until_state(therapist, "in_sync")
    assert shared.link(therapist, "license.CA")["candidates"] == []
    assert shared.record(contact, own)["properties"]["license_number"] == "CA-77"
    assert [shared.record(contact, each)["writes"] for each in (stranger, alone)] == [0, 0]


def test_a_licence_waits_for_its_credentialing_and_for_nothing_else(shared: World) -> None:
    """Each target waits for its own slot only: a License does not wait for an Address."""
    contact = shared.contact(licenses=["NY"], never=["therapist_address"])
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(licenses=("NY",)))
    until(lambda: shared.writes(therapist, "license.NY") == [("written", "")], 10, "the licence")
    assert shared.writes(therapist, ACTIVE) == [("written", "")]
    assert shared.status(therapist)["state"] == "waiting"
    shared.change("create", contact=contact, slot="therapist_address_current")
    shared.until_state(therapist, "in_sync")


def test_a_dropped_licence_is_superseded(shared: World) -> None:
    """A list in a newer submission replaces the list: unsent items that are gone are superseded."""
    contact, therapist = shared.contact(licenses=["NY"]), someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, licences("NY", "CA"))
    until(lambda: shared.writes(therapist, "license.CA") == [("waiting", "record_awaited")], 10, "its wait")
    shared.submit(therapist, licences("NY", number="78"))
    shared.until_state(therapist, "in_sync")
    assert shared.writes(therapist, "license.CA") == [("superseded", "list_replaced")]
    parent = shared.records(contact)[ACTIVE]["id"]
    late = shared.change("create", contact=contact, slot="license.CA", parent=parent)["id"]
    shared.sync(therapist)
    until(lambda: shared.records(contact)[ACTIVE]["writes"] == 3, 10, "everything to be written again")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, late)["writes"] == 0
    assert shared.records(contact)["license.NY"]["properties"]["license_number"] == "NY-78"


def test_licences_follow_the_definitive_credentialing_as_a_label_moves(shared: World) -> None:
    """When the newest submission's definitive changes, that is a label move for its licences, not a loss."""
    therapist, contact = in_sync(shared, licences("NY"), licenses=["NY"])
    parent = shared.records(contact)[MOVING]["id"]
    new = shared.change("create", contact=contact, slot="license.NY", parent=parent)["id"]
    old = under(shared, contact, ACTIVE, "NY")["id"]
    shared.submit(therapist, {"npi_and_caqh": {"npi": "1234567893"}}, moving=True)
    until(lambda: shared.link(therapist, "license.NY")["record_id"] == new, 10, "the other licence")
    shared.until_state(therapist, "in_sync")
    link = shared.link(therapist, "license.NY")
    assert [(past["record_id"], past["reason"]) for past in link["history"]] == [(old, "label_moved")]
    assert [shared.record(contact, each)["writes"] for each in (old, new)] == [1, 0]
    shared.submit(therapist, licences("NY", number="78"), moving=True)
    until(lambda: shared.record(contact, new)["writes"] == 1, 10, "the later list")
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, new)["properties"]["license_number"] == "NY-78"
    assert shared.record(contact, old)["properties"]["license_number"] == "NY-77"
