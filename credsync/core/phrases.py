"""What is said to people, in English and so that it can be said in another language.

A phrase is a template with named places and what stands in them. It is text: its English goes wherever text goes (JSON,
logs, the command line, a database's column). Whoever shows it to somebody who reads another language says it anew from
the template (`in_language`). No sentence is worded twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol, Self

from credsync.core.durations import say_duration


class Language(Protocol):
    """What a language knows: `gettext`'s two questions, and how a number is written."""

    def gettext(self, message: str, /) -> str:
        """A text in this language; the text itself where it is not known."""

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """The form of a text that belongs to this count."""

    def number(self, value: int, /) -> str:
        """A whole number."""


class English:
    """The language that templates are written in."""

    def gettext(self, message: str, /) -> str:
        """The text as it stands."""
        return message

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """One, or many."""
        return one if count == 1 else many

    def number(self, value: int, /) -> str:
        """With its thousands set apart."""
        return f"{value:,}"


_ENGLISH = English()


class Phrase(str):
    """English text that knows its template (its two, where a number chooses), and what was filled in."""

    __slots__ = ("many", "number", "template", "values")
    template: str
    many: str
    number: int
    values: Mapping[str, object]

    def __new__(
        cls, template: str, values: Mapping[str, object] | None = None, many: str = "", number: int = 1
    ) -> Self:
        """Values are text, phrases, whole numbers, spans, or several of these, which are listed."""
        filled = values or {}
        made = super().__new__(cls, _said(_ENGLISH, template, many, number, filled))
        made.template, made.many, made.number, made.values = template, many, number, filled
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """So that a copy is made of the template again."""
        return self.template, self.values, self.many, self.number


class Joined(str):
    """Texts one after the other; each is said in its own way."""

    __slots__ = ("between", "parts")
    parts: tuple[str, ...]
    between: str

    def __new__(cls, parts: Iterable[str], between: str = " ") -> Self:
        """Without the empty ones."""
        kept = tuple(part for part in parts if part)
        made = super().__new__(cls, between.join(kept))
        made.parts, made.between = kept, between
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """So that a copy is made of the parts again."""
        return self.parts, self.between


def phrase(template: str, /, **values: object) -> Phrase:
    """A template with its places filled; catalogues are made from these calls, so it is written out in each.

    >>> phrase("{who} waits for {slots}.", who="She", slots=["a", "b", "c"])
    'She waits for a, b and c.'
    """
    return Phrase(template, values)


def counted(one: str, many: str, count: int, /, **values: object) -> Phrase:
    """The form of two that belongs to a count, which stands at `{count}`.

    >>> counted("{count} therapist", "{count} therapists", 1_200)
    '1,200 therapists'
    """
    return Phrase(one, {"count": count, **values}, many, count)


def listed(words: Iterable[str]) -> str:
    """Several in a row, the last with “and”; one alone as it is.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = words
    return phrase("{most} and {last}", most=Joined(most, ", "), last=last) if most else last


def in_language(text: str, language: Language) -> str:
    """A text as this language says it. What is no phrase is looked up as a whole, and stays where it is not known."""
    if isinstance(text, Phrase):
        return _said(language, text.template, text.many, text.number, text.values)
    if isinstance(text, Joined):
        return text.between.join(in_language(part, language) for part in text.parts)
    return language.gettext(text) if text else text


def _said(language: Language, template: str, many: str, count: int, values: Mapping[str, object]) -> str:
    chosen = language.ngettext(template, many, count) if many else language.gettext(template)
    return chosen.format_map({name: _value(language, value) for name, value in values.items()})


def _value(language: Language, value: object) -> str:
    match value:
        case Phrase() | Joined():
            return in_language(value, language)
        case str():
            return value
        case bool() | None:
            return str(value)
        case int():
            return language.number(value)
        case timedelta():
            return say_duration(value)
        case list() | tuple():
            return in_language(
                listed([str(each) if not isinstance(each, str) else each for each in value]), language
            )
        case _:
            return str(value)
