"""HubSpot's errors, class by class: which are tried again, after how long, and when that ends."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.verdicts import Effect
from credsync.hubspot import translate
from credsync.hubspot.errors import HubSpotError
from credsync.hubspot.retries import (
    ATTEMPTS,
    BUDGET,
    FIRST,
    IN_VAIN,
    LONGEST_CALL,
    Patience,
    worth_retrying,
)
from tests.hubspot.scripted import Reply, Scene, error, scene

JITTER = FIRST
"""The most of the first wait beyond what HubSpot asked for."""
AGAIN = {
    423: (2.0, "a locked record is given two seconds"),
    429: (10.0, "a met limit without a word"),
    477: (2.0, "an account being moved, without a word"),
    **dict.fromkeys(
        (500, 501, 502, 503, 504, 521, 522, 523, 524), (0.0, "HubSpot or what is before it failed")
    ),
}
REQUEST = httpx2.Request("POST", "http://hubspot.example/")
FAULTS: list[tuple[Exception, Effect]] = [
    (httpx2.ConnectError("no"), Effect.NOT_SENT),
    (httpx2.ConnectTimeout("no"), Effect.NOT_SENT),
    (httpx2.PoolTimeout("no"), Effect.NOT_SENT),
    (httpx2.ReadError("no"), Effect.UNKNOWN),
    (httpx2.WriteError("no"), Effect.UNKNOWN),
    (httpx2.RemoteProtocolError("no"), Effect.UNKNOWN),
    (httpx2.ReadTimeout("no"), Effect.UNKNOWN),
    (httpx2.WriteTimeout("no"), Effect.UNKNOWN),
    (TimeoutError(), Effect.UNKNOWN),
]


def answered(
    status: int, writes: bool = True, body: dict[str, Any] | None = None, **headers: str
) -> HubSpotError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return translate.of_answer(status, named, {} if body is None else body, writes=writes)


def waits(error: HubSpotError, writes: bool = True, seed: int = 1) -> float | None:
    return Patience(ATTEMPTS, Random(seed), writes).after(error)


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("status", range(300, 600))
def test_exactly_these_answers_are_tried_again_by_reads_and_writes(status: int, writes: bool) -> None:
    """423, 429, 477, 500-504, 521-524; never 400, 401, 403, 404, 409, nor any other."""
    wait = waits(answered(status, writes), writes)
    if status not in AGAIN:
        assert wait is None
        return
    least, _ = AGAIN[status]
    assert wait is not None
    assert least <= wait <= least + JITTER


@pytest.mark.parametrize("status", [423, 429, 477, 500, 503])
def test_what_hubspot_asks_for_is_waited(status: int) -> None:
    """`Retry-After` in seconds is the floor, whoever sends it."""
    wait = waits(answered(status, retry_after="7"))
    assert wait is not None
    assert 7 <= wait <= 7 + JITTER


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"policyName": "DAILY"}, {}),
        ({"policyName": "DAILY"}, {"retry_after": "1"}),
        ({"message": "You have reached your daily limit."}, {}),
        ({}, {"x_hubspot_ratelimit_daily_remaining": "0"}),
    ],
)
def test_the_daily_limit_is_not_waited_for(body: dict[str, Any], headers: dict[str, str]) -> None:
    assert waits(answered(429, body=body, **headers)) is None


@pytest.mark.parametrize(("fault", "effect"), FAULTS, ids=lambda each: type(each).__name__)
def test_a_network_fault_is_tried_again_and_an_update_that_may_have_arrived_too(
    fault: Exception, effect: Effect
) -> None:
    """A time-out may have written: an update may be sent again, since it says the same; a read changed nothing."""
    error, reading = translate.of_exception(fault, writes=True), translate.of_exception(fault, writes=False)
    assert (error.effect, reading.effect) == (effect, Effect.NOT_SENT)
    assert worth_retrying(error, writes=True)
    assert worth_retrying(reading, writes=False)


def test_waits_are_spread_over_the_whole_of_a_doubling_ceiling() -> None:
    """Full jitter: two calls that failed together do not come back together."""
    firsts, seconds = [], []
    for seed in range(300):
        patience = Patience(ATTEMPTS, Random(seed))
        firsts.append(patience.after(answered(500)) or 0.0)
        seconds.append(patience.after(answered(500)) or 0.0)
    for found, ceiling in ((firsts, FIRST), (seconds, 2 * FIRST)):
        assert min(found) < 0.05 * ceiling
        assert 0.95 * ceiling < max(found) <= ceiling


@given(
    st.lists(st.tuples(st.sampled_from(sorted(AGAIN)), st.none() | st.floats(0, 20)), min_size=8, max_size=8),
    st.integers(0, 99),
)
def test_trying_again_has_an_end(met: list[tuple[int, float | None]], seed: int) -> None:
    """At most five attempts and 15 s of waiting, whatever the answers ask for."""
    patience = Patience(ATTEMPTS, Random(seed))
    spent = 0.0
    for status, asked in met:
        headers = {} if asked is None else {"retry_after": str(asked)}
        wait = patience.after(answered(status, **headers))
        if wait is None:
            break
        assert asked is None or wait >= asked
        spent += wait
    assert patience.tried <= ATTEMPTS
    assert spent <= BUDGET


def test_a_call_that_took_long_is_not_tried_again() -> None:
    """Each time-out of a HubSpot that hangs costs 20 s: the round goes on, and the schedule sends again."""
    error = translate.of_exception(httpx2.ReadTimeout("no"), writes=True)
    patience = Patience(ATTEMPTS, Random(1))
    patience.travelled = LONGEST_CALL - 2
    assert patience.after(error) is not None
    patience.travelled = LONGEST_CALL + 2
    assert patience.after(error) is None


async def given_up(here: Scene) -> int:
    """One call; how often it was tried."""
    before = len(here.server.asked)
    with contextlib.suppress(HubSpotError):
        await here.client.call(here.client.routes.batch_read("2-1"), {"inputs": []})
    return len(here.server.asked) - before


@pytest.mark.anyio
async def test_where_call_after_call_is_given_up_the_next_are_tried_once_until_one_is_answered() -> None:
    """A round of many calls at a HubSpot that is down ends soon."""
    replies = [error(503)] * (ATTEMPTS * IN_VAIN + 2) + [Reply(200, {"results": []}), error(503)]
    async with scene(replies) as here:
        tried = [await given_up(here) for _ in range(IN_VAIN + 4)]
    assert tried == [*[ATTEMPTS] * IN_VAIN, 1, 1, 1, ATTEMPTS]
