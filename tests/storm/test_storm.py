"""The storm in the test run: so many seeds, and that a seed repeats exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storm.seeds import Fresh, storm

ON_SQLITE = range(1, 101)
ON_POSTGRES = range(1, 31)
TOGETHER = 10
AGAIN = """
import json, sys, tempfile
from pathlib import Path
from storm.seeds import listen, on_sqlite, storm
listen()
with tempfile.TemporaryDirectory() as folder:
    fresh = on_sqlite(Path(folder))
    print(json.dumps([storm(int(seed), fresh).story for seed in sys.argv[1:]]))
"""


def _wrongs(seeds: range, fresh: Fresh) -> list[str]:
    return [f"seed {seed}: {wrong}" for seed in seeds for wrong in storm(seed, fresh).wrongs]


@pytest.mark.parametrize("first", ON_SQLITE[::TOGETHER])
def test_a_storm_on_sqlite_loses_nothing_and_writes_nothing_wrong(first: int, on_file: Fresh) -> None:
    """Nothing ends in silence: in sync, waiting with a reason, or needing a person with a reason."""
    assert not _wrongs(range(first, first + TOGETHER), on_file)


@pytest.mark.parametrize("first", ON_POSTGRES[::TOGETHER])
def test_a_storm_on_postgresql_loses_nothing_and_writes_nothing_wrong(first: int, on_server: Fresh) -> None:
    """Nothing ends in silence: in sync, waiting with a reason, or needing a person with a reason."""
    assert not _wrongs(range(first, first + TOGETHER), on_server)


def test_a_seed_repeats_exactly(on_file: Fresh) -> None:
    """Another process, with other hashes, sends the same calls and leaves the same journal, but for correlation ids."""
    seeds = ["3", "6"]
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.run(
        [sys.executable, "-c", AGAIN, *seeds],
        capture_output=True,
        text=True,
        check=True,
        env=env,
        cwd=Path(__file__).parents[2],
    )
    here = [storm(int(seed), on_file).story for seed in seeds]
    assert json.loads(told.stdout) == json.loads(json.dumps(here))
    assert all(len(story) > 20 for story in here)
    assert here[0] != here[1]
