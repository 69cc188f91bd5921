"""Alerts, end to end: one per cause however many it hits, and each closes by itself."""

from __future__ import annotations

from typing import Any

from tests.flow.forms import ca, npi
from tests.flow.world import ACTIVE, World, someone, until

WORLD: dict[str, Any] = {"speed": 100.0, "delay": "1s", "settings": {"overdue_after": "200s"}}


def alerts(here: World, kind: str) -> list[dict[str, Any]]:
    answer = here.api.get("/v1/alerts", params={"kind": kind})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


def beneath(here: World, alert: dict[str, Any]) -> set[str]:
    return {each["id"] for each in here.api.get(alert["therapists_url"]).json()["therapists"]}


def test_what_is_late_is_one_alert_with_the_contacts_to_enrol_again(shared: World) -> None:
    """One alert for everybody who waits for one workflow; whoever's record comes leaves it, the last one closes it."""
    contacts = {someone(): shared.contact(never=[ACTIVE]) for _ in range(3)}
    for therapist, contact in contacts.items():
        shared.sign_up(therapist, contact)
        shared.submit(therapist, npi("1234567893"))

    def one_with_all() -> dict[str, Any] | None:
        found = alerts(shared, "overdue")
        return found[0] if len(found) == 1 and found[0]["therapists"] == 3 else None

    alert = until(one_with_all, 30, "one alert for three")
    assert (alert["object"], alert["slot"]) == ("credentialing", ACTIVE)
    assert beneath(shared, alert) == contacts.keys()
    for contact in contacts.values():
        shared.change("create", contact=contact, slot=ACTIVE)
    for therapist in contacts:
        shared.until_state(therapist, "in_sync")
    until(lambda: not alerts(shared, "overdue"), 20, "the alert to close")
    feed = shared.api.get("/v1/events", params={"types": "alert.opened,alert.closed"}).json()["events"]
    told = [each["event"] for each in feed if each["slot"] == ACTIVE and each["details"]["kind"] == "overdue"]
    assert told == ["alert.opened", "alert.closed"]
    assert not [each for each in feed if each["therapist_id"] or each["contact_id"]]


def test_a_property_that_vanishes_is_one_alert_and_everything_else_is_written(shared: World) -> None:
    """However many submit meanwhile; it closes when the property is there again and Sync now was pressed."""
    known = shared.hubspot.get("/_sandbox/schema").json()["objects"]["credentialing"]["properties"]
    (medicare,) = [each for each in known if each["name"] == "medicare"]
    gone = {"object": "credentialing", "property": "medicare"}
    shared.hubspot.request("DELETE", "/_sandbox/schema", json=gone).raise_for_status()
    people = [(someone(), shared.contact(delay="1s")) for _ in range(3)]
    for therapist, contact in people:
        shared.sign_up(therapist, contact)
        shared.submit(therapist, ca())
    for therapist, contact in people:
        shared.until_state(therapist, "partial")
        assert shared.records(contact)[ACTIVE]["properties"]["npi"] == "1234567893"
    one = until(
        lambda: [each for each in alerts(shared, "property_vanished") if each["therapists"] == 3], 30, "alert"
    )
    assert [(each["object"], each["property"]) for each in one] == [("credentialing", "medicare")]
    assert beneath(shared, one[0]) == {therapist for therapist, _ in people}
    assert not alerts(shared, "values_refused")
    back = {"object": "credentialing", "property": medicare}
    shared.hubspot.put("/_sandbox/schema", json=back).raise_for_status()
    for therapist, _ in people:
        shared.sync(therapist)
    for therapist, _ in people:
        shared.until_state(therapist, "in_sync")
    until(lambda: not alerts(shared, "property_vanished"), 30, "the alert to close")
    until(lambda: not alerts(shared, "values_refused"), 30, "no other to stay")


def test_a_hubspot_that_stays_silent_is_one_alert(shared: World) -> None:
    """A silence is worth an alert once it lasts, and ends it by answering."""
    shared.fault(match={"kind": "associations"}, times=None, answer="close")
    therapist, contact = someone(), shared.contact(delay="1s")
    shared.sign_up(therapist, contact)
    shared.submit(therapist, ca())
    (alert,) = until(lambda: alerts(shared, "hubspot_silent"), 60, "the alert")
    assert alert["therapists_url"] is None
    shared.hubspot.delete("/_sandbox/faults")
    shared.until_state(therapist, "in_sync", 60)
    until(lambda: not alerts(shared, "hubspot_silent"), 30, "the alert to close")
