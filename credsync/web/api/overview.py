"""The calls that tell how everything stands, and what a portal looks for and writes."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from credsync.operate.mapping import mapping_tree
from credsync.operate.today import today
from credsync.web.api.addresses import portal_of
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.questions import Question


class Overview:
    """The handlers, each with one consistent view of the database."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter

    async def get_today(self, request: Request) -> Response:
        """What the console's first page shows."""
        Question(request, ()).checked()

        def ask() -> dict[str, Any]:
            context = self._context
            with context.database.read() as connection:
                return today(connection, context.portals, context.database.clock.now(), context.policy)

        return said(await to_thread.run_sync(ask, limiter=self._limiter))

    async def get_mapping(self, request: Request) -> Response:
        """A portal's mapping, as the settings page draws it."""
        portal = portal_of(request, self._context)
        Question(request, ()).checked()

        def ask() -> dict[str, Any]:
            database = self._context.database
            with database.read() as connection:
                return {"portal": portal.name} | mapping_tree(connection, portal, database.clock.now())

        return said(await to_thread.run_sync(ask, limiter=self._limiter))
