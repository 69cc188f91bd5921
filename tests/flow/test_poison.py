"""One bad value, end to end: everybody else is written, it alone is named, and mending it is enough."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from credsync.store.database import Database
from credsync.store.tables import quarantined_values
from tests.flow.forms import ca
from tests.flow.world import ACTIVE, ADDRESS, World, someone, until

WORLD: dict[str, Any] = {"delay": "0s"}
UNTOLD = [{"ruleType": "REGEX", "ruleArguments": ["[^#]*"]}]


def set_in_hubspot(here: World, path: str, body: dict[str, Any]) -> None:
    """An administrator changes the portal (or the sandbox how it answers)."""
    here.hubspot.put(f"/_sandbox/{path}", json=body).raise_for_status()


def crowd(here: World, streets: dict[int, str], count: int) -> dict[int, tuple[str, str]]:
    """So many therapists who submit while the portal is paused, so that one round takes them all: ids, contacts."""
    assert here.api.post("/v1/portals/demo/pause", json={"reason": "all at once"}).status_code == 200
    people = {number: (someone(), here.contact(delay=0)) for number in range(count)}
    for number, (therapist, contact) in people.items():
        here.sign_up(therapist, contact)
        here.submit(therapist, ca(street=streets.get(number, f"{number} Elm St")))
    assert here.api.post("/v1/portals/demo/resume", json={}).status_code == 200
    return people


def updates(here: World) -> list[dict[str, Any]]:
    """Every batch update so far."""
    return [each for each in here.requests() if "batch/update" in each["path"]]


def refused_properties(here: World, therapist: str, slot: str) -> dict[str, str]:
    """What is refused in the newest write to a slot, with the code."""
    found = [w for w in here.status(therapist)["writes"] if w["slot"] == slot]
    newest = max(found, key=lambda w: str(w["submitted_at"]))
    return {p["name"]: p["code"] for p in newest["properties"] if p["state"] == "refused"}


def test_one_bad_value_of_a_hundred_is_named_and_sent_again_by_no_one(shared: World) -> None:
    """The good records are written in the same round; the bad one loses only the bad property.

    HubSpot's refusal names nothing here. A newer submission with a good value mends it, Sync now alone does not.
    """
    set_in_hubspot(
        shared,
        "validations",
        {"object": "therapist_address", "property": "street", "rules": UNTOLD, "unpublished": True},
    )
    set_in_hubspot(shared, "settings", {"refusals_tell": "nothing"})
    people = crowd(shared, {37: "9 #Elm St"}, 100)
    bad, contact = people[37]
    shared.leaves(bad, "HubSpot refuses the street")
    shared.until_state(bad, "partial", 60)
    for number, (therapist, _) in people.items():
        if number != 37:
            shared.until_state(therapist, "in_sync", 60)
    calls = updates(shared)
    assert len(calls) <= 2 + 12, "an update per object type, and few to find one value of 300"
    for number, (_, each) in people.items():
        record = shared.records(each)[ADDRESS]
        assert record["properties"].get("street") == (f"{number} Elm St" if number != 37 else None)
        assert record["properties"]["city"] == "Albany"
    assert refused_properties(shared, bad, ADDRESS) == {"street": "VALIDATION_ERROR"}
    assert "#Elm" not in str(shared.status(bad))

    shared.advance("2h")
    other = people[1][0]
    shared.sync(other)
    shared.until_state(other, "in_sync")
    mine = shared.records(contact)[ADDRESS]["id"]
    assert not [c for c in updates(shared)[len(calls) :] if mine in c["text"]], "nothing by itself"

    before = len(updates(shared))
    shared.sync(bad)
    shared.sync(other)
    until(lambda: shared.nothing_unsent(bad) and shared.nothing_unsent(other), 30, "both synced")
    assert shared.status(bad)["state"] == "partial"
    tried = [c for c in updates(shared)[before:] if c["status"] == 400]
    assert tried
    assert all(c["inputs"] == 1 and '"street"' in c["text"] for c in tried), (
        "tried again, apart from all others"
    )

    before = len(updates(shared))
    shared.submit(bad, ca(street="9 #Elm St", npi="1234567893"))
    until(lambda: shared.nothing_unsent(bad), 30, "the same value submitted once more")
    assert {c["status"] for c in updates(shared)[before:]} == {200}, "it is not sent again"
    assert refused_properties(shared, bad, ADDRESS) == {"street": "VALIDATION_ERROR"}

    addresses = [r for r in shared.diff(bad)["records"] if r["slot"] == ADDRESS]
    (street,) = [p for p in addresses[0]["properties"] if p["name"] == "street"]
    assert (street["why"], street["code"], street["will_be_written"]) == (
        "refused",
        "VALIDATION_ERROR",
        False,
    )

    shared.submit(bad, ca(street="9 Elm St"))
    shared.until_state(bad, "in_sync")
    assert shared.records(contact)[ADDRESS]["properties"]["street"] == "9 Elm St"
    set_in_hubspot(shared, "settings", {"refusals_tell": "all"})


def test_a_refused_value_is_not_tried_on_the_successor_of_a_lost_record(here: World) -> None:
    """Quarantined with its reason until data or schema changes: also where another record takes the slot."""
    rule = {"object": "therapist_address", "property": "street", "rules": UNTOLD, "unpublished": True}
    set_in_hubspot(here, "validations", rule)
    contact, therapist = here.contact(delay=0), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca(street="9 #Elm St"))
    here.until_state(therapist, "partial")
    here.leaves(therapist, "HubSpot refuses the street")
    before = len(updates(here))
    here.change("delete", id=here.records(contact)[ADDRESS]["id"])
    here.submit(therapist, ca(street="9 #Elm St", npi="1234567893"))
    until(lambda: here.link(therapist, ADDRESS)["state"] == "awaited", 20, "the loss to be seen")
    new = here.change("create", contact=contact, slot=ADDRESS)["id"]
    until(lambda: here.nothing_unsent(therapist), 30, "the successor's write")
    assert {c["status"] for c in updates(here)[before:]} == {200}, "it is not tried again"
    assert here.record(contact, new)["properties"]["city"] == "Albany"
    assert refused_properties(here, therapist, ADDRESS) == {"street": "INVALID_REGEX"}
    assert quarantined(here) == [new], "and nothing of the lost record stays"
    here.submit(therapist, ca(street="9 Elm St"))
    here.until_state(therapist, "in_sync")
    assert quarantined(here) == []


def quarantined(here: World) -> list[str]:
    """The records with a refused value."""
    database = Database(here.database_url)
    try:
        with database.read() as connection:
            return list(connection.execute(select(quarantined_values.c.record_id)).scalars())
    finally:
        database.close()


def test_an_option_that_is_added_in_hubspot_is_mended_by_sync_now(shared: World) -> None:
    """Known before sending: our code. Added in HubSpot, it is read anew when somebody presses Sync now."""
    therapist, contact = someone(), shared.contact(delay=0)
    shared.sign_up(therapist, contact)
    data = ca()
    data["npi_and_caqh"]["medicare_status"] = "pending"
    shared.submit(therapist, data)
    shared.until_state(therapist, "partial")
    assert refused_properties(shared, therapist, ACTIVE) == {"medicare": "not_an_option"}
    assert {c["status"] for c in updates(shared) if contact and c["status"] != 400} == {200}
    options = [{"label": each, "value": each} for each in ("Yes", "No", "pending")]
    changed = {"object": "credentialing", "property": {"name": "medicare", "options": options}}
    set_in_hubspot(shared, "schema", changed)
    shared.sync(therapist)
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[ACTIVE]["properties"]["medicare"] == "pending"


def test_a_rule_that_is_mended_in_hubspot_is_mended_by_sync_now(shared: World) -> None:
    """An untold rule, which HubSpot names when it is broken, is taken back: Sync now writes what it had refused."""
    rules = [{"ruleType": "MAX_LENGTH", "ruleArguments": ["5"]}]
    told = {"object": "therapist_address", "property": "postal_code", "rules": rules, "unpublished": True}
    therapist, contact = someone(), shared.contact(delay=0)
    shared.sign_up(therapist, contact)
    set_in_hubspot(shared, "validations", told)
    data = ca()
    data["practice_preferences"]["treating_address"]["postal_code"] = "12207-1234"
    shared.submit(therapist, data)
    shared.until_state(therapist, "partial")
    assert refused_properties(shared, therapist, ADDRESS) == {"postal_code": "MAX_LENGTH_EXCEEDED"}
    set_in_hubspot(shared, "validations", {**told, "rules": []})
    shared.sync(therapist)
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[ADDRESS]["properties"]["postal_code"] == "12207-1234"


def test_a_property_that_vanishes_is_one_alert_and_all_else_is_written(here: World) -> None:
    """A mapped property that vanished is one alert: it is dropped for everybody, and all else is written."""
    here.hubspot.put("/_sandbox/settings", json={"journal": True}).raise_for_status()
    first = someone()
    here.sign_up(first, here.contact(delay=0))
    here.submit(first, ca())
    here.until_state(first, "in_sync")
    gone = {"object": "therapist_address", "property": "city"}
    here.hubspot.request("DELETE", "/_sandbox/schema", json=gone).raise_for_status()
    people = crowd(here, {}, 20)
    for therapist, contact in people.values():
        here.leaves(therapist, "HubSpot has no city")
        here.until_state(therapist, "partial", 60)
        assert refused_properties(here, therapist, ADDRESS) == {"city": "PROPERTY_DOESNT_EXIST"}
        assert here.records(contact)[ADDRESS]["properties"]["street"]
    assert len([c for c in updates(here) if c["status"] == 400]) == 1

    def alerts() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = here.api.get("/v1/alerts").json()["alerts"]
        return told

    until(lambda: [a["kind"] for a in alerts()] == ["property_vanished"], 30, "the alert")
    assert alerts()[0]["therapists"] == 20
    another = someone()
    here.leaves(another, "HubSpot has no city")
    here.sign_up(another, here.contact(delay=0))
    here.submit(another, ca())
    here.until_state(another, "partial")
    assert len([c for c in updates(here) if c["status"] == 400]) == 1, "known from now on"

    made = {"object": "therapist_address", "property": {"name": "city", "type": "string"}}
    here.hubspot.put("/_sandbox/schema", json=made).raise_for_status()
    for therapist, _ in [*people.values(), (another, "")]:
        here.sync(therapist)
    for therapist, _ in [*people.values(), (another, "")]:
        here.until_state(therapist, "in_sync", 60)
    until(lambda: not alerts(), 30, "the alert to close")
