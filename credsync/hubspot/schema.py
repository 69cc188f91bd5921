"""What the portal calls things: object types, association labels, properties, the account itself.

The portal file gives names and labels, HubSpot their ids. What is named but not there is a finding, so that all of
them can be shown at once; only a call that failed is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from credsync.core.properties import Property
from credsync.core.value_rules import ValueRule
from credsync.core.verdicts import Effect
from credsync.hubspot import wire
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import Forbidden, HubSpotError, NotFound, Unauthorized, Unavailable
from credsync.hubspot.paths import CONTACT_TYPE, Route

CONTACT = "contact"
MOST_PAGES = 100
_CONTACT_NAMES = frozenset({"contact", "contacts", "CONTACT", CONTACT_TYPE})
_STANDARD_TYPE = re.compile(r"0-[0-9]+")


@dataclass(frozen=True, slots=True)
class WantedObject:
    """An object of the portal file: its key there, its name at HubSpot, and the key of what it hangs on."""

    key: str
    name: str
    parent_key: str = CONTACT


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An object type that was found, with the labels it can carry under its parent."""

    key: str
    name: str
    type_id: str
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Label to the ids of the association types that bear it, spelt as in `Association.type_ids`."""
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """Something of the portal file that HubSpot does not have, or does not show us."""

    key: str
    code: str
    message: str
    nearest: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PortalSchema:
    """All of it, by the keys of the portal file; `contact` is None when it was not asked for or not shown."""

    objects: Mapping[str, ObjectSchema]
    contact: Mapping[str, Property] | None = None
    faults: tuple[SchemaFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token this is."""

    portal_id: str
    ui_domain: str
    time_zone: str


async def read_schema(
    client: HubSpotClient,
    wanted: Sequence[WantedObject],
    *,
    contact_properties: bool = False,
    value_rules: bool = False,
) -> PortalSchema:
    """Look everything up: one call, then two per object found, three with the rules for its properties' values.

    Raises HubSpotError when HubSpot cannot be asked.
    """
    schemas = await every_page(client, client.routes.schemas())
    faults: list[SchemaFault] = []
    types = {CONTACT: CONTACT_TYPE}
    for each in wanted:
        type_id = type_id_of(each.name, schemas)
        if type_id is None:
            faults.append(_no_object(each, schemas))
        else:
            types[each.key] = type_id
    objects: dict[str, ObjectSchema] = {}
    for each in wanted:
        if each.key not in types:
            continue
        labels: Mapping[str, frozenset[str]] = {}
        if each.parent_key in types:
            route = client.routes.labels(types[each.parent_key], types[each.key])
            labels = _labels(await _shown(client, route, each.key, "labels", faults))
        route = client.routes.properties(types[each.key])
        properties = _properties(await _shown(client, route, each.key, "properties", faults))
        if properties and value_rules:
            properties = await _ruled(client, types[each.key], properties)
        objects[each.key] = ObjectSchema(each.key, each.name, types[each.key], labels, properties)
    contact: Mapping[str, Property] | None = None
    if contact_properties:
        found = await _shown(client, client.routes.properties(CONTACT_TYPE), CONTACT, "properties", faults)
        contact = _properties(found) or None
    return PortalSchema(objects, contact, tuple(faults))


async def account_details(client: HubSpotClient) -> Account:
    """The account behind the token; its time zone is kept in the client. Raises HubSpotError."""
    try:
        answer = await client.call(client.routes.account())
    except NotFound:
        answer = await client.call(client.routes.account_before_dates())
    portal = wire.record_id(answer.body.get("portalId"))
    if portal is None:
        raise Unavailable(
            "HubSpot's answer names no account",
            effect=Effect.NOT_SENT,
            code="garbled_answer",
            status=answer.status,
            correlation_id=answer.correlation_id,
        )
    zone = wire.word(answer.body.get("timeZone"))
    try:
        client.time_zone = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = zone or "UTC"
    return Account(portal, wire.word(answer.body.get("uiDomain")) or "app.hubspot.com", zone)


