"""A day's calls: our share of them, what HubSpot says is left, and the account's midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from credsync.hubspot.daily import MARGIN, Daily, DailyCalls, until_next_day
from credsync.hubspot.limits_told import LimitsTold, limits_told
from credsync.hubspot.paths import Bucket

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
"""Of New York; the day is over at 05:00 UTC."""
OBJECTS, ASSOCIATIONS = Bucket.OBJECTS, Bucket.ASSOCIATIONS


class Day(Daily):
    """A day of New York whose time a test moves."""

    def __init__(self, share: float = 1.0, association_calls: int = 500_000) -> None:
        self.at = NOON
        super().__init__(share, association_calls, lambda: self.at)
        self.zone = NEW_YORK

    def calls(self, count: int, bucket: Bucket = OBJECTS) -> None:
        for _ in range(count):
            self.count(bucket)


def told(daily: int, left: int = 1) -> LimitsTold:
    return LimitsTold(daily=daily, daily_left=left)


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (datetime(2026, 11, 24, 17, 0, tzinfo=UTC), 12),
        (datetime(2026, 11, 25, 4, 0, tzinfo=UTC), 1),
        (datetime(2026, 3, 8, 6, 0, tzinfo=UTC), 22),
        (datetime(2026, 11, 1, 5, 0, tzinfo=UTC), 24),
    ],
)
def test_a_day_ends_at_midnight_of_the_account_also_when_its_clocks_change(at: datetime, hours: int) -> None:
    """In March New York's day has 23 hours, in November 25."""
    assert until_next_day(at, NEW_YORK) == timedelta(hours=hours) + MARGIN


def test_a_limit_used_up_right_after_midnight_is_yesterdays() -> None:
    """HubSpot's clock may be behind ours: to wait for the next midnight would cost a day."""
    just_after = datetime(2026, 11, 24, 5, 0, 7, tzinfo=UTC)
    assert until_next_day(just_after, NEW_YORK) == timedelta(minutes=1)


def test_our_share_of_the_day_is_kept_to_the_call() -> None:
    day = Day(share=0.5)
    day.heard(OBJECTS, told(100))
    day.calls(49)
    assert day.stopped(OBJECTS) is None
    day.calls(1)
    stopped = day.stopped(OBJECTS)
    assert stopped is not None
    assert (stopped.share, stopped.daily) == (0.5, 100)
    assert day.seconds_left(stopped) == 12 * 3600 + 5
    assert day.stopped(ASSOCIATIONS) is None, "associations have a day of their own"


def test_a_new_day_begins_with_nothing_made() -> None:
    day = Day(share=0.5)
    day.heard(OBJECTS, told(100))
    day.calls(50)
    day.at = NOON + timedelta(hours=12, seconds=1)
    assert (day.made(OBJECTS), day.stopped(OBJECTS)) == (0, None)


def test_associations_have_a_limit_without_being_told_one() -> None:
    day = Day(share=0.5, association_calls=20)
    day.calls(10, ASSOCIATIONS)
    stopped = day.stopped_anywhere()
    assert stopped is not None
    assert (stopped.bucket, stopped.daily) == (ASSOCIATIONS, 20)


def test_before_hubspot_tells_the_days_limit_nothing_is_stopped() -> None:
    day = Day(share=0.1)
    day.calls(10_000)
    assert day.stopped_anywhere() is None


@pytest.mark.parametrize("asked", [None, timedelta(seconds=100)])
def test_what_all_apps_used_up_ends_by_itself(asked: timedelta | None) -> None:
    """At midnight, or when HubSpot says."""
    day = Day()
    if asked is None:
        day.heard(OBJECTS, told(100, left=0))
    else:
        day.used_up(OBJECTS, asked)
    stopped = day.stopped(OBJECTS)
    assert stopped is not None
    assert stopped.share is None
    day.at += (asked or timedelta(hours=12) + MARGIN) - timedelta(seconds=1)
    assert day.stopped(OBJECTS) is not None
    day.at += timedelta(seconds=1)
    assert day.stopped(OBJECTS) is None


