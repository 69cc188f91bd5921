"""The sections that hold a career: education, training, licences, employers, malpractice.

A licence is the one item with something required: the state, which names its slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self
from unicodedata import normalize

from pydantic import Field, ValidationInfo, model_validator

from credsync.core.forms.answers import (
    Answers,
    Claims,
    References,
    all_answered,
    all_reachable,
    all_told,
    settle,
)
from credsync.core.forms.dates import Day, NotBefore
from credsync.core.forms.fields import Boolean, Cents, Contact, DataClass, FormModel, Kind, Public, Sensitive
from credsync.core.forms.identifiers import State
from credsync.core.forms.texts import LIST_LENGTH, Choices, Text, Title, Word


class Degree(FormModel):
    """One degree; the level is data."""

    level: Public[Word] = None
    school: Public[Title] = None
    field: Public[Title] = None
    start: Public[Day] = None
    end: Annotated[Public[Day], NotBefore("start")] = None


class BoardCertification(FormModel):
    """One board certification."""

    name: Public[Title] = None
    number: Public[Word] = None
    issued: Public[Day] = None
    expiry: Annotated[Public[Day], NotBefore("issued")] = None


class License(FormModel):
    """One licence; type and status are data, the state is a code and required."""

    state: Annotated[State, DataClass.A]
    type: Public[Word] = None
    number: Public[Word] = None
    issued: Public[Day] = None
    expiry: Annotated[Public[Day], NotBefore("issued")] = None
    status: Public[Word] = None
    compact: Public[Boolean] = None


_Bounded = Field(max_length=LIST_LENGTH)
Degrees = Annotated[list[Degree], _Bounded, Kind("list")]
BoardCertifications = Annotated[list[BoardCertification], _Bounded, Kind("list")]
Licenses = Annotated[list[License], _Bounded, Kind("list", "no state and type twice")]


class EducationAndTraining(FormModel):
    """What the therapist learnt and may do; references are reduced to a flag."""

    degrees: Public[Degrees] = None
    residencies: Public[Choices] = None
    fellowships: Public[Choices] = None
    board_certifications: Public[BoardCertifications] = None
    licenses: Public[Licenses] = None
    references: Sensitive[References] = None
    references_complete: Public[Boolean] = None

    @model_validator(mode="after")
    def _flags(self, info: ValidationInfo) -> Self:
        if "references" in self.model_fields_set:
            path = "education_and_training.references_complete"
            settle(self, path, lambda: all_reachable(self.references), info)
        return self


class Employer(FormModel):
    """One employer, or the reason of a gap."""

    name: Public[Title] = None
    start: Public[Day] = None
    end: Annotated[Public[Day], NotBefore("start")] = None
    gap_reason: Contact[Text] = None


class Malpractice(FormModel):
    """The malpractice insurance; amounts are whole cents."""

    carrier: Public[Title] = None
    policy_number: Public[Word] = None
    per_claim_cents: Public[Cents] = None
    aggregate_cents: Public[Cents] = None
    effective: Public[Day] = None
    expiry: Annotated[Public[Day], NotBefore("effective")] = None


Employers = Annotated[list[Employer], _Bounded, Kind("list")]


class EmploymentAndMalpractice(FormModel):
    """Where the therapist worked and how they are insured; claims and disclosures are reduced to a flag."""

    employers: Public[Employers] = None
    malpractice: Public[Malpractice] = None
    claims: Sensitive[Claims] = None
    disclosures: Sensitive[Answers] = None
    disclosures_complete: Public[Boolean] = None

    def _judge(self) -> bool | None:
        answered = all_answered(self.disclosures)
        return answered and all_told(self.claims)

    @model_validator(mode="after")
    def _flags(self, info: ValidationInfo) -> Self:
        if "disclosures" in self.model_fields_set:
            settle(self, "employment_and_malpractice.disclosures_complete", self._judge, info)
        return self


def repeated_licenses(data: object) -> Iterator[int]:
    """Indexes of licences whose state and type stand earlier in the submitted list.

    It reads what was submitted, not the models, so that it is told beside whatever else is wrong.
    """
    section = data.get("education_and_training") if isinstance(data, dict) else None
    licenses = section.get("licenses") if isinstance(section, dict) else None
    seen: set[tuple[str, str | None]] = set()
    for index, item in enumerate(licenses[:LIST_LENGTH] if isinstance(licenses, list) else ()):
        state, kind = (item.get("state"), item.get("type")) if isinstance(item, dict) else (None, None)
        if isinstance(state, str) and isinstance(kind, str | None):
            named = (state.strip(), kind and normalize("NFC", kind[: LIST_LENGTH * 2]).strip())
            if named in seen:
                yield index
            seen.add(named)
