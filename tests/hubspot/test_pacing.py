"""HubSpot's limits are kept whatever calls come and however long they travel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credsync.hubspot.pacing import Pacing
from credsync.hubspot.paths import Lane
from tests.hubspot.scripted import run_in_virtual_time

Call = tuple[float, float, float]
"""When it is asked for, how long it travels there, how long back."""
calls = st.lists(
    st.tuples(st.floats(0, 40), st.floats(0, 6), st.floats(0, 6)),
    min_size=1,
    max_size=60,
)


def now() -> float:
    return asyncio.get_running_loop().time()


def arrivals(limit: int, plan: Sequence[Call], speed: float = 1.0) -> list[float]:
    """When each call reached the server."""
    reached: list[float] = []

    async def work() -> None:
        pacing = Pacing(limit, speed=speed, clock=now, sleep=anyio.sleep)

        async def call(at: float, there: float, back: float) -> None:
            await anyio.sleep(at)
            async with pacing.seat(Lane.OBJECTS):
                await anyio.sleep(there)
                reached.append(now())
                await anyio.sleep(back)

        async with anyio.create_task_group() as tasks:
            for each in plan:
                tasks.start_soon(call, *each)

    run_in_virtual_time(work)
    return sorted(reached)


@settings(max_examples=60)
@given(calls, st.integers(1, 7), st.sampled_from([1.0, 4.0]))
def test_no_ten_seconds_at_the_server_hold_more_calls_than_the_limit(
    plan: list[Call], limit: int, speed: float
) -> None:
    reached = arrivals(limit, plan, speed)
    assert len(reached) == len(plan)
    for first, beyond in zip(reached, reached[limit:], strict=False):
        assert beyond - first > 10 / speed


def test_the_limit_is_used_and_not_only_kept() -> None:
    """190 calls in 10 s: a thousand short ones take five windows and what travelling adds."""
    reached = arrivals(190, [(0, 0.05, 0.05)] * 1000)
    assert reached[-1] < 5 * 10.6


def test_a_seat_is_free_as_soon_as_its_own_window_is_over() -> None:
    assert arrivals(2, [(0, 0, 0), (5, 0, 0), (6, 0, 0), (7, 0, 0)]) == pytest.approx([0, 5, 10.2, 15.2])


def test_seats_are_given_in_the_order_they_were_asked_for() -> None:
    served: list[int] = []

    async def work() -> None:
        pacing = Pacing(2, clock=now, sleep=anyio.sleep)

        async def call(number: int) -> None:
            async with pacing.seat(Lane.OBJECTS):
                served.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(9):
                tasks.start_soon(call, number)

    run_in_virtual_time(work)
    assert served == list(range(9))


def test_objects_and_associations_have_a_limit_each() -> None:
    async def work() -> float:
        pacing = Pacing(1, 1, clock=now, sleep=anyio.sleep)
        for lane in Lane:
            async with pacing.seat(lane):
                pass
        return now()

    assert run_in_virtual_time(work) == 0


def test_more_calls_than_the_limit_under_way_wait_for_one_to_end() -> None:
    reached = arrivals(1, [(0, 30, 0), (0, 0, 0)])
    assert reached[1] > 40


@pytest.mark.parametrize("speed", [1.0, 5.0])
def test_a_pause_seats_nobody_in_its_lane_and_a_shorter_one_does_not_end_it(speed: float) -> None:
    async def work() -> list[float]:
        pacing = Pacing(speed=speed, clock=now, sleep=anyio.sleep)
        pacing.pause(Lane.OBJECTS, 30)
        pacing.pause(Lane.OBJECTS, 1)
        assert pacing.paused_for(Lane.OBJECTS) == pytest.approx(30)
        times = []
        for lane in (Lane.ASSOCIATIONS, Lane.OBJECTS):
            async with pacing.seat(lane):
                times.append(now())
        return times

    assert run_in_virtual_time(work) == [0, pytest.approx(30 / speed)]


def test_a_call_given_up_in_the_queue_takes_no_seat() -> None:
    async def work() -> float:
        pacing = Pacing(1, clock=now, sleep=anyio.sleep)
        async with pacing.seat(Lane.OBJECTS):
            pass
        with anyio.move_on_after(1):
            async with pacing.seat(Lane.OBJECTS):
                raise AssertionError("seated too early")
        async with pacing.seat(Lane.OBJECTS):
            return now()

    assert run_in_virtual_time(work) == pytest.approx(10.2)


@pytest.mark.parametrize("settings", [{"calls_per_10s": 0}, {"association_calls_per_10s": 0}, {"speed": 0}])
def test_limits_that_would_stop_everything_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"limit|speed"):
        Pacing(**settings)
