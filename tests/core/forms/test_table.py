"""The table of domain.md, "Fields", row by row, and the reference page made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from credsync.core.forms import (
    CODES,
    SECTIONS,
    CustomField,
    DataClass,
    FormName,
    check_form,
    is_forbidden,
    nearest,
    paths,
)
from credsync.core.forms.reference import reference_page
from tests.core.forms.ask import faults, taken
from tests.core.forms.samples import sign_up_fields, whole_af, whole_ca

TABLE = {
    "sign_up": "kind first_name middle_name last_name suffix email phone state postal_code "
    "bls bls.number bls.expiry bls.issuer desired_signature",
    "personal_information": "aliases name_changed birth_date:C birth_place:C citizenship:C ethnicity:C ssn:D",
    "immunization": "statuses:C questionnaire:C immunization_complete immunization_as_of",
    "education_and_training": "degrees degrees.level degrees.school degrees.field degrees.start degrees.end "
    "residencies fellowships board_certifications board_certifications.name board_certifications.number "
    "board_certifications.issued board_certifications.expiry licenses licenses.state licenses.type licenses.number "
    "licenses.issued licenses.expiry licenses.status licenses.compact references:C references.name:C "
    "references.email:C references.phone:C references.relation:C references_complete",
    "employment_and_malpractice": "employers employers.name employers.start employers.end employers.gap_reason "
    "malpractice malpractice.carrier malpractice.policy_number malpractice.per_claim_cents "
    "malpractice.aggregate_cents malpractice.effective malpractice.expiry claims:C disclosures:C disclosures_complete",
    "practice_preferences": "treating_address treating_address.line1 treating_address.line2 treating_address.city "
    "treating_address.state treating_address.postal_code relocation_address relocation_address.line1 "
    "relocation_address.line2 relocation_address.city relocation_address.state relocation_address.postal_code "
    "weekly_appointments specialties languages bio pet_allergies:C",
    "npi_and_caqh": "npi taxonomy caqh_id medicare_status caqh_password:D",
    "medicare": "answers:C medicare_complete",
    "certification_and_release": "agreed signed_name signed_at document_version",
}
AF_ONLY = {
    "disclosures": "answers:C disclosures_complete",
    "attestation": "text_version signed_name attested_at",
}
DERIVED = {"form_status", "submitted_at", "attested_at", "attestation_due"}
FORMS: list[FormName] = ["sign_up", "ca", "af"]


def _rows(table: dict[str, str]) -> dict[str, str]:
    rows = {}
    for section, fields in table.items():
        for field in fields.split():
            name, _, data_class = field.partition(":")
            rows[f"{section}.{name}"] = data_class or "AB"
    return rows


@pytest.mark.parametrize(
    ("form", "table"),
    [("sign_up", {"sign_up": TABLE["sign_up"]}), ("ca", TABLE), ("af", TABLE | AF_ONLY)],
)
def test_paths_are_the_tables_rows_with_their_classes(form: FormName, table: dict[str, str]) -> None:
    """A form's paths are its sections, the table's fields with their classes, and the derived ones: no more, no less."""
    known = paths(form)
    rows = _rows(table)
    rest = {"payouts"} if form != "sign_up" else set()
    assert set(known) == set(rows) | set(table) | DERIVED | {"custom"} | rest
    for path, data_class in rows.items():
        assert known[path].data_class in data_class, path
    for section in table:
        assert known[section].type == "object"


def test_payouts_are_outside_the_system() -> None:
    """`payouts` is known as class D, and no section of any form."""
    assert paths("ca")["payouts"].data_class is DataClass.D
    assert paths("ca")["payouts"].type == "object"
    assert not any("payouts" in sections for sections in SECTIONS.values())


def test_sections_are_the_tables() -> None:
    """A section may be completed when the table has it; the Attestation Form adds its own two."""
    assert SECTIONS["sign_up"] == ("sign_up",)
    assert SECTIONS["ca"] == tuple(TABLE)
    assert SECTIONS["af"] == (*TABLE, *AF_ONLY)


@pytest.mark.parametrize(
    ("path", "kind", "in_list"),
    [
        ("education_and_training.licenses", "list", None),
        ("education_and_training.licenses.number", "string", "education_and_training.licenses"),
        ("education_and_training.licenses.expiry", "date", "education_and_training.licenses"),
        ("education_and_training.licenses.compact", "boolean", "education_and_training.licenses"),
        ("practice_preferences.languages", "list", None),
        ("practice_preferences.treating_address", "object", None),
        ("practice_preferences.treating_address.line1", "string", None),
        ("practice_preferences.weekly_appointments", "integer", None),
        ("employment_and_malpractice.malpractice.per_claim_cents", "integer", None),
        ("immunization.immunization_complete", "boolean", None),
        ("immunization.immunization_as_of", "date", None),
        ("certification_and_release.signed_at", "datetime", None),
        ("submitted_at", "datetime", None),
        ("attestation_due", "date", None),
    ],
)
def test_a_path_tells_its_type_and_its_list(path: str, kind: str, in_list: str | None) -> None:
    """A mapping learns from a path what it would write, and whether it is repeated."""
    info = paths("ca")[path]
    assert (info.path, info.type, info.in_list) == (path, kind, in_list)


def test_a_portals_own_fields_are_paths() -> None:
    """A declared field is `custom.<name>` with its type and class."""
    known = paths("ca", {"shirt_size": CustomField("shirt_size", "string", "B")})
    assert known["custom.shirt_size"].type == "string"
    assert known["custom.shirt_size"].data_class is DataClass.B
    assert known["custom"].data_class is DataClass.B


def test_flags_are_mappable() -> None:
    """What class C is reduced to is class A."""
    flags = [info for info in paths("af").values() if info.path.endswith("_complete")]
    assert len(flags) == 5
    assert {info.data_class for info in flags} == {DataClass.A}


def test_no_known_field_has_a_forbidden_name() -> None:
    """The names that are never accepted are exactly the class D fields of the table."""
    for path, info in paths("af").items():
        name = path.rpartition(".")[2]
        assert is_forbidden(name) == (info.data_class is DataClass.D and name not in TABLE), path


@pytest.mark.parametrize(
    ("form", "whole"), [("sign_up", sign_up_fields()), ("ca", whole_ca()), ("af", whole_af())]
)
def test_a_whole_form_is_taken(form: FormName, whole: dict[str, Any]) -> None:
    """A form with everything in it is valid, and no warning is needed."""
    assert check_form(form, whole).warnings == ()


def test_the_whole_application_has_every_field() -> None:
    """The sample holds every field of the table but class D and the flags, so that what takes it takes all."""
    whole = whole_ca()
    for path, data_class in _rows(TABLE).items():
        value: Any = whole
        for part in path.split("."):
            value = (
                next(item[part] for item in value if part in item)
                if isinstance(value, list)
                else value.get(part)
            )
        flag = path.endswith(("_complete", "_as_of", ".answers"))
        assert value is not None or data_class == "D" or flag, path


@pytest.mark.parametrize(
    "path", [path for path in _rows(TABLE | AF_ONLY) if path != "education_and_training.licenses.state"]
)
def test_null_clears_any_field(path: str) -> None:
    """Null is taken for every leaf, object and list, and kept as null; class C's goes to its flag; class D is refused."""
    info = paths("af")[path]
    if info.data_class is DataClass.D:
        assert faults("af", {path.split(".")[0]: {path.split(".")[1]: None}}) == [(path, "forbidden_field")]
    elif info.data_class is not DataClass.C:
        assert taken(path, None, "af") is None


