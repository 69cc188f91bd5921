"""`credsync schema export` against a sandbox that stands for a real portal, and a second sandbox started from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from credsync_sandbox.app import build_app
from credsync_sandbox.server import in_thread
from tests.cli.conftest import Run

VERSIONS = ("v3", "2026-03", "2026-09")
HEADERS = {"Authorization": "Bearer any"}


@pytest.fixture
def portal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one portal file of `home`, with a token."""
    monkeypatch.setenv("CREDSYNC_HUBSPOT_TOKEN_DEMO", "any")
    return home / "portals" / "demo.toml"


def point(portal: Path, url: str, version: str = "2026-09") -> None:
    """Let the portal file name this HubSpot."""
    text = portal.read_text().replace("http://127.0.0.1:8090", url)
    portal.write_text(text.replace('api_version = "2026-09"', f'api_version = "{version}"'))


def told(url: str) -> dict[str, Any]:
    """Everything a HubSpot says of itself in every version: schemas, labels both ways, limits, properties, account."""
    found: dict[str, Any] = {}
    with httpx2.Client(base_url=url, headers=HEADERS) as client:
        types = [
            one["objectTypeId"] for one in client.get("/crm-object-schemas/v3/schemas").json()["results"]
        ]
        paths = [f"/crm-object-schemas/{version}/schemas" for version in VERSIONS]
        paths += [f"/account-info/{version}/details" for version in VERSIONS]
        paths += [f"/crm/properties/2026-09/{kind}" for kind in ("0-1", *types)]
        paths += [f"/crm/property-validations/2026-09/{kind}" for kind in types]
        for near in ("0-1", *types):
            for far in types:
                for one, other in ((near, far), (far, near)):
                    paths.append(f"/crm/associations/2026-09/{one}/{other}/labels")
                    paths.append(f"/crm/associations/2026-09/definitions/configurations/{one}/{other}")
        for path in paths:
            answer = client.get(path)
            found[path] = (answer.status_code, {**answer.json(), "correlationId": None})
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sandbox_started_from_an_export_says_of_itself_what_the_portal_said(
    run: Run, home: Path, portal: Path, version: str
) -> None:
    """Same schemas, properties, options, value rules, labels, limits and account; every numeric type id is kept."""
    original = portal.read_text()
    with in_thread(build_app(portal, seed=1)) as real:
        control = httpx2.Client(base_url=f"{real.url}/_sandbox")
        narrow = {"name": "street", "type": "enumeration", "fieldType": "select", "label": "Street"}
        narrow["options"] = [{"label": "Elm", "value": "elm", "displayOrder": 0, "hidden": False}]  # type: ignore[assignment]
        control.put("/schema", json={"object": "therapist_address", "property": narrow}).raise_for_status()
        rules = [{"ruleType": "MIN_LENGTH", "ruleArguments": ["2"]}]
        rule = {"object": "therapist_address", "property": "city", "rules": rules}
        control.put("/validations", json=rule).raise_for_status()
        limited = {"object": "credentialing", "label": "Active Attested", "maxToObjectIds": 1}
        control.put("/schema", json=limited).raise_for_status()
        control.put("/settings", json={"time_zone": "Europe/Paris", "ui_domain": "app-eu1.hubspot.com"})
        control.post("/contacts", json={"delay": 0, "properties": {"firstname": "Canary"}}).raise_for_status()
        point(portal, real.url, version)
        ended = run("schema", "export", "--portal", "demo", "-o", "portal.json")
        assert (ended.code, ended.out) == (0, ""), ended.err
        content = json.loads((home / "portal.json").read_text())
        assert content == control.get("/schema").json()
        said = told(real.url)
        control.close()
        assert "MIN_LENGTH" in str(said)
    assert "Canary" not in (home / "portal.json").read_text()
    portal.write_text(original)
    with in_thread(build_app(portal, schema=home / "portal.json", seed=2)) as second:
        assert told(second.url) == said


def test_an_export_goes_to_standard_output_where_no_file_is_named(run: Run, portal: Path) -> None:
    """One portal file needs no name; nothing else is printed there."""
    with in_thread(build_app(portal)) as real:
        point(portal, real.url)
        ended = run("schema", "export")
    assert (ended.code, ended.err) == (0, "")
    assert set(json.loads(ended.out)["objects"]) == {
        "contact",
        "credentialing",
        "license",
        "therapist_address",
    }


def test_what_the_token_may_not_see_is_left_out_and_said(run: Run, home: Path, portal: Path) -> None:
    """Exit 3: the file holds the rest."""
    with in_thread(build_app(portal)) as real:
        scopes = ["crm.schemas.custom.read", "crm.objects.custom.read", "crm.objects.contacts.read"]
        httpx2.put(f"{real.url}/_sandbox/settings", json={"scopes": scopes}).raise_for_status()
        point(portal, real.url)
        ended = run("schema", "export", "-o", "portal.json")
    assert ended.code == 3
    assert "Left out: contact: properties" in ended.err
    assert "crm.schemas.contacts.read" in ended.err
    objects = json.loads((home / "portal.json").read_text())["objects"]
    assert set(objects) == {"credentialing", "license", "therapist_address"}


def test_an_object_the_portal_lacks_is_left_out_and_said(run: Run, home: Path, portal: Path) -> None:
    """With its name in the portal file."""
    with in_thread(build_app(portal)) as real:
        point(portal, real.url)
        portal.write_text(portal.read_text().replace('name = "license"', 'name = "licence"'))
        ended = run("schema", "export", "-o", "portal.json")
    assert ended.code == 3
    assert "'licence'" in ended.err
    assert "license" not in json.loads((home / "portal.json").read_text())["objects"]


def test_a_hubspot_that_cannot_be_asked_ends_it_with_a_sentence(run: Run, home: Path, portal: Path) -> None:
    """Exit 1, what is wrong, what to do, and no file."""
    with in_thread(build_app(portal)) as real:
        httpx2.put(f"{real.url}/_sandbox/settings", json={"tokens": ["another"]}).raise_for_status()
        point(portal, real.url)
        ended = run("schema", "export", "-o", "portal.json")
    assert ended.code == 1
    assert "does not accept the token" in ended.err
    assert "credsync doctor" in ended.err
    assert not (home / "portal.json").exists()


def test_a_token_of_another_account_exports_nothing(run: Run, home: Path, portal: Path) -> None:
    """The portal file says whose schema it is to be."""
    with in_thread(build_app(portal)) as real:
        point(portal, real.url)
        portal.write_text(portal.read_text().replace("[hubspot]", '[hubspot]\nportal_id = "999"'))
        ended = run("schema", "export", "-o", "portal.json")
    assert ended.code == 1
    assert "999" in ended.err
    assert not (home / "portal.json").exists()


def test_several_portals_want_a_name(run: Run, home: Path, portal: Path) -> None:
    """Exit 2 with the names there are, also for one that is not."""
    (home / "portals" / "other.toml").write_text(portal.read_text())
    for options in ((), ("--portal", "third")):
        ended = run("schema", "export", *options)
        assert ended.code == 2
        assert "demo, other" in ended.err


def test_a_file_that_cannot_be_written_ends_it_with_a_sentence(run: Run, portal: Path) -> None:
    """Exit 1."""
    with in_thread(build_app(portal)) as real:
        point(portal, real.url)
        ended = run("schema", "export", "-o", "nowhere/portal.json")
    assert ended.code == 1
    assert "nowhere/portal.json cannot be written" in ended.err
