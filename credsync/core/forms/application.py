"""The three forms as wholes: which sections each has, and what the Attestation Form adds.

`custom` is not here: its fields are a portal's own (`custom.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ValidationInfo, model_validator

from credsync.core.forms.answers import Answers, all_answered, settle
from credsync.core.forms.career import EducationAndTraining, EmploymentAndMalpractice
from credsync.core.forms.dates import Moment
from credsync.core.forms.faults import Fault
from credsync.core.forms.fields import Boolean, Contact, FormModel, Kind, Never, Public, Sensitive
from credsync.core.forms.sections import (
    CertificationAndRelease,
    Immunization,
    Medicare,
    NpiAndCaqh,
    PersonalInformation,
    PracticePreferences,
    SignUp,
)
from credsync.core.forms.texts import PersonName, Word

FormName = Literal["sign_up", "ca", "af"]


class SignUpForm(FormModel):
    """What sign-up submitted."""

    sign_up: SignUp | None = None


class CredentialingApplication(FormModel):
    """The Credentialing Application (CA)."""

    sign_up: SignUp | None = None
    personal_information: PersonalInformation | None = None
    immunization: Immunization | None = None
    education_and_training: EducationAndTraining | None = None
    employment_and_malpractice: EmploymentAndMalpractice | None = None
    practice_preferences: PracticePreferences | None = None
    npi_and_caqh: NpiAndCaqh | None = None
    medicare: Medicare | None = None
    payouts: Annotated[Never, Kind("object", "refused: outside this system")] = None
    certification_and_release: CertificationAndRelease | None = None


class Disclosures(FormModel):
    """The Attestation Form's disclosure questions, reduced to a flag; a bare list stands for `{"answers": list}`."""

    answers: Sensitive[Answers] = None
    disclosures_complete: Public[Boolean] = None

    @model_validator(mode="after")
    def _flags(self, info: ValidationInfo) -> Self:
        if "answers" in self.model_fields_set:
            settle(self, "disclosures.disclosures_complete", lambda: all_answered(self.answers), info)
        return self


class Attestation(FormModel):
    """The signature under the Attestation Form."""

    text_version: Public[Word] = None
    signed_name: Contact[PersonName] = None
    attested_at: Public[Moment] = None


def _listed(value: object) -> object:
    return {"answers": value} if isinstance(value, list) else value


class AttestationForm(CredentialingApplication):
    """The Attestation Form (AF): the application's sections, then its own two."""

    disclosures: Annotated[Disclosures | None, BeforeValidator(_listed)] = None
    attestation: Attestation | None = None


MODELS: Final[Mapping[FormName, type[FormModel]]] = {
    "sign_up": SignUpForm,
    "ca": CredentialingApplication,
    "af": AttestationForm,
}

SECTIONS: Final[Mapping[FormName, tuple[str, ...]]] = {
    form: tuple(name for name in model.model_fields if name != "payouts") for form, model in MODELS.items()
}
"""The sections of each form, in the order of domain.md's table, without `payouts` (class D) and `custom`."""

_CONFIRMABLE = frozenset(SECTIONS["ca"])


def take_out_confirmed(data: dict[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """An AF's data without the sections that were confirmed unchanged, and what is wrong with the confirmations.

    A section `{"confirmed": true}` is as good as absent. Beside other fields the two contradict each other: the
    fault is told, and the other fields are left in to be checked.
    """
    rest: dict[Any, Any] = {}
    faults: list[Fault] = []
    for name, section in data.items():
        if name not in _CONFIRMABLE or not isinstance(section, dict) or "confirmed" not in section:
            rest[name] = section
            continue
        if section["confirmed"] is not True:
            message = "must be true; leave it out where the section changed"
            faults.append(Fault(f"{name}.confirmed", "not_allowed", message))
        elif len(section) > 1:
            message = "must stand alone: a section is either confirmed unchanged or has changed fields"
            faults.append(Fault(f"{name}.confirmed", "confirmed_with_fields", message))
        rest[name] = {key: value for key, value in section.items() if key != "confirmed"}
        if not rest[name]:
            del rest[name]
    return rest, faults
