"""Sensitive answers (class C): their shapes, checked so that nonsense is refused, and when they are complete.

Every portal asks other questions, so questions and vaccines are data: a map of question to answer, or a list. Only
whether everything was answered is kept, as a flag:

- `references_complete`: at least one reference, each with a name and an e-mail address or telephone number;
- `disclosures_complete`: at least one disclosure question, every one answered, and no claim without content;
- `immunization_complete`: of statuses and questionnaire, what was given is not empty, every vaccine has a status or
  a date, every question an answer;
- `medicare_complete`: all ten questions answered.

An answer is anything but null and blank text; false and "no" are answers. Null for what a flag is drawn from makes the
flag null (cleared); what is absent leaves it alone; a flag the caller sends itself is taken (the calling backend
owns completeness), with a warning where it says otherwise. `immunization_as_of` is what the caller sends, else the
day of the submission, and never the day of a vaccination, which is class C itself.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, PlainValidator, Tag, ValidationInfo
from pydantic_core import PydanticCustomError

from credsync.core.forms.dates import Day
from credsync.core.forms.faults import Fault
from credsync.core.forms.fields import FormModel, Kind, Sensitive
from credsync.core.forms.forbidden import is_forbidden
from credsync.core.forms.identifiers import Email, Phone
from credsync.core.forms.texts import LIST_LENGTH, Line, PersonName, clean_line, clean_text

BOUND = 2**53 - 1
"""The largest whole number every JSON reader reads alike."""


def check_number(value: object) -> int | float:
    """A finite JSON number; raises `wrong_type` or `out_of_range`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("wrong_type", "must be a number")
    if (isinstance(value, float) and not isfinite(value)) or abs(value) > BOUND:
        raise PydanticCustomError("out_of_range", f"must be finite and at most {BOUND:,} either way")
    return value


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int | float):
        return check_number(value)
    raise PydanticCustomError("wrong_type", "must be a text, a number, true, false or null")


def _key(value: str) -> str:
    if is_forbidden(value):
        raise PydanticCustomError("forbidden_field", "is never accepted")
    return clean_line(value)


def _tagged(value: object) -> str:
    return "~map" if isinstance(value, dict) else "~list" if isinstance(value, list) else "~one"


def _object_or_one(value: object) -> str:
    return "~map" if isinstance(value, dict) else "~one"


_EXPECTED = {
    "custom_error_type": "wrong_type",
    "custom_error_message": "must be a list or an object",
}


def _at_most(limit: int) -> BeforeValidator:
    """Refuses a list or map of too many items before any of them is looked at."""

    def check(value: object) -> object:
        if isinstance(value, dict | list) and len(value) > limit:
            raise PydanticCustomError("too_many", f"must have at most {limit:,} items")
        return value

    return BeforeValidator(check)


_Bounded = _at_most(LIST_LENGTH)
Scalar = Annotated[Any, PlainValidator(_scalar)]
Key = Annotated[str, AfterValidator(_key)]
Record = Annotated[dict[Key, Scalar], _Bounded]


class Answer(FormModel):
    """One answered (or unanswered) question."""

    question: Line | None = None
    answer: Scalar = None
    explanation: Scalar = None


class Vaccination(FormModel):
    """Where somebody stands with one vaccine."""

    vaccine: Line | None = None
    status: Scalar = None
    date: Day | None = None


class Reference(FormModel):
    """Who vouches for the therapist."""

    name: Sensitive[PersonName] = None
    email: Sensitive[Email] = None
    phone: Sensitive[Phone] = None
    relation: Sensitive[Line] = None


_AnswerOr = Annotated[
    Annotated[Answer, Tag("~map")] | Annotated[Scalar, Tag("~one")],
    Discriminator(_object_or_one),
]
_VaccinationOr = Annotated[
    Annotated[Vaccination, Tag("~map")] | Annotated[Scalar, Tag("~one")],
    Discriminator(_object_or_one),
]
Answers = Annotated[
    Annotated[dict[Key, _AnswerOr], _Bounded, Tag("~map")]
    | Annotated[list[_AnswerOr], _Bounded, Tag("~list")],
    Discriminator(_tagged, **_EXPECTED),
    Kind("list", "answers, `{question, answer, explanation}` items, or a map of question to either"),
]
TenAnswers = Annotated[
    Answers,
    _at_most(10),
    Kind("list", "at most ten answers, as a list or as a map of question to answer"),
]
Statuses = Annotated[
    Annotated[dict[Key, _VaccinationOr], _Bounded, Tag("~map")]
    | Annotated[list[Vaccination], _Bounded, Tag("~list")],
    Discriminator(_tagged, **_EXPECTED),
    Kind("list", "`{vaccine, status, date}` items, or a map of vaccine to status or `{status, date}`"),
]
Claims = Annotated[list[Record], _Bounded, Kind("list", "objects of texts, numbers and true or false")]
References = Annotated[list[Reference], _Bounded, Kind("list", "`{name, email, phone, relation}` items")]
TextOrMore = Annotated[
    Annotated[Record, Tag("~map")]
    | Annotated[list[Scalar], _Bounded, Tag("~list")]
    | Annotated[Scalar, Tag("~one")],
    Discriminator(_tagged),
    Kind("string", "a text, or a list or object of texts"),
]


def _answered(answer: object) -> bool:
    if isinstance(answer, Answer):
        answer = answer.answer
    elif isinstance(answer, Vaccination):
        answer = answer.status if answer.status not in (None, "") else answer.date
    return answer is not None and answer != ""


def all_answered(answers: dict[str, Any] | list[Any] | None, least: int = 1) -> bool | None:
    """Whether at least `least` questions (or vaccines) are there and each is answered; None for null."""
    if answers is None:
        return None
    given = answers.values() if isinstance(answers, dict) else answers
    return len(given) >= least and all(map(_answered, given))


def all_reachable(references: list[Reference] | None) -> bool | None:
    """Whether there is a reference, and each has a name and a way to reach them; None for null."""
    if references is None:
        return None
    return bool(references) and all(each.name and (each.email or each.phone) for each in references)


def all_told(claims: list[dict[str, Any]] | None) -> bool:
    """Whether no claim is without content; no claims at all is the best answer there is."""
    return all(any(map(_answered, claim.values())) for claim in claims or ())


def settle(model: FormModel, path: str, judge: Callable[[], bool | None], info: ValidationInfo) -> None:
    """Set the flag at `path` as judged, or, where the caller sent it, keep it and warn where it differs."""
    flag = path.rpartition(".")[2]
    judged = judge()
    if flag not in model.model_fields_set:
        setattr(model, flag, judged)
    elif getattr(model, flag) != judged and info.context is not None:
        info.context["warnings"].append(
            Fault(path, "flag_differs", "the answers sent with it say otherwise; it is taken")
        )
