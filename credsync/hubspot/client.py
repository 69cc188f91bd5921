"""One call to HubSpot: seated by the pacing, sent, and tried again where that helps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2

from credsync.core.verdicts import Effect
from credsync.hubspot import translate
from credsync.hubspot.errors import HubSpotError, RateLimited
from credsync.hubspot.exchange import MOST_BYTES, Answer, Exchange, Timeouts
from credsync.hubspot.pacing import Clock, Pacing, Sleep
from credsync.hubspot.paths import ApiVersion, Lane, Route, Routes
from credsync.hubspot.retries import ATTEMPTS, Patience

__all__ = ["Answer", "CallRecord", "HubSpotClient", "Timeouts"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt, for metrics; `code` is empty when it went well."""

    lane: Lane
    method: str
    template: str
    status: int | None
    code: str
    inputs: int
    seconds: float
    attempt: int
    correlation_id: str


class HubSpotClient:
    """A portal's connection to HubSpot. Use it as an async context manager, or `aclose` it.

    `clock` and `sleep` are of this machine; `speed` divides every wait (not a timeout). `time_zone` is the
    account's, which `schema.account_details` sets: the daily limit is reset at its midnight.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        version: ApiVersion | str = ApiVersion.V2026_09,
        pacing: Pacing | None = None,
        *,
        http: httpx2.AsyncClient | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = anyio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: Random | None = None,
        attempts: int = ATTEMPTS,
        speed: float = 1.0,
        timeouts: Timeouts | None = None,
        most_bytes: int = MOST_BYTES,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self.routes = Routes(version)
        self.pacing = pacing or Pacing(speed=speed, clock=clock, sleep=sleep)
        self.time_zone: tzinfo = UTC
        self._exchange = Exchange(base_url, token, http, timeouts, most_bytes)
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._rng = rng or Random()  # noqa: S311 - jitter, not a secret
        self._attempts = attempts
        self._speed = speed
        self._on_call = on_call

    @property
    def base_url(self) -> str:
        return self._exchange.base_url

    def __repr__(self) -> str:
        return f"HubSpotClient({self.base_url!r}, {self.routes.version.value!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the pool, if it is ours."""
        await self._exchange.aclose()

    async def call(
        self,
        route: Route,
        body: Mapping[str, Any] | None = None,
        *,
        inputs: int = 0,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send until there is an answer, or until trying again is pointless or no longer worth the wait.

        Raises HubSpotError, its `retry_after` in seconds of this machine's clock. Its effect is that of all attempts together: a write that may have been carried out by
        the first stays `unknown`, even if the second never left.
        """
        content = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        patience = Patience(self._attempts, self._rng, route.writes)
        doubtful = False
        while True:
            error: HubSpotError
            wait: float | None = None
            if paused := self._long_pause(route.lane, patience):
                error = paused
            else:
                try:
                    return await self._attempt(route, content, inputs, params, patience.tried + 1)
                except HubSpotError as fault:
                    error = fault
                wait = patience.after(error)
                self._learn(route.lane, error)
            if wait is None:
                error.attempts = patience.tried
                if error.retry_after is not None:
                    error.retry_after /= self._speed
                if doubtful and error.effect is Effect.NOT_SENT:
                    error.effect = Effect.UNKNOWN
                raise error
            doubtful = doubtful or error.effect is Effect.UNKNOWN
            if not isinstance(error, RateLimited):
                await self._sleep(wait / self._speed)

    def _long_pause(self, lane: Lane, patience: Patience) -> RateLimited | None:
        """A pause longer than this call may wait is the caller's to know, not ours to sleep."""
        pause = self.pacing.paused_for(lane)
        if pause <= max(patience.left, translate.PAUSE_WITHOUT_A_WORD):
            return None
        return RateLimited(
            "HubSpot asked for a pause that is still on", effect=Effect.NOT_SENT, retry_after=pause
        )

    def _learn(self, lane: Lane, error: HubSpotError) -> None:
        """The daily limit is the caller's pause, so that it can probe; every other one holds this lane."""
        if not isinstance(error, RateLimited):
            return
        if not error.daily:
            self.pacing.pause(lane, error.retry_after or 0.0)
        elif error.retry_after is None:
            error.retry_after = self._until_midnight()

    def _until_midnight(self) -> float:
        now = self._now().astimezone(self.time_zone)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), self.time_zone)
        return (midnight.astimezone(UTC) - now.astimezone(UTC)).total_seconds()

    async def _attempt(
        self, route: Route, content: bytes | None, inputs: int, params: Mapping[str, str] | None, attempt: int
    ) -> Answer:
        async with self.pacing.seat(route.lane):
            began = self._clock()
            status: int | None = None
            code, correlation = "cancelled", ""
            try:
                answer = await self._exchange.send(route, content, params)
                status, code, correlation = answer.status, "", answer.correlation_id
                return answer
            except HubSpotError as error:
                status, code, correlation = error.status, error.code, error.correlation_id
                raise
            finally:
                if self._on_call is not None:
                    seconds = self._clock() - began
                    call = (route.lane, route.method, route.template, status, code, inputs)
                    self._on_call(CallRecord(*call, seconds, attempt, correlation))
