"""Reading `--schema FILE`: what `credsync schema export` took from a real portal. The shape is in docs/sandbox.md.

It holds types, properties with their options, and association labels; never a record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class SchemaFileError(ValueError):
    """The schema file cannot be used; the message names the place."""


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """One object type; `labels` by the key of the object at the near end, `labels_back` the same seen from here.

    `described` is the rest of HubSpot's own description of the type, `validations` the rules of its properties' values.
    """

    key: str
    type_id: str | None
    name: str | None
    fully_qualified_name: str | None
    display: str | None
    properties: list[dict[str, Any]]
    labels: dict[str, list[dict[str, Any]]]
    labels_back: dict[str, list[dict[str, Any]]]
    described: dict[str, Any] = field(default_factory=dict)
    validations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """The file as read."""

    objects: dict[str, SchemaObject] = field(default_factory=dict)
    portal_id: int | None = None
    time_zone: str | None = None
    ui_domain: str | None = None

    def find(self, *names: str) -> SchemaObject | None:
        """The object with one of these keys, ids or names."""
        for known in self.objects.values():
            if {known.key, known.type_id, known.name, known.fully_qualified_name} & set(names):
                return known
        return None


def read_schema_file(path: Path) -> SchemaFile:
    """Read the file; SchemaFileError when it is missing, not JSON or not of this shape."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaFileError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise SchemaFileError(f"{path}: not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("objects"), dict):
        raise SchemaFileError(f'{path}: must be an object with "objects"')
    account = data.get("account") or {}
    portal_id = account.get("portalId")
    return SchemaFile(
        objects={
            key: _object(f"{path}: objects.{key}", key, entry) for key, entry in data["objects"].items()
        },
        portal_id=None if portal_id is None else int(portal_id),
        time_zone=account.get("timeZone"),
        ui_domain=account.get("uiDomain"),
    )


def _object(where: str, key: str, entry: Any) -> SchemaObject:
    if not isinstance(entry, dict):
        raise SchemaFileError(f"{where}: must be an object")
    properties = entry.get("properties", [])
    if not isinstance(properties, list) or not all(
        isinstance(item, dict) and "name" in item for item in properties
    ):
        raise SchemaFileError(f'{where}.properties: must be a list of properties, each with a "name"')
    for part in ("labels", "labelsBack"):
        for near, listed in entry.get(part, {}).items():
            if not isinstance(listed, list) or not all(
                isinstance(item, dict) and "typeId" in item for item in listed
            ):
                raise SchemaFileError(
                    f'{where}.{part}.{near}: must be a list of labels, each with a "typeId"'
                )
    described = entry.get("schema", {})
    if not isinstance(described, dict):
        raise SchemaFileError(f"{where}.schema: must be an object")
    validations = entry.get("validations", {})
    if not isinstance(validations, dict) or not all(
        isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules)
        for rules in validations.values()
    ):
        raise SchemaFileError(f"{where}.validations: must be an object of lists of rules, by property")
    return SchemaObject(
        key=key,
        type_id=entry.get("objectTypeId"),
        name=entry.get("name"),
        fully_qualified_name=entry.get("fullyQualifiedName"),
        display=entry.get("primaryDisplayProperty"),
        properties=properties,
        labels=entry.get("labels", {}),
        labels_back=entry.get("labelsBack", {}),
        described=described,
        validations=validations,
    )
