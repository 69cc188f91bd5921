"""People's questions to HubSpot, beside the rounds: they only read, and their calls come from a reserve.

Every call passes `LiveClient.call`, which takes a seat of the reserve first. When none is free it waits for as long as
whoever asks has patience, and is refused then. What a question had learnt by that time serves the same question again
for a little while, so that asking later finishes it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection

from credsync.core.phrases import phrase
from credsync.core.portal import Portal
from credsync.core.verdicts import Effect
from credsync.hubspot.client import Answer, HubSpotClient, Timeouts
from credsync.hubspot.daily import DailyCalls
from credsync.hubspot.edge import Edge, Names, PortalUnusable, read_names
from credsync.hubspot.errors import HubSpotError, RateLimited, Unavailable
from credsync.hubspot.pacing import WINDOW, Pacing
from credsync.hubspot.paths import Bucket, Route
from credsync.operate.kept_names import keep_names, kept_names
from credsync.settings import SettingsError
from credsync.store.daily_calls import stops_of
from credsync.store.database import Database
from credsync.store.live_reads import SEATS, Seat, Wait, leave_seat, take_seat

_P = ParamSpec("_P")
_T = TypeVar("_T")

KEPT_FOR = 20.0
"""Seconds for which an unfinished question's answers serve the same question again."""
_MOST_KEPT = 200
_SHORTEST_WAIT = 0.01
"""Seconds before a seat is tried for again that somebody else was faster to take."""
_THREADS = 2

TokenOf = Callable[[Portal], str]
"""Gives a portal's token. Raises `SettingsError` that says what to set where there is none."""


def in_whole_seconds(seconds: float) -> int:
    """As `Retry-After` says it: rounded up, one at least."""
    return max(1, math.ceil(seconds))


class ReserveUsedUp(HubSpotError):
    """All calls of the reserve were made within the last seconds; `retry_after` tells when the next is free."""

    code = "reserve_used_up"


class AskLater(Exception):
    """Nothing could be asked: the reserve is used up, and has a seat again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.message = phrase(
            "HubSpot may be asked {most} times in {window} s beside the rounds, and that is used up for the moment. Ask "
            "again in {seconds} s.",
            most=SEATS,
            window=round(WINDOW),
            seconds=in_whole_seconds(seconds),
        )
        super().__init__(self.message)


@dataclass(slots=True)
class _Learnt:
    """What a question has learnt so far."""

    since: datetime
    answers: dict[str, Answer] = field(default_factory=dict)
    until: float = 0.0


class LiveClient(HubSpotClient):
    """A client that only reads, each call once and from the reserve.

    `patience` is how many seconds its calls may wait for seats in all, and also how long they may take in all.
    `refused_for` is set once a call found no seat in time: seconds until there is one.
    """

    def __init__(
        self, portal: Portal, token: str, seats: _Seats, learnt: _Learnt, patience: float, speed: float
    ) -> None:
        account = portal.hubspot
        super().__init__(
            account.base_url,
            token,
            account.api_version,
            Pacing(speed=speed),
            attempts=1,
            speed=speed,
            timeouts=Timeouts(connect=patience, read=patience, write=patience, pool=patience, total=patience),
        )
        self.refused_for: float | None = None
        self.made = 0
        self._seats = seats
        self._learnt = learnt
        self._may_wait = self._may_take = patience

    async def call(
        self,
        route: Route,
        body: Mapping[str, Any] | None = None,
        *,
        inputs: int = 0,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call, unless this question knows the answer already. Raises HubSpotError, also `ReserveUsedUp`."""
        if route.writes:
            raise ValueError("a question changes nothing in HubSpot")
        asked = json.dumps([route.method, route.path, body, params], sort_keys=True)
        known = self._learnt.answers.get(asked)
        if known is not None:
            return known
        pause = self.pacing.paused_for(route.bucket)
        if pause > 0:
            raise RateLimited(
                "HubSpot asked for a pause that is still on",
                effect=Effect.NOT_SENT,
                retry_after=pause / self.pacing.speed,
            )
        if (stopped := self.daily.stopped(route.bucket)) is not None:
            raise self._over_for_today(stopped)
        if self._may_take <= 0:
            raise _too_slow()
        seat = await self._take_seat()
        began = time.monotonic()
        try:
            with anyio.fail_after(self._may_take):
                answer = await super().call(route, body, inputs=inputs, params=params)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self._may_take -= time.monotonic() - began
            with anyio.CancelScope(shield=True):
                await self._seats.leave(seat)
        self._learnt.answers[asked] = answer
        return answer

    async def _take_seat(self) -> Seat:
        while isinstance(got := await self._seats.take(), Wait):
            wait = max(got.seconds, _SHORTEST_WAIT)
            if wait > self._may_wait or self.refused_for is not None:
                self.refused_for = got.seconds
                raise ReserveUsedUp(
                    "the calls that are kept for questions are used up for the moment",
                    effect=Effect.NOT_SENT,
                    retry_after=got.seconds,
                )
            self._may_wait -= wait
            await self._seats.sleep(wait)
        self.made += 1
        return got


