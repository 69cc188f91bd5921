"""Rules that hold for every form, shown on generated ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.forms import CODES, DataClass, FormFaults, FormName, check_form, paths
from tests.core.forms.ask import codes, refused, taken
from tests.core.forms.samples import whole_af, whole_ca

_MARK = "zqxj"
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
_forms: st.SearchStrategy[tuple[FormName, dict[str, Any]]] = st.sampled_from(
    [("ca", whole_ca()), ("af", whole_af())]
)


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place below the top of a form."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield (*place, key)
        yield from _places(item, (*place, key))


def _put(form: dict[str, Any], place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    changed: Any = deepcopy(form)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed  # type: ignore[no-any-return]


def _drop(form: dict[str, Any], place: tuple[str | int, ...]) -> dict[str, Any]:
    changed: Any = deepcopy(form)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    return changed  # type: ignore[no-any-return]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _check_digit(nine: str) -> str:
    """The textbook's Luhn, digit by digit, over 80840 and the nine."""
    total = 0
    for place, digit in enumerate(reversed("80840" + nine)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


@given(st.from_regex(r"[12][0-9]{8}", fullmatch=True), st.sampled_from("0123456789"))
def test_an_npi_is_valid_with_the_one_right_check_digit(nine: str, last: str) -> None:
    """NPI is 10 ASCII digits starting 1 or 2, Luhn over 80840 + NPI.

    Of ten check digits one is right: Luhn over 80840 + NPI.
    """
    expected = set() if last == _check_digit(nine) else {"invalid_npi"}
    assert codes("npi_and_caqh.npi", nine + last) == expected


@given(st.text(max_size=60))
def test_a_name_is_kept_as_nfc_or_refused(name: str) -> None:
    """Names are NFC and have no control characters.

    What is kept of a name is NFC, stripped, and has no control character; twins of one name are one.
    """
    if found := codes("sign_up.last_name", name):
        assert found <= {"invalid_characters", "too_long"}
        return
    kept = taken("sign_up.last_name", name) or ""
    assert kept == normalize("NFC", name).strip()
    assert kept.isprintable() or not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in kept)
    assert (taken("sign_up.last_name", normalize("NFD", name)) or "") == kept


@given(_forms, st.data())
def test_absent_is_untouched(form: tuple[FormName, dict[str, Any]], data: st.DataObject) -> None:
    """Leaving anything out is valid (but a licence's state), and nothing takes its place."""
    name, whole = form
    place = data.draw(st.sampled_from(list(_places(whole))))
    without = _drop(whole, place)
    if place[-2:-1] and place[-1] == "state" and "licenses" in place:
        return
    kept = check_form(name, without).data
    shown = set(_named(kept))
    assert shown <= set(_named(check_form(name, whole).data)) | {"confirmed"}


