"""Therapists: found by whatever one has of them, filtered, page by page, and as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.phrases import phrase
from credsync.core.wanted import AGES, Wanted
from credsync.operate.choices import NARROWS, Choices, choices, words_of
from credsync.operate.find import BadCursor, find_therapists
from credsync.store.counting import Count
from credsync.web.asking import ask
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.spreadsheets import csv_file

_PAGE: Final = 50
_MOST_IN_FILE: Final = 10_000
_FILTERS: Final = ("q", *NARROWS)
_NAMES: Final[Mapping[str, str]] = {
    "state": phrase("state"),
    "reason": phrase("reason"),
    "slot": phrase("slot"),
    "portal": phrase("portal"),
    "longer_than": phrase("span of time"),
}
_COLUMNS: Final = (
    "id",
    "portal",
    "contact_id",
    "name",
    "state",
    "reason",
    "message",
    "state_since",
    "awaited_slots",
    "next_look_at",
)


class Therapists:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def therapists(self, request: Request) -> Response:
        """The list; a search that means one therapist alone goes straight to that page."""
        asked = self._asked(request)
        after = request.query_params.get("after")
        found, counted = await self._find(asked, after, _PAGE, counted=True)
        only = found["therapists"][0] if len(found["therapists"]) == 1 else None
        if only is not None and set(asked) == {"q"} and after is None:
            return RedirectResponse(f"/therapists/{only['id']}", HTTPStatus.SEE_OTHER, HEADERS)
        assert counted is not None
        following = found["next_cursor"]
        return self._renderer.page(
            request,
            "therapists.html",
            asked={name: asked.get(name, "") for name in _FILTERS},
            therapists=found["therapists"],
            more=f"/therapists?{urlencode({**asked, 'after': following})}" if following else None,
            first=f"/therapists?{urlencode(asked)}" if after is not None else None,
            file=f"/therapists.csv?{urlencode(asked)}",
            total=counted.total,
            choices=_offered(asked, counted),
            ways_out=_ways_out(asked, counted),
        )

    async def therapists_csv(self, request: Request) -> Response:
        """The same as a file, at most 10,000 rows; no cell is one that a spreadsheet would run."""
        asked = self._asked(request)
        rows: list[list[object]] = []
        after = None
        while len(rows) < _MOST_IN_FILE:
            found, _ = await self._find(asked, after, 1_000)
            rows += (_row(each) for each in found["therapists"])
            after = found["next_cursor"]
            if after is None:
                break
        return csv_file("therapists.csv", _COLUMNS, rows)

    def _asked(self, request: Request) -> dict[str, str]:
        """The filters that are set. Raises `Refusal` for one that is no word of its list."""
        asked = {
            name: request.query_params[name].strip()
            for name in _FILTERS
            if request.query_params.get(name, "").strip()
        }
        for name in NARROWS:
            words = words_of(name, self._context.portals)
            if name in asked and asked[name] not in words:
                message = phrase(
                    "There is no such {name}. Known are: {words}.", name=_NAMES[name], words=", ".join(words)
                )
                raise Refusal(HTTPStatus.BAD_REQUEST, phrase("This filter cannot be used"), message)
        return asked

    async def _find(
        self, asked: Mapping[str, str], after: str | None, limit: int, *, counted: bool = False
    ) -> tuple[dict[str, Any], Choices | None]:
        context = self._context
        now = context.database.clock.now()
        texts = {name: value for name, value in asked.items() if name != "longer_than"}
        wanted = Wanted(**texts, longer_than=AGES.get(asked.get("longer_than", "")))

        def query(connection: Connection) -> tuple[dict[str, Any], Choices | None]:
            found = find_therapists(connection, context.portals, wanted, cursor=after, limit=limit, now=now)
            return found, choices(connection, context.portals, wanted, now) if counted else None

        try:
            return await ask(context.database, self._limiter, query)
        except BadCursor:
            message = phrase("The address of this page is not whole. Go back to the first page of the list.")
            raise Refusal(HTTPStatus.BAD_REQUEST, phrase("This page cannot be found"), message) from None


def _offered(asked: Mapping[str, str], counted: Choices) -> dict[str, list[tuple[str, Count]]]:
    """Each choice's words with how many there are; reasons that nobody has are left out, but for the one chosen."""
    return {
        name: [
            (word, count)
            for word, count in words.items()
            if name != "reason" or count.number or asked.get(name) == word
        ]
        for name, words in counted.counts.items()
    }


def _ways_out(asked: Mapping[str, str], counted: Choices) -> list[tuple[str, str, Count]]:
    """What to leave out so that somebody is left: its name, the address of the list without it, and how many."""
    return [
        (name, f"/therapists?{urlencode({k: v for k, v in asked.items() if k != name})}", count)
        for name, count in counted.without.items()
        if count.number
    ]


def _row(entry: Mapping[str, Any]) -> list[object]:
    shown = {**entry, "awaited_slots": " ".join(entry["awaited_slots"])}
    return [shown[name] for name in _COLUMNS]
