"""The portal's make-up in the shape of `--schema FILE`, and single changes to it while the sandbox runs."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.portal.build import made_label
from credsync_sandbox.portal.schema import AssociationType, ObjectType, Schema


def export(schema: Schema, time_zone: str, ui_domain: str) -> dict[str, Any]:
    """What a schema file for this very portal would hold."""
    return {
        "account": {"portalId": schema.portal_id, "timeZone": time_zone, "uiDomain": ui_domain},
        "objects": {found.key: _object(schema, found) for found in schema.types.values()},
    }


def put_label(schema: Schema, found: ObjectType, label: str) -> None:
    """A new association label from the object's parent to the object."""
    parent = schema.by_key[found.parent or "contact"]
    if schema.label(parent.type_id, found.type_id, label) is None:
        schema.add_association(made_label(schema, parent, found, label))


def drop_label(schema: Schema, found: ObjectType, label: str) -> None:
    """An association label disappears; associations that carried it stay."""
    parent = schema.by_key[found.parent or "contact"]
    schema.drop_label(parent.type_id, found.type_id, label)


def _object(schema: Schema, found: ObjectType) -> dict[str, Any]:
    near = [other for other in schema.types.values() if schema.associations(other.type_id, found.type_id)]
    near = [other for other in near if found.custom and other.key in ("contact", found.parent)]
    return {
        "objectTypeId": found.type_id,
        "name": found.name,
        "fullyQualifiedName": found.fully_qualified_name,
        "primaryDisplayProperty": found.display,
        "properties": [prop.definition for prop in found.properties.values()],
        "labels": {other.key: _labels(schema.associations(other.type_id, found.type_id)) for other in near},
        "labelsBack": {
            other.key: _labels(schema.associations(found.type_id, other.type_id)) for other in near
        },
    }


def _labels(kinds: dict[int, AssociationType]) -> list[dict[str, object]]:
    return [
        kind.as_json() | ({} if kind.limit is None else {"maxToObjectIds": kind.limit})
        for kind in sorted(kinds.values(), key=lambda kind: kind.type_id)
    ]
