"""Texts, made one spelling: NFC, without outer blanks, bounded, without what no one can see.

Every check tells what is expected and never what it was given.
"""

from __future__ import annotations

import re
from typing import Annotated
from unicodedata import category, name, normalize

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from credsync.core.forms.fields import Kind

NAME_LENGTH = 200
LINE_LENGTH = 1_000
TEXT_LENGTH = 65_536
"""The most characters HubSpot keeps in one property."""
LIST_LENGTH = 200

_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What overrides the direction of writing, so that a text reads otherwise than it is."""
_FILLERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Letters and marks that every font draws as nothing."""
_JOINERS = "\u200c\u200d"
_JOINED = frozenset(
    "ARABIC SYRIAC MONGOLIAN DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA "  # noqa: SIM905 (a list of words)
    "KHMER MYANMAR".split()
)
"""Scripts whose spelling needs the zero-width joiners; between other letters they only make two names look like one."""
_MARKUP = re.compile(r"<[A-Za-z/!?]")
_PERSON_FORMULA = re.compile(r"[=+@-].*\w")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Controls but tab and line feed, half surrogate pairs, and what overrides the direction of writing."""


def _controls(value: str) -> bool:
    return any(category(letter) in _CONTROLS or letter in _OVERRIDES for letter in value)


def _unseen(value: str) -> bool:
    """Whether a line holds what nobody can see: zero-width characters, marks of direction, fillers."""
    for place, letter in enumerate(value):
        if letter in _FILLERS or (category(letter) == "Cf" and letter not in _JOINERS):
            return True
        if letter in _JOINERS:
            around = value[max(place - 1, 0) : place] + value[place + 1 : place + 2]
            if len(around) < 2 or not {name(each, "").partition(" ")[0] for each in around} <= _JOINED:
                return True
    return False


def _too_long(limit: int) -> PydanticCustomError:
    return PydanticCustomError("too_long", f"must have at most {limit:,} characters")


def _empty() -> PydanticCustomError:
    return PydanticCustomError("empty", "must not be empty")


def clean_line(value: str, limit: int = LINE_LENGTH) -> str:
    """One line in its normal form; raises `invalid_characters`, `empty` or `too_long`."""
    if not value.isascii():
        if len(value) > 2 * limit:
            raise _too_long(limit)
        value = normalize("NFC", value)
        seen = not _controls(value)
    else:
        seen = value.isprintable()
    if not seen:
        raise PydanticCustomError("invalid_characters", "must be one line without control characters")
    value = value.strip()
    if not value:
        raise _empty()
    if len(value) > limit:
        raise _too_long(limit)
    return value


def clean_text(value: str) -> str:
    """Text of many lines in its normal form (line ends as `\\n`); may be empty. Raises as `clean_line`."""
    if not value.isprintable():
        value = normalize("NFC", value.replace("\r\n", "\n"))
        if _NOT_IN_TEXT.search(value):
            raise PydanticCustomError(
                "invalid_characters", "must have no control characters but tab and line end"
            )
    elif not value.isascii():
        value = normalize("NFC", value)
    value = value.strip()
    if len(value) > TEXT_LENGTH:
        raise _too_long(TEXT_LENGTH)
    return value


def _text(value: str) -> str:
    value = clean_text(value)
    if not value:
        raise _empty()
    return value


def _word(value: str) -> str:
    value = clean_line(value, NAME_LENGTH)
    if not value.isascii() and _unseen(value):
        raise PydanticCustomError("invalid_characters", "must have no invisible characters")
    return value


def _person(value: str) -> str:
    value = _word(value)
    if _MARKUP.search(value) or _PERSON_FORMULA.match(value):
        raise PydanticCustomError(
            "invalid_characters", "must be a name: no markup, and no formula (= + - @ at its start)"
        )
    return value


def _title(value: str) -> str:
    value = _word(value)
    if _MARKUP.search(value) or value.startswith("="):
        raise PydanticCustomError(
            "invalid_characters", "must be a name: no markup, and no formula (= at its start)"
        )
    return value


def _choice(value: str) -> str:
    value = _word(value)
    if ";" in value:
        raise PydanticCustomError("separator", "must have no ';', which separates choices")
    return value


Line = Annotated[
    str, AfterValidator(clean_line), Kind("string", f"one line, at most {LINE_LENGTH:,} characters")
]
Word = Annotated[
    str,
    AfterValidator(_word),
    Kind("string", f"one line, at most {NAME_LENGTH} characters, none invisible"),
]
Text = Annotated[
    str,
    AfterValidator(_text),
    Kind("string", f"lines and tabs allowed, at most {TEXT_LENGTH:,} characters"),
]
PersonName = Annotated[
    str,
    AfterValidator(_person),
    Kind("string", f"NFC, at most {NAME_LENGTH} characters, none invisible, no markup or formula"),
]
Title = Annotated[
    str,
    AfterValidator(_title),
    Kind("string", f"NFC, at most {NAME_LENGTH} characters, none invisible, no markup or formula"),
]
Choice = Annotated[str, AfterValidator(_choice), Kind("string", "one line without `;`")]
Choices = Annotated[
    list[Choice],
    Field(max_length=LIST_LENGTH),
    Kind("list", f"at most {LIST_LENGTH} texts, none with a `;`"),
]
_PersonChoice = Annotated[PersonName, AfterValidator(_choice)]
PersonNames = Annotated[
    list[_PersonChoice],
    Field(max_length=LIST_LENGTH),
    Kind("list", f"at most {LIST_LENGTH} names, none with a `;`"),
]
