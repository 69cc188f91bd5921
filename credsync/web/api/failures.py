"""What nobody expected: answered as a problem with an id, logged under that id, and no value in either."""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable
from pathlib import PurePath

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from credsync.core.forms import Fault
from credsync.store.failing import failing, name_of
from credsync.web.api.problems import Problem, of_status

_log = structlog.get_logger("credsync")
ROUTE = "credsync.route"
"""The key under which a request's scope holds the address as the list of calls has it."""


class CatchFailures:
    """Around everything: an unexpected exception becomes a 500 (or 503) problem and one log line.

    It ends here: its message may hold a value, and servers above would log it. `answered` is told of every request: its
    method, its address as the list of calls has it, the status and the seconds it took.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[str, str, int, float], None]) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = time.monotonic() - began
                self._answered(scope["method"], scope.get(ROUTE, "unknown"), status, seconds)
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 (the outermost door)
            response = _failure(error, scope).response()
            if not status:
                await response(scope, receive, tell)


def _failure(error: Exception, scope: Scope) -> Problem:
    """Log what failed, as names and places, and say so."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    why = failing(error)
    _log.error(
        "request.failed" if why is None else "database.unreachable",
        instance=instance,
        method=scope["method"],
        route=scope.get(ROUTE),
        therapist_id=scope.get("path_params", {}).get("uuid"),
        error=type(error).__name__,
        cause=name_of(error) if why is not None else _cause(error),
        passed=_places(error),
        remedy="report it with these lines" if why is None else why.value,
    )
    if why is not None:
        fault = Fault("", "database_unavailable", "the database cannot be used now; send the call again")
        detail = "The database cannot be used now. Nothing is known to be stored; send the call again, with its key."
        return Problem("unavailable", detail, [fault], headers={"Retry-After": "5"}, instance=instance)
    detail = "credsync could not finish this call. The log of the service has a line with this instance."
    return Problem("failed", detail, instance=instance)


def _cause(error: Exception) -> str | None:
    cause = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return None if cause is None else type(cause).__name__


def _places(error: Exception) -> list[str]:
    """Where it came from, outermost first: files, lines and functions; the last few suffice."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{'/'.join(PurePath(f.filename).parts[-3:])}:{f.lineno} {f.name}" for f in frames]


async def tell_problem(_request: Request, error: Exception) -> Response:
    """A `Problem` that a route raised."""
    assert isinstance(error, Problem)
    return error.response()


async def tell_framework(_request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: 404 and 405."""
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return of_status(error.status_code, headers).response()
