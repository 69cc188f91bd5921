"""What HubSpot calls a portal's things, kept in the database: whoever asks a question need not read it first.

Only what the portal file names is kept. It serves the portal file it was read for, and for a day: rounds read it
again every few minutes while there is something to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from credsync.core.differences import mapped_properties
from credsync.core.portal import Portal, stamp_properties
from credsync.core.properties import Property
from credsync.core.slots import properties_needed
from credsync.core.value_rules import ValueRule
from credsync.hubspot.edge import Names
from credsync.hubspot.schema import Account, ObjectSchema, PortalSchema
from credsync.store import portals
from credsync.store.clock import say_time

SERVES_FOR = timedelta(days=1)


def keep_names(connection: Connection, portal: Portal, names: Names) -> None:
    """Store what was just read, and the account for record links; names that lack an object type replace none."""
    account = names.account
    if account is not None:
        types = {key: item.type_id for key, item in names.schema.objects.items()}
        portals.set_account(connection, portal.name, account.portal_id, account.ui_domain, types)
    if not names.denied:
        portals.set_names(connection, portal.name, _as_json(portal, names))


def kept_names(
    connection: Connection, portal: Portal, now: datetime, serves_for: timedelta = SERVES_FOR
) -> Names | None:
    """What was stored last for this very portal file, if it still serves; `read_at` is then `now`."""
    told = portals.names_of(connection, portal.name)
    if told is None or told["digest"] != portal.digest:
        return None
    if not timedelta(0) <= now - datetime.fromisoformat(told["read_at"]) < serves_for:
        return None
    account = Account(**told["account"]) if told["account"] is not None else None
    objects = {key: _object(key, each) for key, each in told["objects"].items()}
    return Names(PortalSchema(objects), account, now)


def kept_time_zone(connection: Connection, portal_name: str) -> str:
    """The account's time zone as it was told last; empty before it ever was."""
    told = portals.names_of(connection, portal_name)
    account = told["account"] if told is not None else None
    return str(account["time_zone"]) if account is not None else ""


def _as_json(portal: Portal, names: Names) -> dict[str, Any]:
    account = names.account
    return {
        "digest": portal.digest,
        "read_at": say_time(names.read_at),
        "account": None
        if account is None
        else {
            "portal_id": account.portal_id,
            "ui_domain": account.ui_domain,
            "time_zone": account.time_zone,
        },
        "objects": {key: _object_json(portal, each) for key, each in names.schema.objects.items()},
    }


def _object_json(portal: Portal, found: ObjectSchema) -> dict[str, Any]:
    used = {name for rule in portal.rules_of(found.key) for name in mapped_properties(portal, rule.key)}
    used.update(properties_needed(portal, found.key))
    used.update(name for key, name in stamp_properties(portal) if key == found.key)
    return {
        "name": found.name,
        "type_id": found.type_id,
        "labels": {label: sorted(ids) for label, ids in found.labels.items()},
        "properties": [
            [
                each.name,
                each.type,
                each.field_type,
                sorted(each.options),
                each.read_only,
                [[rule.kind, rule.arguments, rule.normalizes] for rule in each.rules],
            ]
            for name, each in found.properties.items()
            if name in used
        ],
    }


def _object(key: str, told: Mapping[str, Any]) -> ObjectSchema:
    properties = map(_property, told["properties"])
    labels = {label: frozenset(ids) for label, ids in told["labels"].items()}
    return ObjectSchema(key, told["name"], told["type_id"], labels, {each.name: each for each in properties})


def _property(told: Sequence[Any]) -> Property:
    """As it was stored, with or without rules: an older release stored none."""
    name, type_, field_type, options, read_only, *rules = told
    kept = tuple(
        ValueRule(kind, tuple(arguments), normalizes)
        for kind, arguments, normalizes in (rules[0] if rules else ())
    )
    return Property(name, type_, field_type, frozenset(options), read_only, kept)
