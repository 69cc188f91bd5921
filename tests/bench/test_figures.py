"""The arithmetic beneath the tables, by hand."""

from __future__ import annotations

import doctest
import io
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from bench import clients, floor, hints, intake, lag, old_way, portal, report, simulate
from bench.__main__ import main
from bench.judge import RecordFate, Verdict, lags, lateness, waits
from credsync.core.forms.identifiers import luhn_80840
from credsync.core.portal_file import parse_portal
from credsync.core.schedule import Policy


@pytest.mark.parametrize("room", [clients, floor, old_way, portal, report], ids=lambda room: room.__name__)
def test_the_examples_in_the_rooms_hold(room: ModuleType) -> None:
    """What a docstring shows is what happens."""
    tried = doctest.testmod(room)
    assert tried.attempted
    assert not tried.failed


@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 1), (0.5, 50), (0.501, 51), (0.95, 95), (0.951, 96), (1.0, 100)]
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    """By nearest rank, whatever the order."""
    assert report.percentile(reversed(range(1, 101)), share) == expected


@pytest.mark.parametrize(("accepted", "slow", "met"), [(1_000, 5, True), (999, 5, False), (1_000, 6, False)])
def test_intake_is_fast_enough_by_its_rate_and_its_slow_answers(accepted: int, slow: int, met: bool) -> None:
    """500 a second, and no more than 5 % of the answers later than 50 ms: one without the other will not do."""
    answers = [0.02] * (100 - slow) + [0.051] * slow
    found = intake.Intake(accepted, accepted, 2.0, answers, 1.9, 0.001, 3_700)
    first, *_, last = intake.rows(found, found)
    assert (first.met, last.met) == (met, True)


@pytest.mark.parametrize(("cpu", "what"), [(1.8, "processor time"), (1.7, "waiting")])
def test_intake_says_what_bounds_it(cpu: float, what: str) -> None:
    """Its own processor time where that fills the time, else what it waits for."""
    assert intake.bound(intake.Intake(1_000, 1_000, 2.0, [0.02], cpu, 0.001, 3_700)).startswith(what)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    """No figure is better than a made-up one."""
    with pytest.raises(ValueError, match=r"share|values"):
        report.percentile(values, share)


def test_the_table_says_which_target_was_missed() -> None:
    """A missed target is `no`, a figure without a target says nothing."""
    output = io.StringIO()
    told = [
        report.Row("good", "1", target="1", met=True),
        report.Row("bad", "2", target="1", met=False),
        report.Row("plain", "3"),
    ]
    report.show(told, Console(file=output, width=100))
    lines = {line.split()[0]: line for line in output.getvalue().splitlines() if line.split()}
    assert lines["good"].rstrip().endswith("yes")
    assert lines["bad"].rstrip().endswith("no")
    assert lines["plain"].rstrip().endswith("3")
    assert report.missed(told) == [told[1]]


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_the_measured_portal_is_one_the_service_takes(writes: int) -> None:
    """Three labelled types under the contact, of which so many are written."""
    parsed = parse_portal(portal.NAME, portal.portal_text("http://127.0.0.1:1", writes))
    assert {rule.object for rule in parsed.slots.values()} == set(portal.OBJECTS.values())
    assert len(parsed.writes) == writes
    assert parsed.sync_url is None


def test_every_applicant_has_an_npi_with_a_right_check_digit() -> None:
    """Else none of them would be let in."""
    npis = {portal.Applicant(number).npi for number in range(300)}
    assert len(npis) == 300
    assert all(luhn_80840(npi) for npi in npis)


def fate(**changed: Any) -> RecordFate:
    """A record that was written 2 s of wall time after it came, 30 s after its sign-up."""
    usual = {
        "contact_id": "1",
        "slot": portal.LICENSE,
        "signed_up": 70.0,
        "visible": 100.0,
        "written": 102.0,
        "writes": 1,
        "right": True,
    }
    return RecordFate(**{**usual, **changed})


