"""The calls of the service, made and understood by HubSpot's Node client: good paths and bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from credsync.hubspot.paths import Routes
from tests.sandbox.driver import Driver
from tests.sdk.calls import CALLS as PYTHON_CALLS
from tests.sdk.calls import CONTACT, RECORD
from tests.sdk.node_client import NodeClient

ASSOCIATIONS = "crm.associations.v4.batchApi"
OBJECTS = "crm.objects.batchApi"
Asking = tuple[str, str, list[Any]]


def _read(*ids: str, properties: tuple[str, ...] = ("npi",)) -> dict[str, Any]:
    return {
        "inputs": [{"id": one} for one in ids],
        "properties": list(properties),
        "propertiesWithHistory": [],
    }


CALLS: dict[str, Callable[[str], Asking]] = {
    "batch_update": lambda kind: (
        OBJECTS,
        "update",
        [kind, {"inputs": [{"id": RECORD, "properties": {"npi": "1"}}]}],
    ),
    "batch_read": lambda kind: (OBJECTS, "read", [kind, _read(RECORD)]),
    "single_read": lambda kind: (
        "crm.objects.basicApi",
        "getById",
        ["0-1" if kind == "credentialing" else kind, CONTACT, ["firstname"], [], ["credentialing"]],
    ),
    "associations": lambda kind: (ASSOCIATIONS, "getPage", ["0-1", kind, {"inputs": [{"id": CONTACT}]}]),
    "labels": lambda kind: ("crm.associations.v4.schema.definitionsApi", "getAll", ["0-1", kind]),
    "label_limits": lambda kind: (
        "",
        "apiRequest",
        [{"path": f"/crm/v4/associations/definitions/configurations/0-1/{kind}"}],
    ),
    "schemas": lambda kind: ("crm.schemas.coreApi", "getAll", []),
    "properties": lambda kind: ("crm.properties.coreApi", "getAll", [kind]),
    "value_rules": lambda kind: ("", "apiRequest", [{"path": f"/crm/v3/property-validations/{kind}"}]),
    "account": lambda kind: ("", "apiRequest", [{"path": "/account-info/v3/details"}]),
}
"""Every call of the service by its name in `credsync.hubspot.paths`."""
TYPED = sorted(name for name, asking in CALLS.items() if asking("")[0])
"""Those the client has a class for, which throws; it sends the others as any request."""


def test_every_call_of_the_service_is_made() -> None:
    """The same as by the Python client."""
    assert set(CALLS) == set(PYTHON_CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_node_client_and_the_service_call_the_same_path_and_all_of_the_answer_is_known_to_it(
    sandbox: Driver, node: NodeClient, name: str
) -> None:
    """In each version."""
    sandbox.contact(id=CONTACT, properties={"firstname": "Ada"})
    asked = dict.fromkeys(("labels", "label_limits", "associations"), ("0-1", "credentialing"))
    asked |= {"single_read": ("0-1", CONTACT), "schemas": (), "account": ()}
    wanted = getattr(Routes(node.version), name)(*asked.get(name, ("credentialing",)))
    api, method, args = CALLS[name]("credentialing")
    node.understood(api, method, *args)
    [entry] = sandbox.do("/requests", method="GET")["requests"]
    assert (entry["method"], entry["path"]) == (wanted.method, wanted.path)


def test_associations_are_text_at_one_end_and_numbers_at_the_other(sandbox: Driver, node: NodeClient) -> None:
    """With labels, by pages, and an item for each who has none."""
    sandbox.do("/settings", {"association_page_size": 1}, method="PUT")
    there, empty = sandbox.contact()["id"], sandbox.contact(slots=[])["id"]
    asked = {"inputs": [{"id": there}, {"id": empty}, {"id": "7"}]}
    told = node.understood(ASSOCIATIONS, "getPage", "0-1", "credentialing", asked)
    [result] = told["results"]
    assert result["from"]["id"] == there
    assert isinstance(result["to"][0]["toObjectId"], int)
    assert {error["context"]["fromObjectId"][0] for error in told["errors"]} == {empty, "7"}
    again = {"inputs": [{"id": there, "after": result["paging"]["next"]["after"]}]}
    [second] = node.understood(ASSOCIATIONS, "getPage", "0-1", "credentialing", again)["results"]
    labels = {kind["label"] for one in (*result["to"], *second["to"]) for kind in one["associationTypes"]}
    assert labels == {None, "Active Attested", "Processing for Move"}
    assert "paging" not in second


def test_records_are_written_and_read_and_an_unknown_one_fails_alone(
    sandbox: Driver, node: NodeClient
) -> None:
    """A 207, or a 200 with errors that the client's model of a 200 does not have."""
    record = sandbox.contact()["planned"][0]["id"]
    inputs = [
        {"id": one, "properties": {"npi": "5"}, "objectWriteTraceId": f"t{one}"} for one in (record, "7")
    ]
    told = node.call(OBJECTS, "update", "credentialing", {"inputs": inputs})
    assert told["status"] == (200 if node.folds else 207)
    assert told["raw"]["errors"][0]["context"] == {"ids": ["7"], "objectWriteTraceId": ["t7"]}
    assert told["raw"]["results"][0]["objectWriteTraceId"] == f"t{record}"
    assert ("errors" in told["understood"]) is not node.folds
    read = node.understood(OBJECTS, "read", "credentialing", _read(record, "8"))
    assert read["results"][0]["properties"]["npi"] == "5"
    assert read["errors"][0]["context"]["ids"] == ["8"]


