"""Which waits count as delays, and what the counts say of many."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.delays import (
    Delay,
    Histogram,
    Measure,
    bucket_end,
    bucket_of,
    creation_delay,
    found_delays,
    together,
    week_of,
)
from credsync.core.links import Link, LinkState
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from tests.core.builders import ACTIVE, ATTESTED, NY, T0, Hub, Story, at

POLICY = Policy()
WAITED = Link(
    ACTIVE,
    awaited=True,
    awaited_since=at(0),
    reason=Reason.RECORD_AWAITED,
    first_missed_at=at(4),
    last_looked_at=at(85),
    looks=12,
)


def found(waited: Link, after: float, record_id: str | None = "7") -> tuple[Link, list[Delay]]:
    """The link and delays of a look `after` seconds into the story that found this record."""
    now = at(after)
    seen = replace(waited, state=LinkState.FOUND, record_id=record_id, found_at=now, reason=Reason.NONE)
    links, delays = found_delays({waited.slot: waited}, {waited.slot: seen}, now, POLICY)
    return links[waited.slot], delays


def test_a_delay_is_from_the_fact_to_the_look_that_found_the_record() -> None:
    """A delay counts where somebody waited because a fact came: from the fact to the id."""
    link, delays = found(WAITED, 90)
    assert delays == [Delay(ACTIVE, Measure.FOUND, T0, timedelta(seconds=90))]
    assert link.measured_from == T0


def test_licences_of_every_state_are_one_slot() -> None:
    _, (delay,) = found(replace(WAITED, slot=NY), 90)
    assert delay.slot == "license"


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("nobody waited", {"awaited": False}),
        ("a look began the wait: a loss, or an import", {"first_missed_at": at(0)}),
        ("the record was lost", {"reason": Reason.RECORD_LOST}),
        ("the label was moved", {"reason": Reason.LABEL_MOVED}),
        ("the contact was gone", {"reason": Reason.CONTACT_GONE}),
        ("a person had to choose", {"state": LinkState.AMBIGUOUS, "reason": Reason.TWO_RECORDS_IN_SLOT}),
        ("its label moved from a record that was found", {"record_id": "1", "found_at": at(-9)}),
        ("it was imported in this very look", {"awaited_since": at(90), "first_missed_at": None}),
    ],
)
def test_what_was_not_waited_for_because_of_a_fact_is_no_delay(why: str, change: dict[str, Any]) -> None:
    """No delay is counted of what was imported, lost, or there before anybody waited."""
    link, delays = found(replace(WAITED, **change), 90)
    assert (delays, link.measured_from) == ([], None), why


@pytest.mark.parametrize(
    ("why", "change", "after"),
    [
        ("the first look found it", {"last_looked_at": None, "first_missed_at": None, "looks": 0}, 4),
        ("no look since the fact missed it", {"last_looked_at": at(-9), "first_missed_at": at(-900)}, 4),
        ("nobody looked at first", {"first_missed_at": at(61)}, 90),
        ("looks paused before it was found", {"last_looked_at": at(85)}, 300),
    ],
)
def test_how_long_it_took_is_not_told_by_a_look_that_came_late(
    why: str, change: dict[str, Any], after: float
) -> None:
    """A pause of ours is no delay of HubSpot's; the record's creation tells it all the same."""
    link, delays = found(replace(WAITED, **change), after)
    assert (delays, link.measured_from) == ([], T0), why
    created = replace(link, record_created_at=at(2))
    assert creation_delay(created, created.record_created_at) == Delay(
        ACTIVE, Measure.CREATED, T0, timedelta(seconds=2)
    )


def test_the_holder_that_takes_a_slot_after_an_extended_sign_up_is_waited_for() -> None:
    doubted = replace(
        WAITED,
        state=LinkState.FOUND,
        record_id="1",
        found_at=at(-900),
        doubtful_since=T0,
        reason=Reason.SETTLING,
    )
    _, delays = found(doubted, 90, "2")
    assert [delay.span for delay in delays] == [timedelta(seconds=90)]
    assert found(doubted, 90, "1")[1] == []


def test_what_was_created_before_the_fact_came_is_no_delay() -> None:
    link, _ = found(WAITED, 90)
    assert creation_delay(link, at(-0.001)) is None
    assert creation_delay(link, None) is None
    assert creation_delay(replace(link, measured_from=None), at(80)) is None


def test_a_record_that_is_lost_before_its_creation_is_known_is_measured_no_more() -> None:
    link, _ = found(WAITED, 90)
    lost = replace(link, state=LinkState.AWAITED, record_id=None, found_at=None)
    links, delays = found_delays({ACTIVE: link}, {ACTIVE: lost}, at(200), POLICY)
    assert (links[ACTIVE].measured_from, delays) == (None, [])


def test_a_link_that_goes_on_holding_its_record_keeps_what_is_to_be_measured() -> None:
    link, _ = found(WAITED, 90)
    links, delays = found_delays({ACTIVE: link}, {ACTIVE: link}, at(200), POLICY)
    assert (links[ACTIVE], delays) == (link, [])


SPANS = st.floats(min_value=0.01, max_value=60 * 86_400).map(lambda s: timedelta(seconds=s))


@given(SPANS)
def test_a_bucket_ends_at_most_a_twentieth_above_what_is_in_it(span: timedelta) -> None:
    end = bucket_end(bucket_of(span))
    assert span <= end + timedelta(milliseconds=1)
    assert end <= span * 1.0501 + timedelta(milliseconds=1)


@given(st.lists(SPANS, min_size=1, max_size=200), st.sampled_from([0.1, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_percentile_is_never_below_the_truth_and_at_most_a_twentieth_above(
    spans: list[timedelta], share: float
) -> None:
    """Percentiles are read off counts: never below the truth, at most a twentieth above."""
    counts: dict[int, int] = {}
    for span in spans:
        counts[bucket_of(span)] = counts.get(bucket_of(span), 0) + 1
    exact = sorted(spans)[math.ceil(round(share * len(spans), 9)) - 1]
    told = Histogram(counts).percentile(share)
    assert told is not None
    assert exact - timedelta(milliseconds=1) <= told <= exact * 1.0501 + timedelta(milliseconds=1)


def test_nothing_counted_says_nothing_and_weeks_add_up() -> None:
    assert Histogram({}).percentile(0.99) is None
    assert together([Histogram({1: 2, 3: 1}), Histogram({3: 4})]).counts == {1: 2, 3: 5}
    assert (week_of(T0), week_of(T0 - timedelta(days=1))) == ("2026-03-02", "2026-02-23")


def told(story: Story) -> list[tuple[Measure, float]]:
    """Every delay of the Credentialing that the story's rounds measured, in seconds."""
    return [
        (d.measure, d.span.total_seconds()) for turn in story.turns for d in turn.delays if d.slot == ACTIVE
    ]


