"""`credsync demo`, for real: two processes, the four cases and a few more."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

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


def test_everything_accepted_is_written(shown: str) -> None:
    for name, number in {"Accepted": 16, "Written": 16, "Waiting": 0, "Needs a person": 0, "Lost": 0}.items():
        assert re.search(rf"^{name} +{number}\b", shown, re.MULTILINE), name


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
