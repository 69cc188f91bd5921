"""The words pages are written in: English as it stands, and what the catalogues make of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

from credsync.core.events import EventName
from credsync.core.people import Role
from credsync.core.portal import Awaited, Kind
from credsync.core.stamps import STAMP_REFUSED
from credsync.core.states import TherapistState
from credsync.core.turn import Turn
from credsync.core.verdicts import Outcome
from credsync.store.tokens import Scope
from credsync.web.console.viewer import Viewer

LANGUAGES: Final = {"en": "English", "es": "Español"}
"""Those that pages come in, each by its own name; the first needs no catalogue."""
ENGLISH: Final = "en"
COOKIE: Final = "language"
_CATALOGUES: Final = Path(__file__).parent / "catalogues"

STATES: Final[Mapping[TherapistState, str]] = {
    TherapistState.IN_SYNC: "In step",
    TherapistState.WAITING: "Waiting as usual",
    TherapistState.OVERDUE: "Overdue",
    TherapistState.GIVEN_UP: "Record never came",
    TherapistState.PARTIAL: "Partly written",
    TherapistState.HELD: "Held back",
    TherapistState.AMBIGUOUS: "Must be chosen",
    TherapistState.REFUSED: "Refused by HubSpot",
}
"""The calmest first."""
LINK_STATES: Final = {
    "awaited": "Awaited",
    "found": "Found",
    "ambiguous": "Must be chosen",
    "given_up": "Never came",
}
WRITE_STATES: Final = {
    "waiting": "Waiting",
    "due": "About to be sent",
    "unknown": "Being verified",
    "written": "Written",
    "partial": "Partly written",
    "refused": "Refused",
    "held": "Held back",
    "superseded": "Replaced by newer data",
}
PROPERTY_STATES: Final[Mapping[str, str]] = {
    Outcome.WRITTEN: "written",
    Outcome.REFUSED: "refused",
    Outcome.MISSING: "not written: the record is gone",
    Outcome.UNKNOWN: "not known yet",
    Outcome.NOT_SENT: "not sent yet",
    STAMP_REFUSED: "refused; nothing that was submitted is missing",
}
EVENTS: Final[Mapping[str, str]] = {
    EventName.SIGN_UP_COMPLETED: "Signed up",
    EventName.SECTION_COMPLETED: "Section completed",
    EventName.FORM_SUBMITTED: "Form submitted",
    EventName.LOOKUP_MISSED: "Looked, not there yet",
    EventName.CONTACT_MERGED: "Contact merged with another in HubSpot",
    EventName.CONTACT_GONE: "Contact gone from HubSpot",
    EventName.SYNC_URL_REFUSED: "HubSpot refused the link to this page",
    EventName.LINK_FOUND: "Record found",
    EventName.LINK_LOST: "Record lost",
    EventName.LINK_AMBIGUOUS: "Several records hold the slot",
    EventName.LINK_CHOSEN: "Record chosen by a person",
    EventName.LINK_OVERDUE: "Overdue",
    EventName.LINK_GIVEN_UP: "Given up",
    EventName.WRITE_SENT: "Sent to HubSpot",
    EventName.WRITE_WRITTEN: "Written in HubSpot",
    EventName.WRITE_UNKNOWN: "Sent; HubSpot's answer did not arrive",
    EventName.WRITE_PARTIAL: "Partly written",
    EventName.WRITE_REFUSED: "Refused by HubSpot",
    EventName.WRITE_HELD: "Held back",
    EventName.WRITE_SUPERSEDED: "Replaced by newer data",
    EventName.SYNC_REQUESTED: "Sync now pressed",
    EventName.WEBHOOK_RECEIVED: "HubSpot told of a change",
    EventName.WEBHOOK_REFUSED: "A webhook was refused",
    EventName.ALERT_OPENED: "Alert opened",
    EventName.ALERT_CLOSED: "Alert closed",
    EventName.ALERT_ACKNOWLEDGED: "Alert taken by somebody",
    EventName.PORTAL_PAUSED: "Portal paused",
    EventName.PORTAL_RESUMED: "Portal resumed",
    EventName.NOTE_ADDED: "Note",
}
SCOPES: Final[Mapping[str, str]] = {
    Scope.INTAKE: "report what therapists did",
    Scope.READ: "read how they stand",
    Scope.SYNC: "press Sync now and choose records",
    Scope.ADMIN: "everything, pausing portals too",
}
"""What a token may do."""
KINDS: Final[Mapping[Kind, str]] = {
    Kind.PRODUCTION: "production",
    Kind.TEST: "test account",
    Kind.SANDBOX: "sandbox",
}
AWAITED: Final[Mapping[str, str]] = {
    Awaited.ALWAYS: "always",
    Awaited.MOVING: "when the therapist is moving",
    Awaited.SUBMITTED: "for everything submitted",
    Awaited.NEVER: "never",
}
"""When an empty slot is waited for."""
DETAILS: Final[Mapping[str, str]] = {
    "attempt": "attempt",
    "by": "by",
    "candidates": "candidates",
    "changed": "changed",
    "chosen_by": "chosen by",
    "code": "code",
    "correlation_ids": "correlation ids",
    "form": "form",
    "include_held": "held data included",
    "kind": "kind",
    "looks": "looks",
    "moving": "moving",
    "new": "new",
    "old": "old",
    "properties": "properties",
    "reason": "reason",
    "refused": "refused",
    "requested_by": "asked for by",
    "resync": "re-sync",
    "section": "section",
}
"""What stands beside an event, by its name in the feed."""
FORMS: Final = {"sign_up": "Sign-up", "ca": "Credentialing Application", "af": "Attestation Form"}
ROLES: Final[Mapping[Role, str]] = {Role.VIEWER: "viewer", Role.SUCCESS: "success", Role.ADMIN: "admin"}
PORTAL_STATES: Final[Mapping[str, str]] = {
    "running": "running",
    "paused": "paused",
    "observe_only": "observes only",
}
TURNS: Final[Mapping[Turn, str]] = {
    Turn.NOBODY: "Nobody's turn: all is done.",
    Turn.HUBSPOT: "HubSpot's turn: its workflow has to create or label the record.",
    Turn.CREDSYNC: "credsync's turn: it goes on by itself.",
    Turn.SUCCESS: "The Success team's turn: somebody has to decide or correct something.",
    Turn.ADMIN: "An administrator's turn: a portal, a token or the backend needs attention.",
    Turn.THERAPIST: "The therapist's turn: something has not been said yet.",
}


@lru_cache
def catalogue(language: str) -> NullTranslations:
    """A language's translations; English needs none."""
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def known_texts(language: str) -> list[tuple[str, str]]:
    """Every English text that a language has, and its form for several where there is one."""
    if language == ENGLISH:
        return []
    ids = [message.id for message in _read(language) if message.id]
    return [(each, "") if isinstance(each, str) else (each[0], each[1]) for each in ids]


@lru_cache
def _read(language: str) -> Catalog:
    with (_CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def language_of(request: Request) -> str:
    """The language a page is shown in: the person's, else the one chosen in a cookie, else the browser's, else English."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    for chosen in (viewer.language if viewer is not None else None, request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    wanted = [
        part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")
    ]
    return negotiate_locale(wanted, list(LANGUAGES), sep="-") or ENGLISH
