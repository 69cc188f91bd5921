"""HubSpot's validation rules for a property's values, as far as they can be judged for certain before sending.

HubSpot does not publish how it reads every rule (what a letter is, where a pattern must match). So a value is refused
here only where it breaks the rule by any reading; what is left is HubSpot's to refuse. Rules by a duration from today,
by address, domain or phone number are not judged, nor a rule by which HubSpot mends the value itself.
Source: HubSpot's property validations guide (rule types and arguments), November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from credsync.core.phrases import phrase

LONGEST_MATCHED = 100
"""Characters of a value that is held against a pattern: with few quantifiers and no groups, that takes no time."""
LONGEST_PATTERN = 500
MOST_QUANTIFIERS = 2
_UNSURE = re.compile(r"[(){}|\\]|\[:")
_QUANTIFIERS = re.compile(r"[*+?]|\{[0-9]+,[0-9]*\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ValueRule:
    """One rule; `kind` and `arguments` are HubSpot's. `normalizes`: HubSpot may change the value to fit."""

    kind: str
    arguments: tuple[str, ...] = ()
    normalizes: bool = False


def broken_rule(text: str, rules: tuple[ValueRule, ...]) -> tuple[str, str] | None:
    """Code and message of the first rule that a value, in the spelling that is sent, surely breaks."""
    for rule in rules:
        check = _CHECKS.get(rule.kind)
        if check is None or rule.normalizes:
            continue
        with suppress(ArithmeticError, LookupError, ValueError):
            found = check(text, rule.arguments)
            if found is not None:
                return found
    return None


_Found = tuple[str, str] | None
_Arguments = tuple[str, ...]


def _min_number(text: str, arguments: _Arguments) -> _Found:
    least = _number(arguments[0])
    return (
        ("too_small", phrase("the number is below {least}, the least HubSpot takes", least=str(least)))
        if _number(text) < least
        else None
    )


def _max_number(text: str, arguments: _Arguments) -> _Found:
    most = _number(arguments[0])
    return (
        ("too_large", phrase("the number is above {most}, the most HubSpot takes", most=str(most)))
        if _number(text) > most
        else None
    )


def _decimal(text: str, arguments: _Arguments) -> _Found:
    most, exponent = int(arguments[0]), _number(text).normalize().as_tuple().exponent
    many = isinstance(exponent, int) and -exponent > most
    return (
        ("too_many_decimals", phrase("the number has more than {most} decimal places", most=str(most)))
        if many
        else None
    )


def _min_length(text: str, arguments: _Arguments) -> _Found:
    least = int(arguments[0])
    short = max(len(text), len(text.encode("utf-16-le")) // 2) < least
    return (
        ("too_short", phrase("the text is shorter than {least} characters", least=str(least)))
        if short
        else None
    )


def _max_length(text: str, arguments: _Arguments) -> _Found:
    most = int(arguments[0])
    return (
        ("too_long", phrase("the text is longer than {most} characters", most=str(most)))
        if len(text.strip()) > most
        else None
    )


def _alphanumeric(text: str, arguments: _Arguments) -> _Found:
    wrong = {
        "NUMERIC_ONLY": any(char.isalpha() for char in text),
        "ALPHA_ONLY": any(char.isdigit() for char in text),
        "ALPHANUMERIC": any(char in _SPECIAL for char in text),
    }[arguments[0]]
    return (
        (
            "wrong_characters",
            phrase("the text holds characters that HubSpot does not take ({kind})", kind=arguments[0]),
        )
        if wrong
        else None
    )


def _special(text: str, arguments: _Arguments) -> _Found:
    wrong = arguments[0] == "NOT_ALLOWED" and any(char in _SPECIAL for char in text)
    return (
        ("wrong_characters", phrase("the text holds special characters, which HubSpot does not take"))
        if wrong
        else None
    )


def _format(text: str, arguments: _Arguments) -> _Found:
    letters = [char for char in text if char.isascii() and char.isalpha()]
    wrong = {
        "UPPER": any(char.islower() for char in letters),
        "LOWER": any(char.isupper() for char in letters),
        "CAPITALIZATION": bool(letters) and text[0] == letters[0] and letters[0].islower(),
    }[arguments[0]]
    return (
        ("wrong_case", phrase("HubSpot takes this text in another case only ({kind})", kind=arguments[0]))
        if wrong
        else None
    )


def _whitespace(text: str, arguments: _Arguments) -> _Found:  # noqa: ARG001 - every check's shape
    wrong = text != text.strip(" ")
    return (
        ("wrong_characters", phrase("the text begins or ends with a blank, which HubSpot does not take"))
        if wrong
        else None
    )


def _start(text: str, arguments: _Arguments) -> _Found:
    early = _moment(text) < _EPOCH + timedelta(milliseconds=int(arguments[0]))
    return ("too_early", phrase("the date is before the first that HubSpot takes")) if early else None


def _end(text: str, arguments: _Arguments) -> _Found:
    late = _moment(text) > _EPOCH + timedelta(milliseconds=int(arguments[0]))
    return ("too_late", phrase("the date is after the last that HubSpot takes")) if late else None


def _start_date(text: str, arguments: _Arguments) -> _Found:
    return _start(text, (str(_day_of(arguments[0])),))


def _end_date(text: str, arguments: _Arguments) -> _Found:
    return _end(text, (str(_day_of(arguments[0]) + 86_400_000),))


def _days(text: str, arguments: _Arguments) -> _Found:
    if "T" in text or _moment(text).strftime("%A").upper() in arguments:
        return None
    return ("wrong_day", phrase("HubSpot takes other days of the week only"))


def _regex(text: str, arguments: _Arguments) -> _Found:
    """By any reading means: found nowhere in the value. Only patterns that cannot take long, and mean the same in RE2."""
    pattern = arguments[0]
    plain = re.sub(r"\\[dwsDWS.+*?^$/-]", "x", pattern)
    counted = re.sub(r"\{[0-9]{1,3}(,[0-9]{0,3})?\}", "", plain)
    if len(pattern) > LONGEST_PATTERN or len(text) > LONGEST_MATCHED or _UNSURE.search(counted):
        return None
    if len(_QUANTIFIERS.findall(plain)) > MOST_QUANTIFIERS:
        return None
    try:
        fits = re.search(pattern, text, re.ASCII) is not None
    except (re.error, OverflowError, RecursionError):
        return None
    return (
        None
        if fits
        else ("wrong_form", phrase("the text does not have the form that HubSpot's rule asks for"))
    )


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not number.is_finite():
        raise ValueError("no number")
    return number


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _day_of(milliseconds: str) -> int:
    """The start of a day in UTC: a rule's moment may be any of that day, by whatever zone it was set in."""
    moment = int(milliseconds)
    return moment - moment % 86_400_000


_SPECIAL = frozenset('!"#$%&()*+/:;<=>?@[\\]^`{|}~')
_CHECKS: dict[str, Callable[[str, _Arguments], _Found]] = {
    "ALPHANUMERIC": _alphanumeric,
    "DAYS_OF_WEEK": _days,
    "DECIMAL": _decimal,
    "END_DATE": _end_date,
    "END_DATETIME": _end,
    "FORMAT": _format,
    "MAX_LENGTH": _max_length,
    "MAX_NUMBER": _max_number,
    "MIN_LENGTH": _min_length,
    "MIN_NUMBER": _min_number,
    "REGEX": _regex,
    "SPECIAL_CHARACTERS": _special,
    "START_DATE": _start_date,
    "START_DATETIME": _start,
    "WHITESPACE": _whitespace,
}
