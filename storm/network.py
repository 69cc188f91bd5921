"""The network between a process and HubSpot: slow, broken before or after the effect, or cut by the process's death."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import anyio
import httpx2

from storm.loop import VirtualTime

LASTS = 0.6
"""How likely the next call meets the same again: trouble comes in spells, and outlasts what is tried four times."""
TOO_MANY = 429
WITHOUT_A_WORD = 10
"""Seconds to wait after a 429 that has no `Retry-After`."""
JITTER = 0.001
QUICK = frozenset({"refused", "vanished", "server_error", "lost"})


@dataclass
class Weather:
    """How bad it is now: probabilities by kind, each call."""

    chance: Random
    trouble: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    kinds: tuple[str, ...] = (
        "refused", "lost", "vanished", "slow", "hang", "server_error", "nonsense", "limited",
    )  # fmt: skip
    only: str | None = None
    """In an outage: what nearly every call meets, or nearly every write."""
    only_writes: bool = False
    _lasting: str | None = None

    def strikes(self, path: str) -> str | None:
        """What befalls the next call, if anything."""
        outage = self.only is not None and (not self.only_writes or path.endswith("batch/update"))
        if self._lasting and self.chance.random() < LASTS:
            kind = self._lasting
        elif self.chance.random() >= (0.9 if outage else self.trouble):
            self._lasting = None
            return None
        else:
            kind = self.only if outage and self.only else self.chance.choice(self.kinds)
        self._lasting = kind if kind in QUICK else None
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
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        self._app = app
        self._weather = weather
        self._time = time
        self._alive = alive
        self._turn = turn
        self._under_way: set[asyncio.Task[httpx2.Response]] = set()
        self.lost: set[str] = set()
        """Correlation ids of what HubSpot answered, and the process never heard."""
        self.took: dict[str, float] = {}
        """Seconds from the call's reaching HubSpot until its answer was heard, by correlation id."""
        self.on_call: Callable[[], None] = lambda: None
        self.on_write: Callable[[], None] = lambda: None
        """Asked before each call that writes is sent."""
        self.on_written: Callable[[], None] = lambda: None
        """… and when it has reached HubSpot."""
        self.in_vain: list[dict[str, object]] = []
        """Calls that never reached HubSpot, in the form of its own log."""
        self.held_back: list[tuple[datetime, datetime]] = []
        """Since and until when a process was asked to wait."""
        self.hasty: list[str] = []
        """Calls that it sent all the same."""
        self._not_before: dict[str, float] = {}
        """By kind of call, the second before which HubSpot wants to hear of none."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call."""
        self._alive()
        self.on_call()
        kind = _kind(request)
        if self._time.seconds < self._not_before.get(kind, 0.0) - JITTER:
            self.hasty.append(f"a call of {kind} at {self._time.now()}, before HubSpot wanted any")
        response = await self._carried(request)
        if response.status_code == TOO_MANY:
            until = self._time.seconds + float(response.headers.get("Retry-After", WITHOUT_A_WORD))
            self._not_before[kind] = max(until, self._not_before.get(kind, 0.0))
        return response

    async def _carried(self, request: httpx2.Request) -> httpx2.Response:
        kind, chance = self._weather.strikes(request.url.path), self._weather.chance
        await anyio.sleep(chance.uniform(0.01, 0.08))
        self._alive()
        if kind in ("refused", "vanished", "server_error", "limited"):
            return self._turned_away(kind, request)
        writes = request.url.path.endswith("batch/update")
        if writes:
            self.on_write()
        task = asyncio.create_task(self._delivered(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        began = self._time.seconds
        if kind == "slow":
            await anyio.sleep(chance.uniform(1, 18))
        elif kind == "hang":
            await anyio.sleep(chance.uniform(30, 90))
        response = await asyncio.shield(task)
        if writes:
            self.on_written()
        await self._turn()
        self._alive()
        if kind == "lost":
            raise httpx2.ReadError("reset", request=request)
        if kind == "nonsense":
            return httpx2.Response(
                200, text=chance.choice(("", "{", "[]", "null", '{"results": 7}')), request=request
            )
        correlation_id = response.headers["X-HubSpot-Correlation-Id"]
        self.lost.discard(correlation_id)
        self.took[correlation_id] = self._time.seconds - began
        return response

    def _turned_away(self, kind: str, request: httpx2.Request) -> httpx2.Response:
        """What never reaches HubSpot; raises where not even a gateway answers."""
        chance, path, now = self._weather.chance, request.url.path, self._time.now()
        if "/associations/" in path and path.endswith("/batch/read"):
            text = "\n" + request.content.decode()
            self.in_vain.append(
                {
                    "at": now.isoformat(), "method": "POST", "call": "associations batch/read", "path": path,
                    "text": text, "ms": 0.0, "status": 0, "fault": -1, "correlation_id": "",
                }
            )  # fmt: skip
        if kind == "refused":
            raise httpx2.ConnectError("refused", request=request)
        if kind == "vanished":
            raise httpx2.ReadError("reset", request=request)
        if kind == "server_error":
            status = chance.choice((500, 502, 503, 504, 521))
            return httpx2.Response(status, text="<html>oops</html>", request=request)
        wait = chance.randint(1, 12) if chance.random() < 0.5 else None
        self.held_back.append((now, now + timedelta(seconds=wait or WITHOUT_A_WORD)))
        body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return httpx2.Response(TOO_MANY, json=body, headers=headers, request=request)

    async def _delivered(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._app.handle_async_request(request)
        self.lost.add(response.headers["X-HubSpot-Correlation-Id"])
        content = b"".join([part async for part in response.stream])  # type: ignore[union-attr]
        return httpx2.Response(
            response.status_code, headers=response.headers, content=content, request=request
        )


def _kind(request: httpx2.Request) -> str:
    """HubSpot counts associations apart from everything else."""
    return "associations" if "/associations/" in request.url.path else "objects"
