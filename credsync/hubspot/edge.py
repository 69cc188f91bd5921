"""A portal as a running process holds it: its file, its client, and what HubSpot calls things there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credsync.core.denials import FORBIDDEN, Denied, Verb
from credsync.core.portal import CONTACT, ByEach, ByLabel, ByProperty, Portal
from credsync.core.properties import Property
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import Forbidden, HubSpotError, Unauthorized
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.hubspot.schema import (
    Account,
    ObjectSchema,
    PortalSchema,
    SchemaFault,
    WantedObject,
    account_details,
    read_schema,
)

FRESH_FOR = timedelta(minutes=15)
"""How long object types, labels and properties are believed before they are read again."""
DOUBTED_AFTER = timedelta(seconds=2)
"""How old they are at least when a refusal makes them be read again."""
_ASKED_AGAIN_AFTER = timedelta(minutes=1)
"""Names that HubSpot does not tell now go on serving, and are asked for again after this."""


class PortalUnusable(Exception):
    """Rounds cannot run: the message says why, for people, with the remedy. `code` is that of a call that failed."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Names:
    """What HubSpot calls the portal file's things: ids of object types and labels, properties with their types."""

    schema: PortalSchema
    account: Account | None
    read_at: datetime
    hidden: frozenset[str] = frozenset()
    """Object types whose labels or properties HubSpot does not show now."""
    denied: tuple[Denied, ...] = ()
    """Those of them of which nothing is known from before either: they cannot be looked at."""

    def type_id(self, object_key: str) -> str:
        """An object type's id; the contact's own for `contact`."""
        return CONTACT_TYPE if object_key == CONTACT else self.schema.objects[object_key].type_id

    def labels(self, object_key: str, type_ids: frozenset[str]) -> frozenset[str]:
        """The labels that these association types bear under the object's parent."""
        known = self.schema.objects[object_key].labels
        return frozenset(label for label, ids in known.items() if ids & type_ids)

    @property
    def known_objects(self) -> Mapping[str, ObjectSchema]:
        """Object types by key, but for those of which nothing but the id is known."""
        unknown = {each.object for each in self.denied}
        return {key: found for key, found in self.schema.objects.items() if key not in unknown}

    @property
    def properties(self) -> Mapping[str, Mapping[str, Property]]:
        """Properties by object key and name."""
        return {key: item.properties for key, item in self.schema.objects.items()}


class Edge:
    """One portal's edge to HubSpot. `names`, unless they are given, are read at first use; they are kept fresh."""

    def __init__(self, portal: Portal, client: HubSpotClient, names: Names | None = None) -> None:
        self.portal = portal
        self.client = client
        self._names = names
        self._kept: Names | None = None
        self._doubted = False

    def fall_back_on(self, kept: Names | None) -> None:
        """What was known before this process began: it serves for what HubSpot hides."""
        self._kept = kept

    async def names(self, now: datetime) -> Names:
        """What HubSpot calls things, at most `FRESH_FOR` old. Raises `PortalUnusable`.

        When HubSpot cannot be asked, names read before go on serving; of what it hides, also those that were kept.
        """
        known = self._names
        if known is not None and now - known.read_at < FRESH_FOR and not self.in_doubt(now):
            return known
        self._doubted = False
        try:
            found = await self._read(now)
        except HubSpotError as error:
            known = known or (self._kept if isinstance(error, Forbidden) else None)
            if known is None or isinstance(error, Unauthorized):
                raise PortalUnusable(f"HubSpot cannot be asked: {error.message}", error.code) from None
        else:
            known = found
            if not found.hidden - {each.object for each in found.denied}:
                self._names = found
                return found
        self._names = replace(known, read_at=now - FRESH_FOR + _ASKED_AGAIN_AFTER)
        return self._names

    async def _read(self, now: datetime) -> Names:
        before = self._names or self._kept
        return await read_names(
            self.portal, self.client, now, value_rules=True, before=before, without_hidden=True
        )

    @property
    def known_names(self) -> Names | None:
        """What was last read and is believed still."""
        return self._names

    async def names_now(self, now: datetime, known: Names, soonest: timedelta) -> Names:
        """What HubSpot calls things at this moment; `known` if that was read so soon before, or it cannot be asked."""
        if now - known.read_at < soonest:
            return known
        try:
            self._names = await self._read(now)
            self._doubted = False
        except (HubSpotError, PortalUnusable):
            return known
        return self._names

    def doubt(self) -> None:
        """HubSpot knew something of a property that we did not: read the names again soon; until then they serve."""
        self._doubted = True

    def in_doubt(self, now: datetime) -> bool:
        """Whether the names had better be read again now."""
        known = self._names
        return self._doubted and known is not None and now - known.read_at >= DOUBTED_AFTER

    def stale(self) -> None:
        """Read the names again before the next round: HubSpot knew something we did not."""
        self._names = None


