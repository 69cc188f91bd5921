"""What never gets through the door (classes C and D), what is left of it, and how a refusal speaks."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from credsync.core.forms import Fault, FormFaults, check_form
from tests.core.forms.ask import faults, messages
from tests.core.forms.samples import reference, whole_af, whole_ca

FORBIDDEN = [
    "ssn", "SSN", "ssn_last4", "social_security_number", "socialSecurityNumber", "tax_id", "taxId", "TIN", "ein",
    "bank_account", "bank-account-number", "bankName", "routing_number", "account_number", "iban", "direct_deposit",
    "caqh_password", "password", "payouts",
]  # fmt: skip


def _kept(section: str, fields: dict[str, Any], **more: Any) -> Any:
    return check_form("ca", {section: fields}, **more).data[section]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_class_d_is_refused_anywhere_by_any_obvious_name(name: str) -> None:
    """D is refused at the door.

    SSN, tax id, bank data and passwords are refused in every section and depth, named, and their value unsaid.
    """
    for data, path in (
        ({name: {"x": "S3CR3T"}}, None),
        ({"npi_and_caqh": {name: "S3CR3T"}}, "npi_and_caqh"),
        (
            {"employment_and_malpractice": {"malpractice": {name: "S3CR3T"}}},
            "employment_and_malpractice.malpractice",
        ),
        ({"medicare": {"answers": {name: "S3CR3T"}}}, "medicare.answers"),
        ({"immunization": {"statuses": {"MMR": {name: "S3CR3T"}}}}, "immunization.statuses.*"),
        ({"custom": {name: None}}, "custom"),
    ):
        found = faults("ca", data)
        assert [code for _, code in found] == ["forbidden_field"]
        shown = name if name.replace("_", "").isalnum() else "*"
        assert found[0][0] == (f"{path}.{shown}" if path else shown)
        assert name in messages("ca", data)[0]
        assert "S3CR3T" not in messages("ca", data)[0]


def test_class_d_is_named_even_inside_what_is_unknown() -> None:
    """A forbidden field in an unknown section is told beside the unknown section."""
    found = faults("ca", {"paymnts": {"bank_account": 1}})
    assert ("paymnts", "unknown_field") in found
    assert ("*.bank_account", "forbidden_field") in found


def test_sensitive_answers_are_reduced_to_flags() -> None:
    """Nothing of class C is in what is kept of a whole application; its flags are."""
    data = check_form("ca", whole_ca(), as_of=date(2026, 11, 20)).data
    assert data["personal_information"] == {
        "aliases": ["Testina Placeholder", "Tina Sample"],
        "name_changed": True,
    }
    assert data["immunization"] == {"immunization_complete": True, "immunization_as_of": "2026-11-20"}
    assert data["medicare"] == {"medicare_complete": True}
    assert data["education_and_training"]["references_complete"] is True
    assert data["employment_and_malpractice"]["disclosures_complete"] is True
    text = json.dumps(data)
    for secret in ("1985-02-28", "Freedonia", "Martian", "titre", "2001-09-09", "night_sweats", "Referee", "unicorn",
                   "make-believe", "out of sight", "never sanctioned"):  # fmt: skip
        assert secret not in text


@pytest.mark.parametrize(
    ("references", "complete"),
    [
        ([reference(1)], True),
        ([reference(1), {"name": "No Way"}], False),
        ([{"email": "a@example.org"}], False),
        ([{"name": "By Phone", "phone": "+12125550123"}], True),
        ([{}], False),
        ([], False),
        (None, None),
    ],
)
def test_references_are_complete(references: Any, complete: bool | None) -> None:
    """References are complete when there is one, and each has a name and a way to reach them; null clears the flag."""
    assert _kept("education_and_training", {"references": references}) == {"references_complete": complete}


@pytest.mark.parametrize(
    ("fields", "complete"),
    [
        ({"disclosures": [{"question": "q", "answer": False}]}, True),
        ({"disclosures": {"q": "no", "r": {"answer": True, "explanation": "e"}}}, True),
        ({"disclosures": [True, "no"]}, True),
        ({"disclosures": [{"question": "q"}]}, False),
        ({"disclosures": {"q": None}}, False),
        ({"disclosures": {"q": " "}}, False),
        ({"disclosures": []}, False),
        ({"disclosures": None}, None),
        ({"disclosures": [True], "claims": []}, True),
        ({"disclosures": [True], "claims": [{"year": 2012}]}, True),
        ({"disclosures": [True], "claims": [{}]}, False),
    ],
)
def test_disclosures_are_complete(fields: dict[str, Any], complete: bool | None) -> None:
    """Disclosures are complete when there is a question, each is answered (false is an answer), and no claim is empty."""
    assert _kept("employment_and_malpractice", fields) == {"disclosures_complete": complete}


def test_claims_alone_say_nothing_of_disclosures() -> None:
    """What is absent leaves its flag alone."""
    assert check_form("ca", {"employment_and_malpractice": {"claims": []}}).data == {}


@pytest.mark.parametrize(
    ("fields", "complete"),
    [
        ({"statuses": {"MMR": "immune"}, "questionnaire": {"q": False}}, True),
        ({"statuses": {"MMR": {"date": "2001-01-01"}}}, True),
        ({"statuses": [{"vaccine": "MMR", "status": "immune"}]}, True),
        ({"statuses": [{"vaccine": "MMR"}]}, False),
        ({"statuses": {"MMR": None}}, False),
        ({"statuses": {}}, False),
        ({"statuses": {"MMR": "immune"}, "questionnaire": {"q": None}}, False),
        ({"statuses": None, "questionnaire": [True]}, False),
        ({"statuses": None, "questionnaire": None}, None),
    ],
)
def test_immunization_is_complete(fields: dict[str, Any], complete: bool | None) -> None:
    """Immunisation is complete when what was given of it is there and answered throughout."""
    assert _kept("immunization", fields) == {"immunization_complete": complete}


@pytest.mark.parametrize(
    ("answers", "complete"),
    [
        ([True] * 10, True),
        ([True] * 9, False),
        ({str(n): "no" for n in range(10)}, True),
        ([None] * 10, False),
        (None, None),
    ],
)
def test_medicare_is_complete(answers: Any, complete: bool | None) -> None:
    """Medicare is complete when all ten questions are answered."""
    assert _kept("medicare", {"answers": answers}) == {"medicare_complete": complete}


def test_immunization_as_of_is_the_submissions_day_and_never_a_vaccinations() -> None:
    """`immunization_as_of` is what the caller says, else the submission's day, set only where something was sent."""
    sent = {"statuses": {"MMR": {"date": "2001-01-01"}}}
    day = date(2026, 11, 20)
    assert _kept("immunization", sent, as_of=day)["immunization_as_of"] == "2026-11-20"
    assert (
        _kept("immunization", sent | {"immunization_as_of": "2026-01-01"}, as_of=day)["immunization_as_of"]
        == "2026-01-01"
    )
    assert _kept("immunization", {"statuses": None}, as_of=day)["immunization_as_of"] is None
    assert check_form("ca", {"immunization": {"immunization_complete": True}}, as_of=day).data == {
        "immunization": {"immunization_complete": True}
    }


