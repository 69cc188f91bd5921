"""The list of calls: address, method, who may, what goes in, what comes out. Routes and OpenAPI are both made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from credsync.core.alerts import AlertKind
from credsync.core.events import EventName
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.store.tokens import Scope
from credsync.web.api import bodies, delay_documents, documents, list_documents, overview_documents
from credsync.web.api.call import Call, Parameter

_THERAPIST = "/v1/therapists/{uuid}"
_AT = "2026-11-23T18:05:00Z"
_BODY = ("broken-body", "too-large", "media-type", "invalid")
_POST = ("bad-key", "key-reused", *_BODY)
_FACT = ("contact-taken", "portal-differs")


def _count(most: int, default: int) -> Mapping[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


CALLS: tuple[Call, ...] = (
    Call(
        "PUT",
        _THERAPIST,
        "put_therapist",
        Scope.INTAKE,
        "Intake",
        "Make or change a therapist",
        "What is absent or null is left as it is. The same call again changes nothing more.",
        {200: ("changed", documents.Accepted), 201: ("made", documents.Accepted)},
        bodies.TherapistBody,
        example={"portal": "alpha", "contact_id": "60112345678", "name": "Ada Example", "moving": False},
        problems=(*_BODY, *_FACT),
    ),
    Call(
        "POST",
        f"{_THERAPIST}/sign-ups",
        "post_sign_up",
        Scope.INTAKE,
        "Intake",
        "A sign-up or Extended Sign Up was completed",
        "Makes the therapist if new, which needs `portal`. `data` is checked as the form `sign_up`. The same kind "
        "within a second is the same sign-up.",
        {202: ("durable", documents.AcceptedSignUp)},
        bodies.SignUpBody,
        example={"kind": "first", "occurred_at": _AT, "portal": "alpha", "contact_id": "60112345678"},
        problems=(*_POST, *_FACT),
    ),
    Call(
        "POST",
        f"{_THERAPIST}/sections",
        "post_section",
        Scope.INTAKE,
        "Intake",
        "A section of a form was completed",
        "credsync looks in HubSpot now, and writes nothing.",
        {202: ("durable", documents.Accepted)},
        bodies.SectionBody,
        example={"form": "ca", "section": "npi_and_caqh", "occurred_at": _AT},
        problems=(*_POST, *_FACT),
    ),
    Call(
        "POST",
        f"{_THERAPIST}/submissions",
        "post_submission",
        Scope.INTAKE,
        "Intake",
        "A form was submitted",
        "Same form, `occurred_at` and data is one submission. Sensitive answers (class C) are reduced to flags and "
        "kept nowhere; class D data is refused. An AF before any CA is a warning.",
        {202: ("durable", documents.AcceptedSubmission)},
        bodies.SubmissionBody,
        example={"form": "ca", "occurred_at": _AT, "data": {"npi_and_caqh": {"npi": "1234567893"}}},
        problems=(*_POST, *_FACT),
    ),
    Call(
        "POST",
        f"{_THERAPIST}/sync",
        "post_sync",
        Scope.SYNC,
        "Intake",
        "Sync now",
        "Looks now and writes everything submitted again. Pressed twice before a round, it is one press. In 10 min it is "
        "taken 10 times for one therapist, and for 600 therapists from one token; `POST` again after `Retry-After`.",
        {202: ("durable", documents.AcceptedSync)},
        bodies.SyncBody,
        example={"reason": "asked by the therapist", "include_held": False},
        problems=("not-found", "pressed-too-often", *_POST),
    ),
    Call(
        "POST",
        f"{_THERAPIST}/links/{{slot}}",
        "post_choice",
        Scope.SYNC,
        "Intake",
        "Choose among candidates",
        "Says which of the records that hold an ambiguous slot is the therapist's. Remembered while that record keeps "
        "the slot; the next round writes to it.",
        {202: ("durable", documents.AcceptedChoice)},
        bodies.ChoiceBody,
        example={"record_id": "25328094318", "reason": "the other one is a duplicate"},
        problems=("not-found", "nothing-to-choose", "chosen-for-another", *_POST),
    ),
    Call(
        "GET",
        _THERAPIST,
        "get_therapist",
        Scope.READ,
        "Seen",
        "A therapist's status",
        "Every slot with its link, every write with its verdict, each with a machine reason and a sentence.",
        {200: ("the status", documents.Status)},
        problems=("not-found", "invalid"),
    ),
    Call(
        "GET",
        "/v1/therapists",
        "list_therapists",
        Scope.READ,
        "Seen",
        "Therapists by state, reason, slot, portal, age or search",
        "In pages: ask again with `cursor` as `next_cursor` gave it, until that is null. Every parameter narrows the list "
        "further; state, reason and slots are as the last round left them.",
        {200: ("a page", list_documents.Page)},
        parameters=(
            Parameter(
                "state", "one state", {"type": "string", "enum": [each.value for each in TherapistState]}
            ),
            Parameter(
                "reason",
                "for this reason",
                {"type": "string", "enum": [each.value for each in Reason if each]},
            ),
            Parameter("slot", "whose link of this slot is awaited and not found"),
            Parameter("portal", "of this portal"),
            Parameter(
                "longer_than",
                "in this state for longer than so long: `90s`, `30m`, `6h`, `7d`",
                {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d)$"},
            ),
            Parameter(
                "counts",
                "`true` also counts, for every value of every parameter but `q`, who there would be with it",
                {"type": "string", "enum": ["true", "false"], "default": "false"},
            ),
            Parameter("q", "a UUID, contact id, record id, record URL or part of a name"),
            Parameter("cursor", "`next_cursor` of the page before"),
            Parameter("limit", "therapists in a page", _count(500, 50)),
        ),
        problems=("invalid",),
    ),
    Call(
        "GET",
        f"{_THERAPIST}/timeline",
        "get_timeline",
        Scope.READ,
        "Seen",
        "What happened to a therapist",
        "The newest 1,000 events, oldest first. No submitted value is in them.",
        {200: ("the events", documents.Timeline)},
        problems=("not-found", "invalid"),
    ),
    Call(
        "GET",
        f"{_THERAPIST}/packet",
        "get_packet",
        Scope.READ,
        "Seen",
        "The help-desk report",
        "Ids with links into HubSpot, each slot's outcome and lateness, writes with verdicts and correlation ids, and what "
        "happens next. Markdown where `Accept` asks for `text/markdown` or `text/plain`.",
        {200: ("the report", documents.Packet)},
        problems=("not-found", "not-acceptable", "invalid"),
    ),
    Call(
        "GET",
        f"{_THERAPIST}/diff",
        "get_diff",
        Scope.READ,
        "Seen",
        "HubSpot now against what would be written",
        "Asks HubSpot for the therapist's records, and sets each mapped property's value beside the submitted one. Reads "
        "only; nothing is stored. HubSpot is asked 4 times in 10 s for such questions: where that does not suffice, "
        "`complete` is false and the same call goes on after `ask_again_in_s`.",
        {200: ("the differences", documents.Diff)},
        problems=("not-found", "invalid", "ask-later", "hubspot-unusable"),
    ),
    Call(
        "GET",
        "/v1/events",
        "get_events",
        Scope.READ,
        "Seen",
        "The feed of events",
        "In order. Ask again with `after` as `next_after` gave it, for ever.",
        {200: ("the events", documents.Feed)},
        parameters=(
            Parameter(
                "after",
                "a place in the feed",
                {"type": "integer", "minimum": 0, "maximum": 10**18 - 1, "default": 0},
            ),
            Parameter(
                "types", f"event names with commas between: {', '.join(each.value for each in EventName)}"
            ),
            Parameter("limit", "events in an answer", _count(1_000, 500)),
        ),
        problems=("invalid",),
    ),
    Call(
        "GET",
        "/v1/delays",
        "get_delays",
        Scope.READ,
        "Seen",
        "How long HubSpot's workflows take",
        "From a sign-up, Extended Sign Up or submission to the record's id, and to its creation where that is known, by "
        "portal, slot and week; when a wait is overdue because of it; how many wait now. What was imported, lost, or there "
        "before anybody waited does not count.",
        {200: ("the delays", delay_documents.Delays)},
        parameters=(
            Parameter("portal", "of this portal"),
            Parameter("slot", "of this slot; licences of all states are one"),
            Parameter("weeks", "the last weeks, the current one with them", _count(13, 13)),
        ),
        problems=("invalid",),
    ),
    Call(
        "GET",
        "/v1/today",
        "get_today",
        Scope.READ,
        "Seen",
        "How everything stands",
        "How many therapists are how; each portal with its kind and what it has used of HubSpot's day; how long workflows "
        "take; the newest open alerts.",
        {200: ("how it stands", overview_documents.Today)},
    ),
    Call(
        "GET",
        "/v1/portals/{name}/mapping",
        "get_mapping",
        Scope.READ,
        "Seen",
        "What a portal looks for and writes",
        "From the contact to objects, slots, forms and properties; and what HubSpot lacked of it when its names were last "
        "read.",
        {200: ("the mapping", overview_documents.Mapping)},
        problems=("not-found",),
    ),
    Call(
        "GET",
        "/v1/alerts",
        "list_alerts",
        Scope.READ,
        "Alerts",
        "What is wrong, one alert per cause",
        "An alert is open while its cause holds and closes by itself. Newest first; ask again with `cursor` as "
        "`next_cursor` gave it, until that is null.",
        {200: ("a page", documents.Alerts)},
        parameters=(
            Parameter(
                "state",
                "which of them",
                {"type": "string", "enum": ["open", "closed", "all"], "default": "open"},
            ),
            Parameter("portal", "of this portal"),
            Parameter("kind", "of this kind", {"type": "string", "enum": [each.value for each in AlertKind]}),
            Parameter("cursor", "`next_cursor` of the page before"),
            Parameter("limit", "alerts in a page", _count(500, 100)),
        ),
        problems=("invalid",),
    ),
    Call(
        "GET",
        "/v1/alerts/{id}/therapists",
        "get_alert_therapists",
        Scope.READ,
        "Alerts",
        "The therapists beneath an alert",
        "Whom its cause hits now, as the list of therapists shows them. Nobody, where it is closed or hits the portal as "
        "a whole.",
        {200: ("a page", list_documents.AlertTherapists)},
        parameters=(
            Parameter("cursor", "`next_cursor` of the page before"),
            Parameter("limit", "therapists in a page", _count(500, 50)),
        ),
        problems=("not-found", "invalid"),
    ),
    Call(
        "POST",
        "/v1/alerts/{id}/acknowledge",
        "acknowledge",
        Scope.SYNC,
        "Alerts",
        "Say that somebody knows",
        "Kept with the token's name; the last one to say so stands there. The alert stays open until its cause ends.",
        {200: ("acknowledged", documents.AlertDocument)},
        bodies.AcknowledgeBody,
        body_needed=False,
        example={"note": "asked the HubSpot administrator"},
        problems=("not-found", *_POST),
    ),
    Call(
        "POST",
        "/v1/portals/{name}/pause",
        "pause",
        Scope.ADMIN,
        "Upkeep",
        "Pause a portal",
        "Its rounds stop; facts are still taken in, and nothing is lost. Pausing twice is one pause.",
        {200: ("paused", documents.PortalStanding)},
        bodies.PauseBody,
        example={"reason": "HubSpot administrator changes labels"},
        problems=("not-found", *_POST),
    ),
    Call(
        "POST",
        "/v1/portals/{name}/resume",
        "resume",
        Scope.ADMIN,
        "Upkeep",
        "Let a portal go on",
        "Its rounds go on where they stopped.",
        {200: ("running", documents.PortalStanding)},
        bodies.ResumeBody,
        body_needed=False,
        example={"reason": "done"},
        problems=("not-found", *_POST),
    ),
    Call(
        "POST",
        "/v1/webhooks/hubspot/{portal}",
        "post_webhook",
        None,
        "HubSpot",
        "HubSpot tells that something happened",
        "An app's webhooks (at most 100 events; signature v3), or a workflow's \"send a webhook\" (an object with "
        "`hs_object_id`; signature v2). Signed at the setting `public_url`, at most 5 minutes ago. Hints only: whoever "
        "is meant is looked at within a second or two; nothing that is told is kept. A call that comes again has no effect.",
        {200: ("taken", documents.WebhookTaken)},
        bodies.WebhookBody,
        example=None,
        problems=("not-signed", *_BODY, "failed", "unavailable"),
        signed=True,
    ),
    Call(
        "GET",
        "/healthz",
        "alive",
        None,
        "Service",
        "Alive",
        "The process answers.",
        {200: ("alive", documents.Alive)},
    ),
    Call(
        "GET",
        "/readyz",
        "ready",
        None,
        "Service",
        "Ready",
        "Database and every portal are usable; a paused portal is. 503 names what is not.",
        {200: ("ready", documents.Ready)},
        problems=("unavailable",),
    ),
    Call(
        "GET",
        "/metrics",
        "metrics",
        None,
        "Service",
        "Figures for Prometheus",
        "Therapists by state, who is due and since when, rounds, calls to HubSpot, requests. No id, no value.",
        {200: ("the figures", "text/plain")},
        problems=("unavailable",),
    ),
    Call(
        "GET", "/docs", "page", None, "Service", "This page", "The calls.", {200: ("the page", "text/html")}
    ),
    Call(
        "GET",
        "/openapi.json",
        "document",
        None,
        "Service",
        "These calls as OpenAPI 3.1",
        "For machines.",
        {200: ("the document", documents.OpenApi)},
    ),
)