def in_sync(hub: Hub) -> Story:
    """A story whose Credentialing came 90 s after the sign-up."""
    story = Story(hub=hub)
    story.sign_up()
    story.wait(1).round()
    for _ in range(15):
        story.wait(6).round()
    hub.add("credentialing", ATTESTED)
    story.wait(4).round()
    return story


def test_a_story_counts_a_wait_once_and_no_loss() -> None:
    """A sign-up's wait counts once; the wait for a lost record's successor does not."""
    hub = Hub()
    story = in_sync(hub)
    assert told(story) == [(Measure.FOUND, 95.0)]
    hub.records.clear()
    story.wait(500).sync()
    story.round()
    story.wait(60).round()
    hub.add("credentialing", ATTESTED)
    story.wait(30).round()
    assert story.case.links[ACTIVE].record_id is not None
    assert told(story) == [(Measure.FOUND, 95.0)]


def test_a_label_that_moves_is_no_delay_and_an_extended_sign_up_is() -> None:
    hub = Hub()
    story = in_sync(hub)
    old = next(iter(hub.records))
    new = hub.add("credentialing")
    hub.move(ATTESTED, old, new)
    story.wait(500).sync()
    story.round()
    assert story.case.links[ACTIVE].record_id == new
    assert told(story) == [(Measure.FOUND, 95.0)]
    story.wait(500).sign_up(again=True)
    story.wait(1).round()
    story.wait(20).round()
    hub.move(ATTESTED, new, hub.add("credentialing"))
    story.wait(20).round()
    assert told(story) == [(Measure.FOUND, 95.0), (Measure.FOUND, 41.0)]


def test_what_was_there_at_the_first_look_is_no_delay() -> None:
    hub = Hub()
    hub.add("credentialing", ATTESTED)
    story = Story(hub=hub)
    story.sign_up()
    story.wait(4).round()
    assert story.case.links[ACTIVE].record_id is not None
    assert told(story) == []


def test_somebody_imported_is_no_delay() -> None:
    """Whoever is known without any sign-up waits for no workflow."""
    hub = Hub()
    story = Story(hub=hub)
    story.round()
    for _ in range(5):
        story.wait(6).round()
    hub.add("credentialing", ATTESTED)
    story.wait(4).round()
    assert story.case.links[ACTIVE].record_id is not None
    assert told(story) == []
