"""Ambiguity, end to end: several records in a slot, one record of two therapists, and what a person chooses."""

from __future__ import annotations

from tests.flow.forms import npi
from tests.flow.world import ACTIVE, World, someone, until

WORLD = {"delay": "1s"}
ONE, TWO = "1234567893", "1000000004"


def doubled(here: World) -> tuple[str, str, list[str]]:
    """A therapist with something submitted and two records in one slot: therapist, contact, records."""
    contact, therapist = here.contact(), someone()
    here.advance("1s")
    records = [
        here.records(contact)[ACTIVE]["id"],
        here.change("create", contact=contact, slot=ACTIVE)["id"],
    ]
    here.sign_up(therapist, contact)
    here.until_state(therapist, "ambiguous")
    here.submit(therapist, npi(ONE))
    here.looked(therapist)
    return therapist, contact, records


def shares(here: World) -> tuple[tuple[str, str], tuple[str, str], str]:
    """Two therapists, each with something submitted, and one record under both contacts in one slot."""
    first, second = (someone(), here.contact()), (someone(), here.contact(never=[ACTIVE]))
    here.advance("1s")
    record = here.records(first[1])[ACTIVE]["id"]
    here.change("link", id=record, parent=second[1], slot=ACTIVE)
    for therapist, contact in (first, second):
        here.sign_up(therapist, contact)
    for (therapist, _), number in ((first, ONE), (second, TWO)):
        here.until_state(therapist, "ambiguous")
        here.submit(therapist, npi(number))
        here.looked(therapist)
    return first, second, record


def choose(here: World, therapist: str, record: str) -> int:
    """A person chooses; gives the answer's status."""
    body = {"record_id": record, "reason": "the other one is a duplicate"}
    return here.api.post(f"/v1/therapists/{therapist}/links/{ACTIVE}", json=body).status_code


def test_two_records_in_one_slot_are_shown_and_none_is_written_until_one_goes(shared: World) -> None:
    """Two records in one slot: *ambiguous*, all candidates shown, none written."""
    therapist, contact, records = doubled(shared)
    link = shared.looked(therapist)
    assert (link["state"], link["reason"], link["record_id"]) == ("ambiguous", "two_records_in_slot", None)
    assert sorted(each["record_id"] for each in link["candidates"]) == sorted(records)
    assert all(each["record_url"] for each in link["candidates"])
    assert shared.writes(therapist, ACTIVE) == [("waiting", "two_records_in_slot")]
    assert [shared.record(contact, each)["writes"] for each in records] == [0, 0]
    shared.change("unmark", id=records[0], slot=ACTIVE)
    shared.until_state(therapist, "in_sync")
    assert [shared.record(contact, each)["writes"] for each in records] == [0, 1]


def test_one_record_under_two_therapists_is_written_for_neither_until_it_is_put_right(shared: World) -> None:
    """One record under two therapists: *ambiguous*, all candidates shown, none written."""
    (ann, of_ann), (bob, of_bob), record = shares(shared)
    for therapist in (ann, bob):
        link = shared.looked(therapist)
        assert link["reason"] == "record_of_two_therapists"
        assert [each["record_id"] for each in link["candidates"]] == [record]
    assert shared.record(of_ann, record)["writes"] == 0
    shared.change("unlink", id=record, parent=of_bob)
    shared.until_state(ann, "in_sync")
    assert shared.record(of_ann, record)["properties"]["npi"] == ONE
    own = shared.change("create", contact=of_bob, slot=ACTIVE)["id"]
    shared.until_state(bob, "in_sync")
    assert shared.record(of_bob, own)["properties"]["npi"] == TWO


def test_a_person_may_choose_and_the_choice_is_remembered_while_the_record_keeps_the_slot(
    shared: World,
) -> None:
    """A person may choose among the candidates; nothing else may be chosen."""
    therapist, contact, records = doubled(shared)
    assert choose(shared, therapist, "12345") in (409, 422)
    assert choose(shared, therapist, records[1]) == 202
    shared.until_state(therapist, "in_sync")
    link = shared.link(therapist, ACTIVE)
    assert (link["record_id"], link["reason"]) == (records[1], "chosen_by_person")
    assert [shared.record(contact, each)["writes"] for each in records] == [0, 1]
    shared.submit(therapist, npi(TWO))
    until(lambda: shared.record(contact, records[1])["writes"] == 2, 10, "the next submission")
    shared.until_state(therapist, "in_sync")
    third = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.change("unmark", id=records[1], slot=ACTIVE)
    shared.submit(therapist, npi(ONE))
    shared.until_state(therapist, "ambiguous")
    candidates = shared.link(therapist, ACTIVE)["candidates"]
    assert {each["record_id"] for each in candidates} == {records[0], third}
    shared.change("delete", id=third)
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, records[0])["properties"]["npi"] == ONE


def test_a_record_of_two_therapists_may_be_chosen_for_one_of_them(shared: World) -> None:
    """One record under two therapists: a person may choose, and one record belongs to one therapist."""
    (ann, of_ann), (bob, of_bob), record = shares(shared)
    assert choose(shared, bob, record) == 202
    assert choose(shared, ann, record) == 409
    until(lambda: shared.writes(bob, ACTIVE) == [("written", "")], 10, "the write for whom it was chosen")
    assert shared.record(of_ann, record)["properties"]["npi"] == TWO
    until(lambda: shared.link(ann, ACTIVE)["reason"] == "chosen_for_another", 10, "the other to be told")
    link, status = shared.link(ann, ACTIVE), shared.status(ann)
    assert (link["state"], [each["record_id"] for each in link["candidates"]]) == ("awaited", [record])
    assert (status["state"], status["reason"]) == ("waiting", "chosen_for_another")
    assert shared.writes(ann, ACTIVE) == [("waiting", "chosen_for_another")]
    assert choose(shared, ann, record) == 409
    assert shared.record(of_ann, record)["writes"] == 1
    shared.change("unlink", id=record, parent=of_ann)
    own = shared.change("create", contact=of_ann, slot=ACTIVE)["id"]
    shared.until_state(ann, "in_sync")
    assert shared.record(of_ann, own)["properties"]["npi"] == ONE
    assert shared.record(of_bob, record)["properties"]["npi"] == TWO


def test_the_contacts_of_two_therapists_merged_into_one_are_written_for_neither(shared: World) -> None:
    """One contact belongs to one therapist of a portal: merged contacts of two are shown, and nothing is written for either."""
    (ann, of_ann), (bob, of_bob) = ((someone(), shared.contact()), (someone(), shared.contact()))
    for therapist, contact in ((ann, of_ann), (bob, of_bob)):
        shared.sign_up(therapist, contact)
        shared.until_state(therapist, "in_sync")
    body = {"primaryObjectId": of_ann, "objectIdToMerge": of_bob}
    headers = {"Authorization": "Bearer a-person"}
    merged = shared.hubspot.post("/crm/objects/2026-09/0-1/merge", json=body, headers=headers)
    assert merged.status_code == 200
    shared.submit(ann, npi(ONE))
    shared.submit(bob, npi(TWO))

    def told(therapist: str) -> bool:
        return {w["reason"] for w in shared.status(therapist)["writes"]} == {"contact_of_two_therapists"}

    for therapist in (ann, bob):
        until(lambda: told(therapist), 20, "both to be told of the merge")  # noqa: B023
        shared.leaves(therapist, "HubSpot has one contact for two therapists")
    assert [r["writes"] for r in shared.records(of_ann).values()] == [0] * len(shared.records(of_ann))
