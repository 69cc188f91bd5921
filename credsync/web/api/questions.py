"""The parameters of a question: each known by name, each checked, every bad one named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from starlette.requests import Request

from credsync.core.forms import Fault, nearest
from credsync.core.portal import Portal
from credsync.operate.choices import words_of
from credsync.web.api.limits import storable
from credsync.web.api.problems import Problem, invalid, shown_name, unknown_name

_LONGEST = 1_000


class Question:
    """A request's parameters. Read each, then `checked()`; an empty one is as good as absent."""

    def __init__(self, request: Request, known: Iterable[str]) -> None:
        self.faults: list[Fault] = []
        self._given: dict[str, str] = {}
        names = list(known)
        for name, value in request.query_params.multi_items()[:100]:
            if name not in names:
                guess = nearest(name, names)
                meant = f"did you mean '{guess}'?" if guess else f"known: {', '.join(names) or 'none'}"
                self._fault(shown_name(name), "unknown_field", f"is no parameter of this call; {meant}")
            elif name in self._given:
                self._fault(name, "duplicate_key", "stands twice in the address")
            elif len(value) > _LONGEST:
                self._fault(name, "too_long", f"must have at most {_LONGEST:,} characters")
            elif not storable(value):
                self._fault(name, "invalid_characters", "must hold no NUL")
            elif value:
                self._given[name] = value

    def text(self, name: str) -> str | None:
        """Any text."""
        return self._given.get(name)

    def word(self, name: str, what: str, known: Iterable[str]) -> str | None:
        """One of the known words."""
        value, words = self._given.get(name), list(known)
        if value is not None and value not in words:
            self.faults.append(unknown_name(name, "not_allowed", what, value, words))
        return value

    def slot(self, portals: Mapping[str, Portal]) -> str | None:
        """A slot of any of these portals, or one of a slot per value."""
        value = self._given.get("slot")
        if value is None or any(portal.slot_rule(value) for portal in portals.values()):
            return value
        return self.word("slot", "slot of any portal here", words_of("slot", portals))

    def words(self, name: str, what: str, known: Iterable[str]) -> list[str]:
        """Known words, with commas between."""
        values, words = [v for v in self._given.get(name, "").split(",") if v], list(known)
        self.faults += [unknown_name(name, "not_allowed", what, v, words) for v in values if v not in words]
        return values

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._given.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", value) or not least <= int(value) <= most:
            self._fault(name, "out_of_range", f"must be a whole number from {least:,} to {most:,}")
            return default
        return int(value)

    def refuse(self, name: str, code: str, message: str) -> None:
        """Name a parameter that something else found wrong."""
        self._fault(name, code, message)

    def checked(self) -> None:
        """Raises `Problem` 422 if anything was wrong."""
        if self.faults:
            raise invalid(self.faults)

    def _fault(self, path: str, code: str, message: str) -> None:
        self.faults.append(Fault(path, code, message))


_OFFERS: Mapping[str, tuple[str, ...]] = {
    "json": ("application/json", "application/*", "*/*"),
    "markdown": ("text/markdown", "text/plain", "text/*"),
}


def wanted_format(accept: str | None) -> tuple[str, str]:
    """`("json" | "markdown", media type)` by an `Accept` header; JSON where it does not matter.

    Raises `Problem` 406 where neither will do.

    >>> wanted_format("text/markdown;q=0.9, application/json;q=0.5")
    ('markdown', 'text/markdown')
    """
    ranked: list[tuple[float, int, str, str]] = []
    for place, part in enumerate((accept or "*/*").lower().split(",")[:50]):
        media, *parameters = [piece.strip() for piece in part.split(";")]
        quality = 1.0
        for parameter in parameters:
            match = re.fullmatch(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", parameter)
            quality = float(match[1]) if match else quality
        for offer, names in _OFFERS.items():
            if media in names and quality > 0:
                ranked.append((-quality, place, offer, media))
    if not ranked:
        message = "must name application/json, text/markdown or text/plain"
        raise Problem("not-acceptable", f"Accept {message}.", [Fault("Accept", "not_acceptable", message)])
    _, _, offer, media = min(ranked)
    if offer == "json":
        return offer, "application/json"
    return offer, "text/plain" if media == "text/plain" else "text/markdown"