def test_a_bad_value_is_an_exception_with_hubspots_body(sandbox: Driver, node: NodeClient) -> None:
    """400, the whole batch."""
    record = sandbox.contact()["planned"][0]["id"]
    batch = {"inputs": [{"id": record, "properties": {"medicare": "Maybe"}}]}
    told = node.call(OBJECTS, "update", "credentialing", batch)
    assert (told["status"], told["thrown"]) == (400, "ApiException")
    assert told["raw"]["category"] == "VALIDATION_ERROR"
    assert told["raw"]["errors"][0]["context"]["propertyName"] == ["medicare"]
    assert told["raw"]["correlationId"] == told["headers"]["x-hubspot-correlation-id"]


def test_a_merged_contact_is_found_by_its_old_id_in_a_single_read(sandbox: Driver, node: NodeClient) -> None:
    """And by no batch."""
    one, two = sandbox.contact()["id"], sandbox.contact()["id"]
    new = sandbox.do("/records/merge", {"primary": one, "other": two})["id"]
    read = node.understood("crm.objects.basicApi", "getById", "0-1", one, ["hs_merged_object_ids"])
    assert (read["id"], read["properties"]["hs_merged_object_ids"]) == (new, f"{one};{two}")
    batch = node.understood(OBJECTS, "read", "0-1", _read(one, new, properties=()))
    assert [each["id"] for each in batch["results"]] == [new]


@pytest.mark.parametrize("name", TYPED)
def test_a_token_hubspot_does_not_know_is_an_exception(sandbox: Driver, node: NodeClient, name: str) -> None:
    """401 INVALID_AUTHENTICATION."""
    sandbox.do("/settings", {"tokens": ["another"]}, method="PUT")
    api, method, args = CALLS[name]("credentialing")
    told = node.call(api, method, *args)
    assert (told["status"], told["thrown"]) == (401, "ApiException")
    assert told["raw"]["category"] == "INVALID_AUTHENTICATION"


@pytest.mark.parametrize("name", TYPED)
def test_missing_scopes_and_the_limit_are_exceptions_that_name_them(
    sandbox: Driver, node: NodeClient, name: str
) -> None:
    """403 MISSING_SCOPES with the scopes; 429 RATE_LIMIT with the policy and the headers."""
    sandbox.do("/settings", {"scopes": []}, method="PUT")
    api, method, args = CALLS[name]("credentialing")
    told = node.call(api, method, *args)
    assert (told["status"], told["raw"]["category"]) == (403, "MISSING_SCOPES")
    assert told["raw"]["errors"][0]["context"]["requiredGranularScopes"]
    limits = {"scopes": None, "calls_per_10s": 0, "association_calls_per_10s": 0}
    sandbox.do("/settings", limits, method="PUT")
    told = node.call(api, method, *args)
    assert (told["status"], told["raw"]["errorType"]) == (429, "RATE_LIMIT")
    assert told["raw"]["policyName"] == "TEN_SECONDLY_ROLLING"
    assert told["headers"]["x-hubspot-ratelimit-remaining"] == "0"


@pytest.mark.parametrize("name", [name for name in TYPED if name != "schemas"])
def test_a_type_nobody_knows_is_an_exception(node: NodeClient, name: str) -> None:
    """400 naming it."""
    api, method, args = CALLS[name]("p1_nothing")
    told = node.call(api, method, *args)
    assert told["status"] == 400
    assert "p1_nothing" in told["raw"]["message"]
