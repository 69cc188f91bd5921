"""A portal as HubSpot has it: the token and its account, what it may see, object types, labels, properties, the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

from credsync.core.denials import FORBIDDEN, OVER_FOR_TODAY, UNAUTHORIZED
from credsync.core.observations import NotSeen
from credsync.core.portal import CONTACT, Portal
from credsync.hubspot.associations import read_associations
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge, name_faults
from credsync.hubspot.errors import Forbidden, HubSpotError, NotFound, Unauthorized
from credsync.hubspot.objects import NotRead, batch_read
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.hubspot.schema import PortalSchema, WantedObject, account_details, read_schema
from credsync.operate.doctor_mapping import examine_mapping
from credsync.operate.findings import Finding, advice, failing, ok
from credsync.operate.limits import examine_limits
from credsync.settings import SettingsError
from credsync.store.clock import Clock

CLOCK_TOLERANCE = 30.0
"""Seconds by which this machine's clock may differ from HubSpot's."""
_NOBODY = "1"
"""An id to ask after that is hardly anybody's: only whether the question is allowed counts."""
_STOPPING = frozenset({UNAUTHORIZED, "rate_limited", OVER_FOR_TODAY, "unreachable", "timeout"})


async def examine_portal(portal: Portal, edge_of: Callable[[Portal], Edge], clock: Clock) -> list[Finding]:
    """Everything HubSpot can say about a portal file, by reading alone. A few calls per object type."""
    name = f"portal {portal.name}"
    try:
        edge = edge_of(portal)
    except SettingsError as error:
        return [failing(f"{name}: token", str(error), "give the service the portal's token")]
    except ValueError:
        message = "The token is empty or holds a character that no token has."
        return [
            failing(f"{name}: token", message, "copy it anew from HubSpot, without blanks or line breaks")
        ]
    async with edge.client as client:
        findings, goes_on = await _account(portal, client)
        if not goes_on:
            return findings
        findings += await _clock(name, client, clock)
        findings += await _schema(portal, client)
        return [*findings, *examine_limits(portal, client)]


async def _account(portal: Portal, client: HubSpotClient) -> tuple[list[Finding], bool]:
    """Whose token it is, and whether there is any use in asking on."""
    token, of_account = f"portal {portal.name}: token", f"portal {portal.name}: account"
    try:
        account = await account_details(client)
    except Unauthorized:
        remedy = f"make a new token in HubSpot and set CREDSYNC_HUBSPOT_TOKEN_{_variable(portal)}"
        message = "HubSpot does not accept the token (401), so nothing more can be asked."
        return [failing(token, message, remedy)], False
    except (Forbidden, NotFound) as error:
        note = f"HubSpot does not say whose token this is: {error.message}."
        remedy = "none is needed, but links to HubSpot's pages are missing and portal_id is not compared"
        return [ok(token, "HubSpot accepts the token."), advice(of_account, note, remedy)], True
    except HubSpotError as error:
        if error.code in _STOPPING:
            return [_not_asked(f"portal {portal.name}: HubSpot", error)], False
        note = f"HubSpot does not say whose token this is: {error.message}."
        return [advice(of_account, note, "run `credsync doctor` again later")], True
    accepted = ok(token, "HubSpot accepts the token.")
    expected = portal.hubspot.portal_id
    if expected is None:
        message = f"The token belongs to HubSpot account {account.portal_id}; the portal file names none."
        remedy = f'set portal_id = "{account.portal_id}" under [hubspot], so that a wrong token is noticed'
        return [accepted, advice(of_account, message, remedy)], True
    if expected != account.portal_id:
        message = (
            f"The token belongs to HubSpot account {account.portal_id}, the portal file says {expected}."
        )
        return [
            accepted,
            failing(of_account, message, f"use a token of account {expected}, or correct portal_id"),
        ], True
    return [accepted, ok(of_account, f"The token belongs to HubSpot account {account.portal_id}.")], True


async def _clock(name: str, client: HubSpotClient, clock: Clock) -> list[Finding]:
    """How far this machine's clock is from HubSpot's; no finding where HubSpot sends no time."""
    try:
        answer = await client.call(client.routes.schemas())
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except (HubSpotError, ValueError):
        return []
    return [clock_finding(f"{name}: clock", clock.now(), theirs)]


def clock_finding(name: str, ours: datetime, theirs: datetime) -> Finding:
    """What the difference of two clocks means; HubSpot's has whole seconds."""
    apart = (ours - theirs).total_seconds()
    if abs(apart) <= CLOCK_TOLERANCE:
        return ok(name, "This machine's clock agrees with HubSpot's.")
    word = "ahead of" if apart > 0 else "behind"
    return advice(
        name,
        f"This machine's clock is {abs(apart):.0f} s {word} HubSpot's.",
        "let the machine set its clock by NTP; lateness and webhook signatures are judged by it",
    )


