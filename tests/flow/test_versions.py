"""The end-to-end basics in each version of HubSpot's API that a portal file may name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credsync.hubspot.paths import Routes
from tests.flow.conftest import Fresh
from tests.flow.forms import ca, street
from tests.flow.world import ACTIVE, ADDRESS, PORTAL, World, someone, until, world

VERSIONS = ("2026-09", "2026-03", "v3")


@pytest.fixture(scope="module", params=VERSIONS)
def versioned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fresh: Fresh
) -> Iterator[tuple[World, str]]:
    """A world whose portal file names this version, and nothing else is different."""
    folder = tmp_path_factory.mktemp("version")
    text = PORTAL.read_text(encoding="utf-8")
    assert 'api_version = "2026-09"' in text
    portal = folder / "demo.toml"
    portal.write_text(
        text.replace('api_version = "2026-09"', f'api_version = "{request.param}"'), encoding="utf-8"
    )
    with fresh.database(folder) as url, world(folder, url, token=fresh.token, portal=portal) as made:
        yield made, request.param
        stays_within(made, request.param)


def test_what_was_submitted_reaches_its_records_in_every_version(versioned: tuple[World, str]) -> None:
    """Late records, a licence two hops away, somebody whose records never come: a look that fails in part."""
    here, version = versioned
    contact, nobody = here.contact(licenses=["NY"]), here.contact(slots=[])
    therapist, waiting = someone(), someone()
    for one, theirs in ((therapist, contact), (waiting, nobody)):
        here.sign_up(one, theirs)
        here.submit(one, ca(licenses=("NY",)))
    here.leaves(waiting, "HubSpot's workflows never make the records")
    here.until_state(therapist, "in_sync")
    assert here.status(waiting)["state"] == "waiting"
    records = here.records(contact)
    assert records[ACTIVE]["properties"]["npi"] == "1234567893"
    assert records["license.NY"]["properties"]["license_number"] == "NY-77"
    assert [records[slot]["writes"] for slot in (ACTIVE, "license.NY", ADDRESS)] == [1, 1, 1]
    looks = [r for r in here.requests() if f'"{contact}"' in r["text"] and f'"{nobody}"' in r["text"]]
    partly = 200 if version == "2026-09" else 207
    assert {r["status"] for r in looks if r["call"] == "associations batch/read"} == {partly}


def test_a_merged_contact_is_followed_in_every_version(versioned: tuple[World, str]) -> None:
    """Old ids lead to the new one in single reads alone, in every version."""
    here, _ = versioned
    contact, other, therapist = here.contact(delay="1s"), here.contact(slots=[]), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    new = here.change("merge", primary=contact, other=other)["id"]
    here.submit(therapist, street("2 New Rd"))
    until(lambda: here.records(new)[ADDRESS]["properties"]["street"] == "2 New Rd", 20, "the next write")
    assert here.until_state(therapist, "in_sync")["contact_id"] == new


def test_a_record_refused_by_its_trace_is_refused_alone_in_every_version(
    versioned: tuple[World, str],
) -> None:
    """A 207, or errors folded into a 200: the verdict of the record they name, and no other's."""
    here, version = versioned
    here.hubspot.put("/_sandbox/settings", json={"trace_errors": True}).raise_for_status()
    people = [(someone(), here.contact(delay="1s")) for _ in range(2)]
    for therapist, contact in people:
        here.sign_up(therapist, contact)
        here.until_state(therapist, "in_sync")
    narrow = {"name": "city", "type": "enumeration", "fieldType": "select"}
    narrow["options"] = [{"label": "Albany", "value": "Albany"}]  # type: ignore[assignment]
    wide = {"name": "city", "type": "string", "fieldType": "text", "options": []}
    change = {"object": "therapist_address", "property": narrow}
    here.hubspot.put("/_sandbox/schema", json=change).raise_for_status()
    (good, _), (bad, contact) = people
    here.leaves(bad, "HubSpot's own options changed")
    here.submit(good, ca())
    elsewhere = ca()
    elsewhere["practice_preferences"]["treating_address"]["city"] = "Troy"
    here.submit(bad, elsewhere)
    until(lambda: here.status(bad)["state"] in ("partial", "refused"), 20, "the verdict")
    here.until_state(good, "in_sync")
    [write] = [w for w in here.status(bad)["writes"] if w["slot"] == ADDRESS]
    assert "city" in {p["name"] for p in write["properties"] if p["state"] == "refused"}
    assert "city" not in here.records(contact)[ADDRESS]["properties"]
    statuses = [
        r["status"] for r in here.requests() if r["call"] == "objects batch/update" and "Troy" in r["text"]
    ]
    assert statuses[0] == (200 if version == "2026-09" else 207)
    here.hubspot.put("/_sandbox/schema", json=change | {"property": wide}).raise_for_status()
    here.hubspot.put("/_sandbox/settings", json={"trace_errors": False}).raise_for_status()


def test_a_rule_of_the_account_is_met_from_2026_09_on(versioned: tuple[World, str]) -> None:
    """A conditionally required property: the write is refused with its name there, written in older versions."""
    here, version = versioned
    rule = {"object": "therapist_address", "when": {"street": "9 Rule Rd"}, "require": ["postal_code"]}
    here.hubspot.put("/_sandbox/settings", json={"rules": [rule]}).raise_for_status()
    therapist, contact = someone(), here.contact(delay="1s")
    here.sign_up(therapist, contact)
    here.submit(therapist, street("9 Rule Rd"))
    if version == "2026-09":
        here.leaves(therapist, "a rule of the account refuses it")
        status = here.until_state(therapist, "refused")
        [write] = [w for w in status["writes"] if w["slot"] == ADDRESS]
        assert "postal_code" in str(write)
        assert here.records(contact)[ADDRESS]["writes"] == 0
    else:
        here.until_state(therapist, "in_sync")
        assert here.records(contact)[ADDRESS]["properties"]["street"] == "9 Rule Rd"
    here.hubspot.put("/_sandbox/settings", json={"rules": []}).raise_for_status()


def test_no_call_leaves_the_version(versioned: tuple[World, str]) -> None:
    """Every path the service calls is one of that version's, and HubSpot has it; held after the file's other tests, too."""
    here, version = versioned
    therapist, contact = someone(), here.contact(delay="1s")
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    assert {r["call"] for r in here.requests()} >= {
        "associations batch/read",
        "associations labels",
        "objects batch/update",
        "properties",
        "schemas",
        "account-info details",
    }
    stays_within(here, version)


def stays_within(here: World, version: str) -> None:
    """Every path called until here."""
    routes = Routes(version)
    areas = {
        route.path.partition("/X")[0]
        for route in (
            routes.batch_read("X"),
            routes.labels("X", "X"),
            routes.properties("X"),
            routes.value_rules("X"),
        )
    } | {routes.schemas().path, routes.account().path}
    calls = here.requests()
    assert [r["path"] for r in calls if not r["path"].startswith(tuple(areas))] == []
    assert [r["path"] for r in calls if r["status"] == 404 and r["call"] == "unknown"] == []