async def every_page(client: HubSpotClient, route: Route) -> list[dict[str, Any]]:
    """The entries of all pages of a list. Raises HubSpotError."""
    found: list[dict[str, Any]] = []
    params: dict[str, str] | None = None
    for _ in range(MOST_PAGES):
        answer = await client.call(route, params=params)
        results = answer.body.get("results")
        after = wire.next_page(answer.body)
        if not isinstance(results, list):
            break
        found += map(wire.mapping, results)
        if after is None:
            return found
        params = {"after": after}
    raise Unavailable(
        "HubSpot's answer is not the list it should be",
        effect=Effect.NOT_SENT,
        code="garbled_answer",
        status=answer.status,
        correlation_id=answer.correlation_id,
    )


async def _shown(
    client: HubSpotClient, route: Route, key: str, what: str, faults: list[SchemaFault]
) -> list[dict[str, Any]]:
    """A list of one object; that it is not there or not ours to see is a finding, not the end."""
    try:
        return await every_page(client, route)
    except (Forbidden, NotFound) as error:
        faults.append(SchemaFault(key, error.code, f"{what} of {key}: {error.message}", scopes=error.scopes))
        return []


async def _ruled(
    client: HubSpotClient, type_id: str, properties: Mapping[str, Property]
) -> dict[str, Property]:
    """The properties with what an administrator asks of their values; without it where HubSpot does not say.

    Nothing depends on it: a value that breaks a rule nobody knows is refused by HubSpot, and found then.
    """
    told: dict[str, tuple[ValueRule, ...]] = {}
    try:
        for each in await every_page(client, client.routes.value_rules(type_id)):
            entries = map(wire.mapping, wire.listing(each.get("propertyValidationRules")))
            told[wire.word(each.get("propertyName"))] = tuple(map(_rule, entries))
    except Unauthorized:
        raise
    except HubSpotError:
        return dict(properties)
    return {name: replace(each, rules=told.get(name, ())) for name, each in properties.items()}


def _rule(entry: Mapping[str, Any]) -> ValueRule:
    arguments = wire.listing(entry.get("ruleArguments"))
    told = tuple(each for each in arguments if isinstance(each, str)) if len(arguments) < 100 else ()
    return ValueRule(wire.word(entry.get("ruleType")), told, entry.get("shouldApplyNormalization") is True)


def type_id_of(name: str, schemas: Sequence[Mapping[str, Any]]) -> str | None:
    """The type id of what the portal file calls by name, fully qualified name or type id."""
    if name in _CONTACT_NAMES:
        return CONTACT_TYPE
    for spelling in ("objectTypeId", "fullyQualifiedName", "name"):
        for schema in schemas:
            if schema.get(spelling) == name and not schema.get("archived"):
                return wire.word(schema.get("objectTypeId")) or None
    return name if _STANDARD_TYPE.fullmatch(name) else None


def _no_object(wanted: WantedObject, schemas: Iterable[Mapping[str, Any]]) -> SchemaFault:
    names = [name for schema in schemas for name in wire.words(schema.get("name"))]
    message = f"HubSpot has no object type {wanted.name!r} that this token may see"
    return SchemaFault(wanted.key, "unknown_object", message, nearest(wanted.name, names))


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names most like this one, for a remedy."""
    spellings = {each.lower(): each for each in sorted(known, reverse=True)}
    return tuple(spellings[each] for each in get_close_matches(name.lower(), spellings, n=3, cutoff=0.5))


def _labels(results: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for each in results:
        label = each.get("label")
        key = wire.type_key(each.get("category"), each.get("typeId"))
        if isinstance(label, str) and label and key is not None:
            found[label] = found.get(label, frozenset()) | {key}
    return found


def _properties(results: Iterable[Mapping[str, Any]]) -> dict[str, Property]:
    read = (_property(each) for each in results if not each.get("archived"))
    return {each.name: each for each in read if each.name}


def _property(entry: Mapping[str, Any]) -> Property:
    options = (wire.mapping(each).get("value") for each in wire.listing(entry.get("options")))
    fixed = wire.mapping(entry.get("modificationMetadata")).get("readOnlyValue") is True
    return Property(
        wire.word(entry.get("name")),
        wire.word(entry.get("type")),
        wire.word(entry.get("fieldType")),
        frozenset(each for each in options if isinstance(each, str)),
        fixed or entry.get("calculated") is True,
    )
