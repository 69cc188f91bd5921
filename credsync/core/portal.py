"""One HubSpot account as its portal file describes it: objects, slots, rules and the allow-list of writes.

All names of a portal live in these values; ids HubSpot gave them are looked up at start and live in
`credsync.hubspot.schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from credsync.core.forms import CustomField, FormName

CONTACT = "contact"
"""The key of the contact among a portal's object types."""

DEFINITIVE = "definitive"
"""The target of a write that a rule chooses; also the slot shown while that choice is not yet possible."""


ATTESTATION_DUE_AFTER = timedelta(days=120)
"""How long after an attestation the next one is due, where the portal file does not say (domain.md, fields)."""


class Mode(StrEnum):
    WRITE = "write"
    OBSERVE = "observe"


class Awaited(StrEnum):
    """When an empty slot is waited for."""

    ALWAYS = "always"
    MOVING = "moving"
    SUBMITTED = "submitted"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A custom object; `parent` is the key of the object it hangs on (`contact` or another object).

    `stamp` is the property that tells which submission a record shows, if there is one.
    """

    key: str
    name: str
    parent: str
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class ByLabel:
    """The slot's record is the one associated with this label."""

    label: str


@dataclass(frozen=True, slots=True)
class ByProperty:
    """The slot's record is the one whose property has this value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ByOnly:
    """The slot's record is the only one of its type."""


@dataclass(frozen=True, slots=True)
class ByEach:
    """One slot per value of these properties: `license.NY`, `license.NY.PT`."""

    properties: tuple[str, ...]


Marker = ByLabel | ByProperty | ByOnly | ByEach


@dataclass(frozen=True, slots=True)
class SlotRule:
    """A `[slots.…]` table: which record takes the slot, and when an empty one is waited for."""

    key: str
    object: str
    marker: Marker
    awaited: Awaited
    overdue_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DefinitiveRule:
    """One rule of `[definitive]`: holds always, or only `when` the therapist is moving."""

    slot: str
    when: str | None = None

    @property
    def name(self) -> str:
        """The rule as stored on a write: `moving` or `always`."""
        return self.when or "always"


@dataclass(frozen=True, slots=True)
class WriteMap:
    """A `[[writes]]` table. `fields` maps a HubSpot property to a path; with `each`, paths start at the item."""

    form: FormName
    to: str
    fields: Mapping[str, str]
    each: str | None = None
    key: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Kind(StrEnum):
    """What a portal is to its team."""

    PRODUCTION = "production"
    TEST = "test"
    SANDBOX = "sandbox"
    """The stand-in on loopback."""


@dataclass(frozen=True, slots=True)
class HubSpotAccount:
    """The `[hubspot]` table; limits are calls per rolling 10 s.

    `daily_share` is the part of the account's daily calls that credsync may make.
    """

    base_url: str
    api_version: str
    portal_id: str | None
    calls_per_10s: int
    association_calls_per_10s: int
    mode: Mode
    association_calls_per_day: int = 500_000
    daily_share: float = 1.0
    kind: Kind = Kind.PRODUCTION


@dataclass(frozen=True, slots=True)
class Portal:
    """A whole portal file. `digest` changes whenever a byte of the file does."""

    name: str
    hubspot: HubSpotAccount
    objects: Mapping[str, ObjectType]
    slots: Mapping[str, SlotRule]
    definitive: Mapping[str, tuple[DefinitiveRule, ...]]
    writes: tuple[WriteMap, ...]
    custom: Mapping[str, CustomField]
    sync_url: str | None
    digest: str
    attestation_due_after: timedelta = ATTESTATION_DUE_AFTER

    def rules(self, form: FormName) -> tuple[DefinitiveRule, ...]:
        """The definitive rules of a form; a form without rules of its own uses ca's."""
        return self.definitive.get(form) or self.definitive.get("ca", ())

    def slot_rule(self, slot: str) -> SlotRule | None:
        """The rule behind a slot or one of its instances: `license.NY.PT` is judged by `license`."""
        return self.slots.get(slot.split(".", 1)[0])

    def instance_values(self, slot: str) -> tuple[str, ...]:
        """The property values an instance's name holds: `license.NY.PT` gives `("NY", "PT")`."""
        return tuple(slot.split(".")[1:])

    def rules_of(self, object_key: str) -> tuple[SlotRule, ...]:
        """All slots kept by records of one object type, in the file's order."""
        return tuple(rule for rule in self.slots.values() if rule.object == object_key)

    def maps_of(self, form: str) -> tuple[WriteMap, ...]:
        """All `[[writes]]` a form feeds."""
        return tuple(m for m in self.writes if m.form == form)


def id_key(slot: str) -> str:
    """A slot's key in the status' `ids`: `license.NY` gives `license_ny_id`.

    >>> id_key("license.NY")
    'license_ny_id'
    """
    return slot.replace(".", "_").lower() + "_id"


def written_objects(portal: Portal, write: WriteMap) -> list[str]:
    """The objects whose records a `[[writes]]` table may go to."""
    targets = [rule.slot for rule in portal.rules(write.form)] if write.to == DEFINITIVE else [write.to]
    return list(dict.fromkeys(portal.slots[slot].object for slot in targets))


def mapped_properties(portal: Portal) -> list[tuple[str, str]]:
    """Every (object key, property) that a field is mapped to, once."""
    every = (
        (key, name)
        for write in portal.writes
        for key in written_objects(portal, write)
        for name in write.fields
    )
    return list(dict.fromkeys(every))


def stamp_properties(portal: Portal) -> list[tuple[str, str]]:
    """Every (object key, property) that is a stamp."""
    return [(key, each.stamp) for key, each in portal.objects.items() if each.stamp is not None]
