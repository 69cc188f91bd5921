"""Says in a page's language what the rest of the service has put into words.

Phrases know their templates. What was plain English on its way (kept in the database, or an error's message) is
recognised by them; the words of others (HubSpot's, people's) match none and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from babel.numbers import format_decimal

from credsync.core.phrases import Joined, Phrase, in_language
from credsync.web.console.words import ENGLISH, catalogue, known_texts

_PLACE: Final = re.compile(r"\{(\w+)\}")
_FEWEST_LETTERS: Final = 10
"""Letters of its own that a template must have: one of fewer would be found in texts of others."""
_LONGEST: Final = 2_000
"""Letters of a text that may be one of ours."""
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})*")


@dataclass(frozen=True, slots=True)
class _Template:
    pattern: re.Pattern[str]
    parts: tuple[str, ...]
    one: str
    many: str

    def read(self, text: str) -> Phrase | None:
        """The phrase of this template that the text is; None if it is another."""
        if not all(part in text for part in self.parts):
            return None
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values: dict[str, object] = {name: Joined([value]) for name, value in found.groupdict().items()}
        if not self.many:
            return Phrase(self.one, values)
        count = found.groupdict().get("count", "1")
        if not _NUMBER.fullmatch(count):
            return None
        number = int(count.replace(",", ""))
        return Phrase(self.one, {**values, "count": number}, self.many, number)


class Tongue:
    """One language that pages come in."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._catalogue = catalogue(language)
        self._templates = _templates(known_texts(language))
        self._looked_up = lru_cache(maxsize=1_000)(self._look_up)

    def said(self, text: str) -> str:
        """A text from anywhere, in this language as far as it is ours. It is escaped where it is shown."""
        return str(text) if self._language == ENGLISH else in_language(text, self)

    def gettext(self, message: str) -> str:
        """A text as the catalogue has it, whole or by a template that it fills; else as it is."""
        return self._looked_up(message) if message else message

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The form that belongs to a count."""
        return self._catalogue.ngettext(one, many, count)

    def number(self, value: int) -> str:
        """A whole number as this language writes it."""
        return str(format_decimal(value, locale=self._language))

    def _look_up(self, text: str) -> str:
        whole = self._catalogue.gettext(text)
        if whole != text:
            return whole
        if _NUMBER.fullmatch(text) and "," in text:
            return self.number(int(text.replace(",", "")))
        for template in self._templates if len(text) <= _LONGEST else ():
            found = template.read(text)
            if found is not None:
                return in_language(found, self)
        if text.endswith(".") and text[:1].isupper():
            bare = f"{text[:1].lower()}{text[1:-1]}"
            inner = self.gettext(bare)
            if inner != bare:
                return f"{inner[:1].upper()}{inner[1:]}."
        return "; ".join(map(self.gettext, text.split("; "))) if "; " in text else text


def _templates(texts: Iterable[tuple[str, str]]) -> tuple[_Template, ...]:
    """Those with places, the most telling first."""
    made = [
        (
            (_letters(text), len(_PLACE.findall(text))),
            _Template(_pattern(text), tuple(_PLACE.split(text)[::2]), one, many),
        )
        for one, many in texts
        for text in (one, many)
        if (_PLACE.search(text) or (many and text == one)) and _letters(text) >= _FEWEST_LETTERS
    ]
    return tuple(template for _, template in sorted(made, key=lambda each: each[0], reverse=True))


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in _PLACE.sub("", text))


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text)
    names: set[str] = set()
    made = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            made.append(re.escape(part))
        elif part in names:
            made.append(f"(?P={part})")
        else:
            names.add(part)
            made.append(f"(?P<{part}>.+?)")
    return re.compile("".join(made), re.DOTALL)