@pytest.mark.parametrize("form", FORMS)
def test_null_clears_any_section(form: FormName) -> None:
    """Null is taken for every section, and kept as null."""
    for section in (*SECTIONS[form], "custom"):
        assert check_form(form, {section: None}).data == {section: None}


def test_a_licences_state_is_required() -> None:
    """Nothing is required but what names an item (a licence's state)."""
    licenses = [{"number": "1"}, {"state": None}]
    place = "education_and_training.licenses"
    assert faults("ca", {"education_and_training": {"licenses": licenses}}) == [
        (f"{place}[0].state", "missing"),
        (f"{place}[1].state", "wrong_type"),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_form_is_valid(form: FormName) -> None:
    """A section left out is a section left alone, even all of them; so is an empty one."""
    assert check_form(form, {}).data == {}
    assert check_form(form, {"sign_up": {}}).data == {}


def test_an_empty_list_replaces_the_list() -> None:
    """`[]` is a list, not an absence."""
    assert taken("education_and_training.licenses", []) == []
    assert taken("practice_preferences.specialties", []) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("npii", "npi"), ("NPI", "npi"), ("taxonomi", "taxonomy"), ("zzz", None), ("", None)],
)
def test_the_nearest_known_name(name: str, expected: str | None) -> None:
    """An unknown name is told its nearest known one, whatever the case, or none."""
    assert nearest(name, ["npi", "taxonomy", "caqh_id"]) == expected


def test_the_reference_page_is_what_the_models_say() -> None:
    """docs/fields.md equals the models; `python -m credsync.core.forms.reference > docs/fields.md` renews it."""
    page = Path(__file__).parents[3] / "docs" / "fields.md"
    assert page.read_text(encoding="utf-8") == reference_page()


def test_the_reference_page_has_every_path_and_code() -> None:
    """Every path of every form and every code is on the page."""
    page = reference_page()
    leaves = [path for path in paths("af") if path not in (*SECTIONS["af"], "custom")]
    assert [name for name in (*leaves, *CODES) if f"`{name}`" not in page] == []
