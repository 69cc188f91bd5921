"""Observe-only, end to end: everything is taken in and looked at, nothing is written, and nothing follows by itself."""

from __future__ import annotations

from tests.flow.forms import ca, npi, street
from tests.flow.world import ACTIVE, ADDRESS, World, moment, someone, until


def test_observe_only_takes_everything_in_and_only_sync_now_sends_it_afterwards(here: World) -> None:
    """Observe-only does not queue: what was submitted meanwhile is `held` (`observe_only`, not counted in the therapist's state) and only Sync now or a re-sync sends it."""
    here.observe_only(True)
    people = [(someone(), here.contact(delay="1s")) for _ in range(2)]
    for therapist, contact in people:
        here.sign_up(therapist, contact)
        here.submit(therapist, ca())
        seen = here.until_state(therapist, "in_sync")
        assert seen["portal_state"] == "observe_only"
        assert seen["complete"] is True
        assert {(w["state"], w["reason"]) for w in seen["writes"]} == {("held", "observe_only")}
        assert [r["writes"] for r in here.records(contact).values()] == [0, 0, 0]
    (ann, of_ann), (bob, of_bob) = people
    would = {(r["slot"], p["name"]): p for r in here.diff(ann)["records"] for p in r["properties"]}
    npi_now = would[(ACTIVE, "npi")]
    assert (npi_now["hubspot"], npi_now["submitted"]) == (None, "1234567893")
    assert (npi_now["differs"], npi_now["why"]) == (True, "observe_only")
    assert would[(ADDRESS, "street")]["submitted"] == "1 Elm St"
    looks = here.looks(of_bob)
    pressed = here.api.post(f"/v1/therapists/{bob}/sync", json={"reason": "wanted"})
    assert [w["code"] for w in pressed.json()["warnings"]] == ["observe_only"]
    until(lambda: here.looks(of_bob) > looks, 10, "Sync now to look")

    here.observe_only(False)
    completed = {"form": "ca", "section": "npi_and_caqh", "occurred_at": moment()}
    here.api.post(f"/v1/therapists/{bob}/sections", json=completed).raise_for_status()
    here.submit(ann, street("2 New Rd"))
    until(lambda: here.records(of_ann)[ADDRESS]["writes"] == 1, 10, "what came afterwards")
    here.until_state(ann, "in_sync")
    assert here.status(ann)["portal_state"] == "running"
    assert here.records(of_ann)[ADDRESS]["properties"] == {"street": "2 New Rd"}
    assert ("held", "observe_only") in here.writes(ann, ACTIVE)
    assert here.records(of_ann)[ACTIVE]["properties"].keys() == {"submitted_on"}
    assert [r["writes"] for r in here.records(of_bob).values()] == [0, 0, 0]

    here.sync(bob)
    until(lambda: here.writes(bob, ACTIVE)[-1][0] == "written", 10, "Sync now to send it")
    here.until_state(bob, "in_sync")
    assert here.records(of_bob)[ACTIVE]["properties"]["npi"] == "1234567893"
    here.submit(bob, npi("1000000004"))
    until(lambda: here.records(of_bob)[ACTIVE]["writes"] == 2, 10, "the next submission")
    assert "held" not in str(here.writes(bob, ACTIVE))
    assert here.records(of_ann)[ACTIVE]["properties"].keys() == {"submitted_on"}


def test_what_was_to_be_written_before_goes_once_the_portal_writes_again(here: World) -> None:
    """What was submitted before the portal only observed is delayed by it, not dropped, and nobody is in sync over it."""
    ann, of_ann = someone(), here.contact(delay="1s", never=["therapist_address"])
    here.sign_up(ann, of_ann)
    here.submit(ann, ca())
    until(lambda: here.writes(ann, ACTIVE)[-1][0] == "written", 20, "what has its record")
    here.observe_only(True)
    made = here.hubspot.post("/_sandbox/records/create", json={"contact": of_ann, "slot": ADDRESS})
    assert made.is_success, made.text
    until(lambda: here.writes(ann, ADDRESS) == [("waiting", "observe_only")], 20, "the record to be found")
    waits = here.status(ann)
    assert (waits["state"], waits["reason"]) == ("waiting", "observe_only")
    here.observe_only(False)
    here.until_state(ann, "in_sync")
    assert here.records(of_ann)[ADDRESS]["properties"]["street"] == "1 Elm St"
