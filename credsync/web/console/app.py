"""Builds the console: every page of the list behind its guard, and the files they need."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from credsync.core.phrases import phrase
from credsync.web.console.alerts import AlertPages
from credsync.web.console.audit import AuditPages
from credsync.web.console.context import ConsoleContext
from credsync.web.console.door import Door
from credsync.web.console.frame import frame_of
from credsync.web.console.guard import Guard, Handler, Refusal
from credsync.web.console.hashing import Hashing
from credsync.web.console.language import Language
from credsync.web.console.live import Live
from credsync.web.console.pages import PAGES
from credsync.web.console.people import PeoplePages
from credsync.web.console.render import Renderer
from credsync.web.console.set_up import SetUpPages
from credsync.web.console.settings import SettingsPages
from credsync.web.console.sign_in import SignIn
from credsync.web.console.sign_in_elsewhere import SignInElsewhere
from credsync.web.console.therapist import TherapistPages
from credsync.web.console.therapists import Therapists
from credsync.web.console.today import Today
from credsync.web.console.tokens import TokenPages
from credsync.web.console.workflows import WorkflowPages

_READERS = 4
"""Threads at work at once for pages; with the API's they stay below the database's pool."""
STATIC: Final = "static"
"""The first segment of the addresses of what pages need."""
_FILES = {path.name: path for path in sorted((Path(__file__).parent / STATIC).iterdir())}
_NO_PAGE = phrase("There is no such page")
_NOTHING_SUCH = phrase("This cannot be done here")
_WHERE = phrase("Look for the therapist, or go to Today.")


def build_console(context: ConsoleContext, door: Door, more: Iterable[object] = ()) -> Starlette:
    """The console over a database and its portals; `more` are rooms beside those of this list."""
    renderer = Renderer(frame_of(context))
    guard, limiter = Guard(context, door, renderer), CapacityLimiter(_READERS)
    hashing = Hashing(context.hasher)
    rooms = (
        Today(context, renderer, limiter),
        Therapists(context, renderer, limiter),
        TherapistPages(context, renderer, limiter),
        WorkflowPages(context, renderer, limiter),
        AlertPages(context, renderer, limiter),
        SettingsPages(context, renderer, limiter),
        PeoplePages(context, renderer, limiter),
        TokenPages(context, renderer, limiter),
        AuditPages(context, renderer, limiter),
        SignIn(context, renderer, limiter, hashing),
        SetUpPages(context, renderer, limiter, hashing),
        SignInElsewhere(context, limiter),
        Live(context, limiter),
        Language(context, limiter),
        *more,
    )

    async def tell(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        heading = _NO_PAGE if status is HTTPStatus.NOT_FOUND else _NOTHING_SUCH
        return guard.refuse(request, Refusal(status, heading, _WHERE))

    return Starlette(
        routes=[*_routes(guard, rooms), Route(f"/{STATIC}/{{name}}", _static)],
        exception_handlers={HTTPException: tell},
    )


def _routes(guard: Guard, rooms: Iterable[object]) -> list[BaseRoute]:
    handlers: dict[str, Handler] = {}
    for room in rooms:
        handlers |= {name: getattr(room, name) for name in dir(room) if not name.startswith("_")}
    return [
        Route(page.path, guard.before(page, handlers[page.handler]), methods=[page.method]) for page in PAGES
    ]


async def _static(request: Request) -> Response:
    path = _FILES.get(request.path_params["name"])
    if path is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    return FileResponse(path, headers={"Cache-Control": kept, "X-Content-Type-Options": "nosniff"})
