"""Therapists who do not exist, their forms, and what must stand in HubSpot once they have submitted.

The names are made up, the telephone numbers are of the 555-01xx range kept for fiction, the domains are reserved,
and the NPIs only have a right check digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

_FIRST = (
    "Ada",
    "Bram",
    "Cleo",
    "Dov",
    "Esra",
    "Finn",
    "Gia",
    "Hugo",
    "Ines",
    "Jun",
    "Lena",
    "Milo",
    "Noor",
    "Otto",
)
_LAST = (
    "Sample",
    "Placeholder",
    "Example",
    "Specimen",
    "Pretend",
    "Nonesuch",
    "Makebelieve",
    "Madeup",
    "Fiction",
)
_CASE_NAMES = {
    "K": ("Kit", "Sample"),
    "P": ("Pia", "Placeholder"),
    "W": ("Wim", "Nonesuch"),
    "S": ("Sol", "Specimen"),
}
_CITIES = {
    "NY": ("New York", "10001"),
    "NJ": ("Trenton", "08601"),
    "CT": ("Hartford", "06101"),
    "CA": ("Sacramento", "95814"),
    "TX": ("Austin", "78701"),
    "WA": ("Olympia", "98501"),
}
_SPECIALTIES = ("Anxiety", "Grief", "Couples", "Trauma", "Sleep", "Adolescents")
_MEDICARE = {"enrolled": "Yes", "not_enrolled": "No"}
"""The portal's own words for the two answers, as in its `values.medicare`."""
NO_OPTION = "opted_out"
"""A third answer, for which HubSpot's property has no option."""
RENEWED_UNTIL = "2031-03-31"

Records = dict[str, dict[str, str]]
"""Properties by slot."""


