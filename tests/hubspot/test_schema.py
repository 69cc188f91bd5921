"""Names become ids, labels and properties; what is missing is a finding with what comes nearest."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from credsync.core.properties import Property
from credsync.core.value_rules import ValueRule
from credsync.hubspot import errors
from credsync.hubspot.schema import Account, PortalSchema, WantedObject, account_details, read_schema
from tests.hubspot.scripted import Asked, Reply, error, scene

pytestmark = pytest.mark.anyio

SCHEMAS = [
    {"name": "credentialing", "fullyQualifiedName": "p123_credentialing", "objectTypeId": "2-11"},
    {"name": "license", "fullyQualifiedName": "p123_license", "objectTypeId": "2-12"},
    {"name": "old_thing", "fullyQualifiedName": "p123_old_thing", "objectTypeId": "2-13", "archived": True},
]
LABELS = {
    "0-1/2-11": [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": None},
        {"category": "USER_DEFINED", "typeId": 21, "label": "Active Attested"},
        {"category": "USER_DEFINED", "typeId": 22, "label": "active attested"},
        {"category": "HUBSPOT_DEFINED", "typeId": 21, "label": "Primary"},
        {"category": "USER_DEFINED", "typeId": 23, "label": "Active Attested"},
        {"category": "USER_DEFINED", "typeId": "?", "label": "Broken"},
    ],
    "2-11/2-12": [{"category": "USER_DEFINED", "typeId": 31, "label": "Main"}],
}
PROPERTIES = {
    "2-11": [
        {"name": "npi", "type": "string", "fieldType": "text", "options": []},
        {
            "name": "medicare",
            "type": "enumeration",
            "fieldType": "select",
            "options": [{"label": "Yes", "value": "Yes"}, {"value": "No", "hidden": True}, {"value": 7}, "x"],
        },
        {"name": "hs_createdate", "type": "datetime", "modificationMetadata": {"readOnlyValue": True}},
        {"name": "total", "type": "number", "calculated": True},
        {"name": "gone", "type": "string", "archived": True},
        {"type": "string"},
    ],
    "2-12": [{"name": "number", "type": "string"}],
    "0-1": [{"name": "credsync_url", "type": "string", "fieldType": "text"}],
}
WANTED = [WantedObject("cred", "credentialing"), WantedObject("lic", "p123_license", "cred")]


def portal(asked: Asked) -> Reply:
    path = asked.path.split("?")[0]
    if path.endswith("/schemas"):
        return Reply(200, {"results": SCHEMAS})
    if path.endswith("/labels"):
        return Reply(200, {"results": LABELS[path.removesuffix("/labels").partition("2026-09/")[2]]})
    return Reply(200, {"results": PROPERTIES[path.rpartition("/")[2]]})


async def read(wanted: list[WantedObject], handler: Any = portal, **more: Any) -> PortalSchema:
    async with scene(handler) as here:
        return await read_schema(here.client, wanted, **more)


async def test_objects_are_found_by_name_and_their_labels_under_their_own_parent() -> None:
    async with scene(portal) as here:
        schema = await read_schema(here.client, WANTED)
        assert [each.path for each in here.server.asked] == [
            "/crm-object-schemas/2026-09/schemas",
            "/crm/associations/2026-09/0-1/2-11/labels",
            "/crm/properties/2026-09/2-11",
            "/crm/associations/2026-09/2-11/2-12/labels",
            "/crm/properties/2026-09/2-12",
        ]
    assert schema.faults == ()
    assert schema.contact is None
    assert {key: each.type_id for key, each in schema.objects.items()} == {"cred": "2-11", "lic": "2-12"}
    assert schema.objects["cred"].labels == {
        "Active Attested": {"21", "23"},
        "active attested": {"22"},
        "Primary": {"HUBSPOT_DEFINED:21"},
    }
    assert schema.objects["lic"].labels == {"Main": {"31"}}


async def test_properties_come_with_type_options_and_whether_they_can_be_written() -> None:
    properties = (await read(WANTED)).objects["cred"].properties
    assert dict(properties) == {
        "npi": Property("npi", "string", "text"),
        "medicare": Property("medicare", "enumeration", "select", frozenset({"Yes", "No"})),
        "hs_createdate": Property("hs_createdate", "datetime", read_only=True),
        "total": Property("total", "number", read_only=True),
    }


@pytest.mark.parametrize("name", ["credentialing", "p123_credentialing", "2-11"])
async def test_a_name_a_full_name_and_a_type_id_lead_to_the_same_object(name: str) -> None:
    assert (await read([WantedObject("k", name)])).objects["k"].type_id == "2-11"


@pytest.mark.parametrize("name", ["contact", "contacts", "0-1"])
async def test_the_contact_is_known_without_a_schema(name: str) -> None:
    def handle(asked: Asked) -> Reply:
        return Reply(200, {"results": []})

    assert (await read([WantedObject("k", name)], handle)).objects["k"].type_id == "0-1"


async def test_contact_properties_are_read_when_asked_for() -> None:
    schema = await read([], contact_properties=True)
    assert schema.contact == {"credsync_url": Property("credsync_url", "string", "text")}


async def test_what_is_not_there_is_a_finding_with_what_comes_nearest() -> None:
    """An archived object is not there; what hangs on a missing object keeps its properties and has no labels."""
    schema = await read(
        [
            WantedObject("cred", "Credentialling"),
            WantedObject("lic", "license", "cred"),
            WantedObject("old", "old_thing"),
        ]
    )
    assert [(each.key, each.code) for each in schema.faults] == [
        ("cred", "unknown_object"),
        ("old", "unknown_object"),
    ]
    assert schema.faults[0].nearest == ("credentialing",)
    assert "Credentialling" in schema.faults[0].message
    assert list(schema.objects) == ["lic"]
    assert schema.objects["lic"].labels == {}


async def test_what_the_token_may_not_see_is_a_finding_that_names_the_scope() -> None:
    def handle(asked: Asked) -> Reply:
        if asked.path.endswith("/0-1"):
            entry = {"context": {"requiredGranularScopes": ["crm.schemas.contacts.read"]}}
            return error(403, "MISSING_SCOPES", errors=[entry])
        return error(404) if asked.path.endswith("/labels") else portal(asked)

    schema = await read(WANTED[:1], handle, contact_properties=True)
    assert [(each.key, each.code, each.scopes) for each in schema.faults] == [
        ("cred", "not_found", ()),
        ("contact", "missing_scopes", ("crm.schemas.contacts.read",)),
    ]
    assert schema.contact is None
    assert schema.objects["cred"].properties


@pytest.mark.parametrize(
    ("reply", "code"), [(error(401), "unauthorized"), (Reply(200, {"ok": True}), "garbled_answer")]
)
async def test_a_portal_that_cannot_be_asked_is_an_error(reply: Reply, code: str) -> None:
    with pytest.raises(errors.HubSpotError) as caught:
        await read(WANTED, [reply])
    assert caught.value.code == code


async def test_lists_with_pages_are_read_to_their_end() -> None:
    def handle(asked: Asked) -> Reply:
        if asked.path.endswith("/schemas"):
            return Reply(200, {"results": SCHEMAS[:1], "paging": {"next": {"after": "n1"}}})
        return Reply(200, {"results": SCHEMAS[1:]}) if "after=n1" in asked.path else portal(asked)

    assert len((await read(WANTED, handle)).objects) == 2


async def test_a_list_without_end_is_an_error_and_not_for_ever() -> None:
    with pytest.raises(errors.Unavailable):
        await read(WANTED, [Reply(200, {"results": [], "paging": {"next": {"after": "n1"}}})])


ACCOUNT = {"portalId": 1234567, "uiDomain": "app-eu1.hubspot.com", "timeZone": "America/New_York"}


async def test_the_account_is_known_by_its_token() -> None:
    async with scene([Reply(200, ACCOUNT)]) as here:
        account = await account_details(here.client)
        assert here.client.time_zone == ZoneInfo("America/New_York")
        assert here.server.asked[0].path == "/account-info/2026-09/details"
    assert account == Account("1234567", "app-eu1.hubspot.com", "America/New_York")


async def test_where_the_dated_account_call_is_not_there_the_older_one_is_asked() -> None:
    async with scene([Reply(404, "<html>"), Reply(200, {"portalId": 5, "timeZone": "Mars/Olympus"})]) as here:
        account = await account_details(here.client)
        assert here.server.asked[1].path == "/account-info/v3/details"
    assert account == Account("5", "app.hubspot.com", "Mars/Olympus")


async def test_an_account_without_an_id_is_none() -> None:
    async with scene([Reply(200, {"uiDomain": "x"})]) as here:
        with pytest.raises(errors.Unavailable):
            await account_details(here.client)


async def test_the_rules_for_values_are_read_when_asked_for() -> None:
    """One call more for each object; a malformed one is an unknown rule."""
    rules = [
        {
            "propertyName": "npi",
            "propertyValidationRules": [
                {"ruleType": "MAX_LENGTH", "ruleArguments": ["10"], "shouldApplyNormalization": True},
                {"ruleType": "REGEX", "ruleArguments": ["^[0-9]+$", "Digits"]},
                {"ruleType": 7, "ruleArguments": "x"},
                "x",
            ],
        },
        {"propertyName": "elsewhere", "propertyValidationRules": []},
    ]

    def handle(asked: Asked) -> Reply:
        told = "/property-validations/2026-09/" in asked.path
        return Reply(200, {"results": rules}) if told else portal(asked)

    async with scene(handle) as here:
        schema = await read_schema(here.client, WANTED, value_rules=True)
        assert len(here.server.asked) == 7
    assert schema.objects["cred"].properties["npi"].rules == (
        ValueRule("MAX_LENGTH", ("10",), normalizes=True),
        ValueRule("REGEX", ("^[0-9]+$", "Digits")),
        ValueRule(""),
        ValueRule(""),
    )
    assert schema.objects["cred"].properties["medicare"].rules == ()
    assert schema.objects["lic"].properties["number"].rules == ()


@pytest.mark.parametrize("reply", [error(404), error(403), error(400), error(500), Reply(200, "<html>")])
async def test_where_hubspot_does_not_tell_the_rules_there_are_none(reply: Reply) -> None:
    """Nothing depends on them, and nothing is a finding."""

    def handle(asked: Asked) -> Reply:
        return reply if "property-validations" in asked.path else portal(asked)

    schema = await read(WANTED, handle, value_rules=True)
    assert schema.faults == ()
    assert schema.objects["cred"].properties["npi"] == Property("npi", "string", "text")
