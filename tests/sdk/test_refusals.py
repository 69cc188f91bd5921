"""What HubSpot refuses, as its Python client tells it: 429, 401, 403, 400, 404, and server faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hubspot.crm import objects  # type: ignore[import-untyped]

from tests.sandbox.driver import Driver
from tests.sdk.calls import CALLS, CONTACT, UNMODELLED
from tests.sdk.python_client import Client
from tests.sdk.strict import faults

CUSTOM = {"crm.objects.custom.read", "crm.objects.custom.write", "crm.schemas.custom.read"}
CONTACTS = {"crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read"}


def refusal(call: Callable[[], Any]) -> tuple[int, dict[str, Any], Any]:
    """Status, body and headers of the client's exception; the body is one that its models know."""
    with pytest.raises(Exception, match=r"^\(\d{3}\)") as raised:
        call()
    error: Any = raised.value
    body = json.loads(error.body)
    known = {key: value for key, value in body.items() if key not in ("status", "errorType", "policyName")}
    if error.status != 429:
        assert list(faults(objects, "Error", known)) == []
    assert (body["status"], body["correlationId"]) == ("error", error.headers["X-HubSpot-Correlation-Id"])
    return error.status, body, error.headers


@pytest.mark.parametrize("name", sorted(set(CALLS) - UNMODELLED))
def test_no_call_is_answered_with_a_token_that_hubspot_does_not_know(
    sandbox: Driver, client: Client, name: str
) -> None:
    """401, INVALID_AUTHENTICATION."""
    sandbox.do("/settings", {"tokens": ["another"]}, method="PUT")
    status, body, _ = refusal(lambda: CALLS[name](client))
    assert (status, body["category"]) == (401, "INVALID_AUTHENTICATION")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("batch_update", {"crm.objects.custom.write"}),
        ("batch_read", {"crm.objects.custom.read"}),
        ("single_read", {"crm.objects.contacts.read"}),
        ("associations", {"crm.objects.contacts.read", "crm.objects.custom.read"}),
        ("labels", {"crm.objects.contacts.read", "crm.objects.custom.read"}),
        ("label_limits", {"crm.objects.contacts.read", "crm.objects.custom.read"}),
        ("schemas", {"crm.schemas.custom.read"}),
        ("properties", {"crm.schemas.custom.read"}),
    ],
)
def test_a_call_whose_scopes_were_not_granted_names_them(
    sandbox: Driver, client: Client, name: str, missing: set[str]
) -> None:
    """403 MISSING_SCOPES with `errors[0].context.requiredGranularScopes`; with them it is answered."""
    sandbox.do("/settings", {"scopes": sorted((CUSTOM | CONTACTS) - missing)}, method="PUT")
    status, body, _ = refusal(lambda: CALLS[name](client))
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert set(body["errors"][0]["context"]["requiredGranularScopes"]) == missing
    sandbox.do("/settings", {"scopes": sorted(missing)}, method="PUT")
    sandbox.do("/contacts", {"id": CONTACT})
    CALLS[name](client)


def test_calls_over_the_limit_are_refused_with_its_name_and_headers(sandbox: Driver, client: Client) -> None:
    """429 TEN_SECONDLY_ROLLING; `Retry-After` is not promised; associations have a bucket of their own."""
    sandbox.do("/settings", {"calls_per_10s": 1}, method="PUT")
    CALLS["schemas"](client)
    status, body, headers = refusal(lambda: CALLS["batch_read"](client))
    assert status == 429
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert headers["X-HubSpot-RateLimit-Max"] == "1"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-RateLimit-Daily"] == "625000"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624999"
    assert "Retry-After" not in headers
    CALLS["associations"](client)
    sandbox.advance("10s")
    CALLS["batch_read"](client)


def test_the_days_limit_is_told_apart_and_may_say_when_to_come_back(sandbox: Driver, client: Client) -> None:
    """429 DAILY."""
    sandbox.do("/settings", {"daily_calls": 0, "retry_after": True}, method="PUT")
    status, body, headers = refusal(lambda: CALLS["batch_update"](client))
    assert (status, body["policyName"]) == (429, "DAILY")
    assert 0 < int(headers["Retry-After"]) <= 25 * 3600


@pytest.mark.parametrize("name", sorted(set(CALLS) - UNMODELLED - {"schemas"}))
def test_an_object_type_nobody_knows_is_refused(client: Client, name: str) -> None:
    """400 naming it."""
    status, body, _ = refusal(lambda: CALLS[name](client, "p1234567_nothing"))
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert "p1234567_nothing" in body["message"]


@pytest.mark.parametrize("status", [423, 477, 500, 502, 503, 504, 521, 524])
def test_a_fault_of_hubspots_is_the_clients_exception(sandbox: Driver, client: Client, status: int) -> None:
    """With the status it was answered with."""
    sandbox.do("/faults", {"answer": {"status": status, "headers": {"Retry-After": "7"}}})
    with pytest.raises(Exception, match=rf"^\({status}\)") as raised:
        CALLS["batch_update"](client)
    assert raised.value.headers["Retry-After"] == "7"  # type: ignore[attr-defined]


def test_a_rule_of_the_account_refuses_writes_from_2026_09_on(sandbox: Driver, client: Client) -> None:
    """A conditionally required property: 400 there, written in the older versions."""
    rule = {"object": "credentialing", "when": {"npi": "1"}, "require": ["medicare"]}
    sandbox.do("/settings", {"rules": [rule]}, method="PUT")
    record = sandbox.contact()["planned"][0]["id"]

    def write() -> Any:
        return CALLS["batch_update"](client, record=record)

    if client.version != "2026-09":
        assert write().results[0].properties["npi"] == "1"
        return
    status, body, _ = refusal(write)
    assert status == 400
    assert body["errors"][0]["context"]["propertyName"] == ["medicare"]


def test_a_query_parameter_hubspot_does_not_have_is_refused_by_name(sandbox: Driver, client: Client) -> None:
    """The sandbox refuses what a typing mistake would send."""
    path = client.path("/crm/v3/objects/contacts/1")
    answer = client.hubspot.api_request({"path": path, "qs": {"propertys": "firstname"}})
    assert answer.status_code == 400
    assert "propertys" in answer.json()["message"]
