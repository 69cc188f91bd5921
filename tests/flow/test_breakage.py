"""What breaks, end to end: kill -9 anywhere, a HubSpot that misbehaves, a portal that is paused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.forms import af, ca
from tests.flow.world import World, someone, until

WORLD: dict[str, Any] = {}


def _written_once(here: World, contact: str) -> bool:
    records = here.records(contact)
    return [records[s]["writes"] for s in ("credentialing_active_attested", "therapist_address_current")] == [
        1,
        1,
    ]


def test_kill_9_right_after_the_202_loses_nothing(here: World) -> None:
    """Intake accepts or refuses; what it accepts is kept.

    What is accepted is on disk.
    """
    contact = here.contact(delay="1s")
    therapist = someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.kill()
    here.start()
    here.until_state(therapist, "in_sync")
    assert _written_once(here, contact)


@pytest.mark.parametrize("path", ["batch/read", "schemas", "properties"])
def test_kill_9_while_looking_loses_nothing(here: World, path: str) -> None:
    """Killed in the middle of a look (or of the first look-ups), the next process looks again."""
    contact = here.contact(delay="1s")
    therapist = someone()
    here.fault(match={"path": path}, answer="hang")
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    until(lambda: [r for r in here.requests() if path in r["path"]], 20, "the call that hangs")
    here.kill()
    here.hubspot.delete("/_sandbox/faults")
    here.start()
    here.until_state(therapist, "in_sync")
    assert _written_once(here, contact)


@pytest.mark.parametrize("after_effect", [True, False])
def test_kill_9_while_writing_is_read_back_and_written_once(here: World, after_effect: bool) -> None:
    """Killed between sending and the verdict: what arrived is not sent again, what did not arrive is."""
    contact = here.contact(delay="1s")
    therapist = someone()
    here.fault(match={"path": "batch/update"}, times=2, answer="hang", after_effect=after_effect)
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    until(lambda: len([r for r in here.requests() if "batch/update" in r["path"]]) == 2, 20, "both updates")
    here.kill()
    here.hubspot.delete("/_sandbox/faults")
    here.start()
    done = here.until_state(therapist, "in_sync")
    assert {w["state"] for w in done["writes"]} == {"written"}
    assert _written_once(here, contact)


_NONSENSE: list[Any] = [
    "html",
    "garbage",
    "empty",
    "close",
    {"status": 503},
    {"status": 429},
    {"status": 401},
]


@pytest.mark.parametrize("answer", _NONSENSE, ids=str)
def test_a_hubspot_that_answers_nonsense_to_looks_is_asked_again(shared: World, answer: Any) -> None:
    """Nothing is concluded from it, nothing crashes, nothing is written because of it."""
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.fault(match={"kind": "associations", "path": "batch/read"}, times=7, answer=answer)
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    done = shared.until_state(therapist, "in_sync", 60)
    assert not [link for link in done["links"] if link["state"] != "found"]
    assert _written_once(shared, contact)


def test_a_write_without_a_verdict_is_read_back_also_where_something_new_goes_with_it(here: World) -> None:
    """A write whose answer was lost is read back first, whatever else is to go to its record."""
    contact = here.contact(delay="1s")
    therapist = someone()
    here.fault(match={"path": "batch/update"}, times=2, answer="hang", after_effect=True)
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    until(lambda: [r for r in here.requests() if "batch/update" in r["path"]], 20, "the write that hangs")
    here.api.post("/v1/portals/demo/pause", json={"reason": "something new shall go with it"})
    here.kill()
    here.hubspot.delete("/_sandbox/faults")
    before = len(here.requests())
    here.start()
    here.submit(therapist, af(), form="af")
    here.api.post("/v1/portals/demo/resume", json={})
    here.until_state(therapist, "in_sync")
    calls = [r["path"] for r in here.requests()[before:] if "/objects/" in r["path"]]
    written = next(place for place, path in enumerate(calls) if path.endswith("batch/update"))
    assert calls[written].replace("batch/update", "batch/read") in calls[:written]


@pytest.mark.parametrize("answer", _NONSENSE, ids=str)
def test_a_hubspot_that_answers_nonsense_to_writes_is_written_in_the_end(shared: World, answer: Any) -> None:
    """A write without a verdict is read back, then sent again."""
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.fault(match={"path": "batch/update"}, times=7, answer=answer)
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    shared.until_state(therapist, "in_sync", 60)
    assert _written_once(shared, contact)


def test_a_write_that_arrived_though_hubspot_said_it_failed_is_not_sent_twice(shared: World) -> None:
    """An empty 2xx after the effect: unknown, read back, found to be tshared."""
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.fault(match={"path": "batch/update"}, times=2, answer="empty", after_effect=True)
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    shared.until_state(therapist, "in_sync", 60)
    assert _written_once(shared, contact)


def test_a_paused_portal_takes_everything_in_and_goes_on_when_resumed(shared: World) -> None:
    """A pause delays: intake goes on, and all of it follows when the portal is resumed.

    A pause delays: no call to HubSpot, intake goes on, the status says so.
    """
    assert (
        shared.api.post("/v1/portals/demo/pause", json={"reason": "HubSpot maintenance"}).status_code == 200
    )
    contact = shared.contact(delay="1s")
    therapist = someone()
    before = len(shared.requests())
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    status = shared.status(therapist)
    assert (status["portal_state"], status["state"]) == ("paused", "waiting")
    assert len(shared.requests()) == before
    assert shared.api.post("/v1/portals/demo/resume", json={}).status_code == 200
    shared.until_state(therapist, "in_sync")


def test_a_bad_value_is_named_and_the_rest_is_written(shared: World) -> None:
    """One property that HubSpot refuses: partial, with its name and code; Sync now after the mend."""
    contact = shared.contact(delay="1s")
    therapist = someone()
    shared.sign_up(therapist, contact)
    data = ca()
    data["npi_and_caqh"]["medicare_status"] = "pending"
    shared.submit(therapist, data)
    shared.leaves(therapist, "HubSpot has no such option")
    status = shared.until_state(therapist, "partial")
    write = next(w for w in status["writes"] if w["state"] == "partial")
    refused = [p for p in write["properties"] if p["state"] == "refused"]
    assert [p["name"] for p in refused] == ["medicare"]
    assert "pending" not in str(status)
    assert shared.records(contact)["credentialing_active_attested"]["properties"]["npi"] == "1234567893"
