"""Who calls: a bearer token, looked up by its digest, and whether it may do what is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from credsync.core.forms import Fault
from credsync.store.database import Database
from credsync.store.tokens import Caller, Scope, caller_of
from credsync.web.api.problems import Problem

REMEMBERED = timedelta(seconds=5)
"""How long a look-up holds: a revoked token works at most so much longer."""
_MOST_REMEMBERED = 1_000
_LONGEST_TOKEN = 500


class Gate:
    """Admits callers. Nothing behind it runs without one."""

    def __init__(self, database: Database, limiter: CapacityLimiter) -> None:
        self._database = database
        self._limiter = limiter
        self._known: dict[bytes, tuple[Caller, datetime]] = {}

    def needs(self, scope: Scope) -> Callable[[Request], Awaitable[None]]:
        """A dependency that lets only those pass who may do `scope`; `caller(request)` tells who it was."""

        async def admit(request: Request) -> None:
            caller = await self._caller(request)
            if not caller.may(scope):
                raise Problem(
                    "scope",
                    f"This needs a token with scope {scope.value}.",
                    [Fault("Authorization", "scope_missing", f"needs scope {scope.value}")],
                    headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
                )
            request.state.caller = caller

        return admit

    async def _caller(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        if not given:
            raise _refused("Bearer", "token_missing", "needs a token: Authorization: Bearer <token>")
        scheme, _, token = given[0].partition(" ")
        token = token.strip()
        if len(given) == 1 and scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN:
            caller = await self._look_up(token)
            if caller is not None:
                return caller
        raise _refused('Bearer error="invalid_token"', "token_unknown", "is no token of this service")

    async def _look_up(self, token: str) -> Caller | None:
        digest = hashlib.sha256(token.encode()).digest()
        now = self._database.clock.now()
        known = self._known.get(digest)
        if known is not None and known[1] <= now < known[1] + REMEMBERED:
            return known[0]
        caller = await to_thread.run_sync(self._read, token, limiter=self._limiter)
        self._known.pop(digest, None)
        if caller is not None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = (caller, now)
        return caller

    def _read(self, token: str) -> Caller | None:
        with self._database.read() as connection:
            return caller_of(connection, token)


def caller(request: Request) -> Caller:
    """Who was admitted to this request."""
    found = request.state.caller
    assert isinstance(found, Caller)
    return found


def _refused(challenge: str, code: str, message: str) -> Problem:
    fault = Fault("Authorization", code, message)
    return Problem("no-token", f"Authorization {message}.", [fault], headers={"WWW-Authenticate": challenge})
