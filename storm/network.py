"""The network between a process and HubSpot: slow, broken before or after the effect, or cut by the process's death."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import anyio
import httpx2

from storm.loop import VirtualTime


@dataclass
class Weather:
    """How bad it is now: probabilities by kind, each call."""

    chance: Random
    trouble: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    kinds: tuple[str, ...] = ("refused", "lost", "slow", "hang", "server_error", "nonsense", "limited")

    def strikes(self) -> str | None:
        """What befalls the next call, if anything."""
        if self.chance.random() >= self.trouble:
            return None
        kind = self.chance.choice(self.kinds)
        self.met[kind] += 1
        return kind


class Network(httpx2.AsyncBaseTransport):
    """Carries calls to the sandbox in tasks of their own: a caller that is gone does not take its request back."""

    def __init__(
        self,
        app: httpx2.ASGITransport,
        weather: Weather,
        time: VirtualTime,
        alive: Callable[[], None],
        turn: Callable[[], object],
    ) -> None:
        self._app = app
        self._weather = weather
        self._time = time
        self._alive = alive
        self._turn = turn
        self._under_way: set[asyncio.Task[httpx2.Response]] = set()
        self.answered: set[str] = set()
        self.heard: set[str] = set()
        """Correlation ids of what HubSpot answered, and of what got through."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call."""
        self._alive()
        kind, chance = self._weather.strikes(), self._weather.chance
        await anyio.sleep(chance.uniform(0.01, 0.08))
        if kind == "refused":
            raise httpx2.ConnectError("refused", request=request)
        if kind == "server_error":
            return httpx2.Response(
                chance.choice((500, 502, 503, 504, 521)), text="<html>oops</html>", request=request
            )
        if kind == "limited":
            headers = {"Retry-After": str(chance.randint(1, 12))} if chance.random() < 0.5 else {}
            body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
            return httpx2.Response(429, json=body, headers=headers, request=request)
        task = asyncio.create_task(self._delivered(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if kind == "slow":
            await anyio.sleep(chance.uniform(1, 18))
        elif kind == "hang":
            await anyio.sleep(chance.uniform(30, 90))
        response = await asyncio.shield(task)
        await self._turn()  # type: ignore[misc]
        self._alive()
        if kind == "lost":
            raise httpx2.ReadError("reset", request=request)
        if kind == "nonsense":
            return httpx2.Response(
                200, text=chance.choice(("", "{", "[]", "null", '{"results": 7}')), request=request
            )
        self.heard.add(response.headers["X-HubSpot-Correlation-Id"])
        return response

    async def _delivered(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._app.handle_async_request(request)
        self.answered.add(response.headers["X-HubSpot-Correlation-Id"])
        content = b"".join([part async for part in response.stream])  # type: ignore[union-attr]
        return httpx2.Response(
            response.status_code, headers=response.headers, content=content, request=request
        )
