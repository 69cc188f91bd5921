"""The language somebody wants to read: kept in a cookie, and of whoever has signed in also with the person."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.store.people import set_language
from credsync.web.asking import change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.own_path import own_path
from credsync.web.console.render import HEADERS
from credsync.web.console.viewer import Viewer
from credsync.web.console.words import COOKIE, LANGUAGES

_KEPT_FOR: Final = 365 * 24 * 3_600
"""Seconds."""


class Language:
    """The handler."""

    def __init__(self, context: ConsoleContext, limiter: CapacityLimiter) -> None:
        self._database, self._limiter = context.database, limiter
        self._secure = (context.public_url or "").startswith("https:")

    async def language(self, request: Request) -> Response:
        """Take the language and go back to the page it was chosen on."""
        form = request.state.form
        chosen = form.get("language", [""])[0]
        back = own_path(form.get("next", ["/"])[0])
        answer = RedirectResponse(back, HTTPStatus.SEE_OTHER, HEADERS)
        if chosen in LANGUAGES:
            me: Viewer | None = request.state.viewer
            if me is not None:
                person_id = me.person_id
                await change(self._database, self._limiter, lambda c: set_language(c, person_id, chosen))
            answer.set_cookie(
                COOKIE, chosen, max_age=_KEPT_FOR, secure=self._secure, httponly=True, samesite="lax"
            )
        return answer
