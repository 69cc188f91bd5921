"""What HubSpot's webhooks tell, read off a parsed body: which records something happened to, never a value of theirs.

An app's webhook is an array of at most 100 events; a workflow's is one object about the record that was enrolled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from credsync.core.forms import Fault

MOST_EVENTS: Final = 100
CONTACT_TYPE_ID: Final = "0-1"
_MOST_IDS: Final = 100
"""Records that one merge may name."""
_ID = re.compile(r"[0-9]{1,32}")
_TYPE_ID = re.compile(r"[0-9]+-[0-9]+")
_ENROLLED: Final = ("hs_object_id", "vid", "objectId", "contact_id")
"""Under which a workflow's body names the record that was enrolled: the record id, or the contact's old name."""


class Happening(StrEnum):
    """What an event tells of."""

    CREATED = "creation"
    RESTORED = "restore"
    DELETED = "deletion"
    MERGED = "merge"
    CHANGED = "propertyChange"
    ASSOCIATED = "associationChange"
    ENROLLED = "enrolled"
    """A workflow says that it is done with a record."""


_KINDS: Final[Mapping[str, Happening]] = {
    **{each.value: each for each in Happening if each is not Happening.ENROLLED},
    "privacyDeletion": Happening.DELETED,
}
_IDS: Final[Mapping[Happening, tuple[str, ...]]] = {
    Happening.ASSOCIATED: ("fromObjectId", "toObjectId"),
    Happening.MERGED: ("primaryObjectId", "newObjectId"),
}


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing that happened. `ids` are all records it names, `type_ids` the object types it names."""

    happening: Happening
    ids: tuple[str, ...]
    type_ids: frozenset[str] = frozenset()
    property_name: str | None = None
    portal_id: str | None = None

    @property
    def about_contact(self) -> bool:
        """Whether it happened to a contact."""
        return CONTACT_TYPE_ID in self.type_ids


def webhook_path(portal: str) -> str:
    """Where HubSpot is to send a portal's webhooks, below `public_url`."""
    return f"/v1/webhooks/hubspot/{quote(portal)}"


def read_events(body: Any) -> tuple[list[WebhookEvent], list[Fault]]:
    """The events of a parsed body, and every fault. Events of a kind that credsync does not know are left out."""
    if isinstance(body, dict):
        return _enrolment(body)
    if not isinstance(body, list):
        return [], [Fault("", "wrong_type", "must be a list of events, or the object of a workflow")]
    if len(body) > MOST_EVENTS:
        return [], [Fault("", "too_many", f"must hold at most {MOST_EVENTS} events")]
    events: list[WebhookEvent] = []
    faults: list[Fault] = []
    for place, told in enumerate(body):
        event, wrong = _event(told)
        faults += [Fault(f"[{place}]{'.' if f.path else ''}{f.path}", f.code, f.message) for f in wrong]
        if event is not None:
            events.append(event)
    return events, faults


def _event(told: Any) -> tuple[WebhookEvent | None, list[Fault]]:
    if not isinstance(told, dict):
        return None, [Fault("", "wrong_type", "must be an object")]
    faults: list[Fault] = []
    kind = told.get("subscriptionType")
    if not isinstance(kind, str):
        faults.append(_fault("subscriptionType", kind, "a text"))
    portal_id = _one_id(told, "portalId", faults, required=True)
    happening = _happening(kind)
    if happening is None:
        return None, faults
    names = _IDS.get(happening, ("objectId",))
    ids = [_one_id(told, name, faults, required=happening is not Happening.MERGED) for name in names]
    if happening is Happening.MERGED:
        ids += [_one_id(told, "objectId", faults), *_merged_ids(told, faults)]
    types = [_type_id(told, name, faults) for name in ("objectTypeId", "fromObjectTypeId", "toObjectTypeId")]
    if str(kind).startswith("contact."):
        types.append(CONTACT_TYPE_ID)
    changed = told.get("propertyName")
    if happening is Happening.CHANGED and not isinstance(changed, str):
        faults.append(_fault("propertyName", changed, "a text"))
    if faults:
        return None, faults
    named = tuple(dict.fromkeys(each for each in ids if each is not None))
    type_ids = frozenset(each for each in types if each is not None)
    return WebhookEvent(happening, named, type_ids, changed, portal_id), []


def _happening(kind: object) -> Happening | None:
    """`object.…` of any type, `contact.…` in the older spelling; other words are about things that are not ours."""
    area, _, what = str(kind).partition(".")
    return _KINDS.get(what) if area in ("object", "contact") else None


def _enrolment(told: Mapping[str, Any]) -> tuple[list[WebhookEvent], list[Fault]]:
    faults: list[Fault] = []
    portal_id = _one_id(told, "portal-id", faults) or _one_id(told, "portalId", faults)
    ids = [_one_id(told, name, faults) for name in _ENROLLED]
    found = tuple(dict.fromkeys(each for each in ids if each is not None))
    if not found and not faults:
        faults.append(Fault("hs_object_id", "missing", "is required: the record id of what was enrolled"))
    type_id = _type_id(told, "objectTypeId", faults)
    if faults:
        return [], faults
    types = frozenset() if type_id is None else frozenset({type_id})
    return [WebhookEvent(Happening.ENROLLED, found, types, None, portal_id)], faults


def _one_id(told: Mapping[str, Any], name: str, faults: list[Fault], *, required: bool = False) -> str | None:
    """An id as HubSpot tells it: a whole number, or a text of digits."""
    value = told.get(name)
    if value is None:
        if required:
            faults.append(_fault(name, None, "an id"))
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _ID.fullmatch(text):
        return text
    wrong = "invalid_id" if isinstance(text, str) else "wrong_type"
    faults.append(Fault(name, wrong, "must be an id of 1 to 32 digits"))
    return None


def _merged_ids(told: Mapping[str, Any], faults: list[Fault]) -> Iterator[str | None]:
    merged = told.get("mergedObjectIds", [])
    if not isinstance(merged, list):
        faults.append(_fault("mergedObjectIds", merged, "a list"))
    elif len(merged) > _MOST_IDS:
        faults.append(Fault("mergedObjectIds", "too_many", f"must hold at most {_MOST_IDS} ids"))
    else:
        for place, each in enumerate(merged):
            yield _one_id({f"mergedObjectIds[{place}]": each}, f"mergedObjectIds[{place}]", faults)


def _type_id(told: Mapping[str, Any], name: str, faults: list[Fault]) -> str | None:
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _TYPE_ID.fullmatch(value) and len(value) <= 32:
        return value
    faults.append(Fault(name, "invalid_id", "must be an object type id, such as 2-167795973"))
    return None


def _fault(name: str, value: object, what: str) -> Fault:
    if value is None:
        return Fault(name, "missing", f"is required: {what}")
    return Fault(name, "wrong_type", f"must be {what}")
