"""The rules of domain.md, "Fields": what is there must be valid."""

from __future__ import annotations

from typing import Any

import pytest

from credsync.core.forms import CustomField, FormName
from tests.core.forms.ask import codes, faults, taken
from tests.core.forms.samples import license_item

LICENSES = "education_and_training.licenses"
TAKEN: list[tuple[str, Any, Any]] = [
    ("npi_and_caqh.npi", "1234567893", "1234567893"),
    ("npi_and_caqh.npi", " 2000000002 ", "2000000002"),
    ("npi_and_caqh.taxonomy", "1041C0700X", "1041C0700X"),
    ("npi_and_caqh.caqh_id", "00000042", "00000042"),
    ("npi_and_caqh.medicare_status", "whatever a portal says", "whatever a portal says"),
    ("sign_up.state", "PR", "PR"),
    ("sign_up.state", "AP", "AP"),
    ("sign_up.state", "DC", "DC"),
    ("sign_up.postal_code", "02139", "02139"),
    ("sign_up.postal_code", "02139-4307", "02139-4307"),
    ("sign_up.phone", "+12125550123", "+12125550123"),
    ("sign_up.phone", "+1 (212) 555-0123", "+12125550123"),
    ("sign_up.email", " ann.o'neil+x@mail.example.co.uk ", "ann.o'neil+x@mail.example.co.uk"),
    ("sign_up.kind", "extended", "extended"),
    ("sign_up.last_name", "O'Neil", "O'Neil"),
    ("sign_up.last_name", "Ñuñez", "Ñuñez"),
    ("sign_up.last_name", "Nun\u0303ez", "Nu\u00f1ez"),
    ("sign_up.last_name", "X", "X"),
    ("sign_up.last_name", "Jo" * 40, "Jo" * 40),
    ("sign_up.last_name", "Smith-Jones, Jr.", "Smith-Jones, Jr."),
    ("sign_up.last_name", "李", "李"),
    ("sign_up.last_name", "نیک\u200cپور", "نیک\u200cپور"),
    ("sign_up.last_name", "ශ්\u200dරී", "ශ්\u200dරී"),
    ("sign_up.middle_name", "-", "-"),
    ("sign_up.last_name", "Ann <3", "Ann <3"),
    ("sign_up.bls.issuer", "@Home Care + 1 > 0", "@Home Care + 1 > 0"),
    ("npi_and_caqh.medicare_status", "<=2026", "<=2026"),
    ("sign_up.bls.expiry", "2024-02-29", "2024-02-29"),
    ("practice_preferences.bio", " one\r\n\ttwo\n", "one\n\ttwo"),
    ("practice_preferences.bio", "b" * 65_536, "b" * 65_536),
    ("practice_preferences.bio", "=1+1 <b>bold</b>", "=1+1 <b>bold</b>"),
    ("practice_preferences.languages", ["en", "es-MX", "zh-Hant-TW", "sl-rozaj", "x-mine"], None),
    ("practice_preferences.weekly_appointments", 0, 0),
    ("employment_and_malpractice.malpractice.per_claim_cents", 100_000_000, 100_000_000),
    ("education_and_training.residencies", ["Nowhere General"], None),
    ("certification_and_release.signed_at", "2026-11-20T09:30:00-05:00", "2026-11-20T14:30:00.000000Z"),
    ("certification_and_release.signed_at", "2026-11-20t09:30:00.1234567z", "2026-11-20T09:30:00.123456Z"),
    ("certification_and_release.agreed", False, False),
]
REFUSED: list[tuple[str, Any, str]] = [
    ("npi_and_caqh.npi", "1234567890", "invalid_npi"),
    ("npi_and_caqh.npi", "3234567893", "invalid_npi"),
    ("npi_and_caqh.npi", "123456789", "invalid_npi"),
    ("npi_and_caqh.npi", "12345678930", "invalid_npi"),
    ("npi_and_caqh.npi", "١٢٣٤٥٦٧٨٩٣", "invalid_npi"),
    ("npi_and_caqh.npi", 1234567893, "wrong_type"),
    ("npi_and_caqh.npi", 1234567893.0, "wrong_type"),
    ("npi_and_caqh.taxonomy", "1041c0700x", "invalid_taxonomy"),
    ("npi_and_caqh.taxonomy", "1041C0700", "invalid_taxonomy"),
    ("npi_and_caqh.taxonomy", "104\u0661C0700X", "invalid_taxonomy"),
    ("npi_and_caqh.caqh_id", "CAQH1", "invalid_caqh_id"),
    ("npi_and_caqh.caqh_id", 42, "wrong_type"),
    ("npi_and_caqh.caqh_id", "-42", "invalid_caqh_id"),
    ("sign_up.state", "Calif.", "invalid_state"),
    ("sign_up.state", "ny", "invalid_state"),
    ("sign_up.state", "XX", "invalid_state"),
    ("sign_up.postal_code", "2139", "invalid_postal_code"),
    ("sign_up.postal_code", 2139, "wrong_type"),
    ("sign_up.postal_code", "٠٢١٣٩", "invalid_postal_code"),
    ("sign_up.postal_code", "02139-43", "invalid_postal_code"),
    ("sign_up.phone", "212-555-0123", "invalid_phone"),
    ("sign_up.phone", "+0125550123", "invalid_phone"),
    ("sign_up.phone", "+1212555012345678", "invalid_phone"),
    ("sign_up.phone", "+١٢١٢٥٥٥٠١٢٣", "invalid_phone"),
    ("sign_up.phone", "+1 212 555 0123 ext 4", "invalid_phone"),
    ("sign_up.email", "ann", "invalid_email"),
    ("sign_up.email", "ann@localhost", "invalid_email"),
    ("sign_up.email", "ann..b@example.org", "invalid_email"),
    ("sign_up.email", "a b@example.org", "invalid_email"),
    ("sign_up.email", "a" * 65 + "@example.org", "invalid_email"),
    ("sign_up.email", "a@" + "b." * 130 + "org", "invalid_email"),
    ("sign_up.kind", "First", "not_allowed"),
    ("sign_up.first_name", "n" * 201, "too_long"),
    ("sign_up.first_name", "A\x00nn", "invalid_characters"),
    ("sign_up.first_name", "Ann\n", "invalid_characters"),
    ("sign_up.first_name", "A\x85nn", "invalid_characters"),
    ("sign_up.first_name", "A\u202enn", "invalid_characters"),
    ("sign_up.first_name", "A\u2066nn", "invalid_characters"),
    ("sign_up.first_name", "A\ud800nn", "invalid_characters"),
    ("sign_up.first_name", "A\u200bnn", "invalid_characters"),
    ("sign_up.first_name", "A\u200dnn", "invalid_characters"),
    ("sign_up.first_name", "Ann\u200c", "invalid_characters"),
    ("sign_up.first_name", "نیک\u200cpour", "invalid_characters"),
    ("sign_up.first_name", "A\u2060nn", "invalid_characters"),
    ("sign_up.first_name", "A\u200fnn", "invalid_characters"),
    ("sign_up.first_name", "A\u00adnn", "invalid_characters"),
    ("sign_up.first_name", "\ufeffAnn", "invalid_characters"),
    ("sign_up.first_name", "\u3164", "invalid_characters"),
    ("sign_up.first_name", "\U000e0041", "invalid_characters"),
    ("sign_up.first_name", "<b>Ann</b>", "invalid_characters"),
    ("sign_up.first_name", "Ann<!--", "invalid_characters"),
    ("sign_up.first_name", '=HYPERLINK("x")', "invalid_characters"),
    ("sign_up.first_name", " @SUM(A1)", "invalid_characters"),
    ("sign_up.first_name", "+1-1", "invalid_characters"),
    ("sign_up.first_name", "-2+3", "invalid_characters"),
    ("sign_up.bls.issuer", "<script>", "invalid_characters"),
    ("sign_up.bls.issuer", "=1+1", "invalid_characters"),
    ("sign_up.bls.number", "B\u200bLS", "invalid_characters"),
    ("personal_information.aliases", ["=A1"], "invalid_characters"),
    ("personal_information.aliases", ["Ann;Bea"], "separator"),
    ("personal_information.aliases", ["Ann\u037eBea"], "separator"),
    ("education_and_training.fellowships", ["a;b"], "separator"),
    ("practice_preferences.specialties", ["a\u037eb"], "separator"),
    ("practice_preferences.specialties", ["a\u200bb"], "invalid_characters"),
    ("sign_up.bls.expiry", "2026-02-30", "invalid_date"),
    ("sign_up.bls.expiry", "0000-01-01", "invalid_date"),
    ("sign_up.bls.expiry", "20260101", "invalid_date"),
    ("sign_up.bls.expiry", "2026-W01-1", "invalid_date"),
    ("sign_up.bls.expiry", "2026-1-1", "invalid_date"),
    ("sign_up.bls.expiry", "٢٠٢٦-01-01", "invalid_date"),
    ("sign_up.bls.expiry", "2026-01-01T00:00:00Z", "invalid_date"),
    ("sign_up.bls.expiry", 20260101, "wrong_type"),
    ("personal_information.birth_date", "1985-02-29", "invalid_date"),
    ("personal_information.name_changed", "true", "wrong_type"),
    ("personal_information.name_changed", 1, "wrong_type"),
    ("personal_information.aliases", "Ann", "wrong_type"),
    ("personal_information.aliases", ["Ann", None], "wrong_type"),
    ("practice_preferences.bio", "b" * 65_537, "too_long"),
    ("practice_preferences.bio", "a\x00b", "invalid_characters"),
    ("practice_preferences.bio", "a\x9fb", "invalid_characters"),
    ("practice_preferences.bio", "a\u202eb", "invalid_characters"),
    ("practice_preferences.bio", "a\udc00b", "invalid_characters"),
    ("practice_preferences.specialties", ["a;b"], "separator"),
    ("practice_preferences.specialties", [""], "empty"),
    ("practice_preferences.specialties", ["a"] * 201, "too_many"),
    ("practice_preferences.specialties", {"a": 1}, "wrong_type"),
    ("practice_preferences.languages", ["English"], "invalid_language"),
    ("practice_preferences.languages", ["en_US"], "invalid_language"),
    ("practice_preferences.languages", ["en-"], "invalid_language"),
    ("practice_preferences.languages", ["en;es"], "invalid_language"),
    ("practice_preferences.weekly_appointments", -1, "out_of_range"),
    ("practice_preferences.weekly_appointments", "5", "wrong_type"),
    ("practice_preferences.weekly_appointments", 5.0, "wrong_type"),
    ("practice_preferences.weekly_appointments", True, "wrong_type"),
    ("practice_preferences.weekly_appointments", 10**400, "out_of_range"),
    ("practice_preferences.treating_address", "1 Example Plaza", "wrong_type"),
    ("employment_and_malpractice.malpractice.per_claim_cents", -1, "out_of_range"),
    ("employment_and_malpractice.malpractice.per_claim_cents", 2**53, "out_of_range"),
    ("employment_and_malpractice.malpractice.aggregate_cents", 1e6, "wrong_type"),
    ("employment_and_malpractice.malpractice.aggregate_cents", float("nan"), "wrong_type"),
    ("certification_and_release.signed_at", "2026-11-20T09:30:00", "missing_zone"),
    ("certification_and_release.signed_at", "2026-11-20", "invalid_datetime"),
    ("certification_and_release.signed_at", "2026-11-20 09:30:00Z", "invalid_datetime"),
    ("certification_and_release.signed_at", "2026-02-30T09:30:00Z", "invalid_datetime"),
    ("certification_and_release.signed_at", "2026-11-20T24:30:00Z", "invalid_datetime"),
    ("certification_and_release.signed_at", "0001-01-01T00:00:00+05:00", "invalid_datetime"),
    ("certification_and_release.signed_at", "2026-11-20T09:30:00+24:00", "invalid_datetime"),
    ("certification_and_release.signed_at", 1700000000, "wrong_type"),
    ("certification_and_release.agreed", "yes", "wrong_type"),
    ("medicare.answers", [True] * 11, "too_many"),
    ("medicare.answers", [[]], "wrong_type"),
    ("medicare.answers", [float("inf")], "out_of_range"),
    ("medicare.answers", "yes", "wrong_type"),
    ("immunization.questionnaire", {"q": {"wrong": True}}, "unknown_field"),
    ("immunization.statuses", {"MMR": {"date": "2001-02-30"}}, "invalid_date"),
    ("immunization.statuses", ["MMR"], "wrong_type"),
    ("immunization.statuses", {str(number): "immune" for number in range(201)}, "too_many"),
    ("employment_and_malpractice.claims", [{"deep": {"er": 1}}], "wrong_type"),
    ("education_and_training.references.email", "nobody", "invalid_email"),
    ("education_and_training.residencies", [{"name": "x"}], "wrong_type"),
    ("education_and_training.licenses", {"state": "NY"}, "wrong_type"),
    ("education_and_training.licenses", ["NY"], "wrong_type"),
]