@dataclass(frozen=True, slots=True)
class License:
    """A licence of one state."""

    state: str
    number: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Person:
    """Everything a therapist will submit."""

    id: str
    label: str
    first_name: str
    last_name: str
    moving: bool
    npi: str
    medicare: str
    licenses: tuple[License, ...]
    specialties: tuple[str, ...]
    insured_until: str
    street: str
    city: str
    postal_code: str

    @property
    def name(self) -> str:
        """As a person is called."""
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        """An address nobody can have."""
        return f"{self.first_name}.{self.last_name}.{self.label}@example.org".lower()

    @property
    def definitive_slot(self) -> str:
        """Whose Credentialing the application belongs to."""
        return "credentialing_relocation" if self.moving else "credentialing_active_attested"

    @property
    def other_slot(self) -> str:
        """The Credentialing that everybody gets, too, and that must be left alone."""
        return "credentialing_active_attested" if self.moving else "credentialing_relocation"

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot whose record must be written."""
        licenses = [f"license.{each.state}" for each in self.licenses]
        return (self.definitive_slot, *licenses, "therapist_address_current")

    def expected(self, submitted: datetime) -> Records:
        """What was submitted, as it must be in HubSpot: the portal file's mapping, done by hand.

        A value that HubSpot has no option for is not in it.
        """
        definitive = {
            "npi": self.npi,
            **({"medicare": _MEDICARE[self.medicare]} if self.medicare in _MEDICARE else {}),
            "specialties": ";".join(self.specialties),
            "malpractice_expires_on": self.insured_until,
            "submitted_on": submitted.astimezone(UTC).date().isoformat(),
        }
        licenses = {
            f"license.{each.state}": {"license_number": each.number, "expires_on": each.expiry}
            for each in self.licenses
        }
        address = {"street": self.street, "city": self.city, "postal_code": self.postal_code}
        return {self.definitive_slot: definitive, **licenses, "therapist_address_current": address}

    def sign_up(self) -> dict[str, Any]:
        """The sign-up's own fields."""
        return {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "phone": "+12125550123",
            "state": self.licenses[0].state,
            "postal_code": self.postal_code,
            "bls": {"number": f"BLS-{self.label}", "expiry": "2028-05-31", "issuer": "Invented Heart League"},
            "desired_signature": self.name,
        }

    def application(self) -> dict[str, Any]:
        """The whole Credentialing Application, with every section that may come through the door."""
        return {
            "sign_up": self.sign_up(),
            "personal_information": {
                "aliases": [f"{self.first_name} Alias"],
                "name_changed": False,
                "birth_date": "1985-02-28",
                "citizenship": "Freedonian",
            },
            "immunization": {
                "statuses": [{"vaccine": "MMR", "status": "immune by titre", "date": "2001-09-09"}],
                "questionnaire": {"tb_exposure": False},
            },
            "education_and_training": self._education(),
            "employment_and_malpractice": self._employment(),
            "practice_preferences": {
                "treating_address": self._address(),
                "weekly_appointments": 18,
                "specialties": list(self.specialties),
                "languages": ["en", "es-MX"],
                "bio": "I do not exist.\nBut I listen well.",
                "pet_allergies": "unicorn dander",
            },
            "npi_and_caqh": {
                "npi": self.npi,
                "taxonomy": "1041C0700X",
                "caqh_id": "00000042",
                "medicare_status": self.medicare,
            },
            "medicare": {"answers": [True, False, "no", False, True, False, 7, "not so", "2020", False]},
            "certification_and_release": {
                "agreed": True,
                "signed_name": self.name,
                "signed_at": "2026-11-20T09:30:00-05:00",
                "document_version": "2026-01",
            },
        }

    def renewed(self) -> Person:
        """The same person with what they submit after an Extended Sign Up."""
        other = next(each for each in sorted(_MEDICARE) if each != self.medicare)
        return replace(self, medicare=other, insured_until=RENEWED_UNTIL)

    def renewal(self) -> dict[str, Any]:
        """An application that says only what belongs on the Credentialing; all else is left alone."""
        return {
            "employment_and_malpractice": self._employment(),
            "practice_preferences": {"specialties": list(self.specialties)},
            "npi_and_caqh": {"npi": self.npi, "medicare_status": self.medicare},
        }

    def _education(self) -> dict[str, Any]:
        return {
            "degrees": [
                {
                    "level": "Master",
                    "school": "University of Nowhere",
                    "field": "Social Work",
                    "start": "2007-09-01",
                    "end": "2009-06-15",
                }
            ],
            "board_certifications": [
                {
                    "name": "Board of Examples",
                    "number": "BE-77",
                    "issued": "2015-01-01",
                    "expiry": "2030-01-01",
                }
            ],
            "licenses": [
                {
                    "state": each.state,
                    "type": "LCSW",
                    "number": each.number,
                    "issued": "2019-06-01",
                    "expiry": each.expiry,
                    "status": "active",
                    "compact": False,
                }
                for each in self.licenses
            ],
            "references": [
                {
                    "name": "Referee One",
                    "email": "referee@example.net",
                    "phone": "+19175550151",
                    "relation": "peer",
                }
            ],
        }

    def _employment(self) -> dict[str, Any]:
        return {
            "employers": [{"name": "Imaginary Clinic", "start": "2015-03-01"}],
            "malpractice": {
                "carrier": "Fictitious Mutual",
                "policy_number": f"FM-{self.label}",
                "per_claim_cents": 100_000_000,
                "aggregate_cents": 300_000_000,
                "effective": "2026-01-01",
                "expiry": self.insured_until,
            },
            "claims": [],
            "disclosures": [{"question": "Was a licence ever limited?", "answer": False}],
        }

    def _address(self) -> dict[str, Any]:
        state = self.licenses[0].state
        return {"line1": self.street, "city": self.city, "state": state, "postal_code": self.postal_code}


def invent(label: str, chance: Random, *, moving: bool = False, states: tuple[str, ...] = ()) -> Person:
    """A person with licences in these states, else in some; `label` is a case's letter or a number."""
    first, last = _CASE_NAMES.get(label) or (chance.choice(_FIRST), chance.choice(_LAST))
    states = states or tuple(chance.sample(sorted(_CITIES), chance.choice((1, 1, 2, 3))))
    city, postal_code = _CITIES[states[0]]
    return Person(
        id=str(UUID(int=chance.getrandbits(128), version=4)),
        label=label,
        first_name=first,
        last_name=last,
        moving=moving,
        npi=_npi(chance.randrange(10**8)),
        medicare=chance.choice(sorted(_MEDICARE)),
        licenses=tuple(
            License(state, f"{state}-{chance.randrange(10**6):06}", f"2028-{chance.randint(1, 12):02}-28")
            for state in states
        ),
        specialties=tuple(chance.sample(_SPECIALTIES, chance.randint(1, 3))),
        insured_until=f"2028-{chance.randint(1, 12):02}-01",
        street=f"{chance.randint(1, 99)} Example Plaza",
        city=city,
        postal_code=postal_code,
    )


def _npi(number: int) -> str:
    """Nine digits that begin with 1, and the check digit: Luhn over 80840 and the NPI."""
    digits = f"1{number:08}"
    total = 24
    for place, digit in enumerate(map(int, digits)):
        total += sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit
    return f"{digits}{-total % 10}"
