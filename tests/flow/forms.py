"""What the therapists of these tests submit."""

from __future__ import annotations

from typing import Any


def ca(street: str = "1 Elm St", npi: str = "1234567893", licenses: tuple[str, ...] = ()) -> dict[str, Any]:
    """A small CA."""
    data: dict[str, Any] = {
        "npi_and_caqh": {"npi": npi, "medicare_status": "enrolled"},
        "practice_preferences": {
            "treating_address": {"line1": street, "city": "Albany", "postal_code": "12207"},
            "specialties": ["anxiety", "trauma"],
        },
    }
    if licenses:
        items = [{"state": state, "number": f"{state}-77", "expiry": "2027-03-01"} for state in licenses]
        data["education_and_training"] = {"licenses": items}
    return data


def npi(number: str | None) -> dict[str, Any]:
    """A CA that says this and no more."""
    return {"npi_and_caqh": {"npi": number}}


def street(line: str | None) -> dict[str, Any]:
    """A CA that says this and no more."""
    return {"practice_preferences": {"treating_address": {"line1": line}}}


def licences(*states: str, number: str = "77") -> dict[str, Any]:
    """A CA with these licences and no more."""
    items = [{"state": state, "number": f"{state}-{number}"} for state in states]
    return {"education_and_training": {"licenses": items}}


def af(**more: Any) -> dict[str, Any]:
    """An attestation in which every section is confirmed, or changed where `more` says so."""
    sections = ("practice_preferences", "npi_and_caqh", "education_and_training")
    confirmed = {name: {"confirmed": True} for name in sections}
    attested = {"attestation": {"signed_name": "Ann Example", "attested_at": "2026-02-01T09:30:00Z"}}
    return {**confirmed, **attested, **more}