def _name(value: Any) -> str:
    return ascii(value)[:40]


@pytest.mark.parametrize(("path", "value", "kept"), TAKEN, ids=_name)
def test_a_valid_value_is_taken_in_its_normal_form(path: str, value: Any, kept: Any) -> None:
    """What follows the rules is taken: NFC, without outer blanks, telephone as E.164, moments in UTC."""
    assert taken(path, value) == (value if kept is None else kept)


@pytest.mark.parametrize(("path", "value", "code"), REFUSED, ids=_name)
def test_an_invalid_value_is_refused_by_its_code(path: str, value: Any, code: str) -> None:
    """What is there must be valid; nothing is coerced, and each fault has its machine word."""
    assert codes(path, value) == {code}


@pytest.mark.parametrize(
    ("item", "first", "second"),
    [
        (LICENSES, "issued", "expiry"),
        ("education_and_training.board_certifications", "issued", "expiry"),
        ("education_and_training.degrees", "start", "end"),
        ("employment_and_malpractice.employers", "start", "end"),
        ("employment_and_malpractice.malpractice", "effective", "expiry"),
    ],
)
def test_an_expiry_is_not_before_its_issue(item: str, first: str, second: str) -> None:
    """Expiry is not before issue.

    Of each pair of days the later may not come first; the same day is fine, and so is null or only one of them.
    """
    section, field = item.split(".")

    def found(earlier: str | None, later: str | None) -> list[tuple[str, str]]:
        value: dict[str, Any] = {first: earlier, second: later}
        if item == LICENSES:
            value["state"] = "NY"
        return faults("ca", {section: {field: value if field == "malpractice" else [value]}})

    index = "" if field == "malpractice" else "[0]"
    assert found("2020-01-02", "2020-01-01") == [(f"{item}{index}.{second}", "date_order")]
    assert found("2020-01-01", "2020-01-01") == []
    assert found(None, "2020-01-01") == []
    assert found("2020-01-01", None) == []


