"""The calls judged here are the calls the service makes, on the very paths it makes them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from credsync.hubspot.paths import Route, Routes
from tests.sandbox.driver import Driver
from tests.sdk import strict
from tests.sdk.calls import CALLS, CONTACT
from tests.sdk.python_client import Client

OLD_STYLE = {"account_before_dates"}
"""Only asked where the dated call is not there."""


def routes_of_the_service() -> dict[str, Any]:
    """Every call of the service by its name."""
    return {
        name: made
        for name, made in inspect.getmembers(Routes, inspect.isfunction)
        if not name.startswith("_") and inspect.signature(made, eval_str=True).return_annotation is Route
    }


def test_every_call_of_the_service_is_judged() -> None:
    """Whoever adds a call there adds it here."""
    assert set(CALLS) == set(routes_of_the_service()) - OLD_STYLE


@pytest.mark.parametrize("name", CALLS)
def test_hubspots_client_and_the_service_call_the_same_path(
    sandbox: Driver, client: Client, name: str
) -> None:
    """In each version; and the sandbox answers it."""
    sandbox.do("/contacts", {"id": CONTACT})
    route = getattr(Routes(client.version), name)
    asked = dict.fromkeys(("labels", "label_limits", "associations"), ("0-1", "credentialing"))
    asked |= {"single_read": ("0-1", CONTACT), "schemas": (), "account": ()}
    wanted = route(*asked.get(name, ("credentialing",)))
    CALLS[name](client)
    [entry] = sandbox.do("/requests", method="GET")["requests"]
    assert (entry["method"], entry["path"]) == (wanted.method, wanted.path)
    assert entry["status"] in (200, 207)
    assert entry["call"] != "unknown"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"typeId": "775", "category": "USER_DEFINED", "label": None}, "typeId"),
        ({"typeId": 775, "category": "USER_DEFINED", "label": None, "extra": 1}, "extra"),
        ({"typeId": 775, "label": None}, "category"),
        ([], "AssociationSpecWithLabel"),
    ],
)
def test_the_judge_sees_a_wrong_type_a_field_too_many_and_one_too_few(body: Any, named: str) -> None:
    """It would have let nothing of that pass."""
    from hubspot.crm.associations import v4  # type: ignore[import-untyped]

    assert [fault for fault in strict.faults(v4, "AssociationSpecWithLabel", body) if named in fault]
    right = {"typeId": 775, "category": "USER_DEFINED", "label": None}
    assert list(strict.faults(v4, "AssociationSpecWithLabel", right)) == []