def test_a_flag_the_caller_reduced_itself_is_taken() -> None:
    """The calling backend owns completeness: its flag is taken, with a warning where answers say otherwise."""
    assert _kept("medicare", {"medicare_complete": True}) == {"medicare_complete": True}
    checked = check_form("ca", {"medicare": {"medicare_complete": True, "answers": [True]}})
    assert checked.data == {"medicare": {"medicare_complete": True}}
    assert [(fault.path, fault.code) for fault in checked.warnings] == [
        ("medicare.medicare_complete", "flag_differs")
    ]


def test_an_unknown_name_is_told_its_nearest() -> None:
    """Unknown sections and fields are refused with the nearest known name, wherever that belongs; never class D."""
    assert messages("ca", {"npi_and_caqh": {"npii": "1"}}) == ["unknown field 'npii': did you mean 'npi'?"]
    assert messages("ca", {"npi_caqh": {}}) == ["unknown section 'npi_caqh': did you mean 'npi_and_caqh'?"]
    assert messages("ca", {"sign_up": {"npi": "1"}}) == [
        "unknown field 'npi': did you mean 'npi_and_caqh.npi'?"
    ]
    assert messages("ca", {"personal_information": {"ssm": 1}}) == ["unknown field 'ssm'"]
    assert messages("ca", {"education_and_training": {"licenses": [{"state": "NY", "numbr": "1"}]}}) == [
        "unknown field 'numbr': did you mean 'number'?"
    ]
    assert messages("sign_up", {"frist_name": "Ann"}) == [
        "unknown field 'frist_name': did you mean 'first_name'?"
    ]


def test_every_fault_is_named_at_once() -> None:
    """One refusal names all: in fields, across fields, in lists, in sections, with item indexes in the paths."""
    data = {
        "sign_up": {"state": "ny", "email": "x", "zip": "1"},
        "education_and_training": {
            "licenses": [
                {"state": "NY", "number": 5, "issued": "2020-01-02", "expiry": "2020-01-01"},
                {"state": "NY", "type": "LCSW"},
                {"type": "LCSW"},
            ]
        },
        "npi_and_caqh": {"npi": "1", "caqh_password": "x"},
        "payouts": {},
        "nonsense": 1,
        "custom": {"undeclared": 1},
    }
    licenses = "education_and_training.licenses"
    assert set(faults("ca", data)) == {
        ("sign_up.state", "invalid_state"),
        ("sign_up.email", "invalid_email"),
        ("sign_up.zip", "unknown_field"),
        (f"{licenses}[0].number", "wrong_type"),
        (f"{licenses}[0].expiry", "date_order"),
        (f"{licenses}[2].state", "missing"),
        ("npi_and_caqh.npi", "invalid_npi"),
        ("npi_and_caqh.caqh_password", "forbidden_field"),
        ("payouts", "forbidden_field"),
        ("nonsense", "unknown_field"),
        ("custom.undeclared", "unknown_field"),
    }
    twice = [{"state": "NY", "type": "PT", "number": 5}, {"state": "NY", "type": "PT"}]
    assert set(faults("ca", {"education_and_training": {"licenses": twice}})) == {
        (f"{licenses}[0].number", "wrong_type"),
        (f"{licenses}[1]", "duplicate_item"),
    }


