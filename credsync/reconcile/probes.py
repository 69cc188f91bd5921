"""Tries once a minute whether the token may again what HubSpot denied it, with calls that change nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from credsync.core.denials import Denied, Verb
from credsync.core.portal import CONTACT
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.errors import Forbidden, HubSpotError, RateLimited, Unauthorized, Unavailable
from credsync.hubspot.lanes import Lane, in_lane
from credsync.hubspot.paths import Route

EVERY = 60.0
"""Seconds between two probes of one thing."""
_NOBODY = "0"
"""The id of no record: what is asked or written under it meets the token's scopes, and nothing else."""

Probed = tuple[str, Verb] | None
"""One object type and verb; None for the token itself."""


class Probes:
    """When each denied thing of a portal is tried next, and the trying."""

    def __init__(self, edge: Edge, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._clock = clock
        self._every = EVERY / speed
        self._next: dict[Probed, float] = {}

    def just_denied(self, probed: Iterable[Probed]) -> None:
        """HubSpot has just said no: the next try is a full span away."""
        at = self._clock() + self._every
        self._next.update(dict.fromkeys(probed, at))

    def due_in(self, denied: Collection[Probed]) -> float | None:
        """Seconds until the first of these is tried; at once for what another process was denied. None for none."""
        now = self._clock()
        return min((max(0.0, self._next.get(each, now) - now) for each in denied), default=None)

    async def token_works(self) -> bool:
        """Whether HubSpot takes the token again. False, without a call, before it is time to ask."""
        if not self._take(None):
            return False
        return await self._let_in(self._edge.client.routes.account())

    async def permitted(self, denied: Iterable[Denied], names: Names) -> list[tuple[str, Verb]]:
        """Which of these HubSpot denies no longer, of those that it is time to try."""
        found = []
        for each in denied:
            probed = (each.object, each.verb)
            if self._take(probed) and await self._passes(each, names):
                self._next.pop(probed, None)
                found.append(probed)
        return found

    def _take(self, probed: Probed) -> bool:
        now = self._clock()
        if self._next.get(probed, now) > now:
            return False
        self._next[probed] = now + self._every
        return True

    async def _passes(self, denied: Denied, names: Names) -> bool:
        portal, routes = self._edge.portal, self._edge.client.routes
        if denied.object != CONTACT and denied.object not in portal.objects:
            return True
        type_id = names.type_id(denied.object)
        if denied.verb is Verb.WRITE:
            return await self._let_in(routes.batch_update(type_id), {"id": _NOBODY, "properties": {}})
        if not await self._let_in(routes.batch_read(type_id), {"id": _NOBODY}):
            return False
        if denied.object == CONTACT:
            return True
        parent = names.type_id(portal.objects[denied.object].parent)
        return await self._let_in(routes.associations(parent, type_id), {"id": _NOBODY})

    async def _let_in(self, route: Route, *inputs: Mapping[str, Any]) -> bool:
        """Whether HubSpot looks at what a call says: it may have nothing to say to that."""
        body = {"inputs": list(inputs)} if inputs else None
        try:
            with in_lane(Lane.NOW):
                await self._edge.client.call(route, body, inputs=len(inputs))
        except Forbidden:
            return not inputs
        except (Unauthorized, RateLimited, Unavailable):
            return False
        except HubSpotError:
            return True
        return True
