"""HubSpot's Python client, pointed at a sandbox, in each version of the paths, every answer judged by its own models.

The client speaks v3 and v4 only. For a dated version its paths are turned into that version's on the way out, so that
the same models judge what comes back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.discovery.discovery_base import DiscoveryBase  # type: ignore[import-untyped]

from tests.sdk.strict import faults

TOKEN = "pat-na1-test"
AREAS = (
    ("/crm/v3/objects", "/crm/objects/{version}"),
    ("/crm/v4/objects", "/crm/objects/{version}"),
    ("/crm/v4/associations", "/crm/associations/{version}"),
    ("/crm/v3/properties", "/crm/properties/{version}"),
    ("/crm/v3/property-validations", "/crm/property-validations/{version}"),
    ("/crm-object-schemas/v3", "/crm-object-schemas/{version}"),
    ("/account-info/v3", "/account-info/{version}"),
)


class Client:
    """`hubspot` is the client; `version` the paths it calls; `judged` counts the answers its models judged."""

    def __init__(self, url: str, version: str) -> None:
        self.url = url
        self.version = version
        self.judged = 0
        self._apis: list[Any] = []
        self.hubspot = HubSpot(access_token=TOKEN, host=url, base_url=url, api_factory=self._make)

    @property
    def folds(self) -> bool:
        """Whether a partly failed batch is a 200 with its errors in it."""
        return self.version == "2026-09"

    def close(self) -> None:
        """Let go of the connections."""
        for api in self._apis:
            api.api_client.rest_client.pool_manager.clear()

    def account(self) -> dict[str, Any]:
        """The account's details: the client has no class for them, but sends any request."""
        return self._told("/account-info/v3/details")

    def value_rules(self, kind: str) -> dict[str, Any]:
        """The validation rules of a type's properties: no class for them either."""
        return self._told(f"/crm/v3/property-validations/{kind}")

    def _told(self, path: str) -> dict[str, Any]:
        answer = self.hubspot.api_request({"path": self.path(path)})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def path(self, path: str) -> str:
        """The client's path in this version."""
        if self.version == "v3":
            return path
        for before, after in AREAS:
            if path.startswith(before):
                return after.format(version=self.version) + path.removeprefix(before)
        raise AssertionError(f"{path} has no dated form here")

    def _make(self, *asked: Any) -> Any:
        api = DiscoveryBase._default_api_factory(*asked)
        inner = api.api_client
        package = import_module(type(inner).__module__.removesuffix(".api_client"))
        inner.rest_client.request = self._turned(inner.rest_client.request)
        inner.deserialize = self._strict(package, inner.deserialize)
        self._apis.append(api)
        return api

    def _turned(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def turned(method: str, url: str, **more: Any) -> Any:
            return request(method, self.url + self.path(url.removeprefix(self.url)), **more)

        return turned

    def _strict(self, package: Any, deserialize: Callable[..., Any]) -> Callable[..., Any]:
        def strict(response: Any, kind: str) -> Any:
            body = json.loads(response.data)
            if self.folds and "errors" in body and hasattr(package, f"{kind}WithErrors"):
                kind = f"{kind}WithErrors"
            found = list(faults(package, kind, body))
            assert not found, f"{kind}: " + "; ".join(found)
            self.judged += 1
            return deserialize(response, kind)

        return strict