def _named(value: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{prefix}.{key}"
            yield from _named(item, f"{prefix}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, prefix)


@given(_forms, st.data())
def test_null_is_kept_where_it_may_stay(form: tuple[FormName, dict[str, Any]], data: st.DataObject) -> None:
    """Null at a section or a field of class A or B comes out as null at that very place."""
    name, whole = form
    known = paths(name)
    kept: list[tuple[str | int, ...]] = []
    for place in _places(whole):
        path = ".".join(part for part in place if isinstance(part, str))
        info = known.get(path)
        dropped = info is None or (info.data_class in (DataClass.C, DataClass.D) and len(place) > 1)
        if not dropped and isinstance(place[-1], str) and place[-1] != "state":
            kept.append(place)
    place = data.draw(st.sampled_from(kept))
    inner: Any = check_form(name, _put(whole, place, None)).data
    for key in place:
        inner = inner[key]
    assert inner is None


@given(_forms, st.data())
def test_checking_what_was_checked_changes_nothing(
    form: tuple[FormName, dict[str, Any]], data: st.DataObject
) -> None:
    """Checking is idempotent, and what is kept is JSON."""
    name, whole = form
    place = data.draw(st.sampled_from(list(_places(whole))))
    value: object = data.draw(st.none() | st.text(max_size=30) | st.sampled_from([[], {}]))
    try:
        once = check_form(name, _put(whole, place, value)).data
    except FormFaults:
        return
    assert check_form(name, once).data == once
    assert json.loads(json.dumps(once, allow_nan=False)) == once


@given(_forms, st.data(), _json)
def test_any_value_anywhere_is_taken_or_refused_with_known_codes(
    form: tuple[FormName, dict[str, Any]], data: st.DataObject, value: Any
) -> None:
    """Whatever stands in a form's place, the answer is a form or faults, each with a path, a known code, a sentence."""
    name, whole = form
    place = data.draw(st.sampled_from(list(_places(whole))))
    changed = _put(whole, place, value)
    before = deepcopy(changed)
    assert all(fault.path and fault.code in CODES and fault.message for fault in refused(name, changed))
    assert repr(changed) == repr(before)


@given(_forms, st.data())
def test_no_message_holds_a_submitted_value(
    form: tuple[FormName, dict[str, Any]], data: st.DataObject
) -> None:
    """Put a marked value anywhere, in any shape: no path, message or text of a refusal holds the mark."""
    name, whole = form
    shapes = st.sampled_from(
        [_MARK, f"<{_MARK}>", [_MARK], {"state": _MARK}, {"answer": [_MARK]}, {_MARK + " 1": 1}]
    )
    changed = whole
    for place in data.draw(
        st.lists(st.sampled_from(list(_places(whole))), min_size=1, max_size=5, unique=True)
    ):
        try:
            changed = _put(changed, place, data.draw(shapes))
        except (KeyError, TypeError, IndexError):
            continue  # an earlier value took the place's parent away
    found = refused(name, changed)
    told = [
        str(FormFaults(found)),
        *(text for fault in found for text in (fault.path, fault.code, fault.message)),
    ]
    assert not any(_MARK in text for text in told)


@given(st.data())
def test_no_sensitive_value_survives(data: st.DataObject) -> None:
    """Every text put into class C, of any shape that is taken, is nowhere in what is kept."""
    secret = st.text(alphabet="abcdefgh", min_size=3, max_size=8).map(lambda text: _MARK + text)
    one = secret | st.booleans() | st.none()
    answers = (
        st.lists(one | st.fixed_dictionaries({"question": secret, "answer": one}), max_size=10)
        | st.dictionaries(secret, one | st.fixed_dictionaries({"answer": one}), max_size=10)
        | st.none()
    )
    vaccines = st.dictionaries(secret, one | st.fixed_dictionaries({"status": secret}), max_size=5)
    more = one | st.lists(one, max_size=3) | st.dictionaries(secret, one, max_size=3)
    person = {"name": secret, "relation": secret, "email": secret.map(lambda text: f"{text}@example.org")}
    form = whole_ca()
    form["personal_information"] = {
        name: data.draw(more) for name in ("birth_place", "citizenship", "ethnicity")
    }
    form["immunization"] = {"statuses": data.draw(vaccines), "questionnaire": data.draw(answers)}
    form["medicare"] = {"answers": data.draw(answers)}
    form["practice_preferences"]["pet_allergies"] = data.draw(more)
    form["education_and_training"]["references"] = data.draw(
        st.lists(st.fixed_dictionaries(person), max_size=3)
    )
    form["employment_and_malpractice"]["disclosures"] = data.draw(answers)
    form["employment_and_malpractice"]["claims"] = data.draw(
        st.lists(st.dictionaries(secret, one), max_size=3)
    )
    kept = check_form("ca", form)
    assert _MARK not in json.dumps(kept.data)
    assert not any(_MARK in fault.message for fault in kept.warnings)
    sensitive = {
        path for path, info in paths("ca").items() if info.data_class is DataClass.C and info.type != "object"
    }
    assert not {path[1:] for path in _named(kept.data)} & sensitive
