"""The main job, end to end: real processes, real HTTP, the sandbox's truth as the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Fresh
from tests.flow.forms import ca
from tests.flow.world import World, someone, until, world

WORLD: dict[str, Any] = {}
CASES = {
    "K": (51.9, 111.9),
    "P": (24.1, 84.1),
    "W": (71.1, 131.1),
    "S": (30.4, 90.4),
}
"""Case to its lateness after a look at 60 s (domain.md); the sandbox takes the middle."""


def test_the_four_cases_lose_nothing_where_the_old_way_lost_all(tmp_path: Path, fresh: Fresh) -> None:
    """Records that come after the old way's one look at 60 s: it would have left 4 of 4 without data, we leave none."""
    options: dict[str, Any] = {"delay": "cases", "speed": 60.0}
    with fresh.database(tmp_path) as url, world(tmp_path, url, token=fresh.token, **options) as here:
        people = {case: (someone(), here.contact(case=case)) for case in CASES}
        for therapist, contact in people.values():
            here.sign_up(therapist, contact)
            here.submit(therapist, ca())
        lost_by_the_old_way = lost_by_ours = 0
        for case, (therapist, contact) in people.items():
            status = here.until_state(therapist, "in_sync")
            record = here.records(contact)["credentialing_active_attested"]
            link = next(x for x in status["links"] if x["slot"] == "credentialing_active_attested")
            late = (60 + sum(CASES[case]) / 2) / here.speed
            assert link["lateness_s"] == pytest.approx(late, abs=1.5)
            lost_by_the_old_way += record["created_at_sandbox"] > _sixty_seconds_after(here, contact)
            lost_by_ours += record["properties"].get("npi") != "1234567893"
            assert record["writes"] == 1
        assert (lost_by_the_old_way, lost_by_ours) == (4, 0)


def _sixty_seconds_after(here: World, contact: str) -> str:
    from datetime import datetime, timedelta

    made = here.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()["created_at_sandbox"]
    return (datetime.fromisoformat(made) + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")


def test_what_was_submitted_before_the_record_exists_is_written_when_it_does(shared: World) -> None:
    """A sign-up or Extended Sign Up looks now, and again until it is found.

    A found id starts the write in the same round, each target by itself, exactly what was submitted.
    """
    contact = shared.contact(licenses=["NY"])
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(licenses=("NY",)))
    waiting = until(lambda: s if (s := shared.status(therapist))["links"] else None, 10, "the first look")
    assert (waiting["state"], waiting["complete"]) == ("waiting", False)
    assert {w["state"] for w in waiting["writes"]} == {"waiting"}

    done = shared.until_state(therapist, "in_sync")

    records = shared.records(contact)
    assert records["credentialing_active_attested"]["properties"] == {
        "npi": "1234567893",
        "medicare": "Yes",
        "specialties": "anxiety;trauma",
        "submitted_on": done["writes"][0]["submitted_at"][:10],
    }
    assert records["license.NY"]["properties"]["license_number"] == "NY-77"
    assert records["therapist_address_current"]["properties"]["street"] == "1 Elm St"
    assert [r["writes"] for slot, r in records.items() if slot != "credentialing_relocation"] == [1, 1, 1]
    assert records["credentialing_relocation"]["writes"] == 0
    assert done["complete"] is True
    assert done["ids"]["credentialing_active_attested_id"] == records["credentialing_active_attested"]["id"]
    assert done["ids"]["license_ny_id"] == records["license.NY"]["id"]


def test_what_was_submitted_after_the_record_exists_is_written_at_once(shared: World) -> None:
    """A submitted form looks now and writes everything submitted, as soon as its own slot is linked.

    A submit with a linked target wakes a round.
    """
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, ca())
    assert shared.status(therapist)["writes"], "an accepted submission shows at once"
    done = shared.until_state(therapist, "in_sync")
    assert {w["state"] for w in done["writes"]} == {"written"}


def test_a_submission_may_come_before_its_sign_up(shared: World) -> None:
    """Events come in any order: a submission may arrive before its sign-up.

    Events come in any order: a submission is taken given portal and contact, and waits for the word on moving.
    """
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.submit(therapist, ca(), portal="demo", contact_id=contact)

    def reasons() -> set[str]:
        return {w["reason"] for w in shared.status(therapist)["writes"]}

    until(lambda: "moving_unknown" in reasons(), 10, "the definitive rule to wait")
    assert shared.status(therapist)["state"] == "waiting"
    shared.sign_up(therapist, contact, occurred_at="2025-01-01T00:00:00Z")
    done = shared.until_state(therapist, "in_sync")
    assert {(w["slot"], w["state"]) for w in done["writes"]} == {
        ("credentialing_active_attested", "written"),
        ("therapist_address_current", "written"),
    }


def test_everything_waits_for_the_contact(shared: World) -> None:
    """While the contact is unknown everything waits, reason `no_contact`.

    Without a contact id the reason is no_contact; with it, the look follows.
    """
    therapist = someone()
    shared.sign_up(therapist, None)
    shared.submit(therapist, ca())
    waiting = shared.until_state(therapist, "waiting")
    assert waiting["reason"] == "no_contact"
    contact = shared.contact(delay="1s")
    answer = shared.api.put(f"/v1/therapists/{therapist}", json={"portal": "demo", "contact_id": contact})
    assert answer.status_code == 200
    shared.until_state(therapist, "in_sync")


