"""What a portal consists of, as HubSpot tells it: object types, properties, options, value rules, labels. No record.

The shape is docs/sandbox.md's schema file, which `credsync sandbox --schema` starts from. Only what the portal file
names is asked for, by reading alone: a handful of calls per object type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from credsync.core.portal import CONTACT, Portal
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge, read_account
from credsync.hubspot.errors import Forbidden, Invalid, NotFound
from credsync.hubspot.paths import CONTACT_TYPE, Route
from credsync.hubspot.schema import every_page, type_id_of

_TOLD_ELSEWHERE = frozenset({"properties", "associations"})
_OF_PEOPLE = frozenset({"createdUserId", "updatedUserId", "createdByUserId", "updatedByUserId"})
"""Who made or changed a thing: of no use to a rehearsal."""


@dataclass(slots=True)
class SchemaExport:
    """`content` is the file; `missing` says, for people, what could not be read, and why."""

    content: dict[str, Any]
    missing: list[str] = field(default_factory=list)


async def export_schema(portal: Portal, edge: Edge) -> SchemaExport:
    """Ask HubSpot for the make-up of a portal; the edge is closed here.

    What is named but not there, or not ours to see, is left out and said. Raises `HubSpotError` when HubSpot cannot
    be asked, `PortalUnusable` when the token is another account's than the portal file names.
    """
    async with edge.client as client:
        account = await read_account(portal, client)
        told: dict[str, Any] = {}
        if account is not None:
            told = {
                "portalId": int(account.portal_id),
                "timeZone": account.time_zone,
                "uiDomain": account.ui_domain,
            }
        export = SchemaExport({"account": told, "objects": {}})
        await _Reading(portal, client, export).all()
        return export


class _Reading:
    """One export on its way."""

    def __init__(self, portal: Portal, client: HubSpotClient, export: SchemaExport) -> None:
        self._portal = portal
        self._client = client
        self._export = export
        self._objects: dict[str, Any] = export.content["objects"]

    async def all(self) -> None:
        schemas = await every_page(self._client, self._client.routes.schemas())
        types = {CONTACT: CONTACT_TYPE}
        for key, each in self._portal.objects.items():
            type_id = type_id_of(each.name, schemas)
            if type_id is None:
                self._export.missing.append(f"{key}: HubSpot shows this token no object type {each.name!r}")
            else:
                types[key] = type_id
        properties = await self._read(self._client.routes.properties(CONTACT_TYPE), f"{CONTACT}: properties")
        if properties is not None:
            self._objects[CONTACT] = {
                "objectTypeId": CONTACT_TYPE,
                "name": CONTACT,
                "properties": _without_people(properties),
            }
        for key in [each for each in types if each != CONTACT]:
            schema = next((each for each in schemas if each.get("objectTypeId") == types[key]), {})
            self._objects[key] = await self._object(key, types, schema)

    async def _object(self, key: str, types: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
        mine, routes = types[key], self._client.routes
        parent = self._portal.objects[key].parent
        labels: dict[str, Any] = {}
        back: dict[str, Any] = {}
        for near in dict.fromkeys((CONTACT, parent)):
            if near not in types:
                continue
            expected = f"{key}: labels under {near}" if near == parent else None
            listed = await self._read(routes.labels(types[near], mine), expected)
            if listed is None:
                continue
            if any(each.get("label") for each in listed):
                limits = await self._read(
                    routes.label_limits(types[near], mine), f"{expected or key}: limits"
                )
                listed = [_limited(each, limits or []) for each in listed]
            labels[near] = listed
            back[near] = await self._read(routes.labels(mine, types[near]), expected) or []
        properties = await self._read(routes.properties(mine), f"{key}: properties")
        found = {
            "objectTypeId": mine,
            "name": schema.get("name") or self._portal.objects[key].name,
            "fullyQualifiedName": schema.get("fullyQualifiedName"),
            "primaryDisplayProperty": schema.get("primaryDisplayProperty"),
            "properties": _without_people(properties or []),
            "labels": labels,
            "labelsBack": back,
        }
        rules = await self._read(routes.value_rules(mine), None)
        if rules:
            found["validations"] = {
                each["propertyName"]: each.get("propertyValidationRules", [])
                for each in rules
                if isinstance(each.get("propertyName"), str)
            }
        if schema:
            kept = {name: value for name, value in schema.items() if name not in _TOLD_ELSEWHERE | _OF_PEOPLE}
            found["schema"] = kept
        return found

    async def _read(self, route: Route, what: str | None) -> list[dict[str, Any]] | None:
        """A list, or None where HubSpot does not give it: said as missing if it was expected (`what`)."""
        try:
            return await every_page(self._client, route)
        except (Forbidden, NotFound, Invalid) as error:
            if what is not None:
                self._export.missing.append(f"{what}: {error.message}")
        return None


def _without_people(definitions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in each.items() if name not in _OF_PEOPLE}
        for each in definitions
        if not each.get("archived")
    ]


def _limited(label: dict[str, Any], limits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    same = ("category", "typeId")
    most = next(
        (
            each.get("userEnforcedMaxToObjectIds")
            for each in limits
            if all(each.get(n) == label.get(n) for n in same)
        ),
        None,
    )
    return label if most is None else {**label, "maxToObjectIds": most}
