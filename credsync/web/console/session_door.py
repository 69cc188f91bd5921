"""The door that a session's cookie opens, and the cookie itself."""

from __future__ import annotations

from typing import Final

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import Response

from credsync.store.sessions import SEEN_EVERY, Session, seen, session_of
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.viewer import Viewer

_READERS: Final = 2


class SessionDoor:
    """Finds the session a request's cookie names, in the database: what ended there has ended everywhere."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._limiter = CapacityLimiter(_READERS)

    async def viewer_of(self, request: Request) -> Viewer | None:
        """Who has signed in. That the session is used is noted once a minute, so that looking costs no writing."""
        database = self._context.database
        secret = cookie_of(request, self._context)
        if secret is None:
            return None
        now = database.clock.now()
        session = await ask(database, self._limiter, lambda c: session_of(c, secret, now))
        if session is None:
            return None
        if now - session.seen_at >= SEEN_EVERY:
            await change(database, self._limiter, lambda c: seen(c, session.id, now))
        return viewer_from(session)


def viewer_from(session: Session) -> Viewer:
    """Who looks, by their session."""
    return Viewer(session.person_id, session.email, session.role, session.id, session.csrf, session.language)


def cookie_of(request: Request, context: ConsoleContext) -> str | None:
    """What the session's cookie holds."""
    return request.cookies.get(_name(context)) or None


def set_cookie(response: Response, context: ConsoleContext, secret: str) -> None:
    """Let the browser keep the session until it is closed. No script reads it, and no other site's form sends it.

    Over TLS it is a `__Host-` cookie, which no other host, not even a subdomain, can have set.
    """
    response.set_cookie(
        _name(context), secret, path="/", secure=by_tls(context), httponly=True, samesite="lax"
    )


def drop_cookie(response: Response, context: ConsoleContext) -> None:
    """Let the browser forget it."""
    response.delete_cookie(_name(context), path="/", secure=by_tls(context), httponly=True, samesite="lax")


def _name(context: ConsoleContext) -> str:
    return "__Host-credsync" if by_tls(context) else "credsync"


def by_tls(context: ConsoleContext) -> bool:
    """Whether people reach the service over TLS."""
    return (context.public_url or "").startswith("https://")