def _stopped(connection: Connection, portal: str, day: date) -> DailyCalls:
    """HubSpot's word that the day's calls are used up, to whomever it said that; our share does not bind questions."""
    stops = stops_of(connection, portal)
    return DailyCalls(day, {}, stopped={each: stops[each.value] for each in Bucket if each.value in stops})


def _too_slow() -> Unavailable:
    return Unavailable("HubSpot did not answer in time", effect=Effect.NOT_SENT, code="timeout")


@dataclass(frozen=True, slots=True)
class Asking:
    """A question under way. Without `names` nothing can be asked; `problem` says why, for people."""

    edge: Edge
    client: LiveClient
    names: Names | None
    problem: str
    since: datetime
    """When the oldest answer that serves this question was given."""

    @property
    def cut_short(self) -> int | None:
        """Whole seconds after which asking again goes on, where the reserve was used up before the end.

        Raises `AskLater` where that was so from the beginning.
        """
        refused_for = self.client.refused_for
        if refused_for is None:
            return None
        if self.client.made == 0:
            raise AskLater(refused_for)
        return in_whole_seconds(refused_for)


class Live:
    """Where questions are asked. `speed` shrinks the reserve's window as it does HubSpot's own."""

    def __init__(
        self,
        database: Database,
        portals: Mapping[str, Portal],
        token_of: TokenOf,
        speed: float = 1.0,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self.database = database
        self.portals = portals
        self.speed = speed
        self._token_of = token_of
        self._threads = CapacityLimiter(_THREADS)
        self._sleep = sleep
        self._unfinished: dict[tuple[str, str], _Learnt] = {}

    @asynccontextmanager
    async def asking(self, portal_name: str, about: str, patience: float) -> AsyncIterator[Asking]:
        """Ask a portal's HubSpot; `about` tells this question from others. Raises `SettingsError` without a token."""
        portal = self.portals.get(portal_name)
        if portal is None:
            raise SettingsError(
                phrase(
                    "No portal file named {name}.toml is configured, so HubSpot cannot be asked: put the file back, or "
                    "correct the setting `portals`.",
                    name=portal_name,
                )
            )
        learnt = self._taken_up((portal_name, about))
        seats = _Seats(self.database, portal_name, WINDOW / self.speed, self._threads, self._sleep)
        try:
            client = LiveClient(portal, self._token_of(portal), seats, learnt, patience, self.speed)
        except ValueError as error:
            raise SettingsError(
                phrase("Portal {name} cannot be reached: {error}.", name=portal_name, error=str(error))
            ) from None
        client.daily.restore(await self.read(_stopped, portal_name, client.daily.day))
        async with client:
            try:
                names, problem = await self._names(portal, client)
                yield Asking(Edge(portal, client, names), client, names, problem, learnt.since)
            finally:
                if client.refused_for is not None:
                    self._put_by((portal_name, about), learnt, longer=client.made > 0)

    async def read(
        self, query: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a query in a transaction of its own, in a thread."""

        def in_transaction() -> _T:
            with self.database.read() as connection:
                return query(connection, *args, **kwargs)

        return await to_thread.run_sync(in_transaction, limiter=self._threads)

    async def _names(self, portal: Portal, client: LiveClient) -> tuple[Names | None, str]:
        """What HubSpot calls things: as kept, else read now; or why that could not be read."""
        now = self.database.clock.now()
        names = await self.read(kept_names, portal, now)
        if names is not None:
            return names, ""
        try:
            names = await read_names(portal, client, now)
        except PortalUnusable as error:
            return None, f"{str(error).rstrip('.')}."
        except HubSpotError as error:
            return None, f"HubSpot cannot be asked: {error.message}."

        def keep(found: Names) -> None:
            with self.database.write() as connection:
                keep_names(connection, portal, found)

        await to_thread.run_sync(keep, names, limiter=self._threads)
        return names, ""

    def _taken_up(self, question: tuple[str, str]) -> _Learnt:
        kept = self._unfinished.pop(question, None)
        if kept is not None and time.monotonic() < kept.until:
            return kept
        return _Learnt(self.database.clock.now())

    def _put_by(self, question: tuple[str, str], learnt: _Learnt, *, longer: bool) -> None:
        """Keep what was learnt, `longer` where this time something was."""
        now = time.monotonic()
        for old in [each for each, kept in self._unfinished.items() if kept.until <= now]:
            del self._unfinished[old]
        if len(self._unfinished) < _MOST_KEPT:
            learnt.until = now + KEPT_FOR if longer else learnt.until
            self._unfinished[question] = learnt


@dataclass(frozen=True, slots=True)
class _Seats:
    """One portal's seats in the database."""

    database: Database
    portal: str
    window: float
    threads: CapacityLimiter
    sleep: Callable[[float], Awaitable[object]]

    async def take(self) -> Seat | Wait:
        def work() -> Seat | Wait:
            with self.database.write() as connection:
                return take_seat(connection, self.portal, self.window)

        return await to_thread.run_sync(work, limiter=self.threads)

    async def leave(self, seat: Seat) -> None:
        def work() -> None:
            with self.database.write() as connection:
                leave_seat(connection, seat)

        await to_thread.run_sync(work, limiter=self.threads)
