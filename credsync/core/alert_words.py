"""What alerts say. No text here holds a time of day or a submitted value, so equal conditions are equal text and none flaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from credsync.core.alerts import AlertKind, Cause, Holding
from credsync.core.denials import Verb
from credsync.core.phrases import Joined, counted, phrase


@dataclass(frozen=True, slots=True)
class AlertText:
    """An alert in words: a heading, what is the matter and what goes on meanwhile, and what to do."""

    title: str
    message: str
    remedy: str


def words_of(cause: Cause, holding: Holding) -> AlertText:
    """An alert in words.

    >>> words_of(Cause("alpha", AlertKind.OVERDUE, "license", "license"), Holding(2)).title
    'The license record of slot license is late'
    """
    return _WORDS[cause.kind](cause, holding)


def _overdue(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase("The {object} record of slot {slot} is late", object=cause.object, slot=cause.slot),
        counted(
            "One therapist waits longer for it than is usual. credsync keeps looking, and writes as soon as it is there.",
            "{count} therapists wait longer for it than is usual. credsync keeps looking, and writes as soon as it is "
            "there.",
            holding.therapists,
        ),
        phrase(
            "Look in HubSpot at the workflow that makes and labels it. Whom it never took up are the contacts to enrol "
            "again."
        ),
    )


def _workflow_slow(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase(
            "The workflow that makes the {object} record of slot {slot} is slow",
            object=cause.object,
            slot=cause.slot,
        ),
        counted(
            "One therapist waits longer for it than is usual, many at once. credsync keeps looking, and writes as soon "
            "as it is there.",
            "{count} therapists wait longer for it than is usual, many at once. credsync keeps looking, and writes as "
            "soon as it is there.",
            holding.therapists,
        ),
        phrase(
            "Look in HubSpot at the workflow's queue and history; `credsync delays --slot {slot}` shows what is usual. "
            "They come by themselves if it only is slow.",
            slot=cause.slot,
        ),
    )


def _workflow_never_fired(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase(
            "The workflow that makes the {object} record of slot {slot} did not fire",
            object=cause.object,
            slot=cause.slot,
        ),
        counted(
            "One therapist waits for it, several in a row, while other records come. credsync keeps looking, and writes "
            "as soon as it is there.",
            "{count} therapists wait for it, several in a row, while other records come. credsync keeps looking, and "
            "writes as soon as it is there.",
            holding.therapists,
        ),
        phrase(
            "Turn the workflow on in HubSpot, or mend what it enrols by, and enrol these contacts again: "
            "`credsync delays --reenrol {slot}` gives them as a list.",
            slot=cause.slot,
        ),
    )


def _given_up(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase("The {object} record of slot {slot} never came", object=cause.object, slot=cause.slot),
        counted(
            "One therapist waits for it in vain; credsync looks only once a day now.",
            "{count} therapists wait for it in vain; credsync looks only once a day now.",
            holding.therapists,
        ),
        phrase(
            "Enrol their contacts again in the HubSpot workflow that makes it, then press Sync now for each."
        ),
    )


def _contact_gone(_: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase("Contacts are gone from HubSpot"),
        counted(
            "One therapist waits for records under a contact that HubSpot no longer has.",
            "{count} therapists wait for records under a contact that HubSpot no longer has.",
            holding.therapists,
        ),
        phrase("Restore the contacts in HubSpot, or have the backend send those that took their place."),
    )


def _values_refused(cause: Cause, holding: Holding) -> AlertText:
    names = {"object": cause.object, "property": cause.property}
    return AlertText(
        phrase("HubSpot refuses values of {object}.{property}", **names)
        if cause.property
        else phrase("HubSpot refuses writes to {object}", object=cause.object),
        counted(
            "It was refused for one therapist; everything else of theirs was written.",
            "It was refused for {count} therapists; everything else of theirs was written.",
            holding.therapists,
        ),
        phrase(
            "Correct the property's options or rules in HubSpot, the mapping in portals/{portal}.toml, or the data; then "
            "press Sync now for each.",
            portal=cause.portal,
        ),
    )


def _property_vanished(cause: Cause, _: Holding) -> AlertText:
    return AlertText(
        phrase("HubSpot has no property {object}.{property}", object=cause.object, property=cause.property),
        phrase("The portal file maps a field to it. Everything else is written."),
        phrase(
            "Make the property again in HubSpot, or correct the mapping in portals/{portal}.toml; then press Sync now for "
            "whom it is missing.",
            portal=cause.portal,
        ),
    )


def _portal_unauthorized(cause: Cause, _: Holding) -> AlertText:
    return AlertText(
        phrase("HubSpot does not take the token of portal {portal}", portal=cause.portal),
        phrase(
            "Its rounds are paused. What is submitted is still taken in and nothing is lost; credsync tries the token "
            "once a minute and goes on by itself."
        ),
        phrase(
            "Set a valid token ({variable}) and start the service again; `credsync doctor` tells whether it will do.",
            variable=f"CREDSYNC_HUBSPOT_TOKEN_{cause.portal.upper().replace('-', '_')}",
        ),
    )


def _portal_forbidden(cause: Cause, holding: Holding) -> AlertText:
    scopes = holding.details.get("scopes")
    named = ", ".join(map(str, scopes)) if isinstance(scopes, list | tuple) else ""
    return AlertText(
        phrase("The token of portal {portal} may not read {object}", portal=cause.portal, object=cause.object)
        if cause.verb == Verb.READ
        else phrase(
            "The token of portal {portal} may not write {object}", portal=cause.portal, object=cause.object
        ),
        phrase(
            "What needs it waits; everything else goes on. credsync tries once a minute and catches up by itself."
        ),
        phrase(
            "Add {scopes} to the app's scopes in HubSpot. A new token is only needed if HubSpot gives one for it.",
            scopes=named or phrase("what is missing"),
        ),
    )


def _portal_unusable(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase("Portal {portal} cannot be used", portal=cause.portal),
        phrase(
            "{problem}. Nothing is looked at or written; what is submitted is still taken in.",
            problem=_problem(holding),
        ),
        phrase("Do what it says; `credsync doctor` names every fault. credsync goes on by itself."),
    )


def _hubspot_silent(cause: Cause, holding: Holding) -> AlertText:
    return AlertText(
        phrase("HubSpot does not answer for portal {portal}", portal=cause.portal),
        phrase("{problem}. What is submitted is still taken in.", problem=_problem(holding)),
        phrase("Look at https://status.hubspot.com and at this machine's network."),
    )


def _rate_limited_daily(cause: Cause, _: Holding) -> AlertText:
    return AlertText(
        phrase("HubSpot's calls of the day are used up in portal {portal}", portal=cause.portal),
        phrase("Everything waits until midnight in the account's time zone, then goes on by itself."),
        phrase("Look in HubSpot at which app used them up; the whole account shares them."),
    )


def _restored(cause: Cause, holding: Holding) -> AlertText:
    held = counted("one therapist", "{count} therapists", holding.therapists)
    return AlertText(
        phrase("A backup of credsync's database was restored (portal {portal})", portal=cause.portal),
        phrase(
            "What came in after the backup is forgotten here. Every record is looked up anew, and what the backup does not "
            "know to have been sent is compared with HubSpot: what is there counts as written, the rest is held (now: "
            "{whom}), since HubSpot's value may be newer.",
            whom=held if holding.therapists else phrase("nobody"),
        ),
        phrase(
            "Have the backend submit again what it submitted since the backup; what it submits twice is one. Then compare "
            "whoever is still held (credsync list --state held; credsync sync ID --dry-run), and press Sync now where the "
            "submitted value is the right one."
        ),
    )


def _problem(holding: Holding) -> str:
    problem = holding.details.get("problem")
    return Joined([str(problem).rstrip(".")]) if problem else phrase("Nothing more is known")


_WORDS: Final[Mapping[AlertKind, Callable[[Cause, Holding], AlertText]]] = {
    AlertKind.OVERDUE: _overdue,
    AlertKind.WORKFLOW_SLOW: _workflow_slow,
    AlertKind.WORKFLOW_NEVER_FIRED: _workflow_never_fired,
    AlertKind.GIVEN_UP: _given_up,
    AlertKind.CONTACT_GONE: _contact_gone,
    AlertKind.VALUES_REFUSED: _values_refused,
    AlertKind.PROPERTY_VANISHED: _property_vanished,
    AlertKind.PORTAL_UNAUTHORIZED: _portal_unauthorized,
    AlertKind.PORTAL_FORBIDDEN: _portal_forbidden,
    AlertKind.PORTAL_UNUSABLE: _portal_unusable,
    AlertKind.HUBSPOT_SILENT: _hubspot_silent,
    AlertKind.RATE_LIMITED_DAILY: _rate_limited_daily,
    AlertKind.RESTORED: _restored,
}
