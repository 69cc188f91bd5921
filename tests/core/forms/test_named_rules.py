"""The rules of fields that domain.md names one by one, each on generated values."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.forms import check_form, paths
from tests.core.forms.ask import at, codes, faults, taken
from tests.core.forms.samples import license_item, whole_ca

USPS = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI FM MH PW AA AE AP"
)
"""Publication 28, appendix B: states, possessions, freely associated states, military."""


def test_a_state_is_a_usps_code() -> None:
    """State is a USPS code."""
    letters = string.ascii_uppercase
    pairs = {first + second for first in letters for second in letters}
    assert {pair for pair in pairs if not codes("sign_up.state", pair)} == set(USPS.split())


@given(st.from_regex(r"[0-9]{5}(-[0-9]{4})?", fullmatch=True), st.integers(0, 10), st.sampled_from("0- ٣A"))
def test_a_zip_is_five_digits_or_nine(zip_code: str, place: int, put_in: str) -> None:
    """ZIP is five digits, or five and four with a hyphen between."""
    assert taken("sign_up.postal_code", zip_code) == zip_code
    before, after = zip_code[:place], zip_code[place:]
    for spoilt in (before + put_in + after, before + after[1:]):
        if spoilt.strip() != zip_code:
            assert codes("sign_up.postal_code", spoilt) == {"invalid_postal_code"}


@given(st.from_regex(r"[0-9]{3}[0-9A-Z]{6}X", fullmatch=True))
def test_a_taxonomy_is_ten_characters_that_end_in_x(code: str) -> None:
    """Taxonomy is three digits, six digits or capital letters, and an X."""
    assert taken("npi_and_caqh.taxonomy", code) == code
    wrong = [code[:2] + code[3:] + "-", code + "X", code[:9] + "Z", code[:9] + "9", "Z" + code[1:]]
    wrong += [code[:place] + each + code[place + 1 :] for place in range(10) for each in "a-Ä"]
    for each in wrong:
        assert codes("npi_and_caqh.taxonomy", each) == {"invalid_taxonomy"}, each


def test_a_language_is_a_bcp_47_tag() -> None:
    """Languages are BCP 47."""
    tags = ["en", "es-419", "zh-Hant-TW", "sr-Latn", "sl-rozaj", "de-CH-1901", "en-u-ca-gregory", "x-mine"]
    assert taken("practice_preferences.languages", tags) == tags
    for wrong in ("English", "en_US", "e", "en-", "-en", "en--US", "en US", "español", "en;es"):
        assert codes("practice_preferences.languages", [wrong]) == {"invalid_language"}, wrong


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(["", " ", "-", "."]))
def test_a_telephone_is_e_164(digits: str, between: str) -> None:
    """Telephone is E.164."""
    assert taken("sign_up.phone", "+" + between.join([digits[:3], digits[3:]])) == "+" + digits
    for wrong in (digits, "+0" + digits, "+" + digits + "0" * (16 - len(digits)), "+" + digits + "x"):
        assert codes("sign_up.phone", wrong) == {"invalid_phone"}, wrong


def test_race_ethnicity_and_language_may_be_left_out_of_a_whole_form() -> None:
    """Race, ethnicity and language are never required."""
    data = whole_ca()
    del data["personal_information"]["ethnicity"]
    del data["practice_preferences"]["languages"]
    checked = check_form("ca", data, {})
    assert checked.warnings == ()
    assert not [path for path in paths("ca") if "race" in path.split(".")]
    assert faults("ca", at("practice_preferences.languages", [])) == []


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=2, max_size=12))
def test_a_licences_type_is_whatever_the_portal_calls_it(kind: str) -> None:
    """Profession and licence types are data, not code (behavioural health and physical therapy both)."""
    for each in ("LCSW", "LMFT", "PSY", "PT", "DPT", kind):
        item = license_item("NY", type=each)
        assert faults("ca", {"education_and_training": {"licenses": [item]}}) == []
