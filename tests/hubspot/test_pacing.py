"""HubSpot's limits are kept whatever calls come and however long they travel, and used by whoever goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credsync.hubspot.lanes import Lane, current_lane, in_lane
from credsync.hubspot.limits_told import LimitsTold
from credsync.hubspot.pacing import LimitDiffers, Pacing
from credsync.hubspot.paths import Bucket
from tests.hubspot.scripted import run_in_virtual_time

WINDOW = 10.05
Call = tuple[float, float, float, Lane]
"""When it is asked for, how long it travels there, how long back, and its lane."""
LANES = st.sampled_from(list(Lane))
calls = st.lists(
    st.tuples(st.floats(0, 40), st.floats(0, 6), st.floats(0, 6), LANES), min_size=1, max_size=60
)
short_calls = st.lists(
    st.tuples(st.floats(0, 40), st.just(0.0), st.just(0.0), LANES), min_size=1, max_size=60
)


@dataclass(frozen=True)
class Went:
    """One call as it went: seated, there, answered."""

    number: int
    lane: Lane
    asked: float
    seated: float
    there: float
    ended: float

    @property
    def waited(self) -> float:
        return self.seated - self.asked


def now() -> float:
    return asyncio.get_running_loop().time()


def run(limit: int, plan: Sequence[Call], speed: float = 1.0) -> list[Went]:
    """Let these calls go, and tell how, in the order they were seated."""
    went: list[Went] = []

    async def work() -> None:
        pacing = Pacing(limit, speed=speed, clock=now, sleep=anyio.sleep)

        async def call(number: int, at: float, there: float, back: float, lane: Lane) -> None:
            await anyio.sleep(at)
            asked = now()
            with in_lane(lane):
                async with pacing.seat(Bucket.OBJECTS):
                    seated = now()
                    await anyio.sleep(there)
                    reached = now()
                    await anyio.sleep(back)
            went.append(Went(number, lane, asked, seated, reached, now()))

        async with anyio.create_task_group() as tasks:
            for number, each in enumerate(plan):
                tasks.start_soon(call, number, *each)

    run_in_virtual_time(work)
    return sorted(went, key=lambda each: each.seated)


def burst(count: int, lane: Lane, at: float = 0.0, travels: float = 0.0) -> list[Call]:
    return [(at, travels / 2, travels / 2, lane)] * count


@settings(max_examples=60)
@given(calls, st.integers(1, 7), st.sampled_from([1.0, 4.0]))
def test_no_ten_seconds_at_the_server_hold_more_calls_than_the_limit(
    plan: list[Call], limit: int, speed: float
) -> None:
    reached = sorted(each.there for each in run(limit, plan, speed))
    assert len(reached) == len(plan)
    for first, beyond in zip(reached, reached[limit:], strict=False):
        assert beyond - first > 10 / speed


@settings(max_examples=60)
@given(calls, st.integers(1, 7))
def test_a_higher_lane_never_waits_behind_a_lower_one(plan: list[Call], limit: int) -> None:
    """Nobody is seated while somebody of a higher lane waits, whoever came first; nor before the own lane's earlier."""
    went = run(limit, plan)
    for each in went:
        waiting = [other for other in went if other.asked < each.seated < other.seated]
        assert all(each.lane <= other.lane for other in waiting)
        assert all(each.asked <= other.asked for other in waiting if other.lane is each.lane)


@settings(max_examples=60)
@given(short_calls, st.integers(1, 7))
def test_no_seat_is_empty_while_a_call_of_the_first_lane_waits(plan: list[Call], limit: int) -> None:
    """Whoever waits in it waits because just before, all seats were taken by calls of the last window."""
    went = run(limit, plan)
    for each in went:
        if each.lane is not Lane.NOW or not each.waited:
            continue
        just_before = each.seated - 1e-6
        taken = [o for o in went if o.seated <= just_before and o.ended + WINDOW > just_before]
        assert len(taken) == limit


@settings(max_examples=60)
@given(short_calls, st.integers(1, 7))
def test_going_evenly_costs_no_more_than_one_window_in_all(plan: list[Call], limit: int) -> None:
    """Whoever waits in a lower lane waits a window for each full one that goes before it, and at most one more."""
    went = run(limit, plan)
    for each in went:
        before = sum(1 for other in went if each.asked <= other.seated < each.seated)
        assert each.waited <= (before / limit + 1) * WINDOW + 1e-6


