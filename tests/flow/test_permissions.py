"""A token that is revoked, a scope that is taken away, and both given back, end to end."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from credsync.store.database import Database
from tests.flow.forms import ca
from tests.flow.world import ACTIVE, ADDRESS, World, someone, until

SPEED = 100.0
WORLD: dict[str, Any] = {"speed": SPEED, "delay": "1s"}


@pytest.fixture(autouse=True)
def all_is_given_back(request: pytest.FixtureRequest) -> Any:
    """Whatever a test took from the token."""
    shared = request.getfixturevalue("shared") if "shared" in request.fixturenames else None
    yield
    if shared is None:
        return
    shared.hubspot.put("/_sandbox/settings", json={"tokens": None}).raise_for_status()
    shared.hubspot.delete("/_sandbox/faults")
    shared.api.post("/v1/portals/demo/resume", json={})
    until(lambda: not alerts(shared), 20, "every alert to close")


def alerts(here: World, kind: str = "", state: str = "open") -> list[dict[str, Any]]:
    answer = here.api.get("/v1/alerts", params={"state": state, "kind": kind})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


def revoke(here: World) -> None:
    here.hubspot.put("/_sandbox/settings", json={"tokens": ["another"]}).raise_for_status()


def give_back(here: World) -> None:
    here.hubspot.put("/_sandbox/settings", json={"tokens": None}).raise_for_status()


def type_id(here: World, key: str) -> str:
    return str(here.hubspot.get("/_sandbox/health").json()["objects"][key])


def deny(here: World, path: str, scope: str) -> None:
    answer = {"shape": "missing_scopes", "scopes": [scope]}
    here.fault(match={"path": path}, times=None, answer=answer)


def begin(here: World, *licenses: str) -> tuple[str, str]:
    """A therapist who submitted everything: therapist and contact."""
    contact, therapist = here.contact(delay="1s", licenses=list(licenses)), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca(licenses=licenses))
    return therapist, contact


def written_once(here: World, contact: str, *slots: str) -> bool:
    records = here.records(contact)
    return all(records[slot]["writes"] == 1 for slot in (ACTIVE, ADDRESS, *slots))


def test_a_refused_token_pauses_the_portal_until_it_is_taken_again(shared: World) -> None:
    """A token that HubSpot does not take pauses the portal: intake goes on, one alert, one probe a minute, and it goes on by itself."""
    before, of_before = begin(shared)
    shared.until_state(before, "in_sync")
    opened = {each["id"] for each in alerts(shared, "portal_unauthorized", "all")}
    revoke(shared)
    first = begin(shared)
    until(lambda: shared.status(first[0])["portal_state"] == "paused", 20, "the pause")
    people = [first, *(begin(shared) for _ in range(5))]
    (alert,) = until(lambda: alerts(shared), 20, "the alert")
    assert (alert["kind"], alert["therapists"]) == ("portal_unauthorized", 0)
    status = shared.status(first[0])
    assert "token" in status["portal_message"]
    assert shared.api.get("/readyz").status_code == 200

    since = shared.requests()[-1]
    until(lambda: len(asked(shared, since["seq"])) >= 4, 30, "four probes")
    probes = asked(shared, since["seq"])
    assert {(each["kind"], each["status"]) for each in probes} == {("account", 401)}
    give_back(shared)
    for therapist, _ in people:
        shared.until_state(therapist, "in_sync")
    assert all(written_once(shared, contact) for _, contact in people)
    assert written_once(shared, of_before)
    until(lambda: not alerts(shared), 20, "the alert to close")
    closed = {each["id"] for each in alerts(shared, "portal_unauthorized", "all")} - opened
    assert closed == {alert["id"]}
    lines = [line for line in shared.log_lines() if line["event"] in ("portal.paused", "portal.resumed")]
    assert [(line["event"], line["by"]) for line in lines[-2:]] == [
        ("portal.paused", "credsync"),
        ("portal.resumed", "credsync"),
    ]


def denied(here: World, after: int) -> list[dict[str, Any]]:
    return [each for each in asked(here, after) if each["status"] == 403]


def asked(here: World, after: int) -> list[dict[str, Any]]:
    return [each for each in here.requests() if each["seq"] > after]


def test_a_persons_pause_is_never_ended_by_itself(shared: World) -> None:
    """Only such pauses end by themselves, never a person's: not even one that took the place of credsync's own."""
    revoke(shared)
    therapist, contact = begin(shared)
    until(lambda: shared.status(therapist)["portal_state"] == "paused", 20, "the pause")
    answer = shared.api.post("/v1/portals/demo/pause", json={"reason": "we look into it"})
    assert answer.json()["paused_by"] == "test"
    give_back(shared)
    calls = len(shared.requests())
    later = sandbox_time(shared) + timedelta(minutes=3)
    until(lambda: sandbox_time(shared) > later, 10, "three minutes")
    assert shared.status(therapist)["portal_state"] == "paused"
    assert len(shared.requests()) == calls
    shared.api.post("/v1/portals/demo/resume", json={})
    shared.until_state(therapist, "in_sync")
    assert written_once(shared, contact)


def sandbox_time(here: World) -> datetime:
    return datetime.fromisoformat(here.hubspot.get("/_sandbox/time").json()["sandbox"])


def test_a_scope_that_is_missing_for_writing_one_type_stops_that_alone(shared: World) -> None:
    """What HubSpot denies of one object type and verb waits, with its reason; all else goes on, and it catches up by itself."""
    address = type_id(shared, "therapist_address")
    deny(shared, f"objects/[^/]+/{address}/batch/update$", "crm.objects.custom.write")
    people = [begin(shared) for _ in range(3)]
    for therapist, contact in people:
        until(
            lambda t=therapist: ("waiting", "missing_scopes") in shared.writes(t, ADDRESS), 20, "the denial"
        )
        until(lambda c=contact: shared.records(c)[ACTIVE]["writes"] == 1, 20, "the Credentialing's write")
        assert shared.link(therapist, ADDRESS)["state"] == "found"
    (alert,) = until(lambda: alerts(shared), 20, "the alert")
    assert (alert["kind"], alert["object"], alert["verb"]) == (
        "portal_forbidden",
        "therapist_address",
        "write",
    )
    assert "crm.objects.custom.write" in alert["remedy"]
    status = shared.status(people[0][0])
    assert (status["portal_state"], status["state"], status["reason"]) == (
        "running",
        "waiting",
        "missing_scopes",
    )
    assert "crm.objects.custom.write" in status["portal_message"]

    since = shared.requests()[-1]["seq"]
    until(lambda: len(asked(shared, since)) >= 3, 20, "three probes")
    assert {(r["call"], r["status"]) for r in asked(shared, since)} == {("objects batch/update", 403)}
    assert not [r for r in asked(shared, since) if any(f'"{c}"' in r["text"] for _, c in people)]
    shared.hubspot.delete("/_sandbox/faults")
    for therapist, _ in people:
        shared.until_state(therapist, "in_sync")
    assert all(written_once(shared, contact) for _, contact in people)


@pytest.mark.parametrize("what", ["properties", "labels"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_type_hidden_at_a_start_stops_that_type_alone(here: World, what: str, *, kept: bool) -> None:
    """403 stops that object type and verb: a new process begins with the names that are kept, or without that type."""
    license_ = type_id(here, "license")
    first, contact = begin(here, "NY")
    here.until_state(first, "in_sync")
    here.kill()
    if not kept:
        database = Database(here.environment["CREDSYNC_DATABASE_URL"])
        with closing(database), database.write() as connection:
            connection.exec_driver_sql("UPDATE portals SET account = NULL")
    paths = {"properties": f"properties/[^/]+/{license_}$", "labels": f"/{license_}/labels$"}
    deny(here, paths[what], "crm.schemas.custom.read")
    here.start()
    therapist, of_therapist = begin(here, "NY")
    if kept:
        here.until_state(therapist, "in_sync")
        assert not alerts(here, state="all")
    else:
        until(lambda: here.records(of_therapist).get(ACTIVE, {}).get("writes") == 1, 20, "the Credentialing")
        until(lambda: here.link(therapist, "license.NY").get("reason") == "missing_scopes", 20, "the denial")
        (alert,) = until(lambda: alerts(here), 20, "the alert")
        assert (alert["kind"], alert["object"], alert["verb"]) == ("portal_forbidden", "license", "read")
        assert "crm.schemas.custom.read" in alert["remedy"]
        assert here.status(therapist)["portal_state"] == "running"
        since = here.requests()[-1]["seq"]
        until(lambda: len(denied(here, since)) >= 2, 20, "two probes")
        here.hubspot.delete("/_sandbox/faults")
        here.until_state(therapist, "in_sync")
        until(lambda: not alerts(here), 20, "the alert to close")
    assert written_once(here, contact, "license.NY")
    assert written_once(here, of_therapist, "license.NY")


def test_a_scope_that_is_missing_for_reading_one_type_stops_that_alone(shared: World) -> None:
    """A 403 on reading licences does not stop writes to Credentialing; when it may be read again, all of it follows."""
    license_ = type_id(shared, "license")
    deny(shared, f"associations/[^/]+/[^/]+/{license_}/batch/read$", "crm.objects.custom.read")
    therapist, contact = begin(shared, "NY")
    until(lambda: shared.records(contact).get(ACTIVE, {}).get("writes") == 1, 20, "the Credentialing's write")
    until(lambda: shared.link(therapist, "license.NY").get("reason") == "missing_scopes", 20, "the denial")
    (alert,) = until(lambda: alerts(shared), 20, "the alert")
    assert (alert["kind"], alert["object"], alert["verb"]) == ("portal_forbidden", "license", "read")
    other, of_other = begin(shared)
    shared.until_state(other, "in_sync")
    assert "crm.objects.custom.read" in alert["remedy"]
    since = shared.requests()[-1]["seq"]
    until(lambda: len(denied(shared, since)) >= 3, 20, "three probes")
    assert not [r for r in denied(shared, since) if r["inputs"] > 1]
    shared.hubspot.delete("/_sandbox/faults")
    shared.until_state(therapist, "in_sync")
    assert written_once(shared, contact, "license.NY")
    assert written_once(shared, of_other)
