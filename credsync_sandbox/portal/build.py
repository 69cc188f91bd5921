"""From a portal file, and a schema file if there is one, to a Schema.

Ids that belong to a portal (object type ids, association type ids) are made from the portal's id and the names, so
they are the same after a restart and different in another portal.
"""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from credsync_sandbox.portal.builtin import builtin_properties
from credsync_sandbox.portal.guess import guess_properties
from credsync_sandbox.portal.portal_file import CONTACT, ObjectEntry, PortalFile
from credsync_sandbox.portal.property import define, property_of
from credsync_sandbox.portal.schema import USER_DEFINED, AssociationType, ObjectType, Schema
from credsync_sandbox.portal.schema_file import SchemaFile, SchemaObject
from credsync_sandbox.portal.validation import ValidationRule, rule_of

CONTACT_TYPE = "0-1"


def build_schema(portal: PortalFile, exported: SchemaFile | None) -> Schema:
    """Every object of the portal file; its properties and labels as exported, else as the file lets us guess."""
    portal_id = exported.portal_id if exported and exported.portal_id else portal.portal_id
    schema = Schema(portal_id)
    people = exported.find(CONTACT, "contacts", CONTACT_TYPE) if exported else None
    contact = ObjectType(CONTACT_TYPE, CONTACT, CONTACT, "CONTACT", "Contact", "contacts", None)
    _fill(contact, portal, people)
    schema.add_type(contact)
    for entry in portal.objects.values():
        found = exported.find(entry.key, entry.name) if exported else None
        if exported and found is None:
            continue
        object_type = _object_type(portal_id, entry, found)
        _fill(object_type, portal, found)
        schema.add_type(object_type)
    for entry in portal.objects.values():
        if entry.key in schema.by_key:
            _associate(schema, portal, entry, exported)
    return schema


def _number(portal_id: int, *names: str) -> int:
    digest = blake2b("\x00".join((str(portal_id), *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest)


def _object_type(portal_id: int, entry: ObjectEntry, found: SchemaObject | None) -> ObjectType:
    given_id = entry.name if re.fullmatch(r"\d+-\d+", entry.name) else None
    qualified = re.fullmatch(r"p\d+_(.+)", entry.name)
    name = entry.key if given_id else qualified.group(1) if qualified else entry.name
    if found:
        name = found.name or name
    described = found.described if found else {}
    labels = described.get("labels") or {}
    type_id = (found.type_id if found else None) or given_id
    words = name.replace("_", " ").title()
    return ObjectType(
        type_id=type_id or f"2-{100_000_000 + _number(portal_id, name) % 99_999_989}",
        key=entry.key,
        name=name,
        fully_qualified_name=(found.fully_qualified_name if found else None) or f"p{portal_id}_{name}",
        singular=str(labels.get("singular") or words),
        plural=str(labels.get("plural") or f"{words}s"),
        parent=entry.parent,
        display=f"{name}_name",
        described=dict(described),
    )


def _fill(object_type: ObjectType, portal: PortalFile, found: SchemaObject | None) -> None:
    properties = builtin_properties(contact=object_type.key == CONTACT)
    if found:
        properties |= {definition["name"]: property_of(definition) for definition in found.properties}
        named = [name for name in properties if not name.startswith("hs_")]
        object_type.display = found.display or (named[0] if named else "hs_object_id")
    else:
        if object_type.custom:
            properties[object_type.display] = define(object_type.display)
        guessed = guess_properties(portal, object_type.key)
        properties |= {name: prop for name, prop in guessed.items() if name not in properties}
    object_type.properties = properties
    if found:
        object_type.validations = {name: _rules(rules) for name, rules in found.validations.items()}


def _rules(given: list[dict[str, Any]]) -> list[ValidationRule]:
    """The rules of an export that the sandbox can hold to; HubSpot may have others."""
    known = []
    for rule in given:
        with suppress(ValueError):
            known.append(rule_of(rule))
    return known


def _associate(schema: Schema, portal: PortalFile, entry: ObjectEntry, exported: SchemaFile | None) -> None:
    """Unlabelled types from the contact and from the parent, then the labels between parent and object."""
    mine = schema.by_key[entry.key]
    found = exported.find(entry.key, entry.name) if exported else None
    for parent in dict.fromkeys((CONTACT, entry.parent)):
        near = schema.by_key.get(parent)
        if near is None:
            continue
        listed = found.labels.get(parent, []) if found else []
        backward = found.labels_back.get(parent, []) if found else []
        for item in listed:
            schema.add_association(_exported_label(schema, near, mine, item, backward))
        if schema.unlabelled(near.type_id, mine.type_id) is None:
            schema.add_association(made_label(schema, near, mine, None))
        if exported is None and parent == entry.parent:
            slots = [slot for slot in portal.slots.values() if slot.object == entry.key and slot.label]
            for label in dict.fromkeys(slot.label for slot in slots):
                schema.add_association(made_label(schema, near, mine, label))


def made_label(schema: Schema, near: ObjectType, far: ObjectType, label: str | None) -> AssociationType:
    """An association type whose ids belong to this portal and are taken by no other of the pair."""
    first = 11 + 2 * (_number(schema.portal_id, near.name, far.name, label or "") % 400)
    taken = schema.associations(near.type_id, far.type_id)
    back = schema.associations(far.type_id, near.type_id)
    while first in taken or first + 1 in back:
        first += 2
    return AssociationType(first, USER_DEFINED, label, near.type_id, far.type_id, first + 1)


def _exported_label(
    schema: Schema, near: ObjectType, far: ObjectType, item: dict[str, Any], backward: list[dict[str, Any]]
) -> AssociationType:
    label = item.get("label")
    inverse = next((other["typeId"] for other in backward if other.get("label") == label), None)
    made = made_label(schema, near, far, label)
    return AssociationType(
        type_id=int(item["typeId"]),
        category=str(item.get("category", USER_DEFINED)),
        label=label,
        from_type=near.type_id,
        to_type=far.type_id,
        inverse=int(inverse) if inverse is not None else made.inverse,
        limit=item.get("maxToObjectIds"),
    )