def test_a_refusal_carries_no_value_behind_its_back() -> None:
    """Neither the exception's text nor what it was raised from holds a submitted value."""
    with pytest.raises(FormFaults) as caught:
        check_form("ca", {"sign_up": {"first_name": "<S3CR3T>", "email": "S3CR3T"}})
    assert "S3CR3T" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_odd_names_are_not_shown() -> None:
    """A field's name is shown only where it is a plain word: names may be values in disguise."""
    for name in ("123-45-6789", "Jane Roe", "x" * 65, "\ud800", "a\x00b"):
        (fault,) = _refused({"npi_and_caqh": {name: 1}})
        assert name not in fault.message
        assert name not in fault.path
    (fault,) = _refused({"immunization": {"statuses": {"private_matter": [1]}}})
    assert fault.path == "immunization.statuses.*"


def _refused(data: dict[str, Any]) -> tuple[Fault, ...]:
    with pytest.raises(FormFaults) as caught:
        check_form("ca", data)
    return caught.value.faults


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_a_form_is_an_object(data: Any) -> None:
    """Anything but an object is refused as a whole."""
    assert faults("ca", data) == [("", "wrong_type")]


def test_a_hostile_form_costs_little() -> None:
    """Depth of 10,000 and 100,000 unknown names are refused, the list of faults is cut, and nothing overflows."""
    deep: dict[str, Any] = {}
    for _ in range(10_000):
        deep = {"a": deep}
    assert ("npi_and_caqh.a", "unknown_field") in faults("ca", {"npi_and_caqh": deep})
    many = faults("ca", {f"name{number}": 1 for number in range(100_000)})
    assert len(many) == 1_001
    assert many[-1] == ("", "more_faults")


def test_a_sign_up_may_come_bare() -> None:
    """A sign-up's fields may come alone or under their section; both are kept, and refused, under it."""
    bare = {"first_name": "Ann", "state": "NY"}
    assert (
        check_form("sign_up", bare).data == {"sign_up": bare} == check_form("sign_up", {"sign_up": bare}).data
    )
    assert faults("sign_up", {"state": "x"}) == [("sign_up.state", "invalid_state")]
    assert faults("sign_up", {"npi_and_caqh": {}}) == [("sign_up.npi_and_caqh", "unknown_field")]
    assert faults("sign_up", {"payouts": {}}) == [("sign_up.payouts", "forbidden_field")]


def test_a_confirmed_section_is_as_good_as_absent() -> None:
    """In an Attestation Form `{"confirmed": true}` leaves the section alone."""
    kept = check_form("af", whole_af()).data
    assert set(kept) == {
        "sign_up", "education_and_training", "employment_and_malpractice", "practice_preferences", "disclosures",
        "attestation",
    }  # fmt: skip
    assert kept["disclosures"] == {"disclosures_complete": True}
    assert kept["practice_preferences"]["relocation_address"] is None


@pytest.mark.parametrize(
    ("section", "fields", "expected"),
    [
        (
            "medicare",
            {"confirmed": True, "medicare_complete": True},
            [("medicare.confirmed", "confirmed_with_fields")],
        ),
        ("medicare", {"confirmed": False}, [("medicare.confirmed", "not_allowed")]),
        ("medicare", {"confirmed": 1}, [("medicare.confirmed", "not_allowed")]),
        ("attestation", {"confirmed": True}, [("attestation.confirmed", "unknown_field")]),
        ("disclosures", {"confirmed": True}, [("disclosures.confirmed", "unknown_field")]),
        (
            "npi_and_caqh",
            {"confirmed": True, "npi": "1"},
            [("npi_and_caqh.confirmed", "confirmed_with_fields"), ("npi_and_caqh.npi", "invalid_npi")],
        ),
    ],
)
def test_confirmed_stands_alone(
    section: str, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """`confirmed` beside other fields, or anything but true, is a fault; the form's own two sections have none."""
    assert faults("af", {section: fields}) == expected


def test_only_an_attestation_form_confirms() -> None:
    """`confirmed` is no field of an application."""
    assert faults("ca", {"medicare": {"confirmed": True}}) == [("medicare.confirmed", "unknown_field")]


def test_the_attestation_forms_disclosures_may_be_a_list() -> None:
    """A bare list of answers stands for the section."""
    assert check_form("af", {"disclosures": [{"question": "q", "answer": False}]}).data == {
        "disclosures": {"disclosures_complete": True}
    }
    assert faults("af", {"disclosures": [{"x": 1}]}) == [("disclosures.answers[0].x", "unknown_field")]
    assert faults("ca", {"disclosures": []}) == [("disclosures", "unknown_field")]
