"""A record's stamp, end to end: which submission it shows, and whether a write without a verdict arrived."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.flow.forms import npi
from tests.flow.world import ACTIVE, World, moment, someone, until

WORLD = {"portal": Path(__file__).parent / "portals" / "stamped.toml", "delay": "1s"}
STAMP = "credsync_submission"
FIRST, SECOND, EDITED = "1234567893", "1245319599", "1000000004"


def updates(here: World) -> list[dict[str, Any]]:
    """Every batch update so far."""
    return [each for each in here.requests() if "batch/update" in each["path"]]


def written(here: World) -> tuple[str, str, str]:
    """Somebody whose CA is written: therapist, contact, the id of the submission."""
    contact, therapist = here.contact(), someone()
    here.sign_up(therapist, contact)
    told = here.submit(therapist, npi(FIRST)).json()["submission_id"]
    here.until_state(therapist, "in_sync")
    return therapist, contact, str(told)


def values(here: World, contact: str) -> dict[str, str]:
    """What the Credentialing holds."""
    held: dict[str, str] = here.records(contact)[ACTIVE]["properties"]
    return held


def interrupted(here: World, *, after_effect: bool, sends: Any) -> None:
    """Send something, and let the process die when HubSpot has got it and not answered."""
    before = len(updates(here))
    here.fault(match={"path": "batch/update"}, times=1, answer="hang", after_effect=after_effect)
    sends()
    until(lambda: len(updates(here)) == before + 1, 20, "the update")
    here.kill()
    here.hubspot.delete("/_sandbox/faults")


def test_a_record_shows_the_newest_submission_that_was_written_to_it(shared: World) -> None:
    """With a stamp, a record shows the newest submission that was written to it, at no further call."""
    before = len(updates(shared))
    therapist, contact, submission = written(shared)
    assert re.fullmatch(rf"submission-{submission}\.[0-9a-f]{{12}}", values(shared, contact)[STAMP])
    assert len(updates(shared)) == before + 1
    status = shared.status(therapist)
    assert [link["shows_submission"] for link in status["links"]] == [f"submission-{submission}"]
    assert [p["name"] for w in status["writes"] for p in w["properties"]] == ["npi"]
    packet = shared.api.get(f"/v1/therapists/{therapist}/packet", headers={"Accept": "text/markdown"})
    assert f"Shows: `submission-{submission}`" in packet.text

    late = {"practice_preferences": {"specialties": ["couples"]}}
    shared.submit(therapist, late, occurred_at=moment(3600))
    until(lambda: values(shared, contact).get("specialties") == "couples", 20, "the older submission")
    assert values(shared, contact)[STAMP].startswith(f"submission-{submission}.")


def test_a_stamp_tells_that_a_write_arrived_though_somebody_changed_it_since(shared: World) -> None:
    """A write whose answer was lost has arrived when its record shows its stamp, also where a person changed a property since."""
    therapist, contact, _ = written(shared)
    record = shared.records(contact)[ACTIVE]["id"]
    interrupted(shared, after_effect=True, sends=lambda: shared.submit(therapist, npi(SECOND)))
    assert values(shared, contact)["npi"] == SECOND
    shared.change("edit", id=record, properties={"npi": EDITED})
    before = len(updates(shared))
    shared.start()
    shared.until_state(therapist, "in_sync")
    assert values(shared, contact)["npi"] == EDITED
    assert len(updates(shared)) == before


def test_the_stamp_of_an_earlier_write_of_the_same_submission_proves_nothing(shared: World) -> None:
    """A record that shows another stamp, of the same submission too, or none, is compared value by value."""
    therapist, contact, submission = written(shared)
    record = shared.records(contact)[ACTIVE]["id"]
    shared.change("edit", id=record, properties={"npi": EDITED})
    interrupted(shared, after_effect=False, sends=lambda: shared.sync(therapist))
    assert values(shared, contact)[STAMP].startswith(f"submission-{submission}.")
    shared.start()
    until(lambda: values(shared, contact)["npi"] == FIRST, 20, "the value to be back")
    shared.until_state(therapist, "in_sync")


def test_where_the_stamps_property_is_gone_writes_go_without_it(shared: World) -> None:
    """A stamp whose property HubSpot lacks, or does not let be written, is one alert at most; the writes go without it."""
    written(shared)
    gone = {"object": "credentialing", "property": STAMP}
    shared.hubspot.request("DELETE", "/_sandbox/schema", json=gone).raise_for_status()
    therapist, contact, _ = written(shared)
    assert values(shared, contact)["npi"] == FIRST
    (write,) = shared.status(therapist)["writes"]
    assert write["state"] == "written"
    assert [(p["name"], p["state"]) for p in write["properties"]] == [
        ("npi", "written"),
        (STAMP, "stamp_refused"),
    ]

    def kinds() -> list[str]:
        return [each["kind"] for each in shared.api.get("/v1/alerts").json()["alerts"]]

    until(lambda: kinds() == ["property_vanished"], 30, "the alert")
    refused = len([each for each in updates(shared) if each["status"] == 400])
    therapist, contact, _ = written(shared)
    assert len([each for each in updates(shared) if each["status"] == 400]) == refused, "known from now on"
    doctor = shared.cli("doctor").stdout
    assert f"credentialing.{STAMP}" in doctor
    assert "stamp in [objects.credentialing]" in re.sub(r"\s+", " ", doctor)
    made = {"object": "credentialing", "property": {"name": STAMP, "type": "string"}}
    shared.hubspot.put("/_sandbox/schema", json=made).raise_for_status()
    shared.kill()
    shared.start()
    until(lambda: kinds() == [], 30, "the alert to close")
