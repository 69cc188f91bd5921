"""Before a page: who asks and whether they may; where the form came from. After it: what a refusal looks like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.people import may, role_for
from credsync.core.phrases import phrase
from credsync.store.press_limits import PressedTooOften
from credsync.web.console.context import ConsoleContext
from credsync.web.console.door import BadForm, Door, carries, from_here, read_form
from credsync.web.console.pages import Page
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.words import ROLES

Handler = Callable[[Request], Awaitable[Response]]

NOTHING_CHANGED: Final = phrase("Nothing was changed")
NOT_ALLOWED: Final = phrase("You may not do this")
_NOT_FROM_HERE: Final = phrase(
    "This was not sent by a page of this service, so nothing was changed. Open the page and press again."
)
_WORN_OUT: Final = phrase(
    "The page was opened in another session, so nothing was changed. Open the page anew and press again."
)


class Refusal(Exception):
    """A page that cannot be shown or a press that cannot be taken: what happened, and what to do."""

    def __init__(self, status: HTTPStatus, heading: str, message: str) -> None:
        self.status, self.heading, self.message = status, heading, message
        super().__init__(heading)


class Guard:
    """Stands before every page of the list."""

    def __init__(self, context: ConsoleContext, door: Door, renderer: Renderer) -> None:
        self._context = context
        self._door = door
        self._renderer = renderer

    def before(self, page: Page, handler: Handler) -> Handler:
        """The handler behind all that its page asks for."""

        async def guarded(request: Request) -> Response:
            request.state.viewer = await self._door.viewer_of(request)
            try:
                if page.method == "POST" and not from_here(request, self._context.public_url):
                    raise Refusal(HTTPStatus.FORBIDDEN, NOTHING_CHANGED, _NOT_FROM_HERE)
                if page.act is not None:
                    if request.state.viewer is None:
                        return _to_sign_in(request)
                    self._admit(page, request)
                if page.method == "POST":
                    request.state.form = await self._form(request)
                return await handler(request)
            except Refusal as refusal:
                return self.refuse(request, refusal)
            except PressedTooOften as often:
                why = Refusal(HTTPStatus.TOO_MANY_REQUESTS, NOTHING_CHANGED, often.why)
                return self.refuse(request, why)

        return guarded

    def refuse(self, request: Request, refusal: Refusal) -> Response:
        """The page that says why not."""
        return self._renderer.page(
            request, "refused.html", refusal.status, heading=refusal.heading, message=refusal.message
        )

    def _admit(self, page: Page, request: Request) -> None:
        assert page.act is not None
        role = request.state.viewer.role
        if not may(role, page.act):
            message = phrase(
                "Your role is {role}; this needs {needed}. An admin can give it to you.",
                role=phrase(ROLES[role]),
                needed=phrase(ROLES[role_for(page.act)]),
            )
            raise Refusal(HTTPStatus.FORBIDDEN, NOT_ALLOWED, message)

    async def _form(self, request: Request) -> dict[str, list[str]]:
        try:
            form = await read_form(request)
        except BadForm as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, NOTHING_CHANGED, str(error)) from None
        viewer = request.state.viewer
        if viewer is not None and not carries(form, viewer.csrf):
            raise Refusal(HTTPStatus.FORBIDDEN, NOTHING_CHANGED, _WORN_OUT)
        return form


def _to_sign_in(request: Request) -> Response:
    """To the sign-in page, and from there back to what was asked for; after a press, to the page it was pressed on."""
    asked = request.url.path
    if request.method in ("GET", "HEAD") and request.url.query:
        asked = f"{asked}?{request.url.query}"
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", HTTPStatus.SEE_OTHER, HEADERS)
