"""The portal's make-up in the shape of `--schema FILE`, and single changes to it while the sandbox runs."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.portal.build import made_label
from credsync_sandbox.portal.schema import AssociationType, ObjectType, Schema


def export(schema: Schema, time_zone: str, ui_domain: str, made: str) -> dict[str, Any]:
    """What a schema file for this very portal would hold; `made` is when its types were made, as HubSpot writes it."""
    return {
        "account": {"portalId": schema.portal_id, "timeZone": time_zone, "uiDomain": ui_domain},
        "objects": {found.key: _object(schema, found, made) for found in schema.types.values()},
    }


def put_label(schema: Schema, found: ObjectType, label: str, most: int | None = None) -> None:
    """An association label from the object's parent to the object, new or limited anew to `most` records."""
    parent = schema.by_key[found.parent or "contact"]
    if schema.label(parent.type_id, found.type_id, label) is None:
        schema.add_association(made_label(schema, parent, found, label))
    schema.limit_label(parent.type_id, found.type_id, label, most)


def drop_label(schema: Schema, found: ObjectType, label: str) -> None:
    """An association label disappears; associations that carried it stay."""
    parent = schema.by_key[found.parent or "contact"]
    schema.drop_label(parent.type_id, found.type_id, label)


def describe(found: ObjectType, made: str) -> dict[str, Any]:
    """What HubSpot says of a type beside its properties and associations: as exported, else made up here."""
    return {
        "id": found.type_id.removeprefix("2-"),
        "objectTypeId": found.type_id,
        "name": found.name,
        "fullyQualifiedName": found.fully_qualified_name,
        "labels": {"singular": found.singular, "plural": found.plural},
        "description": None,
        "primaryDisplayProperty": found.display,
        "secondaryDisplayProperties": [],
        "requiredProperties": [],
        "searchableProperties": [found.display],
        "archived": False,
        "createdAt": made,
        "updatedAt": made,
        **found.described,
    }


def _object(schema: Schema, found: ObjectType, made: str) -> dict[str, Any]:
    properties = [prop.definition for prop in found.properties.values()]
    if not found.custom:
        return {"objectTypeId": found.type_id, "name": found.name, "properties": properties}
    near = [other for other in schema.types.values() if schema.associations(other.type_id, found.type_id)]
    near = [other for other in near if other.key in ("contact", found.parent)]
    told = {
        name: [rule.as_json() for rule in rules if rule.published]
        for name, rules in found.validations.items()
        if any(rule.published for rule in rules)
    }
    return ({"validations": told} if told else {}) | {
        "objectTypeId": found.type_id,
        "name": found.name,
        "fullyQualifiedName": found.fully_qualified_name,
        "primaryDisplayProperty": found.display,
        "properties": properties,
        "labels": {other.key: _labels(schema.associations(other.type_id, found.type_id)) for other in near},
        "labelsBack": {
            other.key: _labels(schema.associations(found.type_id, other.type_id)) for other in near
        },
        "schema": describe(found, made),
    }


def _labels(kinds: dict[int, AssociationType]) -> list[dict[str, object]]:
    return [
        kind.as_json() | ({} if kind.limit is None else {"maxToObjectIds": kind.limit})
        for kind in sorted(kinds.values(), key=lambda kind: kind.type_id)
    ]
