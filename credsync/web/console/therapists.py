"""Therapists: found by whatever one has of them, filtered, page by page, and as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.phrases import phrase
from credsync.core.states import TherapistState
from credsync.operate.find import BadCursor, find_therapists
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.reading import ask
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.spreadsheets import csv_file
from credsync.web.console.words import STATES

_PAGE: Final = 50
_MOST_IN_FILE: Final = 10_000
_FILTERS: Final = ("q", "state", "slot", "portal")
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
        found = await self._find(asked, request.query_params.get("after"), _PAGE)
        only = found["therapists"][0] if len(found["therapists"]) == 1 else None
        if only is not None and set(asked) == {"q"} and "after" not in request.query_params:
            return RedirectResponse(f"/therapists/{only['id']}", HTTPStatus.SEE_OTHER, HEADERS)
        following = found["next_cursor"]
        return self._renderer.page(
            request,
            "therapists.html",
            asked={name: asked.get(name, "") for name in _FILTERS},
            filtered=bool(asked),
            therapists=found["therapists"],
            more=f"/therapists?{urlencode({**asked, 'after': following})}" if following else None,
            first=f"/therapists?{urlencode(asked)}" if "after" in request.query_params else None,
            file=f"/therapists.csv?{urlencode(asked)}",
            states=list(STATES),
            slots=self._slots(),
        )

    async def therapists_csv(self, request: Request) -> Response:
        """The same as a file, at most 10,000 rows; no cell is one that a spreadsheet would run."""
        asked = self._asked(request)
        rows: list[list[object]] = []
        after = None
        while len(rows) < _MOST_IN_FILE:
            found = await self._find(asked, after, 1_000)
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
        known: Mapping[str, Iterable[str]] = {
            "state": [state.value for state in TherapistState],
            "slot": self._slots(),
            "portal": sorted(self._context.portals),
        }
        for name, words in known.items():
            if name in asked and asked[name] not in words:
                message = phrase(
                    "There is no such {name}. Known are: {words}.", name=phrase(name), words=", ".join(words)
                )
                raise Refusal(HTTPStatus.BAD_REQUEST, phrase("This filter cannot be used"), message)
        return asked

    def _slots(self) -> list[str]:
        return sorted({key for portal in self._context.portals.values() for key in portal.slots})

    async def _find(self, asked: Mapping[str, str], after: str | None, limit: int) -> dict[str, Any]:
        context = self._context
        now = context.database.clock.now()
        filters: dict[str, Any] = dict(asked)

        def query(connection: Connection) -> dict[str, Any]:
            return find_therapists(connection, context.portals, **filters, cursor=after, limit=limit, now=now)

        try:
            return await ask(context.database, self._limiter, query)
        except BadCursor:
            message = phrase("The address of this page is not whole. Go back to the first page of the list.")
            raise Refusal(HTTPStatus.BAD_REQUEST, phrase("This page cannot be found"), message) from None


def _row(entry: Mapping[str, Any]) -> list[object]:
    shown = {**entry, "awaited_slots": " ".join(entry["awaited_slots"])}
    return [shown[name] for name in _COLUMNS]
