"""Who waits is served together: in order, each with an answer of their own, nobody behind a large body."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.types import Message

from credsync.core.schedule import Policy
from credsync.store.database import Database
from credsync.store.therapists import Door
from credsync.web.api.context import ApiContext
from credsync.web.api.taking import Desk, Fact, Told
from credsync.web.api.turns import Turns

pytestmark = pytest.mark.anyio


class Held:
    """Work whose first turn lasts until `go` is set; `turns` are the jobs of each."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, jobs: Sequence[int]) -> list[str | Exception]:
        self.turns.append([*jobs])
        self.begun.set()
        self.go.wait()
        return [ValueError(f"no {job}") if job % 5 == 0 else f"done {job}" for job in jobs]


async def _begun(held: Held, turns: Turns[int, str]) -> asyncio.Task[str]:
    first = asyncio.create_task(turns.result(1))
    await asyncio.to_thread(held.begun.wait)
    return first


async def test_who_comes_while_a_turn_is_under_way_is_in_the_next_one() -> None:
    """Together and in their order, at most so many; each gets its own result, or the error of its own."""
    held = Held()
    turns: Turns[int, str] = Turns(held, abreast=1, most=4)
    first = await _begun(held, turns)
    rest = [asyncio.create_task(turns.result(job)) for job in range(2, 8)]
    await asyncio.sleep(0)
    held.go.set()
    assert await first == "done 1"
    ended = await asyncio.gather(*rest, return_exceptions=True)
    assert held.turns == [[1], [2, 3, 4, 5], [6, 7]]
    assert [str(each) for each in ended] == [f"no {n}" if n == 5 else f"done {n}" for n in range(2, 8)]


async def test_turns_go_abreast_and_no_more_than_that() -> None:
    """Two threads take one job each; the third waits for one of them."""
    held = Held()
    turns: Turns[int, str] = Turns(held, abreast=2, most=1)
    jobs = [await _begun(held, turns)]
    held.begun.clear()
    jobs += [asyncio.create_task(turns.result(job)) for job in (2, 3)]
    await asyncio.to_thread(held.begun.wait)
    assert held.turns == [[1], [2]]
    held.go.set()
    assert await asyncio.gather(*jobs) == ["done 1", "done 2", "done 3"]


async def test_who_has_gone_keeps_nobody_waiting() -> None:
    """A call that was given up is stored nonetheless, as one whose answer was lost; the others get theirs."""
    held = Held()
    turns: Turns[int, str] = Turns(held, abreast=1, most=4)
    first = await _begun(held, turns)
    gone, stays = (asyncio.create_task(turns.result(job)) for job in (2, 3))
    await asyncio.sleep(0)
    for task in (first, gone):
        task.cancel()
    held.go.set()
    assert await stays == "done 3"
    assert held.turns == [[1], [2, 3]]


async def test_a_large_body_keeps_no_small_one_waiting(database_url: str) -> None:
    """It is checked in a thread of its own; only its storing takes its turn."""
    database = Database(database_url)
    desk = Desk(ApiContext(database, {}, Policy(), lambda *_: None), CapacityLimiter(1))
    large_begun, go = threading.Event(), threading.Event()

    def check(given: dict[str, Any]) -> Fact:
        if len(given["text"]) > 1:
            large_begun.set()
            go.wait()
        return _stored

    try:
        large = asyncio.create_task(desk.take(_put(text="x" * 200_000), "/large", check))
        await asyncio.to_thread(large_begun.wait)
        async with asyncio.timeout(30):  # it would wait for ever
            assert (await desk.take(_put(text="x"), "/small", check)).status_code == 200
        assert not large.done()
        go.set()
        assert (await large).status_code == 200
    finally:
        go.set()
        database.close()


def _stored(_connection: Connection, _door: Door) -> Told:
    return Told(200, {}, [], "alpha", urgent=False)


def _put(**body: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    headers = [(b"content-type", b"application/json")]
    return Request({"type": "http", "method": "PUT", "headers": headers}, receive)


async def test_who_comes_just_as_a_turn_ends_is_not_forgotten() -> None:
    """Between the last look for who waits and the end of the task that looked, nobody else would take the job."""
    turns: Turns[int, int] = Turns(lambda jobs: [job * 2 for job in jobs], abreast=1, most=8)
    with anyio.fail_after(3):
        assert [await turns.result(number) for number in range(20)] == [number * 2 for number in range(20)]
