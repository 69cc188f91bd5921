"""What each call's body holds. Closed and strict: every bad field is named, nothing is coerced, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    RootModel,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from credsync.core.facts import SignUpKind
from credsync.core.forms import SECTIONS, Fault, FormName, is_forbidden, nearest
from credsync.core.forms.dates import Moment
from credsync.core.forms.identifiers import Email
from credsync.core.forms.texts import LINE_LENGTH, NAME_LENGTH, Line, PersonName
from credsync.web.api.problems import shown_name

_ID = re.compile(r"[0-9]{1,32}")
_MOST_FAULTS, _MOST_HINTS = 100, 20
_EARLIEST, _LATEST = "1970-01-01", "2200-01-01"


def _digits(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("wrong_type", "must be a text of digits, not a number: put it in quotes")
    if isinstance(value, str) and not _ID.fullmatch(value):
        raise PydanticCustomError("invalid_id", "must be a text of 1 to 32 digits")
    return value


def _at(value: str) -> datetime:
    if not _EARLIEST <= value < _LATEST:
        raise PydanticCustomError("out_of_range", "must lie in the years 1970 to 2199")
    return datetime.fromisoformat(value)


class _FromMoment:
    """A moment by the rule of the forms, as a `datetime` in UTC."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_at, handler.generate_schema(Moment))


RecordId = Annotated[
    str,
    BeforeValidator(_digits),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,32}$", "examples": ["60112345678"]}),
]
OccurredAt = Annotated[
    datetime,
    _FromMoment(),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with a zone, in the years 1970 to 2199",
            "pattern": "^(19[7-9]|20[0-9]|21[0-9])[0-9]-",
            "examples": ["2026-11-23T18:05:00Z"],
        }
    ),
]
_UNSEEN = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_BLANK = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0"
)


def _line(longest: int, unseen: str, description: str) -> WithJsonSchema:
    """How OpenAPI describes a text of one line that is not blank."""
    pattern = f"^[^{unseen}]*[^{unseen}{_BLANK}][^{unseen}]*$"
    return WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": longest,
            "pattern": pattern,
            "description": description,
        }
    )


Reason = Annotated[Line, _line(LINE_LENGTH, _UNSEEN, "one line, for whoever reads it later")]
Name = Annotated[
    PersonName, _line(NAME_LENGTH, _UNSEEN + _INVISIBLE, "a person's name; no markup, no formula")
]
Mail = Annotated[Email, WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})]
PortalName = Annotated[str, Field(max_length=100, description="the name of a portal file")]
Moving = Annotated[bool, Field(description="whether the therapist is moving to another state")]


class Body(BaseModel):
    """Strict and closed; its errors show no value."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class WebhookEventBody(BaseModel):
    """Something happened in HubSpot. Other fields are let pass, unread; other kinds of events are counted, unread."""

    subscriptionType: Annotated[  # noqa: N815 (HubSpot's name)
        str, Field(examples=["object.associationChange", "object.creation", "contact.propertyChange"])
    ]
    portalId: int  # noqa: N815 (HubSpot's name)


class WebhookBody(RootModel[list[WebhookEventBody]]):
    """What HubSpot sends: at most 100 events."""


class TherapistBody(Body):
    """Make or change a therapist. What is absent or null is left as it is."""

    portal: PortalName
    contact_id: RecordId | None = None
    name: Name | None = None
    email: Mail | None = None
    moving: Moving | None = None
    occurred_at: OccurredAt | None = None


class SignUpBody(Body):
    """A completed sign-up, or Extended Sign Up. One that does not say `moving` means: not moving."""

    kind: Literal["first", "extended"]
    occurred_at: OccurredAt
    portal: PortalName | None = None
    contact_id: RecordId | None = None
    moving: Moving | None = None
    data: Annotated[dict[str, Any] | None, Field(description="what sign-up itself submitted")] = None

    @property
    def sign_up_kind(self) -> SignUpKind:
        """First or extended."""
        return SignUpKind(self.kind)


class SectionBody(Body):
    """A completed section of a form: a reason to look now; nothing is written."""

    form: Literal["ca", "af"]
    section: Annotated[
        str,
        Field(description="of that form, see docs/fields.md", json_schema_extra={"enum": [*SECTIONS["af"]]}),
    ]
    occurred_at: OccurredAt
    portal: PortalName | None = None
    contact_id: RecordId | None = None


class SubmissionBody(Body):
    """A submitted form. `data` is `{section: {field: value}}`; what is absent is left alone, null clears."""

    form: FormName
    occurred_at: OccurredAt
    data: Annotated[dict[str, Any], Field(description="sections of the form, see docs/fields.md")]
    moving: Moving | None = None
    portal: PortalName | None = None
    contact_id: RecordId | None = None


class SyncBody(Body):
    """Sync now: everything submitted is written again."""

    reason: Reason
    include_held: Annotated[bool, Field(description="also what is held for a person")] = False


class ChoiceBody(Body):
    """Which of several records holds a slot."""

    record_id: RecordId
    reason: Reason


class PauseBody(Body):
    """Why rounds stop."""

    reason: Reason


class ResumeBody(Body):
    """Why rounds go on, if somebody wants to say."""

    reason: Reason | None = None


class AcknowledgeBody(Body):
    """Somebody knows, and may want to say more."""

    note: Reason | None = None


T = TypeVar("T", bound=Body)


def read(model: type[T], given: Mapping[str, Any]) -> tuple[T | None, list[Fault]]:
    """The body as `model`, or every fault of it."""
    try:
        return model.model_validate(given), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        return None, [_fault(model, each, n < _MOST_HINTS) for n, each in enumerate(errors[:_MOST_FAULTS])]


_WORDED = {
    "string_type": ("wrong_type", "must be a text"),
    "bool_type": ("wrong_type", "must be true or false"),
    "dict_type": ("wrong_type", "must be an object"),
    "missing": ("missing", "is required"),
    "string_too_long": ("too_long", "has too many characters"),
    "string_unicode": ("invalid_characters", "must be Unicode without half surrogate pairs"),
}
_OURS = frozenset(
    "wrong_type invalid_id out_of_range invalid_datetime missing_zone invalid_characters empty too_long invalid_email".split()  # noqa: SIM905 (a list of words)
)


def _fault(model: type[Body], error: ErrorDetails, hint: bool) -> Fault:
    name, code = str(error["loc"][0]), error["type"]
    if code == "extra_forbidden":
        return _unknown_field(model, name, hint)
    if code == "literal_error":
        return Fault(name, "not_allowed", f"must be {error['ctx']['expected']}")
    if code in _OURS:
        return Fault(name, code, error["msg"])
    return Fault(name, *_WORDED.get(code, ("wrong_type", "must have another type")))


def _unknown_field(model: type[Body], name: str, hint: bool) -> Fault:
    path = shown_name(name)
    if is_forbidden(name):
        return Fault(
            path, "forbidden_field", "is never accepted (class D: SSN, tax id, bank data, passwords)"
        )
    known = list(model.model_fields)
    guess = nearest(name, known) if hint else None
    meant = f"did you mean '{guess}'?" if guess else f"known: {', '.join(known)}"
    return Fault(path, "unknown_field", f"is no field of this call; {meant}")
