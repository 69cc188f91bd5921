"""Watching, end to end: how long workflows take is measured, and the sweep finds what no event told."""

from __future__ import annotations

import json

from tests.flow.forms import ca, npi
from tests.flow.world import ACTIVE, World, someone, until

SPEED = 200.0
WORLD = {"delay": "90s", "speed": SPEED, "settings": {"verify_every": "400s", "overdue_after": "500s"}}


def in_sync(here: World) -> tuple[str, str]:
    """A therapist whose CA is in HubSpot: therapist and contact."""
    contact, therapist = here.contact(), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    return therapist, contact


def sweeps(here: World) -> int:
    return len([line for line in here.log_lines() if line["event"] == "sweep.finished"])


def test_how_long_workflows_take_is_measured_and_told(shared: World) -> None:
    """From the sign-up to the id and to the record's creation, over HTTP and on the command line."""
    for _ in range(3):
        in_sync(shared)

    def told() -> dict[str, object] | None:
        report = shared.api.get("/v1/delays", params={"slot": ACTIVE}).json()["delays"][0]
        week = report["weeks"][0] if report["weeks"] else None
        return week if week and week["found"]["count"] == 3 == week["created"]["count"] else None

    week = until(told, 10, "the delays of three sign-ups")
    assert 0 < week["found"]["p50_s"] <= 20  # type: ignore[index]
    assert week["created"]["p50_s"] <= week["found"]["p50_s"] * 1.05  # type: ignore[index]
    (printed,) = json.loads(shared.cli("delays", "--slot", ACTIVE, "--json").stdout)["delays"]
    assert printed["weeks"][0] == week
    assert printed["message"] == shared.link(shared.told[0].path.split("/")[3], ACTIVE)["overdue_message"]


def test_a_record_that_was_re_created_without_any_event_gets_the_data(shared: World) -> None:
    """With no webhook at all, the sweep finds a record that was deleted and made anew, and only its loss is written."""
    therapist, contact = in_sync(shared)
    other, of_other = in_sync(shared)
    shared.submit(therapist, npi("1000000004"))
    until(lambda: shared.nothing_unsent(therapist), 10, "the newer number")
    old = shared.records(contact)[ACTIVE]["id"]
    shared.change("delete", id=old)
    new = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    until(lambda: shared.link(therapist, ACTIVE)["record_id"] == new, 20, "the sweep to find it")
    shared.until_state(therapist, "in_sync")
    held = shared.record(contact, new)
    assert (held["properties"]["npi"], held["writes"]) == ("1000000004", 1)
    assert held["properties"]["specialties"] == "anxiety;trauma"
    before = sweeps(shared)
    until(lambda: sweeps(shared) >= before + 2, 20, "two more sweeps")
    assert shared.record(contact, new)["writes"] == 1
    assert [record["writes"] for record in shared.records(of_other).values() if record["writes"]] == [1, 1]
    assert shared.status(other)["state"] == "in_sync"


def test_a_workflow_that_did_not_fire_is_one_alert_with_the_contacts_to_enrol_again(shared: World) -> None:
    """Never fired: one alert names object type and slot, with the contacts to enrol again, and closes when they came."""
    missed = {}
    for _ in range(3):
        contact, therapist = shared.contact(never=[ACTIVE]), someone()
        shared.sign_up(therapist, contact)
        missed[contact] = therapist
    for therapist in missed.values():
        shared.until_state(therapist, "overdue")
    in_sync(shared)

    def alert() -> dict[str, object] | None:
        found = shared.api.get("/v1/alerts", params={"kind": "workflow_never_fired"}).json()["alerts"]
        return found[0] if found else None

    opened = until(alert, 20, "the alert")
    assert (opened["object"], opened["slot"], opened["therapists"]) == ("credentialing", ACTIVE, 3)
    beneath = shared.api.get(f"/v1/alerts/{opened['id']}/therapists").json()["therapists"]
    assert {each["contact_id"] for each in beneath} == set(missed)
    printed = shared.cli("delays", "--reenrol", ACTIVE).stdout.splitlines()
    assert [line.split(",")[1] for line in printed[1:]] == list(missed)
    for contact in missed:
        shared.change("create", contact=contact, slot=ACTIVE)
    for therapist in missed.values():
        shared.until_state(therapist, "in_sync")
    until(lambda: alert() is None, 20, "the alert to close")
