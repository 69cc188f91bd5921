"""What the sandbox makes of a portal file, and of an exported schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credsync_sandbox.portal.guess import guess_properties, guess_property
from credsync_sandbox.portal.portal_file import PortalFileError, read_portal_file
from credsync_sandbox.portal.schema_file import SchemaFileError, read_schema_file
from tests.sandbox.driver import PORTAL, Driver, running


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("expires_on", "education_and_training.licenses.expiry", "date"),
        ("issued", "education_and_training.licenses.issued", "date"),
        ("submitted_on", "submitted_at", "date"),
        ("submitted_at", "submitted_at", "datetime"),
        ("signed", "certification_and_release.signed_at", "datetime"),
        ("due", "attestation_due", "date"),
        ("claim", "employment_and_malpractice.malpractice.per_claim_cents", "number"),
        ("weekly", "practice_preferences.weekly_appointments", "number"),
        ("agreed", "certification_and_release.agreed", "bool"),
        ("done", "immunization_complete", "bool"),
        ("license_number", "education_and_training.licenses.number", "string"),
        ("npi", "npi_and_caqh.npi", "string"),
        ("languages", "practice_preferences.languages", "string"),
    ],
)
def test_a_propertys_type_is_guessed_from_the_path_mapped_to_it(name: str, path: str, kind: str) -> None:
    """Where nobody has exported the portal."""
    assert guess_property(name, path).type == kind


def test_renamed_options_make_an_enumeration_and_a_list_takes_several() -> None:
    """`values.NAME` of a mapping."""
    one = guess_property("medicare", "npi_and_caqh.medicare_status", ("Yes", "No", "Yes"))
    assert (one.type, set(one.options), one.many) == ("enumeration", {"Yes", "No"}, False)
    assert guess_property("specialties", "practice_preferences.specialties", ("A",)).many


def test_custom_fields_have_the_type_the_portal_file_declares() -> None:
    """`[custom]`."""
    assert guess_property("size", "custom.shirt_size", custom={"shirt_size": "number"}).type == "number"


def test_a_stamp_is_a_text(tmp_path: Path) -> None:
    """`stamp` of an object: the service writes it beside what is mapped."""
    path = tmp_path / "portal.toml"
    text = PORTAL.replace("[objects.credentialing]", '[objects.credentialing]\nstamp = "shown"')
    path.write_text(text, encoding="utf-8")
    prop = guess_properties(read_portal_file(path), "credentialing")["shown"]
    assert (prop.type, prop.options) == ("string", frozenset())


def test_type_ids_are_this_portals_own_and_the_same_after_a_restart(tmp_path: Path) -> None:
    """Another portal has others, so nobody can hard-code one."""

    def ids(portal: str, seed: int) -> Any:
        with running(tmp_path, portal, seed=seed) as sandbox:
            labels = sandbox.hubspot.get("/crm/associations/2026-09/0-1/credentialing/labels").json()[
                "results"
            ]
            return sandbox.do("/health", method="GET")["objects"], [one["typeId"] for one in labels]

    first = ids(PORTAL, 1)
    assert ids(PORTAL, 2) == first
    other = ids(PORTAL.replace("1234567", "7654321"), 1)
    assert other[0]["credentialing"] != first[0]["credentialing"]
    assert other[1] != first[1]


def test_the_account_is_the_portal_files(sandbox: Driver) -> None:
    """Portal id, time zone, the address of its pages; in every version."""
    for version in ("v3", "2026-03", "2026-09"):
        told = sandbox.hubspot.get(f"/account-info/{version}/details").json()
        assert told["portalId"] == 1234567
        assert told["timeZone"] == "America/New_York"
        assert told["uiDomain"] == "app.hubspot.com"


@pytest.mark.parametrize(
    "path", ["/crm/v3/schemas", "/crm-object-schemas/v3/schemas", "/crm-object-schemas/2026-03/schemas"]
)
def test_schemas_and_properties_are_told_with_types_options_and_what_is_read_only(
    sandbox: Driver, path: str
) -> None:
    """On every path HubSpot has for them."""
    found = {one["name"]: one for one in sandbox.hubspot.get(path).json()["results"]}
    assert set(found) == {"credentialing", "license", "therapist_address"}
    assert found["license"]["fullyQualifiedName"] == "p1234567_license"
    assert sandbox.hubspot.get(f"{path}/{found['license']['objectTypeId']}").json() == found["license"]
    assert sandbox.hubspot.get(f"{path}/nothing").status_code == 404
    base = "/crm/v3/properties" if "v3" in path else "/crm/properties/2026-03"
    listed = {one["name"]: one for one in sandbox.hubspot.get(f"{base}/license").json()["results"]}
    assert listed["expires_on"]["type"] == "date"
    assert listed["hs_createdate"]["modificationMetadata"]["readOnlyValue"] is True
    assert sandbox.hubspot.get(f"{base}/license/expires_on").json() == listed["expires_on"]
    assert sandbox.hubspot.get(f"{base}/license/nothing").status_code == 404


def test_what_one_sandbox_exports_another_can_be_started_from(tmp_path: Path) -> None:
    """`--schema`: ids, names, properties, options and labels in both directions are those of the file."""
    with running(tmp_path) as sandbox:
        exported = sandbox.do("/schema", method="GET")
    exported["account"] = {"portalId": 99, "timeZone": "Europe/Paris", "uiDomain": "app-eu1.hubspot.com"}
    exported["objects"]["credentialing"]["objectTypeId"] = "2-4711"
    exported["objects"]["credentialing"]["properties"][-1]["name"] = "renamed"
    limited = exported["objects"]["credentialing"]["labels"]["contact"]
    next(one for one in limited if one["label"] == "Active Attested")["maxToObjectIds"] = 1
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(exported), encoding="utf-8")
    with running(tmp_path, schema=path) as sandbox:
        assert sandbox.do("/schema", method="GET") == exported
        told = sandbox.hubspot.get("/account-info/2026-09/details").json()
        assert (told["portalId"], told["timeZone"], told["uiDomain"]) == (
            99,
            "Europe/Paris",
            "app-eu1.hubspot.com",
        )
        contact = sandbox.contact()["id"]
        records = sandbox.records(contact)
        attested, moving = records["credentialing_active_attested"], records["credentialing_relocation"]
        assert attested["type_id"] == "2-4711"
        assert sandbox.update(attested["id"], renamed="x").status_code in (200, 400)
        label = next(one for one in limited if one["label"] == "Active Attested")["typeId"]
        one = {"from": {"id": contact}, "to": {"id": moving["id"]}, "types": [{"associationTypeId": label}]}
        refused = sandbox.hubspot.post(
            "/crm/associations/2026-09/0-1/2-4711/batch/create", json={"inputs": [one]}
        )
        assert (refused.status_code, "limit of 1" in refused.json()["message"]) == (400, True)


def test_what_an_exported_schema_lacks_is_lacking(tmp_path: Path) -> None:
    """No guessing beside a schema file: a missing type, property or label is what a rehearsal must show."""
    path = tmp_path / "schema.json"
    credentialing = {
        "objectTypeId": "2-1",
        "name": "credentialing",
        "properties": [{"name": "npi", "type": "string"}],
    }
    path.write_text(json.dumps({"objects": {"credentialing": credentialing}}), encoding="utf-8")
    with running(tmp_path, schema=path) as sandbox:
        contact = sandbox.contact()["id"]
        assert {one["object"] for one in sandbox.truth(contact)["records"]} == {"credentialing"}
        assert all(one["labels"] == [] for one in sandbox.truth(contact)["records"])
        record = sandbox.truth(contact)["records"][0]["id"]
        assert sandbox.update(record, npi="1").status_code == 200
        assert sandbox.update(record, medicare="Yes").status_code == 400


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x", "not TOML"),
        ("[objects.a]\nparent = 'b'", "objects.a.parent"),
        ("[objects.a]\nparent = 'a'", "objects.a.parent"),
        ("[slots.a]\nobject = 'b'", "slots.a.object"),
        ("[objects.a]\n[slots.s]\nobject = 'a'", "slots.s"),
        ("[objects.a]\n[slots.s]\nobject = 'a'\nonly = true\nlabel = 'L'", "slots.s"),
        ("[definitive]\nca = [{slot = 'x'}]", "definitive.ca"),
        ("[[writes]]\nto = 'x'", "writes[0].to"),
        ("[hubspot]\nportal_id = 'abc'", "hubspot.portal_id"),
        ("objects = 3", "objects"),
    ],
)
def test_an_unusable_portal_file_is_refused_with_the_key(tmp_path: Path, text: str, named: str) -> None:
    """Before anything is served."""
    path = tmp_path / "portal.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PortalFileError) as raised:
        read_portal_file(path)
    assert named in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        '{"objects": 1}',
        '{"objects": {"a": 1}}',
        '{"objects": {"a": {"properties": [1]}}}',
        '{"objects": {"a": {"labels": {"contact": [{}]}}}}',
    ],
)
def test_an_unusable_schema_file_is_refused(tmp_path: Path, text: str) -> None:
    """With the place at fault."""
    path = tmp_path / "schema.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaFileError, match=r"schema\.json"):
        read_schema_file(path)
    with pytest.raises(SchemaFileError):
        read_schema_file(tmp_path / "nothing.json")
