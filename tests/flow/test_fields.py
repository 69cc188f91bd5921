"""What leaves of a form, end to end: what is mapped and nothing else, a portal's own fields, and what is derived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.core.forms.samples import whole_ca
from tests.flow.world import ACTIVE, World, someone

WORLD = {"portal": Path(__file__).parent / "portals" / "own_fields.toml", "delay": "1s"}
NPI = "1234567893"


def written(here: World, data: dict[str, Any], form: str = "ca", **more: Any) -> dict[str, str]:
    """What the record of somebody new holds once their form is in."""
    contact, therapist = here.contact(), someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, data, form=form, **more)
    here.until_state(therapist, "in_sync")
    held: dict[str, str] = here.records(contact)[ACTIVE]["properties"]
    return held


def texts(value: Any) -> set[str]:
    """Every text in a form that is long enough to be told from others."""
    if isinstance(value, dict | list):
        return {
            text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)
        }
    return {value} if isinstance(value, str) and len(value) > 8 else set()


def test_what_is_not_mapped_cannot_leave(shared: World) -> None:
    """The mapping is an allow-list: what is not in it cannot leave."""
    data = {**whole_ca(), "custom": {"shirt_size": "XL", "pager": "+12125550177"}}
    held = written(shared, data)
    assert held.keys() == {"npi", "shirt_size", "status", "immunized", "disclosed", "referenced"}
    sent = json.dumps(shared.requests()) + shared.hubspot.get("/_sandbox/truth").text
    unmapped = texts(data) - {NPI}
    assert len(unmapped) > 30
    assert {text for text in unmapped if json.dumps(text)[1:-1] in sent} == set()


def test_class_c_leaves_as_flags_alone(shared: World) -> None:
    """C is checked, reduced to flags (`immunization_complete`, `disclosures_complete`, `references_complete`) and dropped at the door."""
    held = written(shared, whole_ca())
    assert [held[name] for name in ("immunized", "disclosed", "referenced")] == ["true", "true", "true"]


def test_a_portals_own_fields_are_written_where_they_are_mapped(shared: World) -> None:
    """A portal's own extra fields: `custom.<name>`, declared in the portal file with type and class A or B."""
    assert written(shared, {"custom": {"shirt_size": "XL", "pager": "+12125550177"}}) == {
        "shirt_size": "XL",
        "status": "submitted",
    }


def test_what_is_derived_is_written_like_any_field(shared: World) -> None:
    """Derived and mappable: `form_status, submitted_at, attested_at, attestation_due`."""
    attested = {"attestation": {"signed_name": "Ann Example", "attested_at": "2026-02-01T09:30:00Z"}}
    assert written(shared, attested, form="af", occurred_at="2026-02-02T08:00:00Z") == {
        "status": "submitted",
        "submitted_on": "2026-02-02",
        "attested_on": "2026-02-01",
        "attestation_due_on": "2026-06-01",
    }
