"""The sections both forms share: sign-up, the person, immunisation, preferences, numbers, Medicare, the release.

Field order is the table of domain.md, "Fields". Everything may be absent (untouched) or null (cleared).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ValidationInfo, model_validator

from credsync.core.forms.answers import Answers, Statuses, TenAnswers, TextOrMore, all_answered, settle
from credsync.core.forms.dates import Day, Moment
from credsync.core.forms.fields import (
    Appointments,
    Boolean,
    Contact,
    FormModel,
    Kind,
    Never,
    Public,
    Sensitive,
)
from credsync.core.forms.identifiers import CaqhId, Email, Languages, Npi, Phone, PostalCode, State, Taxonomy
from credsync.core.forms.texts import Choices, PersonName, PersonNames, Text, Title, Word

SignUpKind = Annotated[Literal["first", "extended"], Kind("string", "`first` or `extended`")]


class LifeSupport(FormModel):
    """The Basic Life Support card."""

    number: Public[Word] = None
    expiry: Public[Day] = None
    issuer: Public[Title] = None


class SignUp(FormModel):
    """What sign-up itself submitted; also the whole of the form `sign_up`."""

    kind: Public[SignUpKind] = None
    first_name: Contact[PersonName] = None
    middle_name: Contact[PersonName] = None
    last_name: Contact[PersonName] = None
    suffix: Contact[PersonName] = None
    email: Contact[Email] = None
    phone: Contact[Phone] = None
    state: Contact[State] = None
    postal_code: Contact[PostalCode] = None
    bls: Public[LifeSupport] = None
    desired_signature: Contact[PersonName] = None


class PersonalInformation(FormModel):
    """Who the therapist is; all but the names is dropped at the door."""

    aliases: Contact[PersonNames] = None
    name_changed: Contact[Boolean] = None
    birth_date: Sensitive[Day] = None
    birth_place: Sensitive[TextOrMore] = None
    citizenship: Sensitive[TextOrMore] = None
    ethnicity: Sensitive[TextOrMore] = None
    ssn: Never = None


class Immunization(FormModel):
    """Only whether it is complete, and as of which day, is kept."""

    statuses: Sensitive[Statuses] = None
    questionnaire: Sensitive[Answers] = None
    immunization_complete: Public[Boolean] = None
    immunization_as_of: Public[Day] = None

    def _judge(self) -> bool | None:
        parts = [
            getattr(self, part) for part in ("statuses", "questionnaire") if part in self.model_fields_set
        ]
        verdicts = [all_answered(part) for part in parts]
        return None if all(verdict is None for verdict in verdicts) else all(verdicts)

    @model_validator(mode="after")
    def _flags(self, info: ValidationInfo) -> Self:
        given = self.model_fields_set
        if "statuses" in given or "questionnaire" in given:
            settle(self, "immunization.immunization_complete", self._judge, info)
            as_of = info.context and info.context["as_of"]
            if as_of and "immunization_as_of" not in given:
                self.immunization_as_of = as_of if self.immunization_complete is not None else None
        return self


class Address(FormModel):
    """A postal address in the United States."""

    line1: Contact[Title] = None
    line2: Contact[Title] = None
    city: Contact[Title] = None
    state: Contact[State] = None
    postal_code: Contact[PostalCode] = None


class PracticePreferences(FormModel):
    """Where and how the therapist wants to work."""

    treating_address: Contact[Address] = None
    relocation_address: Contact[Address] = None
    weekly_appointments: Public[Appointments] = None
    specialties: Public[Choices] = None
    languages: Public[Languages] = None
    bio: Public[Text] = None
    pet_allergies: Sensitive[TextOrMore] = None


class NpiAndCaqh(FormModel):
    """The therapist's numbers."""

    npi: Public[Npi] = None
    taxonomy: Public[Taxonomy] = None
    caqh_id: Public[CaqhId] = None
    medicare_status: Public[Word] = None
    caqh_password: Never = None


class Medicare(FormModel):
    """Ten answers, of which only whether all are there is kept."""

    answers: Sensitive[TenAnswers] = None
    medicare_complete: Public[Boolean] = None

    @model_validator(mode="after")
    def _flags(self, info: ValidationInfo) -> Self:
        if "answers" in self.model_fields_set:
            settle(self, "medicare.medicare_complete", lambda: all_answered(self.answers, 10), info)
        return self


class CertificationAndRelease(FormModel):
    """The signature under the Credentialing Application."""

    agreed: Public[Boolean] = None
    signed_name: Contact[PersonName] = None
    signed_at: Public[Moment] = None
    document_version: Public[Word] = None
