"""Merging, end to end: several forms and submissions for one record, in whatever order they come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from tests.flow.forms import af, ca, npi, street
from tests.flow.world import ACTIVE, ADDRESS, World, someone, until
from tests.oracle.wrongs import CANARY

WORLD = {"delay": "1s"}


def linked(here: World, **planned: Any) -> tuple[str, str]:
    """A therapist whose records are found, with nothing submitted yet: therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.until_state(therapist, "in_sync")
    return therapist, contact


def test_a_ca_and_an_af_to_one_record_are_one_input_of_a_call(shared: World) -> None:
    """One call holds one input per record, whatever forms and slots feed it; its verdict goes to each write."""
    contact, therapist = shared.contact(delay="60s"), someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    changed = {"specialties": ["couples"]}
    shared.submit(therapist, af(practice_preferences=changed), form="af")
    done = shared.until_state(therapist, "in_sync")
    record = shared.records(contact)[ACTIVE]
    assert record["writes"] == 1
    assert record["properties"]["npi"] == "1234567893", "what the AF confirmed is left alone"
    assert record["properties"]["specialties"] == "couples"
    assert record["properties"]["attestation_due_on"] == "2026-06-01"
    calls = [r for r in shared.requests() if f'"{record["id"]}"' in r["text"] and "update" in r["call"]]
    assert len(calls) == 1
    both = [w for w in done["writes"] if w["slot"] == ACTIVE]
    assert {(w["form"], w["state"]) for w in both} == {("ca", "written"), ("af", "written")}
    assert len({tuple(w["correlation_ids"]) for w in both}) == 1


def test_absent_and_confirmed_leave_alone_and_null_clears(shared: World) -> None:
    """A field absent from a submission, or confirmed unchanged in an AF, leaves its property alone; null clears it."""
    therapist, contact = linked(shared)
    shared.submit(therapist, ca())
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, npi(None))
    until(lambda: shared.records(contact)[ACTIVE]["writes"] == 2, 10, "the clearing")
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, af(), form="af")
    until(lambda: shared.records(contact)[ACTIVE]["writes"] == 3, 10, "the attestation")
    shared.until_state(therapist, "in_sync")
    held = shared.records(contact)[ACTIVE]["properties"]
    assert "npi" not in held
    assert (held["medicare"], held["specialties"]) == ("Yes", "anxiety;trauma")
    address = shared.records(contact)[ADDRESS]
    assert (address["properties"]["street"], address["writes"]) == ("1 Elm St", 1)


def test_in_whatever_order_they_arrive_the_newest_wins(shared: World) -> None:
    """An older submission never overwrites a newer: every order of arrival ends in the same values."""
    days = ("2026-01-01", "2026-01-02", "2026-01-03")
    said = dict(zip(days, (ca(street="1 Old Rd"), npi("1999999984"), street("3 New Rd")), strict=True))
    people = [(order, *linked(shared)) for order in permutations(days)]
    for place in range(3):
        for order, therapist, _ in people:
            shared.submit(therapist, said[order[place]], occurred_at=f"{order[place]}T10:00:00Z")
    for _, therapist, contact in people:
        until(lambda: shared.nothing_unsent(therapist), 10, "all to be sent")  # noqa: B023
        shared.until_state(therapist, "in_sync")
        records = shared.records(contact)
        assert records[ACTIVE]["properties"]["npi"] == "1999999984"
        assert records[ACTIVE]["properties"]["submitted_on"] == "2026-01-03"
        assert records[ACTIVE]["properties"]["medicare"] == "Yes"
        assert records[ADDRESS]["properties"]["street"] == "3 New Rd"
        assert records[ADDRESS]["properties"]["city"] == "Albany"


def test_a_write_carries_only_its_own_submissions_values(shared: World) -> None:
    """A write carries the values of its own submissions that no newer submission of the enrolment has; Sync now carries the full merge."""
    therapist, contact = linked(shared)
    shared.submit(therapist, ca())
    shared.until_state(therapist, "in_sync")
    record = shared.records(contact)[ACTIVE]["id"]
    shared.change("edit", id=record, properties={"npi": "1000000004"})
    shared.submit(therapist, {"practice_preferences": {"specialties": ["couples"]}})
    until(lambda: shared.record(contact, record)["writes"] == 2, 10, "the second write")
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, record)["properties"]
    assert (held["npi"], held["specialties"]) == ("1000000004", "couples")
    told = next(r for r in shared.diff(therapist)["records"] if r["slot"] == ACTIVE)
    values = {p["name"]: (p["hubspot"], p["submitted"], p["differs"]) for p in told["properties"]}
    assert values["npi"] == ("1000000004", "1234567893", True)
    assert values["specialties"] == ("couples", "couples", False)
    shared.sync(therapist)
    until(lambda: shared.record(contact, record)["writes"] == 3, 10, "the full merge")
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, record)["properties"]
    assert (held["npi"], held["specialties"]) == ("1234567893", "couples")


def test_neither_class_c_nor_class_d_reaches_hubspot(shared: World) -> None:
    """C is checked, reduced to flags and dropped at the door: it is stored nowhere. D is refused at the door."""
    therapist, contact = linked(shared)
    data = ca()
    data["personal_information"] = {"birth_place": f"{CANARY} C", "citizenship": f"{CANARY} C"}
    data["education_and_training"] = {"references": [{"name": f"{CANARY} C", "email": "canary@example.com"}]}
    data["practice_preferences"]["pet_allergies"] = f"{CANARY} C"
    shared.submit(therapist, data)
    shared.until_state(therapist, "in_sync")
    refused = {**npi("1000000004"), "personal_information": {"ssn": f"{CANARY} D"}}
    body = {"form": "ca", "occurred_at": "2026-02-01T00:00:00Z", "data": refused}
    answer = shared.api.post(f"/v1/therapists/{therapist}/submissions", json=body)
    assert answer.status_code == 422
    assert [e["path"] for e in answer.json()["errors"]] == ["data.personal_information.ssn"]
    assert shared.records(contact)[ACTIVE]["properties"]["npi"] == "1234567893"
    kept = b"".join(path.read_bytes() for path in shared.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in kept.lower()
