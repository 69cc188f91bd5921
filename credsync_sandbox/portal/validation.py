"""A property's validation rules, as HubSpot's property validations API tells them, and what they refuse.

Arguments are HubSpot's (property validations guide, 2026): numbers as text, moments as milliseconds since 1970. Of the
codes INVALID_ALPHA is HubSpot's own, the others are made alike. A REGEX is taken for the whole value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """`published` False: enforced, but told by no call."""

    kind: str
    arguments: tuple[str, ...]
    normalizes: bool = False
    published: bool = True

    def as_json(self) -> dict[str, Any]:
        """As HubSpot tells it."""
        return {
            "ruleType": self.kind,
            "ruleArguments": list(self.arguments),
            "shouldApplyNormalization": self.normalizes,
        }


def rule_of(given: Mapping[str, Any], *, published: bool = True) -> ValidationRule:
    """Read a rule in HubSpot's own JSON. Raises ValueError with what is wrong with it."""
    kind, arguments = given.get("ruleType"), given.get("ruleArguments", [])
    if kind not in _CHECKS:
        raise ValueError(f"ruleType: {kind!r}; there are {', '.join(sorted(_CHECKS))}")
    if not isinstance(arguments, list) or not all(isinstance(each, str) for each in arguments):
        raise ValueError("ruleArguments: must be a list of strings")
    rule = ValidationRule(kind, tuple(arguments), bool(given.get("shouldApplyNormalization")), published)
    try:
        broken_by(rule, "0" if "NUMBER" in kind or kind == "DECIMAL" else "2026-01-01")
    except (ArithmeticError, LookupError, ValueError, re.error) as error:
        raise ValueError(f"ruleArguments: {arguments!r} is not what {kind} takes") from error
    return rule


def broken_by(rule: ValidationRule, text: str) -> tuple[str, str] | None:
    """Code and message when a value, in the property's own spelling, breaks the rule."""
    return _CHECKS[rule.kind](rule.arguments, text)


_Found = tuple[str, str] | None
_Arguments = tuple[str, ...]


def _alphanumeric(arguments: _Arguments, text: str) -> _Found:
    pattern, code, message = {
        "NUMERIC_ONLY": (r"[0-9]*", "INVALID_NUMERIC", "Enter only numbers"),
        "ALPHA_ONLY": (r"[^\W\d_]*", "INVALID_ALPHA", "Enter only letters"),
        "ALPHANUMERIC": (r"[^\W_]*", "INVALID_ALPHANUMERIC", "Enter only letters and numbers"),
    }[arguments[0]]
    return None if re.fullmatch(pattern, text) else (code, message)


def _days(arguments: _Arguments, text: str) -> _Found:
    day = _moment(text).strftime("%A").upper()
    return None if day in arguments else ("INVALID_DAY_OF_WEEK", "Choose another day of the week")


def _decimal(arguments: _Arguments, text: str) -> _Found:
    most, exponent = int(arguments[0]), Decimal(text).normalize().as_tuple().exponent
    fits = isinstance(exponent, int) and -exponent <= most
    return None if fits else ("TOO_MANY_DECIMALS", f"Enter at most {most} decimal places")


def _format(arguments: _Arguments, text: str) -> _Found:
    fits = {
        "UPPER": text == text.upper(),
        "LOWER": text == text.lower(),
        "CAPITALIZATION": text[:1].isupper(),
    }
    return None if fits[arguments[0]] else ("INVALID_FORMAT", "Enter the text in the right case")


def _max_length(arguments: _Arguments, text: str) -> _Found:
    most = int(arguments[0])
    return None if len(text) <= most else ("MAX_LENGTH_EXCEEDED", f"Enter at most {most} characters")


def _min_length(arguments: _Arguments, text: str) -> _Found:
    least = int(arguments[0])
    return None if len(text) >= least else ("MIN_LENGTH_NOT_MET", f"Enter at least {least} characters")


def _max_number(arguments: _Arguments, text: str) -> _Found:
    most = Decimal(arguments[0])
    return None if Decimal(text) <= most else ("NUMBER_OUT_OF_RANGE", f"Enter {most} or less")


def _min_number(arguments: _Arguments, text: str) -> _Found:
    least = Decimal(arguments[0])
    return None if Decimal(text) >= least else ("NUMBER_OUT_OF_RANGE", f"Enter {least} or more")


def _start(arguments: _Arguments, text: str) -> _Found:
    right = _moment(text) >= datetime.fromtimestamp(int(arguments[0]) / 1000, UTC)
    return None if right else ("DATE_OUT_OF_RANGE", "Choose a later date")


def _end(arguments: _Arguments, text: str) -> _Found:
    right = _moment(text) <= datetime.fromtimestamp(int(arguments[0]) / 1000, UTC)
    return None if right else ("DATE_OUT_OF_RANGE", "Choose an earlier date")


def _regex(arguments: _Arguments, text: str) -> _Found:
    told = arguments[1] if len(arguments) > 1 else "The value does not have the right form"
    return None if re.fullmatch(arguments[0], text, re.ASCII) else ("INVALID_REGEX", told)


def _special(arguments: _Arguments, text: str) -> _Found:
    assert arguments[0] == "NOT_ALLOWED"
    plain = re.fullmatch(r"[\w\s]*", text)
    return None if plain else ("INVALID_SPECIAL_CHARACTERS", "Enter no special characters")


def _whitespace(arguments: _Arguments, text: str) -> _Found:
    fits = text == text.strip() if "TRIM" in arguments else not re.search(r"\s", text)
    return None if fits else ("INVALID_WHITESPACE", "Enter no spaces")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_CHECKS: dict[str, Callable[[_Arguments, str], _Found]] = {
    "ALPHANUMERIC": _alphanumeric,
    "DAYS_OF_WEEK": _days,
    "DECIMAL": _decimal,
    "END_DATE": _end,
    "END_DATETIME": _end,
    "FORMAT": _format,
    "MAX_LENGTH": _max_length,
    "MAX_NUMBER": _max_number,
    "MIN_LENGTH": _min_length,
    "MIN_NUMBER": _min_number,
    "REGEX": _regex,
    "SPECIAL_CHARACTERS": _special,
    "START_DATE": _start,
    "START_DATETIME": _start,
    "WHITESPACE": _whitespace,
}
