"""Every path of HubSpot's that the service calls, and the one place that knows its API version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

CONTACT_TYPE = "0-1"


class ApiVersion(StrEnum):
    """`V3` means v3 for objects, properties and schemas, and v4 for associations."""

    V2026_09 = "2026-09"
    V2026_03 = "2026-03"
    V3 = "v3"


class Bucket(StrEnum):
    """Which of HubSpot's rate limits a call counts against."""

    OBJECTS = "objects"
    ASSOCIATIONS = "associations"


@dataclass(frozen=True, slots=True)
class Route:
    """One call: what to ask, what it counts as, and whether it changes anything there."""

    method: str
    template: str
    """The path without its ids, for metrics."""
    path: str
    bucket: Bucket = Bucket.OBJECTS
    writes: bool = False


_DATED = {
    "objects_update": "/crm/objects/{version}/{type}/batch/update",
    "objects_read": "/crm/objects/{version}/{type}/batch/read",
    "object": "/crm/objects/{version}/{type}/{id}",
    "associations_read": "/crm/associations/{version}/{from}/{to}/batch/read",
    "labels": "/crm/associations/{version}/{from}/{to}/labels",
    "label_limits": "/crm/associations/{version}/definitions/configurations/{from}/{to}",
    "schemas": "/crm-object-schemas/{version}/schemas",
    "properties": "/crm/properties/{version}/{type}",
    "rules": "/crm/property-validations/{version}/{type}",
    "account": "/account-info/{version}/details",
}
_NUMBERED = {
    "objects_update": "/crm/v3/objects/{type}/batch/update",
    "objects_read": "/crm/v3/objects/{type}/batch/read",
    "object": "/crm/v3/objects/{type}/{id}",
    "associations_read": "/crm/v4/associations/{from}/{to}/batch/read",
    "labels": "/crm/v4/associations/{from}/{to}/labels",
    "label_limits": "/crm/v4/associations/definitions/configurations/{from}/{to}",
    "schemas": "/crm-object-schemas/v3/schemas",
    "properties": "/crm/v3/properties/{type}",
    "rules": "/crm/v3/property-validations/{type}",
    "account": "/account-info/v3/details",
}


class Routes:
    """The calls in one version of the API."""

    def __init__(self, version: ApiVersion | str = ApiVersion.V2026_09) -> None:
        self.version = ApiVersion(version)
        self._templates = _NUMBERED if self.version is ApiVersion.V3 else _DATED

    def batch_update(self, type_id: str) -> Route:
        return self._route("POST", "objects_update", {"type": type_id}, writes=True)

    def batch_read(self, type_id: str) -> Route:
        return self._route("POST", "objects_read", {"type": type_id})

    def single_read(self, type_id: str, record_id: str) -> Route:
        return self._route("GET", "object", {"type": type_id, "id": record_id})

    def associations(self, from_type: str, to_type: str) -> Route:
        return self._between("POST", "associations_read", from_type, to_type)

    def labels(self, from_type: str, to_type: str) -> Route:
        return self._between("GET", "labels", from_type, to_type)

    def label_limits(self, from_type: str, to_type: str) -> Route:
        """How many records a label may lead to, where an administrator limited it."""
        return self._between("GET", "label_limits", from_type, to_type)

    def schemas(self) -> Route:
        return self._route("GET", "schemas", {})

    def properties(self, type_id: str) -> Route:
        return self._route("GET", "properties", {"type": type_id})

    def value_rules(self, type_id: str) -> Route:
        return self._route("GET", "rules", {"type": type_id})

    def account(self) -> Route:
        return self._route("GET", "account", {})

    def account_before_dates(self) -> Route:
        """The account call as it stood before versions were dates: for where the dated one is not there yet."""
        return Route("GET", _NUMBERED["account"], _NUMBERED["account"])

    def _between(self, method: str, name: str, from_type: str, to_type: str) -> Route:
        return self._route(method, name, {"from": from_type, "to": to_type}, Bucket.ASSOCIATIONS)

    def _route(
        self,
        method: str,
        name: str,
        ids: Mapping[str, str],
        bucket: Bucket = Bucket.OBJECTS,
        writes: bool = False,
    ) -> Route:
        template = self._templates[name].replace("{version}", self.version)
        path = template.format_map({key: quote(value, safe="") for key, value in ids.items()})
        return Route(method, template, path, bucket, writes)
