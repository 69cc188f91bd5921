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
from credsync.hubspot.counted import count_call
from credsync.hubspot.daily import Daily, Stopped
from credsync.hubspot.errors import HubSpotError, RateLimited, Unavailable
from credsync.hubspot.exchange import MOST_BYTES, Answer, Exchange, Timeouts
from credsync.hubspot.limits_told import limits_told
from credsync.hubspot.pacing import Clock, Pacing, Sleep
from credsync.hubspot.paths import ApiVersion, Bucket, Route, Routes
from credsync.hubspot.retries import ATTEMPTS, IN_VAIN, Patience
from credsync.hubspot.seats import Seat

__all__ = ["Answer", "CallRecord", "HubSpotClient", "Timeouts"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt, for metrics; `code` is empty when it went well."""

    bucket: Bucket
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

    `clock` and `sleep` are of this machine; `speed` divides every wait (not a timeout). `pacing` is the
    portal's governor and `daily` its day: every call passes both.
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
        daily: Daily | None = None,
    ) -> None:
        self.routes = Routes(version)
        self.pacing = pacing or Pacing(speed=speed, clock=clock, sleep=sleep)
        self.daily = daily or Daily(now=now)
        self._exchange = Exchange(base_url, token, http, timeouts, most_bytes)
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or Random()  # noqa: S311 - jitter, not a secret
        self._attempts = attempts
        self._in_vain = 0
        self._speed = speed
        self._on_call = on_call
        self.guard: Callable[[], None] | None = None
        """Asked before every attempt, when its seat is there: what it raises keeps the call from being made."""

    @property
    def time_zone(self) -> tzinfo:
        """The account's, at whose midnight the daily limits are reset; UTC until it is known."""
        return self.daily.zone

    @time_zone.setter
    def time_zone(self, zone: tzinfo) -> None:
        self.daily.zone = zone

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

        Raises HubSpotError, its `retry_after` in seconds of this machine's clock. Its effect is that of all attempts
        together: a write that may have been carried out by the first stays `unknown`, even if the second never left.
        """
        content = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        attempts = 1 if self._in_vain >= IN_VAIN else self._attempts
        patience = Patience(attempts, self._rng, route.writes)
        doubtful = False
        while True:
            error: HubSpotError
            wait: float | None = None
            if closed := self._closed(route.bucket, patience):
                error = closed
            else:
                try:
                    answer = await self._attempt(route, content, inputs, params, patience)
                    self._in_vain = 0
                    return answer
                except HubSpotError as fault:
                    error = fault
                wait = patience.after(error)
                self._learn(route.bucket, error)
            if wait is None:
                self._in_vain = self._in_vain + 1 if isinstance(error, Unavailable) else 0
                error.attempts = patience.tried
                if error.retry_after is not None:
                    error.retry_after /= self._speed
                if doubtful and error.effect is Effect.NOT_SENT:
                    error.effect = Effect.UNKNOWN
                raise error
            doubtful = doubtful or error.effect is Effect.UNKNOWN
            if not isinstance(error, RateLimited):
                await self._sleep(wait / self._speed)

    def _closed(self, bucket: Bucket, patience: Patience) -> RateLimited | None:
        """What is longer than this call may wait is the caller's to know, not ours to sleep."""
        if (stopped := self.daily.stopped(bucket)) is not None:
            return self._over_for_today(stopped)
        pause = self.pacing.paused_for(bucket)
        if pause <= max(patience.left, translate.PAUSE_WITHOUT_A_WORD):
            return None
        return RateLimited(
            "HubSpot asked for a pause that is still on", effect=Effect.NOT_SENT, retry_after=pause
        )

    def _over_for_today(self, stopped: Stopped) -> RateLimited:
        said = "HubSpot's daily limit is used up" if stopped.share is None else "our daily share is used up"
        error = RateLimited(
            said,
            effect=Effect.NOT_SENT,
            code="rate_limited_daily",
            retry_after=self.daily.seconds_left(stopped) * self._speed,
        )
        error.daily = True
        return error

    def _learn(self, bucket: Bucket, error: HubSpotError) -> None:
        """A met limit holds its bucket: for a pause, or for the rest of the account's day."""
        if not isinstance(error, RateLimited):
            return
        if not error.daily:
            self.pacing.pause(bucket, error.retry_after or 0.0)
            return
        if error.status is None:
            return
        asked = None if error.retry_after is None else timedelta(seconds=error.retry_after / self._speed)
        error.retry_after = self.daily.used_up(bucket, asked).total_seconds() * self._speed

    def _heard(self, bucket: Bucket, seat: Seat, headers: Mapping[str, str]) -> None:
        told = limits_told(headers)
        self.pacing.heard(bucket, seat, told)
        self.daily.heard(bucket, told)

    async def _attempt(
        self,
        route: Route,
        content: bytes | None,
        inputs: int,
        params: Mapping[str, str] | None,
        patience: Patience,
    ) -> Answer:
        async with self.pacing.seat(route.bucket) as seat:
            if self.guard is not None:
                self.guard()
            if (stopped := self.daily.stopped(route.bucket)) is not None:
                raise self._over_for_today(stopped)
            self.daily.count(route.bucket)
            count_call()
            began = self._clock()
            status: int | None = None
            code, correlation = "cancelled", ""
            try:
                answer = await self._exchange.send(
                    route, content, params, lambda headers: self._heard(route.bucket, seat, headers)
                )
                status, code, correlation = answer.status, "", answer.correlation_id
                return answer
            except HubSpotError as error:
                status, code, correlation = error.status, error.code, error.correlation_id
                raise
            finally:
                seconds = self._clock() - began
                patience.travelled += seconds
                if self._on_call is not None:
                    call = (route.bucket, route.method, route.template, status, code, inputs)
                    self._on_call(CallRecord(*call, seconds, patience.tried + 1, correlation))