def test_lag_and_lateness_are_seconds_of_the_sandbox() -> None:
    """At ten times the speed a wall second is ten; what was never written has no lag."""
    fates = [fate(), fate(written=None, writes=0)]
    assert lags(fates, speed=10) == [20.0]
    assert lateness(fates, speed=10) == [300.0, 300.0]


def test_a_lag_is_the_wait_for_a_look_at_the_right_type_and_the_way_to_the_write() -> None:
    """Looks before the record came, or at other types, are none at it."""
    looks = {"license": [99.0, 101.5, 105.0], "credentialing": [100.5]}
    assert waits([fate()], looks, speed=10) == [(15.0, 5.0)]
    assert waits([fate(written=None)], looks, speed=10) == []


@pytest.mark.parametrize(
    ("verdict", "lost", "repeated"),
    [
        (Verdict([fate()]), 0, 0),
        (Verdict([fate(writes=3)]), 0, 2),
        (Verdict([fate(writes=0, written=None)]), 1, 0),
        (Verdict([fate(right=False)]), 1, 0),
    ],
    ids=["exact", "repeated", "lost", "wrong"],
)
def test_only_every_record_right_and_once_is_exact(verdict: Verdict, lost: int, repeated: int) -> None:
    """Lost, wrong and repeated are told apart."""
    assert (verdict.lost, verdict.repeated) == (lost, repeated)
    assert verdict.exact == (not lost and not repeated)


def test_a_write_nobody_asked_for_is_not_exact() -> None:
    """A record that nothing was submitted for stays untouched."""
    assert not Verdict([fate()], strays=1).exact


def test_only_lines_at_warning_or_above_are_loud() -> None:
    """Waiting is information."""
    lines = [
        {"level": "info", "event": "a"},
        {"level": "warning", "event": "b"},
        {"level": "error", "event": "b"},
    ]
    assert lag.loud_lines(lines) == {"b": 2}


def rule(coalesce: float = 3, least: float = 5, share: float = 0.1) -> Policy:
    """The look-again rule with these numbers."""
    return Policy(
        coalesce=timedelta(seconds=coalesce),
        look_again_min=timedelta(seconds=least),
        look_again_share=share,
    )


def test_a_lone_therapist_is_looked_at_by_the_rule() -> None:
    """First after the coalescing span, then every `min`, until a tenth of the time waited is more."""
    world = simulate.World(therapists=1, round_seconds=0.0)
    [(up, visible)] = world.visible(seed=1)
    outcome = simulate.simulate(world, rule(), seed=1)
    looked = first = up + 3.0
    rounds = 1
    while looked < visible:
        looked += max(5.0, (looked - first) * 0.1)
        rounds += 1
    assert outcome.rounds == rounds
    assert outcome.lags == pytest.approx([looked - visible] * 2)
    assert outcome.calls_each == simulate.START_UP_CALLS + 3 * rounds + 2


def test_everybody_is_written_in_the_simulation() -> None:
    """Nobody is forgotten by the loop."""
    assert len(simulate.simulate(simulate.World(therapists=200, span=60), rule(), seed=3).lags) == 400


def test_looking_more_often_costs_calls_and_saves_time() -> None:
    """The settings pull as they say."""
    world = simulate.World(therapists=300, span=180)
    seldom = simulate.figures(world, rule(4, 8, 0.2), range(1, 4))
    often = simulate.figures(world, rule(2, 3, 0.03), range(1, 4))
    assert often.p95 < seldom.p95
    assert often.calls_each > seldom.calls_each


@pytest.mark.parametrize("arguments", [["lag", "--speed", "11"], ["floor", "--set", "coalesce"], ["nothing"]])
def test_a_run_that_makes_no_sense_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage errors are exit code 2 and start no process."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_windows_are_opened_by_the_first_that_none_before_took_in() -> None:
    """Whatever comes within a second of the first is answered together with it."""
    assert hints.windows([], 1.0) == 0
    assert hints.windows([5.0, 0.0, 1.0, 1.1], 1.0) == 3
    assert hints.windows([0.1 * n for n in range(100)], 1.0) == 10