async def _schema(portal: Portal, client: HubSpotClient) -> list[Finding]:
    name = f"portal {portal.name}: object types"
    wanted = [WantedObject(o.key, o.name, o.parent) for o in portal.objects.values()]
    try:
        schema = await read_schema(client, wanted, contact_properties=portal.sync_url is not None)
    except Forbidden as error:
        return [_not_allowed(name, "Object types cannot be read", error.message, error.scopes)]
    except HubSpotError as error:
        return [_not_asked(name, error)]
    return [
        *_object_types(portal, schema),
        *await _reading(portal, client, schema),
        *examine_mapping(portal, schema),
    ]


def _object_types(portal: Portal, schema: PortalSchema) -> list[Finding]:
    """Object types, labels and the properties that tell slots apart; what may not be seen is said once."""
    name = f"portal {portal.name}"
    hidden = {fault.key for fault in schema.faults if fault.scopes or fault.code in FORBIDDEN}
    findings: list[Finding] = []
    for fault in name_faults(portal, schema):
        slot = portal.slots.get(fault.key.removeprefix("slots."))
        if fault.key in hidden:
            findings.append(
                _not_allowed(f"{name}: {fault.key}", "HubSpot hides it", fault.message, fault.scopes)
            )
        elif slot is None or slot.object not in hidden:
            meant = f" Nearest there: {', '.join(fault.nearest)}." if fault.nearest else ""
            remedy = f"correct [{fault.key}] in the portal file, or make it in HubSpot"
            if slot is None:
                remedy = f"correct [objects.{fault.key}] in the portal file, or let the token see it"
            message = f"{fault.message[:1].upper()}{fault.message[1:].rstrip('.')}."
            findings.append(failing(f"{name}: {fault.key}", f"{message}{meant}", remedy))
    findings += [
        _not_allowed(f"{name}: contact", "HubSpot hides it", fault.message, fault.scopes)
        for fault in schema.faults
        if fault.key == CONTACT
    ]
    if not findings:
        told = f"All {len(portal.objects)} object types and {len(portal.slots)} slots are there."
        findings.append(ok(f"{name}: object types", told))
    return findings


async def _reading(portal: Portal, client: HubSpotClient, schema: PortalSchema) -> list[Finding]:
    """Whether associations and records may be read: asked after somebody who is not there."""
    name = f"portal {portal.name}: scopes"
    refused: dict[str, None] = {}
    types = {CONTACT: CONTACT_TYPE, **{key: found.type_id for key, found in schema.objects.items()}}
    for key, found in schema.objects.items():
        parent = portal.objects[key].parent
        if parent in types:
            seen = (await read_associations(client, types[parent], found.type_id, [_NOBODY]))[_NOBODY]
            if isinstance(seen, NotSeen) and seen.code in FORBIDDEN:
                refused.setdefault(f"associations from {parent} to {key}: {seen.message}")
        reading = (await batch_read(client, found.type_id, [_NOBODY], ()))[_NOBODY]
        if isinstance(reading, NotRead) and reading.code in FORBIDDEN:
            refused.setdefault(f"records of {key}: {reading.message}")
    if refused:
        remedy = "give the token the scopes named (docs/configuration.md lists all of them)"
        return [failing(name, f"HubSpot does not let the token read {'; '.join(refused)}.", remedy)]
    if not schema.objects:
        return []
    told = "The token may read associations and records. Whether it may write shows at the first write."
    return [ok(name, told)]


def _not_allowed(name: str, what: str, message: str, scopes: tuple[str, ...]) -> Finding:
    remedy = (
        f"give the token {', '.join(scopes)}"
        if scopes
        else "give the token the scopes that docs/configuration.md lists"
    )
    return failing(name, f"{what}: {message}.", remedy)


_WHEN_NOT_ASKED = {
    OVER_FOR_TODAY: (
        "look in HubSpot at which app used the day's calls up, and run `credsync doctor` again after the account's "
        "midnight; rounds go on by themselves then"
    ),
    "rate_limited": "run `credsync doctor` again in a minute; other apps of the account may be calling just now",
    "server_error": "look at https://status.hubspot.com, then run `credsync doctor` again",
}
"""What to do where HubSpot answers but tells nothing; otherwise the way to it is in doubt."""


def _not_asked(name: str, error: HubSpotError) -> Finding:
    way = "check base_url and the way to HubSpot (proxy, firewall), then run `credsync doctor` again"
    return failing(name, f"HubSpot cannot be asked: {error.message}.", _WHEN_NOT_ASKED.get(error.code, way))


def _variable(portal: Portal) -> str:
    return portal.name.upper().replace("-", "_")
