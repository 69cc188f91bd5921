"""One tiny real run of each measure, on one sandbox and one service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from bench import crowd, faults, floor, hints, intake, lag, one_round, pages, poison, throughput, whole_rounds
from bench.judge import Judge
from bench.processes import Stage, stage
from bench.report import missed

SPEED = 10.0
PEOPLE = 30


@pytest.fixture(scope="module")
def on() -> Iterator[Stage]:
    """Both processes, for all measures of this file in turn."""
    with stage(sandbox_speed=SPEED, speed=SPEED) as both:
        yield both


@pytest.fixture
def judge(on: Stage) -> Iterator[Judge]:
    """The sandbox's own word."""
    with closing(Judge(on.sandbox.url)) as judge:
        yield judge


def test_the_floor_is_reached_by_us_and_not_by_the_old_way(on: Stage, judge: Judge) -> None:
    """3 looks and an update per type and 100 records, all written once; one contact at a time costs 5 calls each."""
    found = asyncio.run(floor.measure_on(on, judge, PEOPLE))
    assert found.start_up.start_up == 11
    assert found.calls.total == 3 + 2 == floor.floor(PEOPLE)
    assert found.calls.refused == found.old_calls.refused == 0
    assert found.verdict.exact
    assert len(found.verdict.fates) == found.old_written == 2 * PEOPLE
    assert found.old_calls.total == 5 * PEOPLE
    assert not missed(floor.rows(found))


def test_licences_told_by_a_property_cost_a_read_per_hundred() -> None:
    """3 looks, a read of the licences' states, an update per type and 100 records; each licence to its own record."""
    found = floor.measure_licences(PEOPLE)
    assert found.calls.total == 3 + 1 + 2 == floor.with_reads(PEOPLE)
    assert not missed(floor.licence_rows(found))


def test_late_records_are_written_when_they_come_and_nothing_is_lost(on: Stage, judge: Judge) -> None:
    """Every record once, after it came and before anybody would ask; no log line above information."""
    plan = lag.Plan(therapists=PEOPLE, span=10, speed=SPEED, workflow="lognormal:5s:0.6")
    run = asyncio.run(lag.measure_on(on, judge, plan, seed=1, since=judge.last_call()))
    assert run.verdict.exact
    assert len(run.lags) == 2 * PEOPLE
    assert all(0 < each < 300 for each in run.lags)
    assert [sum(parts) for parts in run.parts] == pytest.approx(list(run.lags))
    assert run.calls.total < 5 * PEOPLE
    assert not run.loud
    assert [row.met for row in lag.rows([run])][4:] == [True, True]


def test_with_webhooks_everything_is_written_and_no_more_looks_are_made_than_are_needed() -> None:
    """Looks of our own are far too rare to find anything here; each second of hints costs one look per type."""
    rarely = {"look_again_min": "50m", "look_again_max": "1h"}
    plan = lag.Plan(therapists=PEOPLE, span=10, speed=SPEED, workflow="lognormal:5s:0.6", settings=rarely)
    found = hints.measure(plan, seed=1)
    assert found.run.verdict.exact
    assert len(found.run.lags) == 2 * PEOPLE
    assert found.looks > 0
    assert found.fewest % 3 == 0
    assert [row.met for row in hints.rows([found], [found])][-1]


def test_what_is_taken_in_is_kept(on: Stage) -> None:
    """Every 202 is a row on disk."""
    found = intake.measure_on(on, seconds=0.5)
    assert found.kept == found.accepted >= intake.CLIENTS
    assert found.per_second > 0
    assert found.cpu > 0
    assert intake.rows(found, found)[-1].met


def test_a_round_is_counted_to_the_call(
    on: Stage,
) -> None:  # after the others, so that they do not share the machine
    """Two looks in vain, then one that finds and writes; statements do not grow with who merely waits."""
    first, again, last = one_round.measure(PEOPLE)
    assert [cost.therapists for cost in (first, again, last)] == [PEOPLE] * 3
    assert [cost.calls.total for cost in (first, again, last)] == [3, 3, 5]
    assert [cost.sent for cost in (first, again, last)] == [0, 0, 2 * PEOPLE]
    assert again.statements < PEOPLE
    assert len(one_round.rows([first, again, last])) == 6


def test_a_crowd_costs_a_round_no_statement_more() -> None:
    """The same statements for those who are due, however many exist; a service on that database answers people."""
    found = crowd.measure(crowd=4 * PEOPLE, due=PEOPLE, watched=1.0)
    assert {r.statements for r in (*found.with_few, *found.with_many)} == {found.with_few[0].statements}
    assert [r.therapists for r in found.with_few] == [PEOPLE] * crowd.ROUNDS
    assert {r.therapists for r in found.with_many} == {4 * PEOPLE}, "who waits rides along in the free seats"
    assert found.asked > 0
    assert 0 < found.megabytes < 1_000
    assert {what: cost.statements > 0 for what, cost in found.others.items()} == dict.fromkeys(
        found.others, True
    )
    assert len(crowd.rows(found)) == 2 + len(found.others) == 7


def test_updates_keep_to_the_limit_and_all_arrive() -> None:
    """9 batches of 100, each sent once and none refused: too few to meet HubSpot's limit, enough to see it counted."""
    found = throughput.measure(900)
    assert (found.written, found.calls, found.refused) == (900, 9, 0)
    assert 0 < found.most_in_a_window <= 9
    assert [row.met for row in throughput.rows(found)[1:2]] == [True]


def test_whole_rounds_write_all_that_was_taken_in() -> None:
    """30 therapists, three records each, by a service of its own: a batch per type, nothing refused, everybody in sync."""
    found = whole_rounds.measure(90)
    assert (found.written, found.refused) == (90, 0)
    assert 0 < found.most_in_a_window <= 3
    assert [row.met for row in throughput.rows(found, whole_rounds.WHAT)[1:2]] == [True]


def test_a_bad_value_costs_few_calls_and_no_good_one() -> None:
    """Each side writes every good value and names the bad ones; ours in fewer updates."""
    found = poison.measure(therapists=100)
    assert found.bad == 2
    assert (found.ours.lost, found.ours.named, found.ours.wrong) == (0, 2, 0)
    assert (found.by_hand.lost, found.by_hand.named) == (0, 2)
    update = "POST objects batch/update"
    assert found.ours.calls.by_call[update] < found.by_hand.calls.by_call[update]
    assert not missed(poison.rows(found))


def test_faults_lose_nothing_of_ours_and_each_is_named(on: Stage, judge: Judge) -> None:
    """A bad value and two deleted records among 40: ours writes the others' every good value; a call each loses one."""
    scenario = faults.Scenario("both", bad=0.025, gone=0.05)
    (found,) = asyncio.run(faults.measure_on(on, judge, PEOPLE - 10, [scenario]))
    assert (found.records, found.faulty) == (40, 3)
    assert (found.ours.written, found.ours.named, found.ours.lost) == (38, 3, 0)
    assert (found.old.calls, found.old.named, found.old.lost) == (40, 3, 1)
    assert (found.sdk.named, found.sdk.lost) == (3, 1)
    assert found.ours.calls < found.old.calls
    assert not missed(faults.rows([found]))


def test_every_page_of_the_console_is_timed_and_weighed() -> None:
    found = pages.measure(crowd=200, times=2)
    assert len(found.pages) == len({page.what for page in found.pages})
    assert all(page.bytes < pages.MOST_BYTES for page in found.pages), found.pages
    assert len(pages.rows(found)) == len(found.pages) + 2