def test_the_limit_is_used_and_not_only_kept() -> None:
    """190 calls in 10 s: a thousand short ones take five windows and what travelling adds; evenly, a window more."""
    hasty = run(190, burst(1000, Lane.NOW, travels=0.1))
    assert hasty[-1].there < 5 * 10.2
    even = run(190, burst(1000, Lane.BACKFILL, travels=0.1))
    assert even[-1].there < 1000 / 190 * 10.2 + 0.5


@pytest.mark.parametrize("lane", list(Lane))
def test_an_idle_portals_first_calls_go_at_once(lane: Lane) -> None:
    """A quarter of the limit in any lane, all of it in the first."""
    went = run(190, burst(190 if lane is Lane.NOW else 47, lane))
    assert went[-1].seated == 0


def test_a_long_backfill_leaves_a_seat_for_whoever_comes_first() -> None:
    """A Sync now every second beside 2,000 calls: none of its calls waits as much as 0.2 s, and nothing is lost by it."""
    pressed = [(second + 0.5, 0.0, 0.0, Lane.NOW) for second in range(90)]
    went = run(190, [*burst(2000, Lane.BACKFILL), *pressed])
    assert max(each.waited for each in went if each.lane is Lane.NOW) < 0.2
    assert went[-1].seated < 2090 / 190 * 10.1


def test_a_lower_lane_gets_what_higher_ones_leave() -> None:
    """However many wait above it, it goes as soon as they do not use the limit up."""
    above = [(float(second), 0.0, 0.0, Lane.NOW) for second in range(60) for _ in range(17)]
    went = run(190, [*above, *burst(80, Lane.BACKFILL)])
    assert max(each.seated for each in went if each.lane is Lane.BACKFILL) < 60


def test_a_seat_is_free_as_soon_as_its_own_window_is_over() -> None:
    plan = [(float(at), 0.0, 0.0, Lane.NOW) for at in (0, 5, 6, 7)]
    assert [each.seated for each in run(2, plan)] == pytest.approx([0, 5, 10.05, 15.05])


def test_a_seat_is_counted_from_the_first_of_the_answer_and_not_from_its_end() -> None:
    """HubSpot had received the call by then; a long body takes its time."""

    async def work() -> float:
        pacing = Pacing(1, clock=now, sleep=anyio.sleep)
        async with pacing.seat(Bucket.OBJECTS) as seat:
            pacing.heard(Bucket.OBJECTS, seat, LimitsTold())
            await anyio.sleep(4)
        async with pacing.seat(Bucket.OBJECTS):
            return now()

    assert run_in_virtual_time(work) == pytest.approx(10.05)


def test_seats_are_given_in_the_order_they_were_asked_for() -> None:
    assert [each.number for each in run(2, burst(9, Lane.WAITING))] == list(range(9))


def test_objects_and_associations_have_a_limit_each() -> None:
    async def work() -> float:
        pacing = Pacing(1, 1, clock=now, sleep=anyio.sleep)
        for bucket in Bucket:
            async with pacing.seat(bucket):
                pass
        return now()

    assert run_in_virtual_time(work) == 0


def test_more_calls_than_the_limit_under_way_wait_for_one_to_end() -> None:
    went = run(1, [(0, 30, 0, Lane.NOW), (0, 0, 0, Lane.NOW)])
    assert went[1].there > 40


@pytest.mark.parametrize("speed", [1.0, 5.0])
def test_a_pause_seats_nobody_in_its_bucket_and_a_shorter_one_does_not_end_it(speed: float) -> None:
    async def work() -> list[float]:
        pacing = Pacing(speed=speed, clock=now, sleep=anyio.sleep)
        pacing.pause(Bucket.OBJECTS, 30)
        pacing.pause(Bucket.OBJECTS, 1)
        assert pacing.paused_for(Bucket.OBJECTS) == pytest.approx(30)
        times = []
        for bucket in (Bucket.ASSOCIATIONS, Bucket.OBJECTS):
            async with pacing.seat(bucket):
                times.append(now())
        return times

    assert run_in_virtual_time(work) == [0, pytest.approx(30 / speed)]


def test_a_call_given_up_in_the_queue_takes_no_seat_and_lets_the_next_go() -> None:
    async def work() -> float:
        pacing = Pacing(1, clock=now, sleep=anyio.sleep)
        async with pacing.seat(Bucket.OBJECTS):
            pass
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(given_up, pacing)
            await anyio.sleep(0.5)
            async with pacing.seat(Bucket.OBJECTS):
                return now()

    async def given_up(pacing: Pacing) -> None:
        with anyio.move_on_after(1):
            async with pacing.seat(Bucket.OBJECTS):
                raise AssertionError("seated too early")

    assert run_in_virtual_time(work) == pytest.approx(10.05)


