"""The shape of a portal file, table by table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from credsync.core.forms import CustomType, nearest
from credsync.core.portal import CONTACT, Kind


@dataclass(frozen=True, slots=True)
class PortalFault:
    """One thing wrong with a portal file: its key, what is wrong, and what to do.

    `about` are other keys it was concluded from, or the one that was probably meant: of two faults about one key the
    one between tables only follows from the one of its shape.
    """

    key: str
    message: str
    about: tuple[str, ...] = ()


KEY_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
ADDRESS_PATTERN = r"^https?://[^\s/]+(/[^\s]*)?$"
DIGITS_PATTERN = r"^[0-9]{1,20}$"
PROPERTY_PATTERN = r"^[a-z][a-z0-9_]{0,99}$"
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
_Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]


class Table(BaseModel):
    """A table that takes no unknown key."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HubSpotTable(Table):
    """`[hubspot]`"""

    base_url: Annotated[str, StringConstraints(pattern=ADDRESS_PATTERN)] = "https://api.hubapi.com"
    api_version: Literal["2026-09", "2026-03", "v3"] = "2026-09"
    portal_id: Annotated[str, StringConstraints(pattern=DIGITS_PATTERN)] | None = None
    calls_per_10s: Annotated[int, Field(ge=1, le=10_000)] = 190
    association_calls_per_10s: Annotated[int, Field(ge=1, le=10_000)] = 150
    association_calls_per_day: Annotated[int, Field(ge=1, le=100_000_000)] = 500_000
    daily_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    mode: Literal["write", "observe"] = "write"
    kind: Literal["production", "test"] | None = None

    @property
    def account_kind(self) -> Kind:
        """As the file says; else a HubSpot on loopback is the sandbox, and any other the real one."""
        if self.kind is not None:
            return Kind(self.kind)
        host = urlsplit(self.base_url).hostname or ""
        return Kind.SANDBOX if host in ("localhost", "::1") or host.startswith("127.") else Kind.PRODUCTION


class ObjectTable(Table):
    """`[objects.…]`"""

    name: _Name
    parent: _Key = CONTACT
    stamp: Annotated[str, StringConstraints(pattern=PROPERTY_PATTERN)] | None = None


class SlotTable(Table):
    """`[slots.…]`"""

    object: _Key
    label: _Name | None = None
    property: _Name | None = None
    value: str | None = None
    only: Literal[True] | None = None
    each: _Name | Annotated[list[_Name], Field(min_length=1, max_length=4)] | None = None
    awaited: Literal["always", "moving", "submitted", "never"] | None = None
    overdue_after: str | None = None


class RuleTable(Table):
    """One rule of `[definitive]`."""

    slot: _Key
    when: Literal["moving"] | None = None


class ContactTable(Table):
    """`[contact]`"""

    sync_url: _Name | None = None


class AttestationTable(Table):
    """`[attestation]`"""

    due_after: str | None = None


class CustomTable(Table):
    """One field of `[custom]`."""

    type: CustomType
    data_class: Literal["A", "B"] = Field(alias="class")


class WriteTable(Table):
    """`[[writes]]`"""

    form: Literal["sign_up", "ca", "af"]
    to: _Key
    each: str | None = None
    key: str | Annotated[list[str], Field(min_length=1, max_length=4)] | None = None
    fields: Annotated[dict[str, str], Field(min_length=1)]
    values: dict[str, dict[str, str]] = Field(default_factory=dict)


class PortalTables(Table):
    """The whole file."""

    hubspot: HubSpotTable = HubSpotTable()
    objects: dict[_Key, ObjectTable]
    slots: dict[_Key, SlotTable]
    definitive: dict[Literal["sign_up", "ca", "af"], list[RuleTable]] = Field(default_factory=dict)
    contact: ContactTable = ContactTable()
    attestation: AttestationTable = AttestationTable()
    custom: dict[_Key, CustomTable] = Field(default_factory=dict)
    writes: list[WriteTable] = Field(default_factory=list)


_TABLES: dict[str, type[Table]] = {
    "hubspot": HubSpotTable,
    "objects": ObjectTable,
    "slots": SlotTable,
    "definitive": RuleTable,
    "contact": ContactTable,
    "attestation": AttestationTable,
    "custom": CustomTable,
    "writes": WriteTable,
}


def table_at(place: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand in the table at a place of the file."""
    table = _TABLES[str(place[0])] if place else PortalTables
    return [field.alias or name for name, field in table.model_fields.items()]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest known name, to append; empty when none is near."""
    guess = nearest(name, known)
    return f" (did you mean {guess!r}?)" if guess else ""
