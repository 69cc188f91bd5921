"""Signing in by a password, and signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.phrases import phrase
from credsync.core.sign_in import ADDRESS_FREE, PERSON_FREE
from credsync.store import sessions
from credsync.store.people import Person, password_hash_of, set_password_hash
from credsync.store.sign_in_attempts import Count, begin_attempt, succeeded
from credsync.web.asking import change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.hashing import Hashing, TooMany
from credsync.web.console.own_path import own_path
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.session_door import cookie_of, drop_cookie, set_cookie

_WRONG: Final = phrase("The e-mail address or the password is not right.")
_BUSY: Final = phrase("Too many people sign in at this moment. Wait a minute, then try again.")
_LONGEST: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Begun:
    """An attempt that may go on, with what is known of whom it names; or until when it must wait."""

    person: Person | None = None
    kept: str | None = None
    mine: Count | None = None
    others: tuple[Count, ...] = ()
    wait_until: datetime | None = None


class SignIn:
    """The handlers.

    The form needs no token: that it comes from here is told by its `Origin`, which every browser sends with a POST and
    no page can forge, and the guard refuses all others, `null` too. So nobody can be signed in as somebody else by a
    page of another site, which is all that a token would prevent where there is no session yet.
    """

    def __init__(
        self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter, hashing: Hashing
    ) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter
        self._hashing = hashing

    async def sign_in_page(self, request: Request) -> Response:
        """The form; who has signed in already goes on."""
        back = own_path(request.query_params.get("next", ""))
        if request.state.viewer is not None:
            return RedirectResponse(back, HTTPStatus.SEE_OTHER, HEADERS)
        return self._page(request, back)

    async def sign_in(self, request: Request) -> Response:
        """An attempt: counted first, then looked at. Every sign-in opens a new session and ends the one before."""
        email, password = _field(request, "email").strip().lower(), _field(request, "password")
        back, address = own_path(_field(request, "next")), address_of(request)
        database = self._context.database
        begun = await change(database, self._limiter, lambda c: self._begin(c, email, address))
        if begun.wait_until is not None:
            seconds = max(1, ceil((begun.wait_until - database.clock.now()).total_seconds()))
            headers = {"Retry-After": str(seconds)}
            return self._page(request, back, email, "", HTTPStatus.TOO_MANY_REQUESTS, headers, seconds)
        try:
            fits = await self._hashing.fits(begun.kept, password)
            fresh = (
                await self._hashing.hash(password)
                if fits and self._hashing.is_old(begun.kept or "")
                else None
            )
        except TooMany:
            return self._page(
                request, back, email, _BUSY, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "60"}
            )
        secret = None
        if fits:
            secret = await change(database, self._limiter, lambda c: self._open(c, request, begun, fresh))
        if secret is None:
            return self._page(request, back, email, _WRONG, HTTPStatus.FORBIDDEN)
        response = RedirectResponse(back, HTTPStatus.SEE_OTHER, HEADERS)
        set_cookie(response, self._context, secret)
        return response

    async def sign_out(self, request: Request) -> Response:
        """The session ends here and in the database."""
        secret, now = cookie_of(request, self._context), self._context.database.clock.now()
        if secret is not None:
            await change(self._context.database, self._limiter, lambda c: end_session(c, secret, now))
        response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER, HEADERS)
        drop_cookie(response, self._context)
        return response

    def _begin(self, connection: Connection, email: str, address: str) -> _Begun:
        """Whoever signed in from this address lately is counted apart, so that no stranger's guesses slow them down."""
        found = password_hash_of(connection, email)
        person, kept = found or (None, None)
        known = person is not None and sessions.signed_in_from(connection, person.id, address)
        mine = Count(f"person:{email} {address}" if known else f"person:{email}", PERSON_FREE)
        others = (Count(f"address:{address}", ADDRESS_FREE),)
        wait_until = begin_attempt(connection, (mine, *others), self._context.database.clock.now())
        return _Begun(person, kept, mine, others, wait_until)

    def _open(self, connection: Connection, request: Request, begun: _Begun, fresh: str | None) -> str | None:
        """The new session's secret; None where the password was changed, or the person disabled, meanwhile."""
        assert begun.person is not None
        assert begun.mine is not None
        found = password_hash_of(connection, begun.person.email)
        if found is None or found[1] != begun.kept:
            return None
        succeeded(connection, begun.mine, begun.others)
        if fresh is not None:
            set_password_hash(connection, begun.person.id, fresh)
        return open_session(connection, request, self._context, begun.person)

    def _page(
        self,
        request: Request,
        back: str,
        email: str = "",
        problem: str = "",
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
        wait: int = 0,
    ) -> Response:
        return self._renderer.page(
            request,
            "sign_in.html",
            status,
            headers,
            back=back,
            email=email[:254],
            problem=problem,
            wait=wait,
            elsewhere=self._context.oidc is not None,
        )


def open_session(connection: Connection, request: Request, context: ConsoleContext, person: Person) -> str:
    """Sign a person in from this request; the session its cookie named before ends."""
    now = context.database.clock.now()
    before = cookie_of(request, context)
    if before is not None:
        end_session(connection, before, now)
    agent = request.headers.get("user-agent", "")
    return sessions.open_session(connection, person, address_of(request), agent, now)


def end_session(connection: Connection, secret: str, now: datetime) -> None:
    """End the session a cookie names, if it holds."""
    session = sessions.session_of(connection, secret, now)
    if session is not None:
        sessions.sign_out(connection, session, now)


def address_of(request: Request) -> str:
    """Where the request came from, as the server knows it (behind a proxy: as the proxy says)."""
    return request.client.host if request.client is not None else ""


def _field(request: Request, name: str) -> str:
    """Raises `Refusal` for one that is longer than any can be."""
    text = str(request.state.form.get(name, [""])[0])
    if len(text) > _LONGEST:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("Nobody was signed in"), _WRONG)
    return text
