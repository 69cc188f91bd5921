"""The audit: who did what to whom, newest first, and whether the chain holds."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.audit import Judged
from credsync.core.phrases import phrase
from credsync.operate.audit_lines import audit_line
from credsync.store import audit
from credsync.store.audit import Whom
from credsync.web.asking import ask
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.render import Renderer

_A_PAGE: Final = 50
_BAD: Final = phrase("This page cannot be found")
_WHOLE: Final = phrase("The address of this page is not whole. Go back to the audit.")


class AuditPages:
    """The handler."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def audit(self, request: Request) -> Response:
        """A page of it; with `kind` and `whom` of one therapist, person or portal; with `verify` judged as a whole."""
        asked = request.query_params
        before = asked.get("before")
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Refusal(HTTPStatus.BAD_REQUEST, _BAD, _WHOLE)
        kind, name = asked.get("kind", ""), asked.get("whom", "")
        whom = Whom(kind, name) if kind and name else None

        def query(connection: Connection) -> tuple[list[dict[str, Any]], Judged | None]:
            rows = audit.page(
                connection, before=int(before) if before else None, limit=_A_PAGE + 1, whom=whom
            )
            judged = audit.verify(connection) if "verify" in asked else None
            return [audit_line(row) for row in rows], judged

        rows, judged = await ask(self._context.database, self._limiter, query)
        more = rows[_A_PAGE - 1]["line"] if len(rows) > _A_PAGE else None
        return self._renderer.page(
            request, "audit.html", rows=rows[:_A_PAGE], more=more, judged=judged, kind=kind, whom=name
        )
