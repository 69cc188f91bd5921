"""Codes and addresses that have a published form: NPI, USPS state, ZIP, taxonomy, CAQH id, BCP 47, E.164, e-mail.

Digits are ASCII digits throughout: `\\d` would let in every script's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from credsync.core.forms.fields import Kind
from credsync.core.forms.texts import LIST_LENGTH, clean_line

STATES = frozenset(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "  # noqa: SIM905 (a list of words)
    "PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI FM MH PW AA AE AP".split()
)
"""USPS Publication 28, Appendix B: states, DC, territories, the freely associated states, military mail."""

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})"
)
_PHONE_WRITTEN = re.compile(r"\+[0-9 ().-]+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_NPI = re.compile(r"[12][0-9]{9}")
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}"  # language and its extensions
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+)",
    re.IGNORECASE | re.ASCII,
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, with the digits of the result added."""


def luhn_80840(npi: str) -> bool:
    """Whether ten ASCII digits bear the check digit of an NPI: Luhn over 80840 and the NPI (CMS, 45 CFR 162.406)."""
    total = 24  # what the prefix 80840 adds
    for place in range(0, 10, 2):
        total += _DOUBLED[ord(npi[place]) - 48] + ord(npi[place + 1]) - 48
    return total % 10 == 0


def _npi(value: str) -> str:
    value = clean_line(value)
    if not _NPI.fullmatch(value):
        raise PydanticCustomError("invalid_npi", "must be an NPI: 10 digits as text, the first 1 or 2")
    if not luhn_80840(value):
        raise PydanticCustomError(
            "invalid_npi", "must be an NPI: its check digit is wrong (Luhn over 80840 + NPI)"
        )
    return value


def _state(value: str) -> str:
    value = clean_line(value)
    if value not in STATES:
        raise PydanticCustomError(
            "invalid_state", "must be a USPS state code of two capital letters, such as NY"
        )
    return value


def _phone(value: str) -> str:
    value = clean_line(value)
    digits = "+" + re.sub("[^0-9]", "", value) if _PHONE_WRITTEN.fullmatch(value) else ""
    if not _PHONE.fullmatch(digits):
        raise PydanticCustomError("invalid_phone", "must be E.164: + and country code, such as +12125550123")
    return digits


def _email(value: str) -> str:
    value = clean_line(value)
    if len(value) > 254 or value.find("@") > 64 or not _EMAIL.fullmatch(value):
        raise PydanticCustomError("invalid_email", "must be an e-mail address, such as name@example.org")
    return value


def _matching(pattern: str, code: str, expected: str, flags: int = 0) -> Callable[[str], str]:
    compiled = re.compile(pattern, flags)

    def check(value: str) -> str:
        value = clean_line(value)
        if not compiled.fullmatch(value):
            raise PydanticCustomError(code, expected)
        return value

    return check


Npi = Annotated[
    str,
    AfterValidator(_npi),
    Kind("string", "10 ASCII digits starting 1 or 2, Luhn over 80840 + NPI"),
]
State = Annotated[
    str,
    AfterValidator(_state),
    Kind("string", "USPS code, capitals: states, DC, territories, AA, AE, AP"),
]
PostalCode = Annotated[
    str,
    AfterValidator(
        _matching(
            r"[0-9]{5}(-[0-9]{4})?", "invalid_postal_code", "must be a ZIP code as text: 12345 or 12345-6789"
        )
    ),
    Kind("string", r"`^\d{5}(-\d{4})?$`, ASCII digits"),
]
Taxonomy = Annotated[
    str,
    AfterValidator(
        _matching(
            r"[0-9]{3}[0-9A-Z]{6}X",
            "invalid_taxonomy",
            "must be an NUCC taxonomy code: 3 digits, 6 digits or capitals, X",
        )
    ),
    Kind("string", "`^[0-9]{3}[0-9A-Z]{6}X$`"),
]
CaqhId = Annotated[
    str,
    AfterValidator(
        _matching(r"[0-9]{1,12}", "invalid_caqh_id", "must be a CAQH id: at most 12 digits, as text")
    ),
    Kind("string", "at most 12 ASCII digits, as text"),
]
Language = Annotated[
    str,
    AfterValidator(
        _matching(
            _LANGUAGE.pattern,
            "invalid_language",
            "must be a BCP 47 tag, such as en or es-MX",
            _LANGUAGE.flags,
        )
    ),
    Kind("string", "BCP 47, well formed, a primary language of 2 or 3 letters (no longer one is registered)"),
]
Languages = Annotated[
    list[Language],
    Field(max_length=LIST_LENGTH),
    Kind(
        "list", "BCP 47 tags, well formed, a primary language of 2 or 3 letters (no longer one is registered)"
    ),
]
Phone = Annotated[
    str,
    AfterValidator(_phone),
    Kind("string", "E.164; blanks, dots, dashes and brackets after the + are taken out"),
]
Email = Annotated[
    str,
    AfterValidator(_email),
    Kind("string", "e-mail address, at most 254 characters"),
]
