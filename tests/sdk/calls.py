"""Every call the service makes, as HubSpot's Python client makes it, by the name it has in `credsync.hubspot.paths`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sdk.python_client import Client

RECORD = "20000000001"
CONTACT = "237058651"
"""There only where a test makes it."""


def _batch_update(client: Client, kind: str = "credentialing", record: str = RECORD) -> Any:
    batch = {"inputs": [{"id": record, "properties": {"npi": "1"}}]}
    return client.hubspot.crm.objects.batch_api.update(kind, batch)


def _batch_read(client: Client, kind: str = "credentialing") -> Any:
    asked = {"inputs": [{"id": RECORD}], "properties": ["npi"], "propertiesWithHistory": []}
    return client.hubspot.crm.objects.batch_api.read(kind, asked)


def _single_read(client: Client, kind: str = "0-1") -> Any:
    return client.hubspot.crm.objects.basic_api.get_by_id(kind, CONTACT)


def _associations(client: Client, kind: str = "credentialing") -> Any:
    asked = {"inputs": [{"id": CONTACT}]}
    return client.hubspot.crm.associations.v4.batch_api.get_page("0-1", kind, asked)


def _labels(client: Client, kind: str = "credentialing") -> Any:
    return client.hubspot.crm.associations.v4.schema.definitions_api.get_all("0-1", kind)


def _label_limits(client: Client, kind: str = "credentialing") -> Any:
    api = client.hubspot.crm.associations.v4.schema.definition_configurations_api
    return api.get_all_between_two_object_types("0-1", kind)


def _schemas(client: Client) -> Any:
    return client.hubspot.crm.schemas.core_api.get_all()


def _properties(client: Client, kind: str = "credentialing") -> Any:
    return client.hubspot.crm.properties.core_api.get_all(kind)


CALLS: dict[str, Callable[..., Any]] = {
    "batch_update": _batch_update,
    "batch_read": _batch_read,
    "single_read": _single_read,
    "associations": _associations,
    "labels": _labels,
    "label_limits": _label_limits,
    "schemas": _schemas,
    "properties": _properties,
    "value_rules": lambda client, kind="credentialing": client.value_rules(kind),
    "account": lambda client: client.account(),
}
UNMODELLED = {"account", "value_rules"}
"""Calls the client has no class for, and so no exception either."""
