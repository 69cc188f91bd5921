"""Builds the API: every call of the list behind its token, every error as a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from credsync.web.api.alerts import Alerts
from credsync.web.api.answers import said
from credsync.web.api.auth import Gate
from credsync.web.api.call import Call
from credsync.web.api.calls import CALLS
from credsync.web.api.context import ApiContext
from credsync.web.api.delays import Delays
from credsync.web.api.failures import ROUTE, CatchFailures, tell_framework, tell_problem
from credsync.web.api.health import Health
from credsync.web.api.intake import Intake
from credsync.web.api.metrics_page import MetricsPage
from credsync.web.api.openapi import openapi_document
from credsync.web.api.overview import Overview
from credsync.web.api.page import HEADERS, docs_page
from credsync.web.api.problems import Problem
from credsync.web.api.reading import Reading
from credsync.web.api.taking import Desk
from credsync.web.api.upkeep import Upkeep
from credsync.web.api.webhook_refusals import Refusals
from credsync.web.api.webhooks import Webhooks

Handler = Callable[[Request], Awaitable[Response]]
_LARGE, _READERS, _LOOK_UPS, _HOOKS = 2, 6, 2, 2
"""Threads at work at once, beside the database's writers; together they stay below its pool. Many questions, and large
bodies, never keep a fact waiting."""


def build_api(context: ApiContext) -> FastAPI:
    """The API over a database and its portals."""
    gate = Gate(context.database, CapacityLimiter(_LOOK_UPS))
    desk, readers = Desk(context, CapacityLimiter(_LARGE)), CapacityLimiter(_READERS)
    hooks = CapacityLimiter(_HOOKS)
    refusals = Refusals(context.database, hooks)
    document = openapi_document(CALLS, context.portals)
    rooms = (
        Intake(context, desk),
        Reading(context, readers),
        Delays(context, readers),
        Overview(context, readers),
        Upkeep(context, desk),
        Alerts(context, desk, readers),
        Webhooks(context, hooks, refusals),
        Health(context, readers),
        MetricsPage(context, readers),
        Docs(document),
    )
    api = FastAPI(
        title="credsync",
        routes=_routes(gate, rooms),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={Problem: tell_problem, HTTPException: tell_framework},
        middleware=[Middleware(CatchFailures, answered=context.metrics.request)],
        lifespan=_until_told(refusals),
    )
    api.openapi = lambda: document  # type: ignore[method-assign]
    return api


def _until_told(refusals: Refusals) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What is only counted in memory is written before the process ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await refusals.tell()

    return lifespan


class Docs:
    """What tells about the calls themselves."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._page = docs_page(document)

    async def document(self, _request: Request) -> Response:
        """The OpenAPI document."""
        return said(self._document)

    async def page(self, _request: Request) -> Response:
        """The docs page."""
        return HTMLResponse(self._page, headers=HEADERS)


def _routes(gate: Gate, rooms: Iterable[object]) -> list[BaseRoute]:
    """One route per address, so that a refused method hears of all the others."""
    handlers: dict[str, Handler] = {}
    for room in rooms:
        handlers |= {name: getattr(room, name) for name in dir(room) if not name.startswith("_")}
    by_path: dict[str, dict[str, Handler]] = {}
    for call in CALLS:
        by_path.setdefault(call.path, {})[call.method] = _guarded(gate, call, handlers[call.handler])
    return [
        Route(path, _by_method(path, methods), methods=list(methods), include_in_schema=False)
        for path, methods in by_path.items()
    ]


def _guarded(gate: Gate, call: Call, handler: Handler) -> Handler:
    if call.scope is None:
        return handler
    admit = gate.needs(call.scope)

    async def guarded(request: Request) -> Response:
        await admit(request)
        return await handler(request)

    return guarded


def _by_method(path: str, methods: Mapping[str, Handler]) -> Handler:
    async def answer(request: Request) -> Response:
        request.scope[ROUTE] = path
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return answer
