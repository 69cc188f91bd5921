"""Webhooks, end to end: the sandbox signs and sends what happens, and looks of our own are far too rare to see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.forms import ca, npi
from tests.flow.world import ACTIVE, ADDRESS, MOVING, World, someone, until

SPEED = 40.0
RARELY = {"look_again_min": "8000s", "look_again_max": "8000s"}
"""200 s of the wall: longer than any test here waits."""
WORLD = {"delay": "90s", "speed": SPEED, "settings": RARELY}
TWO = "1000000004"


@pytest.fixture
def told(shared: World) -> Iterator[World]:
    """The file's world, with HubSpot's webhooks coming."""
    shared.hooks()
    yield shared
    shared.hubspot.delete("/_sandbox/webhooks").raise_for_status()


def all_told(here: World) -> bool:
    """Whether the service has taken everything that happened so far."""
    return int(here.hubspot.get("/_sandbox/webhooks").json()["waiting"]) == 0


def submitted(here: World, **planned: object) -> tuple[str, str]:
    """A therapist who signed up and submitted: therapist and contact."""
    contact, therapist = here.contact(**planned), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca(licenses=("NY",)))
    return therapist, contact


def written(here: World, contact: str) -> dict[str, int]:
    """How often each record that something was submitted for was written."""
    return {slot: record["writes"] for slot, record in here.records(contact).items() if slot != MOVING}


def test_what_comes_late_is_written_because_hubspot_tells(told: World) -> None:
    """With webhooks, what was submitted is written as soon as HubSpot tells of the record."""
    therapist, contact = submitted(told, licenses=["NY"])
    told.until_state(therapist, "in_sync")
    assert written(told, contact) == {ACTIVE: 1, ADDRESS: 1, "license.NY": 1}
    feed = told.api.get("/v1/events", params={"types": "webhook.received"}).json()["events"]
    assert feed
    assert {each["event"] for each in told.log_lines()} >= {"webhook.received"}


def test_a_record_that_goes_is_missed_without_anybody_asking_and_its_successor_gets_the_data(
    told: World,
) -> None:
    """A webhook about a record somebody has linked looks at once, though nothing is open, and writes nothing by itself."""
    therapist, contact = submitted(told, licenses=["NY"])
    told.until_state(therapist, "in_sync")
    old = told.records(contact)[ACTIVE]["id"]
    told.change("edit", id=old, properties={"npi": TWO})
    told.change("delete", id=told.records(contact)[ADDRESS]["id"])
    until(lambda: told.link(therapist, ADDRESS)["state"] == "awaited", 20, "the loss to be seen")
    assert told.record(contact, old)["properties"]["npi"] == TWO, "what a person wrote stays"
    assert told.record(contact, old)["writes"] == 1
    new = told.change("create", contact=contact, slot=ADDRESS)["id"]
    told.until_state(therapist, "in_sync")
    assert told.record(contact, new)["properties"]["street"] == "1 Elm St"


def test_a_hint_outlives_a_pause_and_kill_9(told: World) -> None:
    """What HubSpot told is durable with its 200: a pause delays the look, and a crash loses nothing."""
    therapist, contact = submitted(told, licenses=["NY"])
    told.until_state(therapist, "in_sync")
    told.api.post("/v1/portals/demo/pause", json={"reason": "test"}).raise_for_status()
    told.change("delete", id=told.records(contact)[ADDRESS]["id"])
    until(lambda: all_told(told), 20, "the webhook to be taken")
    assert told.link(therapist, ADDRESS)["state"] == "found"
    told.kill()
    told.start()
    told.api.post("/v1/portals/demo/resume", json={}).raise_for_status()
    until(lambda: told.link(therapist, ADDRESS)["state"] == "awaited", 20, "the loss to be seen")
    told.leaves(therapist, "its Address is gone for good")


def test_forged_webhooks_move_a_counter_and_nothing_else(told: World) -> None:
    """What is signed with another secret is never looked after."""
    therapist, contact = submitted(told, licenses=["NY"])
    told.until_state(therapist, "in_sync")
    told.hooks(secret="a stranger's")
    looks = told.looks(contact)
    told.change("delete", id=told.records(contact)[ADDRESS]["id"])
    metrics = until(
        lambda: t if 'outcome="refused"' in (t := told.api.get("/metrics").text) else None, 20, "a refusal"
    )
    assert "credsync_webhooks_total" in metrics
    assert (told.looks(contact), told.link(therapist, ADDRESS)["state"]) == (looks, "found")
    told.hooks()
    told.leaves(therapist, "its Address is gone and nobody was told")


def test_webhooks_in_no_order_twice_and_late_lose_nothing_and_write_nothing_twice(told: World) -> None:
    """However HubSpot's webhooks come (no order, twice, late), nothing is lost and nothing is written twice."""
    told.hooks(shuffled=True, doubled=0.5, late="40s")
    everybody = [submitted(told, licenses=["NY"], spread="20s", link_delay="5s") for _ in range(8)]
    for therapist, _ in everybody:
        told.until_state(therapist, "in_sync")
    told.submit(everybody[0][0], npi(TWO))
    for _, contact in everybody:
        told.change("delete", id=told.records(contact)[ADDRESS]["id"])
        told.change("create", contact=contact, slot=ADDRESS)
    for _, contact in everybody:
        until(lambda: told.records(contact)[ADDRESS]["writes"], 20, "each successor to be written")  # noqa: B023
    until(lambda: all_told(told), 20, "the last of the webhooks")
    for therapist, contact in everybody:
        told.until_state(therapist, "in_sync")
        expected = {ACTIVE: 2 if contact == everybody[0][1] else 1, ADDRESS: 1, "license.NY": 1}
        assert written(told, contact) == expected
    assert told.records(everybody[0][1])[ACTIVE]["properties"]["npi"] == TWO


def test_what_workflows_say_themselves_is_enough(told: World) -> None:
    """A workflow's own webhook (signature v2) is looked after like any hint, and a second one changes nothing."""
    told.hooks(subscriptions=["contact.privacyDeletion"], of_workflows=True, doubled=1)
    therapist, contact = submitted(told, licenses=["NY"])
    told.until_state(therapist, "in_sync")
    assert written(told, contact) == {ACTIVE: 1, ADDRESS: 1, "license.NY": 1}
    until(lambda: all_told(told), 20, "the second ones")
    metrics = told.api.get("/metrics").text
    assert 'outcome="replayed"' in metrics
    assert written(told, contact) == {ACTIVE: 1, ADDRESS: 1, "license.NY": 1}


def test_nothing_is_lost_when_every_webhook_is_dropped(here: World) -> None:
    """Nothing is lost when every webhook is dropped, even right after they had been relied on."""
    here.hooks()
    first, _ = submitted(here, licenses=["NY"])
    here.until_state(first, "in_sync")
    here.hooks(drop=1.0)
    other, contact = submitted(here, licenses=["NY"])
    here.until_state(other, "in_sync")
    assert written(here, contact) == {ACTIVE: 1, ADDRESS: 1, "license.NY": 1}
    here.submit(other, npi(TWO))
    here.until_state(other, "in_sync")