async def read_names(
    portal: Portal,
    client: HubSpotClient,
    now: datetime,
    *,
    value_rules: bool = False,
    before: Names | None = None,
    without_hidden: bool = False,
) -> Names:
    """Ask HubSpot for everything the portal file names; for the rules for values only where they will be sent.

    With `without_hidden`, an object type that HubSpot hides is no fault of the portal: it is as it was `before`, or
    denied.

    Raises `PortalUnusable` for what rounds cannot do without (object types, labels, the account), `HubSpotError`
    when it cannot be asked.
    """
    wanted = [WantedObject(o.key, o.name, o.parent) for o in portal.objects.values()]
    contact = portal.sync_url is not None
    schema = await read_schema(client, wanted, contact_properties=contact, value_rules=value_rules)
    hidden = {f.key: f for f in schema.faults if f.code in FORBIDDEN and f.key in portal.objects}
    if not without_hidden:
        hidden = {}
    known = before.known_objects if before is not None else {}
    denied = tuple(Denied(key, Verb.READ, f.scopes) for key, f in hidden.items() if key not in known)
    as_before = {key: known[key] for key in hidden if key in known}
    shown = replace(
        schema,
        objects={key: found for key, found in schema.objects.items() if key not in hidden},
        faults=tuple(f for f in schema.faults if f.key not in hidden),
    )
    faults = name_faults(portal, shown)
    if faults:
        code = next((f.code for f in faults if f.code in FORBIDDEN), "")
        raise PortalUnusable("; ".join(f"{f.key}: {f.message}" for f in faults), code)
    account = await read_account(portal, client)
    return Names(
        replace(schema, objects={**schema.objects, **as_before}), account, now, frozenset(hidden), denied
    )


async def read_account(portal: Portal, client: HubSpotClient) -> Account | None:
    """The token's account; None where HubSpot does not tell. Raises `PortalUnusable` if it is not the file's."""
    try:
        account = await account_details(client)
    except Unauthorized:
        raise
    except HubSpotError:
        return None
    expected = portal.hubspot.portal_id
    if expected is not None and account.portal_id != expected:
        raise PortalUnusable(
            f"the token belongs to HubSpot account {account.portal_id}, the portal file says {expected}: "
            "use that account's token, or correct portal_id"
        )
    return account


def name_faults(portal: Portal, schema: PortalSchema) -> list[SchemaFault]:
    """What a portal cannot run without and HubSpot does not have: object types, labels, the properties of slots."""
    faults = [f for f in schema.faults if f.key in portal.objects]
    for rule in portal.slots.values():
        found = schema.objects.get(rule.object)
        if found is None:
            continue
        where = f"slots.{rule.key}"
        if isinstance(rule.marker, ByLabel) and rule.marker.label not in found.labels:
            known = ", ".join(sorted(found.labels)) or "none"
            message = (
                f"no association label {rule.marker.label!r} leads to {rule.object} (labels there: {known})"
            )
            faults.append(
                SchemaFault(where, "no_such_label", f"{message}; make it in HubSpot or correct the file")
            )
        names = (
            rule.marker.properties
            if isinstance(rule.marker, ByEach)
            else (rule.marker.name,)
            if isinstance(rule.marker, ByProperty)
            else ()
        )
        faults += [
            SchemaFault(
                where, "no_such_property", f"{rule.object} has no property {name!r}; correct the file"
            )
            for name in names
            if name not in found.properties
        ]
    return faults