def told(most: int, left: int, interval: float = 10.0) -> LimitsTold:
    return LimitsTold(most, left, interval)


async def one_call(pacing: Pacing, says: LimitsTold) -> float:
    async with pacing.seat(Bucket.OBJECTS) as seat:
        pacing.heard(Bucket.OBJECTS, seat, says)
    return now()


async def seats_at_once(pacing: Pacing) -> int:
    """How many calls of the first lane go before one must wait."""
    seated = 0
    with in_lane(Lane.NOW):
        while True:
            with anyio.move_on_after(0.001):
                async with pacing.seat(Bucket.OBJECTS):
                    seated += 1
                continue
            return seated


def test_calls_of_other_apps_are_left_room_until_they_are_a_window_old() -> None:
    """HubSpot says that 40 of 190 are left, after one call of ours: 149 are somebody else's."""

    async def work() -> tuple[int, float]:
        pacing = Pacing(190, clock=now, sleep=anyio.sleep)
        await one_call(pacing, told(190, 40))
        together = await seats_at_once(pacing)
        return together, await one_call(pacing, told(190, 189))

    assert run_in_virtual_time(work) == (40, pytest.approx(WINDOW, abs=0.01))


def test_what_is_ours_or_kept_for_questions_is_no_other_apps() -> None:
    """Twelve calls, four of them people's questions: the eight of a window ago are counted no more."""

    async def work() -> int:
        pacing = Pacing(30, left_alone=4, clock=now, sleep=anyio.sleep)
        for left in range(29, 21, -1):
            await one_call(pacing, told(30, left - 4))
        return await seats_at_once(pacing)

    assert run_in_virtual_time(work) == 26 - 8


def test_a_call_that_left_the_window_while_the_answer_travelled_is_still_ours() -> None:
    """Sent at 9.9 s, it was counted beside the one of the beginning; its answer is there at 10.4 s."""

    async def work() -> int:
        pacing = Pacing(30, clock=now, sleep=anyio.sleep)
        await one_call(pacing, told(30, 29))
        await anyio.sleep(9.9)
        async with pacing.seat(Bucket.OBJECTS) as seat:
            await anyio.sleep(0.5)
            pacing.heard(Bucket.OBJECTS, seat, told(30, 28))
        return await seats_at_once(pacing)

    assert run_in_virtual_time(work) == 29


def test_a_later_answer_that_tells_of_fewer_calls_elsewhere_holds() -> None:
    async def work() -> int:
        pacing = Pacing(190, clock=now, sleep=anyio.sleep)
        await one_call(pacing, told(190, 40))
        await anyio.sleep(1)
        await one_call(pacing, told(190, 180))
        return await seats_at_once(pacing)

    assert run_in_virtual_time(work) == 180


@pytest.mark.parametrize(("file", "hubspot", "seats"), [(190, 100, 96), (100, 190, 96), (190, 190, 186)])
def test_the_smaller_of_hubspots_figure_and_the_files_holds(file: int, hubspot: int, seats: int) -> None:
    async def work() -> tuple[int, list[LimitDiffers]]:
        pacing = Pacing(file, left_alone=4, clock=now, sleep=anyio.sleep)
        await one_call(pacing, told(hubspot, hubspot - 1))
        return await seats_at_once(pacing) + 1, pacing.differing()

    differs = [] if file == hubspot else [LimitDiffers(Bucket.OBJECTS, file, hubspot, 10.0)]
    assert run_in_virtual_time(work) == (seats, differs)


def test_a_limit_told_for_another_interval_is_kept_in_that() -> None:
    async def work() -> list[float]:
        pacing = Pacing(190, clock=now, sleep=anyio.sleep)
        return [await one_call(pacing, told(1, 0, 2.0)) for _ in range(3)]

    assert run_in_virtual_time(work) == pytest.approx([0, 2.01, 4.02])


def test_a_lane_is_set_for_what_happens_within_and_its_tasks() -> None:
    async def work() -> list[Lane]:
        seen = [current_lane()]

        async def task() -> None:
            seen.append(current_lane())

        with in_lane(Lane.BACKFILL):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(task)
            with in_lane(Lane.NOW):
                seen.append(current_lane())
        return [*seen, current_lane()]

    assert run_in_virtual_time(work) == [Lane.WAITING, Lane.BACKFILL, Lane.NOW, Lane.WAITING]


@pytest.mark.parametrize("settings", [{"calls_per_10s": 0}, {"association_calls_per_10s": 0}, {"speed": 0}])
def test_limits_that_would_stop_everything_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"limit|speed"):
        Pacing(**settings)
