"""Whole forms of people who do not exist, for tests and benches.

Nobody here is real: the names are jokes, the telephone numbers are of the 555-01xx range kept for fiction, the
domains are reserved, and the NPIs only have a right check digit.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

NPI = "1234567893"
"""The example NPI of CMS' own description of the check digit."""


def sign_up_fields(**changed: Any) -> dict[str, Any]:
    """The fields of a sign-up, bare; `changed` sets or adds some."""
    fields = {
        "kind": "first",
        "first_name": "Testina",
        "middle_name": "Q",
        "last_name": "O'Sample",
        "suffix": "III",
        "email": "testina.osample@example.org",
        "phone": "+12125550123",
        "state": "NY",
        "postal_code": "10001-0001",
        "bls": {"number": "BLS-000-TEST", "expiry": "2027-05-31", "issuer": "Invented Heart League"},
        "desired_signature": "Testina O'Sample, LCSW",
    }
    return deepcopy(fields | changed)


def reference(number: int) -> dict[str, Any]:
    """One reference, told apart by its number."""
    return {
        "name": f"Referee Number{number}",
        "email": f"referee{number}@example.net",
        "phone": f"+1917555015{number}",
        "relation": "former supervisor",
    }


def license_item(state: str = "NY", **changed: Any) -> dict[str, Any]:
    """One licence of a state; `changed` sets or adds fields."""
    fields = {
        "state": state,
        "type": "LCSW",
        "number": f"{state}-000123",
        "issued": "2019-06-01",
        "expiry": "2027-05-31",
        "status": "active",
        "compact": False,
    }
    return fields | changed


def whole_ca() -> dict[str, Any]:
    """A Credentialing Application with every section and every field of domain.md's table but class D."""
    return {
        "sign_up": sign_up_fields(),
        "personal_information": {
            "aliases": ["Testina Placeholder", "Tina Sample"],
            "name_changed": True,
            "birth_date": "1985-02-28",
            "birth_place": {"city": "Nowhereville", "country": "Freedonia"},
            "citizenship": "Freedonian",
            "ethnicity": ["Martian", "Venusian"],
        },
        "immunization": {
            "statuses": [
                {"vaccine": "MMR", "status": "immune by titre", "date": "2001-09-09"},
                {"vaccine": "Hepatitis B", "status": "vaccinated", "date": "2002-10-10"},
                {"vaccine": "Varicella", "status": "declined for cause"},
            ],
            "questionnaire": {"tb_exposure": False, "night_sweats": "never ever", "chest_film": "clear"},
        },
        "education_and_training": {
            "degrees": [
                {
                    "level": "Master",
                    "school": "University of Nowhere",
                    "field": "Social Work",
                    "start": "2007-09-01",
                    "end": "2009-06-15",
                },
                {
                    "level": "Bachelor",
                    "school": "Nowhere State College",
                    "field": "Psychology",
                    "end": "2007-06-15",
                },
            ],
            "residencies": ["Nowhere General Hospital, 2009"],
            "fellowships": ["Fellowship of Invented Therapies"],
            "board_certifications": [
                {
                    "name": "Board of Examples",
                    "number": "BE-77",
                    "issued": "2015-01-01",
                    "expiry": "2028-01-01",
                }
            ],
            "licenses": [
                license_item("NY"),
                license_item("NJ", compact=True),
                license_item("CT", type="LMFT"),
            ],
            "references": [reference(1), reference(2), reference(3)],
        },
        "employment_and_malpractice": {
            "employers": [
                {"name": "Imaginary Clinic", "start": "2015-03-01"},
                {"name": "Pretend Practice", "start": "2009-09-01", "end": "2014-08-31"},
                {"start": "2014-09-01", "end": "2015-02-28", "gap_reason": "Sailed around\na made-up world"},
            ],
            "malpractice": {
                "carrier": "Fictitious Mutual",
                "policy_number": "FM-0001",
                "per_claim_cents": 100_000_000,
                "aggregate_cents": 300_000_000,
                "effective": "2026-01-01",
                "expiry": "2027-01-01",
            },
            "claims": [{"year": 2012, "outcome": "settled out of sight", "paid": True}],
            "disclosures": [
                {"question": "Was a licence ever limited?", "answer": False},
                {
                    "question": "Was a claim ever paid?",
                    "answer": True,
                    "explanation": "a slippery make-believe floor",
                },
            ],
        },
        "practice_preferences": {
            "treating_address": {
                "line1": "1 Example Plaza",
                "line2": "Suite 0",
                "city": "New York",
                "state": "NY",
                "postal_code": "10001",
            },
            "relocation_address": {
                "line1": "2 Sample Road",
                "line2": "Floor 9",
                "city": "Trenton",
                "state": "NJ",
                "postal_code": "08601",
            },
            "weekly_appointments": 18,
            "specialties": ["Anxiety", "Grief", "Couples"],
            "languages": ["en", "es-MX", "zh-Hant-TW"],
            "bio": "I do not exist.\n\n\tBut I listen well.",
            "pet_allergies": "unicorn dander",
        },
        "npi_and_caqh": {
            "npi": NPI,
            "taxonomy": "1041C0700X",
            "caqh_id": "00000042",
            "medicare_status": "not_enrolled",
        },
        "medicare": {
            "answers": [True, False, "no", "never sanctioned", True, False, 7, "not so", "2020", False]
        },
        "certification_and_release": {
            "agreed": True,
            "signed_name": "Testina O'Sample",
            "signed_at": "2026-11-20T09:30:00-05:00",
            "document_version": "2026-01",
        },
    }


def whole_af() -> dict[str, Any]:
    """An Attestation Form: some sections confirmed, some changed, then disclosures and the attestation."""
    return {
        "sign_up": {"phone": "+12125550199"},
        "personal_information": {"confirmed": True},
        "immunization": {"confirmed": True},
        "education_and_training": {"licenses": [license_item("NY", expiry="2029-05-31"), license_item("NJ")]},
        "employment_and_malpractice": {
            "malpractice": {"effective": "2027-01-01", "expiry": "2028-01-01", "per_claim_cents": 200_000_000}
        },
        "practice_preferences": {"weekly_appointments": 12, "relocation_address": None},
        "npi_and_caqh": {"confirmed": True},
        "medicare": {"confirmed": True},
        "certification_and_release": {"confirmed": True},
        "disclosures": {"answers": {"license_limited": False, "claim_paid": "nothing since then"}},
        "attestation": {
            "text_version": "2026-03",
            "signed_name": "Testina O'Sample",
            "attested_at": "2027-03-20T12:00:00Z",
        },
    }
