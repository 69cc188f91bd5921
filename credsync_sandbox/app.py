"""The ASGI application: HubSpot's paths go to the gate, `/_sandbox/` to the control endpoints."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from credsync_sandbox.control import contacts, faults, truth, validations, watch, webhooks
from credsync_sandbox.control.reading import BadRequest, answer
from credsync_sandbox.control.records import ACTIONS
from credsync_sandbox.hubspot.gate import Gate
from credsync_sandbox.hubspot.refusals import Refusal
from credsync_sandbox.portal.build import build_schema
from credsync_sandbox.portal.portal_file import read_portal_file
from credsync_sandbox.portal.schema_file import read_schema_file
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.settings import Settings
from credsync_sandbox.state import StateFile
from credsync_sandbox.webhooks import Webhooks
from credsync_sandbox.world.clock import Clock
from credsync_sandbox.world.delays import parse_delay
from credsync_sandbox.world.journal import Journal
from credsync_sandbox.world.world import new_world

PREFIX = "/_sandbox"
Endpoint = Callable[[Sandbox, Request], Awaitable[Response]]


class App:
    """`sandbox` is what a program in the same process may look at; everybody else uses HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._control = Starlette(routes=_routes(sandbox), lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's start and stop."""
        if scope["type"] == "http" and not scope["path"].startswith(f"{PREFIX}/"):
            await self.sandbox.gate(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(self.sandbox.webhooks.run())
        yield
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender
        if self.sandbox.state is not None:
            self.sandbox.state.close(self.sandbox.world)


def build_app(
    portal: Path,
    schema: Path | None = None,
    delay: str = "90s",
    speed: float = 1.0,
    seed: int = 1,
    state: Path | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
) -> App:
    """A sandbox for this portal file; raises ValueError with what is wrong with a file or option.

    `clock` replaces the one that `speed` and `state` make.
    """
    portal_file = read_portal_file(portal)
    exported = read_schema_file(schema) if schema else None
    held = settings or Settings()
    if exported:
        held.time_zone = exported.time_zone or held.time_zone
        held.ui_domain = exported.ui_domain or held.ui_domain
    keeper = StateFile(state) if state else None
    started = keeper.meta().get("sandbox_now") if keeper else None
    world = new_world(
        seed=seed,
        clock=clock or Clock(speed, start=started),
        settings=held,
        portal=portal_file,
        schema=build_schema(portal_file, exported),
        delay=parse_delay(delay, seed),
    )
    world.journal = Journal(lambda record: truth.record_truth(world, record))
    if keeper:
        keeper.load(world)
    keep: list[Sandbox] = []
    gate = Gate(world, after_change=lambda: keep[0].keep())
    keep.append(Sandbox(world, gate, Webhooks(world), keeper))
    return App(keep[0])


def _routes(sandbox: Sandbox) -> list[Route]:
    def route(path: str, endpoint: Endpoint, *methods: str) -> Route:
        async def wrapped(request: Request) -> Response:
            try:
                return await endpoint(sandbox, request)
            except BadRequest as error:
                return answer({"error": str(error)}, error.status)
            except Refusal as error:
                return answer({"error": str(error)}, error.status)

        return Route(f"{PREFIX}{path}", wrapped, methods=list(methods))

    return [
        route("/health", watch.health, "GET"),
        route("/contacts", contacts.make_contacts, "POST"),
        route("/enrol", contacts.enrol, "POST"),
        route("/esu", contacts.extended_sign_up, "POST"),
        *(route(f"/records/{name}", endpoint, "POST") for name, endpoint in ACTIONS.items()),
        route("/faults", faults.add, "POST"),
        route("/faults", faults.listed, "GET"),
        route("/faults", faults.remove, "DELETE"),
        route("/faults/{id:int}", faults.remove, "DELETE"),
        route("/requests", watch.requests, "GET"),
        route("/requests", watch.reset_requests, "DELETE"),
        route("/requests/summary", watch.summary, "GET"),
        route("/journal", watch.journal, "GET"),
        route("/truth", truth.everything, "GET"),
        route("/truth/contacts/{id}", truth.one_contact, "GET"),
        route("/time", watch.time_now, "GET"),
        route("/time", watch.advance, "POST"),
        route("/settings", watch.settings, "GET", "PUT"),
        route("/webhooks", webhooks.webhooks, "GET", "POST", "DELETE"),
        route("/schema", watch.schema, "GET", "PUT", "DELETE"),
        route("/validations", validations.listed, "GET"),
        route("/validations", validations.put, "PUT"),
    ]
