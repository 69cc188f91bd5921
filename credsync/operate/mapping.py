"""A portal's mapping as a tree: which records are looked for under the contact, and what is written to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from credsync.core.durations import say_duration
from credsync.core.phrases import phrase
from credsync.core.portal import (
    CONTACT,
    DEFINITIVE,
    ByEach,
    ByLabel,
    ByProperty,
    Marker,
    Portal,
    SlotRule,
    WriteMap,
)
from credsync.hubspot.edge import Names
from credsync.operate.kept_names import kept_names


def mapping_tree(connection: Connection, portal: Portal, now: datetime) -> dict[str, Any]:
    """`{names_known, objects: [{key, name, parent, slots: [{key, marker, awaited, missing, writes: [{form, fields:
    [{property, path, missing}]}]}]}]}`. `missing` is true for what HubSpot did not have when its names were last read.
    """
    names = kept_names(connection, portal, now)
    return {
        "names_known": names is not None,
        "objects": [
            {
                "key": key,
                "name": each.name,
                "parent": "contact" if each.parent == CONTACT else each.parent,
                "slots": [_slot(portal, rule, names) for rule in portal.rules_of(key)],
            }
            for key, each in portal.objects.items()
        ],
    }


def _slot(portal: Portal, rule: SlotRule, names: Names | None) -> dict[str, Any]:
    return {
        "key": rule.key,
        "marker": _say_marker(rule.marker),
        "awaited": rule.awaited.value,
        "overdue_after": say_duration(rule.overdue_after) if rule.overdue_after is not None else None,
        "missing": _label_missing(rule, names),
        "writes": [_write(each, rule, names) for each in portal.writes if _goes_to(portal, each, rule)],
    }


def _goes_to(portal: Portal, write: WriteMap, rule: SlotRule) -> bool:
    if write.to != DEFINITIVE:
        return write.to == rule.key
    return any(each.slot == rule.key for each in portal.rules(write.form))


def _write(write: WriteMap, rule: SlotRule, names: Names | None) -> dict[str, Any]:
    known: Mapping[str, object] | None = names.properties[rule.object] if names is not None else None
    return {
        "form": write.form,
        "definitive": write.to == DEFINITIVE,
        "each": write.each,
        "fields": [
            {"property": name, "path": path, "missing": known is not None and name not in known}
            for name, path in write.fields.items()
        ],
    }


def _label_missing(rule: SlotRule, names: Names | None) -> bool:
    if names is None or not isinstance(rule.marker, ByLabel):
        return False
    return rule.marker.label not in names.schema.objects[rule.object].labels


def _say_marker(marker: Marker) -> str:
    match marker:
        case ByLabel():
            return phrase("label “{label}”", label=marker.label)
        case ByProperty():
            return f"{marker.name} = {marker.value}"
        case ByEach():
            return phrase("one per {properties}", properties=list(marker.properties))
        case _:
            return phrase("the only record of its type")
