"""One property of an object type, as HubSpot describes it, and what the checks need of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}


@dataclass(frozen=True, slots=True)
class Property:
    """`definition` is HubSpot's JSON, answered as it is; the rest is read out of it once."""

    name: str
    type: str
    many: bool
    """Several options, joined by `;`."""
    options: frozenset[str]
    read_only: bool
    definition: dict[str, Any]


def property_of(definition: dict[str, Any]) -> Property:
    """Read a property out of HubSpot's JSON for it."""
    options = definition.get("options") or []
    metadata = definition.get("modificationMetadata") or {}
    return Property(
        name=str(definition["name"]),
        type=str(definition.get("type", "string")),
        many=definition.get("fieldType") == "checkbox",
        options=frozenset(str(option["value"]) for option in options),
        read_only=bool(metadata.get("readOnlyValue")) or bool(definition.get("calculated")),
        definition=definition,
    )


def define(
    name: str,
    kind: str = "string",
    *,
    label: str | None = None,
    options: tuple[str, ...] = (),
    many: bool = False,
    read_only: bool = False,
    hubspot_defined: bool = False,
    group: str = "information",
    order: int = -1,
) -> Property:
    """A property made here, with every field HubSpot's own listing has."""
    values = ("true", "false") if kind == "bool" else options
    definition: dict[str, Any] = {
        "updatedAt": "2025-01-01T00:00:00.000Z",
        "createdAt": "2025-01-01T00:00:00.000Z",
        "name": name,
        "label": label or name.replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": "checkbox" if many else FIELD_TYPES.get(kind, "text"),
        "description": "",
        "groupName": group,
        "options": [
            {"label": value, "value": value, "displayOrder": place, "hidden": False, "description": ""}
            for place, value in enumerate(values)
        ],
        "displayOrder": order,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": hubspot_defined,
        "formField": not read_only,
        "archived": False,
        "modificationMetadata": {
            "archivable": not hubspot_defined,
            "readOnlyDefinition": hubspot_defined,
            "readOnlyValue": read_only,
        },
    }
    return property_of(definition)
