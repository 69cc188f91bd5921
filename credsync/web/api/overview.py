"""The calls that tell how everything stands, and what a portal looks for and writes."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.operate.mapping import mapping_tree
from credsync.operate.today import today
from credsync.web.api.addresses import portal_of
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.questions import Question
from credsync.web.asking import ask


class Overview:
    """The handlers, each with one consistent view of the database."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter

    async def get_today(self, request: Request) -> Response:
        """What the console's first page shows."""
        Question(request, ()).checked()
        context = self._context

        def stands(connection: Connection) -> dict[str, Any]:
            return today(connection, context.portals, context.database.clock.now(), context.policy)

        return said(await ask(context.database, self._limiter, stands))

    async def get_mapping(self, request: Request) -> Response:
        """A portal's mapping, as the settings page draws it."""
        portal = portal_of(request, self._context)
        Question(request, ()).checked()

        database = self._context.database

        def drawn(connection: Connection) -> dict[str, Any]:
            return {"portal": portal.name} | mapping_tree(connection, portal, database.clock.now())

        return said(await ask(database, self._limiter, drawn))
