"""Workflows: how long HubSpot takes for each slot, who waits longest, and whom to enrol again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.phrases import phrase
from credsync.core.portal import Portal
from credsync.operate.delay_bars import delay_bars
from credsync.operate.delays import delays_report
from credsync.operate.workflows import enrol_again, troubled_workflows
from credsync.web.asking import ask
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.render import Renderer
from credsync.web.console.spreadsheets import csv_file

_SHOWN: Final = 500
"""Contacts to enrol again on the page; the file has them all."""
_COLUMNS: Final = ("contact_id", "contact_url", "therapist_id", "slot", "waiting_since", "state")


class WorkflowPages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def workflows(self, request: Request) -> Response:
        """Every slot of every portal."""
        context, now = self._context, self._context.database.clock.now()

        def query(connection: Connection) -> list[dict[str, Any]]:
            report = delays_report(connection, context.portals.values(), now, context.policy, weeks=4)[
                "delays"
            ]
            troubled = {
                name: troubled_workflows(connection, portal, now) for name, portal in context.portals.items()
            }
            return [{**row, "trouble": _trouble(troubled[row["portal"]].get(row["slot"]))} for row in report]

        return self._renderer.page(
            request, "workflows.html", rows=await ask(context.database, self._limiter, query)
        )

    async def workflow(self, request: Request) -> Response:
        """One slot: the distribution, week by week, and the contacts to enrol again."""
        portal, slot = self._slot(request)
        context, now = self._context, self._context.database.clock.now()

        def query(connection: Connection) -> dict[str, Any]:
            return {
                "row": delays_report(connection, [portal], now, context.policy, slot=slot)["delays"][0],
                "bars": delay_bars(connection, portal.name, slot, now),
                "enrol": enrol_again(connection, portal, slot),
            }

        seen = await ask(context.database, self._limiter, query)
        return self._renderer.page(request, "workflow.html", most=_SHOWN, **seen)

    async def enrol_csv(self, request: Request) -> Response:
        """The contacts to enrol again, as a file."""
        portal, slot = self._slot(request)
        found = await ask(self._context.database, self._limiter, lambda c: enrol_again(c, portal, slot))
        return csv_file(
            f"enrol-{portal.name}-{slot}.csv", _COLUMNS, ([each[name] for name in _COLUMNS] for each in found)
        )

    def _slot(self, request: Request) -> tuple[Portal, str]:
        portal = self._context.portals.get(str(request.path_params["portal"]))
        slot = str(request.path_params["slot"])
        if portal is None or slot not in portal.slots:
            message = phrase("No portal here has this slot. Look at the list of workflows.")
            raise Refusal(HTTPStatus.NOT_FOUND, phrase("This workflow is not known"), message)
        return portal, slot


def _trouble(found: tuple[Any, int] | None) -> dict[str, Any] | None:
    return None if found is None else {"kind": found[0].value, "late": found[1]}
