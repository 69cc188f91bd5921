"""Where HubSpot's own pages of contacts and records are, and which record such an address means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from credsync.core.portal import CONTACT
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.store.portals import status_of

_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?")
_DIGITS = re.compile(r"[0-9]{1,32}")
_TYPE = re.compile(r"[0-9]+-[0-9]+")
_URL = re.compile(
    r"https?://[^/?#\s]+/contacts/(?P<portal>[0-9]{1,20})/"
    r"(?:record/(?P<type>[0-9]+-[0-9]+)|(?P<contact>contact))/(?P<record>[0-9]{1,32})(?:[/?#]\S*)?"
)


class RecordAddress(NamedTuple):
    """What a record page's address names: HubSpot's portal id, the object type's id, the record's id."""

    portal_id: str
    type_id: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Pages:
    """The addresses of one portal's record pages; each is None while HubSpot has not told what it is made of."""

    portal_id: str | None
    ui_domain: str | None
    types: Mapping[str, str]

    def contact(self, contact_id: str | None) -> str | None:
        """The contact's page."""
        return self.record(CONTACT, contact_id)

    def record(self, object_key: str | None, record_id: str | None) -> str | None:
        """A record's page; `object_key` is the portal file's key of its object."""
        type_id = CONTACT_TYPE if object_key == CONTACT else self.types.get(object_key or "", "")
        known = (
            _DOMAIN.fullmatch(self.ui_domain or "")
            and _DIGITS.fullmatch(self.portal_id or "")
            and _TYPE.fullmatch(type_id)
            and _DIGITS.fullmatch(record_id or "")
        )
        if not known:
            return None
        return f"https://{self.ui_domain}/contacts/{self.portal_id}/record/{type_id}/{record_id}"


def pages_of(connection: Connection, portal: str) -> Pages:
    """A portal's pages, from what its worker stored of the account."""
    status = status_of(connection, portal)
    return Pages(status.portal_id, status.ui_domain, status.types)


def parse_record_url(text: str) -> RecordAddress | None:
    """What the address of a record's page means; None for any other text.

    >>> parse_record_url("https://app.hubspot.com/contacts/123/record/2-45/678?x=1")
    RecordAddress(portal_id='123', type_id='2-45', record_id='678')
    """
    found = _URL.fullmatch(text.strip())
    if found is None:
        return None
    return RecordAddress(found["portal"], found["type"] or CONTACT_TYPE, found["record"])
