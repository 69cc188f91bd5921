"""What Prometheus reads: this process's figures and the database's, without a token and without anything private."""

from __future__ import annotations

from datetime import datetime, timedelta

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from credsync.metrics import MEDIA_TYPE, PortalFigures
from credsync.operate.figures import figures
from credsync.web.api.context import ApiContext

_KEPT = timedelta(seconds=5)
"""How long a count serves whoever asks next, so that nobody can make the database count without end."""


class MetricsPage:
    """The handler."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter
        self._last: tuple[datetime, list[PortalFigures]] | None = None

    async def metrics(self, _request: Request) -> Response:
        """The figures: this process's of now, the database's at most a few seconds old."""
        now, kept = self._context.database.clock.now(), self._last
        if kept is None or not timedelta(0) <= now - kept[0] < _KEPT:
            kept = self._last = (now, await to_thread.run_sync(self._count, now, limiter=self._limiter))
        return Response(self._context.metrics.text(kept[1]), media_type=MEDIA_TYPE)

    def _count(self, now: datetime) -> list[PortalFigures]:
        with self._context.database.read() as connection:
            return figures(connection, sorted(self._context.portals), now)
