"""The API's tokens: which there are, a new one shown once, and one forgotten."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.phrases import phrase
from credsync.store import acts
from credsync.store.clock import say_time
from credsync.store.tokens import Scope, TokenNameTaken, all_tokens
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.forms import words
from credsync.web.console.guard import NOTHING_CHANGED, Refusal
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.viewer import viewer

_LONGEST_NAME: Final = 100


class TokenPages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def tokens(self, request: Request) -> Response:
        """Every token by name, with what it may do; never the token."""
        return await self._page(request)

    async def create_token(self, request: Request) -> Response:
        """Make one, and show it once."""
        name, scopes = words(request, "name"), self._scopes(request)
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            message = phrase("A name has 1 to {most} printable characters.", most=_LONGEST_NAME)
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message)
        actor, now = viewer(request).actor, self._context.database.clock.now()

        def make(connection: Connection) -> str:
            try:
                return acts.create_token(connection, actor, name, scopes, now)
            except TokenNameTaken:
                message = phrase(
                    "A token named {name} exists already: take another name, or revoke that one first.",
                    name=name,
                )
                raise Refusal(HTTPStatus.CONFLICT, NOTHING_CHANGED, message) from None

        made = await change(self._context.database, self._limiter, make)
        return await self._page(request, made, name)

    async def revoke_token(self, request: Request) -> Response:
        """Forget one; calls with it are refused within 5 seconds."""
        name, actor = words(request, "name"), viewer(request).actor
        now = self._context.database.clock.now()
        done = await change(
            self._context.database, self._limiter, lambda c: acts.revoke_token(c, actor, name, now)
        )
        if not done:
            message = phrase("No token has this name. Look at the list of tokens.")
            raise Refusal(HTTPStatus.NOT_FOUND, NOTHING_CHANGED, message)
        return RedirectResponse("/tokens", HTTPStatus.SEE_OTHER, HEADERS)

    async def _page(self, request: Request, made: str | None = None, name: str = "") -> Response:
        kept = await ask(self._context.database, self._limiter, all_tokens)
        shown = [
            {"name": each.name, "scopes": each.scopes, "created_at": say_time(each.created_at)}
            for each in kept
        ]
        return self._renderer.page(
            request, "tokens.html", tokens=shown, scopes=list(Scope), made=made, name=name
        )

    def _scopes(self, request: Request) -> list[Scope]:
        try:
            scopes = [Scope(each) for each in request.state.form.get("scope", ())]
        except ValueError:
            scopes = []
        if not scopes:
            message = phrase("Mark what the token may do: one thing at least.")
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message)
        return scopes
