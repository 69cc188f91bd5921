"""Questions to HubSpot beside a running service, end to end: over HTTP and from a process of their own."""

from __future__ import annotations

import json

from tests.flow.forms import ca
from tests.flow.world import ACTIVE, World, someone


def test_a_running_service_and_the_command_line_tell_the_same_differences(here: World) -> None:
    """What somebody edited in HubSpot shows, and nothing is written for it."""
    therapist, contact = someone(), here.contact(delay="1s")
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    record = here.records(contact)[ACTIVE]["id"]
    edited = {"id": record, "properties": {"npi": "edited"}}
    here.hubspot.post("/_sandbox/records/edit", json=edited).raise_for_status()

    answer = here.api.get(f"/v1/therapists/{therapist}/diff")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["complete"]
    npi = next(
        p for r in told["records"] if r["slot"] == ACTIVE for p in r["properties"] if p["name"] == "npi"
    )
    assert (npi["hubspot"], npi["differs"], npi["why"]) == ("edited", True, "edited_in_hubspot")
    assert (told["differing"], told["to_be_written"]) == (1, 0)

    asked = here.cli("show", contact, "--live", "--json")
    assert asked.returncode == 0, asked.stderr
    slots = {each["slot"]: each for each in json.loads(asked.stdout)["live"]["slots"]}
    assert (slots[ACTIVE]["record_id"], slots[ACTIVE]["agrees"]) == (record, True)
    assert here.records(contact)[ACTIVE]["writes"] == 1
    assert "edited" not in (here.folder / "service-1.log").read_text(encoding="utf-8")