def test_a_completed_section_looks_and_writes_nothing(shared: World) -> None:
    """A completed section looks now, if a link is awaited or doubtful, and writes nothing.

    Section completed: a look, zero writes.
    """
    contact = shared.contact(delay="1s")
    therapist = someone()
    body = {"form": "ca", "section": "npi_and_caqh", "occurred_at": "2026-01-05T10:00:00Z"}
    shared.sign_up(therapist, contact)
    assert shared.api.post(f"/v1/therapists/{therapist}/sections", json=body).status_code == 202
    status = shared.until_state(therapist, "in_sync")
    assert status["writes"] == []
    assert [r["writes"] for r in shared.records(contact).values()] == [0, 0, 0]


def test_two_submits_before_the_link_are_one_write_of_the_newest_values(shared: World) -> None:
    """Submissions join a write until it is sent."""
    contact = shared.contact()
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(street="1 Old Rd"), occurred_at="2026-01-05T10:00:00Z")
    shared.submit(therapist, {"practice_preferences": {"treating_address": {"line1": "2 New Rd"}}})
    done = shared.until_state(therapist, "in_sync")
    assert sorted(w["slot"] for w in done["writes"]) == [
        "credentialing_active_attested",
        "therapist_address_current",
    ]
    address = shared.records(contact)["therapist_address_current"]
    assert (address["properties"]["street"], address["properties"]["city"]) == ("2 New Rd", "Albany")
    assert address["writes"] == 1


def test_an_older_submission_never_overwrites_a_newer(shared: World) -> None:
    """An older submission never overwrites a newer.

    In whatever order they arrive, the newest occurred_at wins.
    """
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(street="2 New Rd"), occurred_at="2026-02-01T10:00:00Z")
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, ca(street="1 Old Rd"), occurred_at="2026-01-01T10:00:00Z")
    until(
        lambda: [w for w in shared.status(therapist)["writes"] if w["state"] == "superseded"],
        20,
        "the older to end",
    )
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)["therapist_address_current"]["properties"]["street"] == "2 New Rd"


def test_the_same_submission_twice_is_one(shared: World) -> None:
    """Same form, occurred_at and data is one submission even without an idempotency key."""
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(), occurred_at="2026-01-05T10:00:00Z")
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, ca(), occurred_at="2026-01-05T10:00:00Z")
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)["credentialing_active_attested"]["writes"] == 1


def test_sync_now_writes_everything_submitted_again(shared: World) -> None:
    """Sync now looks now and writes everything submitted, again.

    People edit in HubSpot and nothing is written because of it; Sync now writes the full merge.
    """
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    shared.until_state(therapist, "in_sync")
    record = shared.records(contact)["credentialing_active_attested"]
    path = f"/crm/objects/2026-09/{record['type_id']}/{record['id']}"
    headers = {"Authorization": "Bearer a-person"}
    shared.hubspot.patch(path, json={"properties": {"npi": "1000000004"}}, headers=headers).raise_for_status()

    answers = [
        shared.api.post(f"/v1/therapists/{therapist}/sync", json={"reason": "edited by mistake"})
        for _ in range(2)
    ]

    assert [a.status_code for a in answers] == [202, 202]
    until(
        lambda: shared.records(contact)["credentialing_active_attested"]["properties"]["npi"] == "1234567893",
        20,
        "the value to be back",
    )
    shared.until_state(therapist, "in_sync")


def test_a_log_is_found_by_contact_id_and_holds_no_submitted_value(shared: World) -> None:
    """One line per event under the contract's names; nothing of a submission in any of them."""
    contact = shared.contact(licenses=["NY"])
    therapist = someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca(street="77 Unmistakable Way", npi="1987654328", licenses=("NY",)))
    shared.until_state(therapist, "in_sync")
    lines = [line for line in shared.log_lines() if line.get("contact_id") == contact]
    names = [line["event"] for line in lines]
    assert {
        "sign_up.completed",
        "form.submitted",
        "lookup.missed",
        "link.found",
        "write.sent",
        "write.written",
    } <= set(names)
    assert all({"event", "portal", "therapist_id", "contact_id"} <= set(line) for line in lines)
    assert all(line["slot"] for line in lines if line["event"].startswith(("link.", "write.", "lookup.")))
    everything = "\n".join(p.read_text(encoding="utf-8") for p in shared.folder.glob("service-*.log"))
    assert not [value for value in ("Unmistakable", "1987654328", "NY-77", "trauma") if value in everything]
    assert [line for line in shared.log_lines() if line["level"] in ("warning", "error")] == []


def test_what_waits_is_kept_over_kill_9(here: World) -> None:
    """Submitted before the records exist, killed on the way, written once."""
    contact, therapist = here.contact(licenses=["NY"]), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca(licenses=("NY",)))
    here.kill()
    here.start()
    done = here.until_state(therapist, "in_sync")
    assert {w["state"] for w in done["writes"]} == {"written"}
    records = here.records(contact)
    assert [r["writes"] for slot, r in records.items() if slot != "credentialing_relocation"] == [1, 1, 1]
