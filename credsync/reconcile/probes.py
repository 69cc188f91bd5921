"""Tries once a minute whether the token may again what HubSpot denied it, with calls that change nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from credsync.core.denials import Denied, Verb
from credsync.core.portal import CONTACT
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.errors import Forbidden, HubSpotError, RateLimited, Unauthorized, Unavailable
from credsync.hubspot.lanes import Lane, in_lane
from credsync.hubspot.paths import Route

EVERY = 60.0
"""Seconds between two probes."""
_NOBODY = "0"
"""The id of no record: what is asked or written under it meets the token's scopes, and nothing else."""

Probed = tuple[str, Verb] | None
"""One object type and verb; None for the token itself."""


class Probes:
    """When a portal's token is tried next, and the trying: one call in a span, whatever is denied.

    Several denied things take turns. Once one is let in, the others are tried at once: they were most likely given
    together.
    """

    def __init__(self, edge: Edge, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._clock = clock
        self._every = EVERY / speed
        self._at = clock()
        self._tried: dict[Probed, float] = {}
        self._refused: dict[Probed, str] = {}
        """The path that was refused last, by what was tried: it is the first to be tried again."""

    def just_denied(self, probed: Iterable[Probed]) -> None:
        """HubSpot has just said no to these: each is tried in its turn, the first a full span away."""
        now = self._clock()
        for each in probed:
            self._tried[each] = now
            if self._at <= now:
                self._at = now + self._every

    def due_in(self, denied: Collection[Probed]) -> float | None:
        """Seconds until the next try; at once for what another process was denied. None when nothing is denied."""
        return max(0.0, self._at - self._clock()) if denied else None

    async def token_works(self) -> bool:
        """Whether HubSpot takes the token again. False, without a call, before it is time to ask."""
        if not self._take():
            return False
        return await self._let_in(self._edge.client.routes.account())

    async def permitted(self, denied: Iterable[Denied], names: Names) -> list[tuple[str, Verb]]:
        """Which of these HubSpot denies no longer, as far as it was time to try; in turns, the first refusal ends it."""
        found: list[tuple[str, Verb]] = []
        in_turn = sorted(denied, key=lambda each: self._tried.get((each.object, each.verb), 0.0))
        if not in_turn or not self._take():
            return found
        for each in in_turn:
            probed = (each.object, each.verb)
            self._tried[probed] = self._clock()
            if not await self._passes(each, names):
                break
            self._tried.pop(probed)
            found.append(probed)
        return found

    def _take(self) -> bool:
        now = self._clock()
        if self._at > now:
            return False
        self._at = now + self._every
        return True

    async def _passes(self, denied: Denied, names: Names) -> bool:
        portal, probed = self._edge.portal, (denied.object, denied.verb)
        if denied.object != CONTACT and denied.object not in portal.objects:
            return True
        last = self._refused.pop(probed, "")
        asked = sorted(self._questions(denied, names), key=lambda each: each[0].path != last)
        for route, inputs in asked:
            if not await self._let_in(route, *inputs):
                self._refused[probed] = route.path
                return False
        return True

    def _questions(self, denied: Denied, names: Names) -> list[tuple[Route, Sequence[Mapping[str, Any]]]]:
        """The calls that a denial is about, changed so that they mean nobody."""
        portal, routes = self._edge.portal, self._edge.client.routes
        type_id, nobody = names.type_id(denied.object), {"id": _NOBODY}
        if denied.verb is Verb.WRITE:
            return [(routes.batch_update(type_id), [{**nobody, "properties": {}}])]
        if denied.object == CONTACT:
            return [(routes.batch_read(type_id), [nobody])]
        parent = names.type_id(portal.objects[denied.object].parent)
        questions: list[tuple[Route, Sequence[Mapping[str, Any]]]] = [
            (routes.batch_read(type_id), [nobody]),
            (routes.associations(parent, type_id), [nobody]),
        ]
        if any(each.object == denied.object for each in names.denied):
            questions += [(routes.labels(parent, type_id), []), (routes.properties(type_id), [])]
        return questions

    async def _let_in(self, route: Route, *inputs: Mapping[str, Any]) -> bool:
        """Whether HubSpot looks at what a call says: it may have nothing to say to that."""
        body = {"inputs": list(inputs)} if inputs else None
        account = route == self._edge.client.routes.account()
        try:
            with in_lane(Lane.NOW):
                await self._edge.client.call(route, body, inputs=len(inputs))
        except Forbidden:
            return account
        except (Unauthorized, RateLimited, Unavailable):
            return False
        except HubSpotError:
            return True
        return True
