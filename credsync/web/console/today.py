"""Today: how all stand, what is slower than usual, which portals run, what needs a person."""

from __future__ import annotations

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.states import NEEDS_A_PERSON, TherapistState
from credsync.operate.today import today
from credsync.web.asking import ask
from credsync.web.console.context import ConsoleContext
from credsync.web.console.render import Renderer
from credsync.web.console.words import STATES


class Today:
    """The handler."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def today(self, request: Request) -> Response:
        """The page that is opened first in the morning."""
        context = self._context
        now = context.database.clock.now()
        seen = await ask(
            context.database, self._limiter, lambda c: today(c, context.portals, now, context.policy)
        )
        counts = seen["states"]
        needing = [state for state in STATES if state in NEEDS_A_PERSON]
        return self._renderer.page(
            request,
            "today.html",
            seen=seen,
            tiles=[(state, counts[state.value]) for state in STATES if state not in NEEDS_A_PERSON],
            needing=[(state, counts[state.value]) for state in needing if counts[state.value]],
            needs_a_person=sum(counts[state.value] for state in needing),
            calm=not seen["alerts_open"]
            and not any(counts[state.value] for state in (*needing, TherapistState.OVERDUE)),
        )
