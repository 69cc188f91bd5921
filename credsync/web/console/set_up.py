"""The page behind a set-up link: a person chooses a password, and is signed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.passwords import LONGEST, SHORTEST, password_fault
from credsync.core.phrases import phrase
from credsync.store.people import BadEmail, email_of
from credsync.store.set_up_links import SetUp, set_up_of, use_link
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.hashing import Hashing, TooMany
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.session_door import set_cookie
from credsync.web.console.sign_in import open_session

_WORN_OUT: Final = phrase("This link does not hold any more")
_ASK_AGAIN: Final = phrase(
    "A link is good for 15 minutes and for one use, and a new one takes its place. Ask an admin for a new one, or run "
    "`credsync user link EMAIL` where the service runs; for the first admin of all, start the service again."
)
_DIFFER: Final = phrase("The two passwords are not the same.")
_NO_ADDRESS: Final = phrase("An e-mail address is expected, such as ada@example.org.")
_BUSY: Final = phrase("Too many people sign in at this moment. Wait a minute, then try again.")


class SetUpPages:
    """The handlers. The link is itself the secret that no other site's form can hold."""

    def __init__(
        self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter, hashing: Hashing
    ) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter
        self._hashing = hashing

    async def set_up_page(self, request: Request) -> Response:
        """The form. Opening it uses nothing up, so that a mail program that looks does no harm."""
        return self._page(request, await self._held(request))

    async def set_up(self, request: Request) -> Response:
        """The password is chosen; the link is used up, and the person is signed in."""
        held = await self._held(request)
        password, again = _field(request, "password"), _field(request, "again")
        email = held.person.email if held.person is not None else _field(request, "email")
        try:
            problem = password_fault(password, email_of(email))
        except BadEmail:
            problem = _NO_ADDRESS
        if problem is None and password != again:
            problem = _DIFFER
        if problem is not None:
            return self._page(request, held, email, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            password_hash = await self._hashing.hash(password)
        except TooMany:
            return self._page(request, held, email, _BUSY, HTTPStatus.SERVICE_UNAVAILABLE)

        def use(connection: Connection) -> str | None:
            now = self._context.database.clock.now()
            person = use_link(connection, _secret(request), email, password_hash, now)
            return None if person is None else open_session(connection, request, self._context, person)

        secret = await change(self._context.database, self._limiter, use)
        if secret is None:
            raise Refusal(HTTPStatus.GONE, _WORN_OUT, _ASK_AGAIN)
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER, HEADERS)
        set_cookie(response, self._context, secret)
        return response

    async def _held(self, request: Request) -> SetUp:
        """Raises `Refusal` where the link does not hold."""
        secret, database = _secret(request), self._context.database
        now = database.clock.now()
        held = await ask(database, self._limiter, lambda c: set_up_of(c, secret, now))
        if held is None:
            raise Refusal(HTTPStatus.GONE, _WORN_OUT, _ASK_AGAIN)
        return held

    def _page(
        self,
        request: Request,
        held: SetUp,
        email: str = "",
        problem: str = "",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        first = held.person is None
        return self._renderer.page(
            request,
            "set_up.html",
            status,
            first=first,
            email=email if held.person is None else held.person.email,
            problem=problem,
            shortest=SHORTEST,
            longest=LONGEST,
        )


def _secret(request: Request) -> str:
    return str(request.path_params["token"])


def _field(request: Request, name: str) -> str:
    return str(request.state.form.get(name, [""])[0])