def test_a_new_process_goes_on_with_what_is_kept_of_this_day() -> None:
    day = Day(share=0.5)
    day.restore(DailyCalls(date(2026, 11, 24), {OBJECTS: 49}, {OBJECTS: 100}))
    assert day.stopped(OBJECTS) is None
    day.calls(1)
    assert day.made(OBJECTS) == 50
    assert day.stopped(OBJECTS) is not None
    day.restore(DailyCalls(date(2026, 11, 23), {OBJECTS: 49}))
    assert day.made(OBJECTS) == 1, "what is kept of another day counts no more"


def test_what_is_counted_is_taken_once_and_not_lost_when_it_could_not_be_kept() -> None:
    day = Day()
    day.calls(3)
    assert day.take_unsaved() is None, "before what is kept was read"
    day.restore(None)
    taken = day.take_unsaved()
    assert taken == DailyCalls(date(2026, 11, 24), {OBJECTS: 3})
    assert day.take_unsaved() is None
    day.give_back(taken)
    day.calls(1, ASSOCIATIONS)
    assert day.take_unsaved() == DailyCalls(date(2026, 11, 24), {OBJECTS: 3, ASSOCIATIONS: 1})
    assert day.made(OBJECTS) == 3


def test_hubspots_word_to_stop_is_kept_once_and_holds_in_a_new_process() -> None:
    """Never a call before it is allowed: the process after this one was not told."""
    day = Day()
    day.restore(None)
    day.used_up(OBJECTS, timedelta(hours=30))
    until = NOON + timedelta(hours=26)
    taken = day.take_unsaved()
    assert taken == DailyCalls(date(2026, 11, 24), {}, {}, {OBJECTS: until}), "no day is longer"
    assert day.take_unsaved() is None
    day.give_back(taken)
    assert day.take_unsaved() == taken
    after = Day()
    after.restore(taken)
    stopped = after.stopped_anywhere()
    assert stopped is not None
    assert (stopped.bucket, stopped.until, stopped.share) == (OBJECTS, until, None)
    assert after.take_unsaved() is None, "it is kept already"
    after.at = until
    assert after.stopped_anywhere() is None


def test_a_share_used_up_right_after_midnight_is_todays() -> None:
    """Our own count is of no clock but ours."""
    day = Day(share=0.5)
    day.at = datetime(2026, 11, 24, 5, 0, 7, tzinfo=UTC)
    day.heard(OBJECTS, told(100))
    day.calls(50)
    stopped = day.stopped(OBJECTS)
    assert stopped is not None
    assert stopped.until == datetime(2026, 11, 25, 5, 0, 5, tzinfo=UTC)


def headers(**told: str) -> dict[str, str]:
    return {f"x-hubspot-ratelimit-{name.replace('_', '-')}": value for name, value in told.items()}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({}, LimitsTold()),
        (headers(max="190", remaining="0"), LimitsTold(190, 0)),
        (headers(max="19", remaining="3", interval_milliseconds="1000"), LimitsTold(19, 3, 1.0)),
        (headers(daily="625000", daily_remaining="0"), LimitsTold(daily=625_000, daily_left=0)),
        (headers(max="0", remaining="0"), LimitsTold()),
        (headers(max="-1", remaining="x", daily="", daily_remaining="1e9"), LimitsTold()),
        (headers(max="²", daily="9" * 400), LimitsTold()),
        (headers(max="190", remaining="9", interval_milliseconds="86400000"), LimitsTold()),
    ],
)
def test_headers_that_make_no_sense_tell_nothing(sent: dict[str, str], read: LimitsTold) -> None:
    """Every one of them is optional, and none may stop us for ever."""
    assert limits_told(sent) == read
