"""`credsync demo`, for real: two processes, the four cases and a few more."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from credsync.demo.plan import Kind
from credsync.demo.processes import DemoFailed, Stage, stage


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "credsync", "demo", *options],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "credsync", "demo", "--people", "12", "--minutes", "1", "--speed", "50"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={"TMPDIR": str(folder), "CREDSYNC_BIND": "not for the demo"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    assert not list(folder.iterdir()), "its folder is gone"
    return done.stdout


@pytest.mark.parametrize("case", ["K", "P", "W", "S"])
def test_each_of_the_four_is_written_where_the_old_way_left_nothing(shown: str, case: str) -> None:
    row = re.search(rf"^{case} +(.*)", shown, re.MULTILINE)
    assert row
    assert re.match(r"([\d.]+ s +){5}nothing: looked [\d.]+ s too early", row[1])


def test_it_counts_four_of_four_for_the_old_way_and_none_for_ours(shown: str) -> None:
    assert "Without their data: 4 of 4 the old way, 0 of 4 this way." in shown


def test_everything_accepted_is_written_or_waits_or_needs_a_person_and_nothing_is_lost(shown: str) -> None:
    ends = {"Accepted": 34, "Written": 25, "Waiting": 2, "Needs a person": 7, "Lost": 0}
    for name, number in ends.items():
        assert re.search(rf"^{name} +{number}\b", shown, re.MULTILINE), name
    assert "Everything is as it should be." in shown


@pytest.mark.parametrize(
    ("story", "number", "end"),
    [
        (
            Kind.EXTENDED,
            3,
            "the new submission is on the new Credentialing, what was there before is untouched",
        ),
        (Kind.HELD, 2, "unwritten when the Extended Sign Up came: held, not on the new Credentialing"),
        (Kind.RELOCATION, 3, "on the relocation Credentialing, nothing on the other"),
        (
            Kind.LICENCES,
            3,
            "NY and CA each on its own record, nothing on another NY under the other Credentialing",
        ),
        (Kind.TWO_RECORDS, 2, "neither is written, both are shown, a person chooses"),
        (Kind.BAD_VALUE, 3, "the value is named and not sent, all else is written"),
        (Kind.NEVER, 2, r"waiting, overdue since 1\d\.\d min after the sign-up; .*nothing is lost"),
    ],
)
def test_each_story_is_told_in_its_own_line(shown: str, story: Kind, number: int, end: str) -> None:
    """The demo has extended sign-ups, relocations, licences in two states, two records in one slot, bad values, and
    two that never come, each told in its own line."""
    assert re.search(rf"^{story} +{number} +{end}", shown, re.MULTILINE)


def test_whoever_needs_a_person_is_named_with_why_and_the_one_command_to_run(shown: str) -> None:
    said = shown.split("Needs a person:\n")[1].split("\nWaiting:\n")
    for slot, why, command in (
        (
            "H",
            "submitted before the latest sign-up, after which credentialing_active_attested took another",
            "sync [\\w-]{36} --include-held --reason '",
        ),
        (
            "T",
            r"\d+ and \d+ both hold credentialing_active_attested",
            r"choose [\w-]{36} \w+ \d+ --reason '",
        ),
        ("B", "medicare: the value is none of the property's options", r"sync [\w-]{36} --reason '"),
    ):
        assert re.search(rf"^  {slot}\d [^:]+: {why}.*\n    credsync {command}", said[0], re.MULTILINE)
    assert len(re.findall(r"^    credsync (choose|sync) ", said[0], re.MULTILINE)) == 7
    assert len(re.findall(r"^    credsync show ", said[1], re.MULTILINE)) == 2


def test_it_says_that_time_runs_faster(shown: str) -> None:
    assert "50 times faster" in shown


@pytest.mark.parametrize("options", [["--people", "0"], ["--speed", "1000"], ["--unknown"]])
def test_wrong_options_are_usage(options: list[str]) -> None:
    assert demo(*options).returncode == 2


def test_a_process_that_ends_is_told_with_what_the_logs_say_and_nothing_stays() -> None:
    stages: list[Stage] = []

    def play() -> None:
        with stage(50, 1, "90s") as on:
            stages.append(on)
            on.service.stop()
            on.check()

    with pytest.raises(DemoFailed, match=r"(?s)The service ended with exit code .*service\.started"):
        play()
    assert not stages[0].folder.exists()
    with pytest.raises(DemoFailed, match="The sandbox ended"):
        stages[0].sandbox.check()