def test_the_same_licence_twice_is_a_fault() -> None:
    """A list may not name the same state and type twice; the second is the fault."""
    twice = [license_item("NY"), license_item("NJ"), license_item("NY", number="other")]
    assert faults("ca", {"education_and_training": {"licenses": twice}}) == [
        (f"{LICENSES}[2]", "duplicate_item")
    ]
    without_type = [{"state": "NY"}, {"state": "NY", "type": None}]
    assert faults("ca", {"education_and_training": {"licenses": without_type}}) == [
        (f"{LICENSES}[1]", "duplicate_item")
    ]


def test_two_licences_of_one_state_and_two_types_are_fine() -> None:
    """One state may have two licences, told apart by their type."""
    two = [license_item("NY", type="LCSW"), license_item("NY", type="PT")]
    assert faults("ca", {"education_and_training": {"licenses": two}}) == []


DECLARED = {
    field.name: field
    for field in (
        CustomField("shirt_size", "string", "A"),
        CustomField("height", "number", "B"),
        CustomField("json", "boolean", "A"),
        CustomField("since", "date", "A"),
        CustomField("seen_at", "datetime", "A"),
        CustomField("hobbies", "list", "A"),
        CustomField("bank_account", "string", "A"),
    )
}


def test_declared_custom_fields_are_taken_by_their_types() -> None:
    """A portal's own fields are checked by their declared types, whatever they are called."""
    own = {
        "shirt_size": " M ",
        "height": 1.75,
        "json": True,
        "since": "2020-01-01",
        "seen_at": "2020-01-01T00:00:00Z",
        "hobbies": ["chess", "golf"],
    }
    forms: list[FormName] = ["sign_up", "ca", "af"]
    for form in forms:
        assert faults(form, {"custom": own}, DECLARED) == []
    assert faults("sign_up", {"first_name": "Ann", "custom": own}, DECLARED) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("shirt_size", 5, "wrong_type"),
        ("height", "5", "wrong_type"),
        ("height", True, "wrong_type"),
        ("height", float("nan"), "out_of_range"),
        ("height", float("inf"), "out_of_range"),
        ("json", "true", "wrong_type"),
        ("since", "2020-02-30", "invalid_date"),
        ("seen_at", "2020-01-01T00:00:00", "missing_zone"),
        ("hobbies", ["a;b"], "separator"),
        ("shirt_sise", "M", "unknown_field"),
        ("custom_0", "M", "unknown_field"),
        ("bank_account", "M", "forbidden_field"),
    ],
)
def test_custom_fields_are_refused_when_wrong_undeclared_or_forbidden(
    name: str, value: Any, code: str
) -> None:
    """An undeclared field is unknown, a wrong value named, and class D refused even where it is declared."""
    assert faults("ca", {"custom": {name: value}}, DECLARED) in (
        [(f"custom.{name}", code)],
        [(f"custom.{name}[0]", code)],
    )


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
@pytest.mark.parametrize("path", ["sign_up.first_name", "sign_up.bls.expiry", "practice_preferences.bio"])
def test_a_blank_field_is_cleared_as_by_null(path: str, blank: str) -> None:
    """A form's empty box says what null says, whatever the field's type."""
    assert taken(path, blank) is None
