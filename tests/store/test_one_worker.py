"""A SQLite file serves one worker: the second is told who holds it; a dead one is no obstacle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from credsync.store.clock import SystemClock
from credsync.store.one_worker import SecondWorker, only_worker

HOLD = """
import sys
from sqlalchemy import make_url
from credsync.store.clock import SystemClock
from credsync.store.one_worker import only_worker
with only_worker(make_url(sys.argv[1]), SystemClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_worker_is_told_who_holds_the_file_and_what_to_do(tmp_path: Path) -> None:
    """SQLite refuses a second worker with a sentence, whatever way the file is named; once the first is gone it may."""
    url = make_url(f"sqlite:///{tmp_path}/credsync.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "credsync.db")
    again = make_url(f"sqlite:///{tmp_path}/link.db")
    with only_worker(url, SystemClock()):
        with pytest.raises(SecondWorker) as refused, only_worker(again, SystemClock()):
            pass
        said = str(refused.value)
        assert f"process {os.getpid()} on " in said
        assert "`--only api`" in said
        assert "PostgreSQL" in said
    with only_worker(again, SystemClock()):
        pass


def test_a_worker_that_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    """The operating system's lock ends with its process; what is left of the file is only text."""
    url = f"sqlite:///{tmp_path}/credsync.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(SecondWorker, match=f"process {other.pid} on "),
            only_worker(make_url(url), SystemClock()),
        ):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait(15)
    place = tmp_path / "credsync.db.worker"
    assert json.loads(place.read_text())["process"] == other.pid
    with only_worker(make_url(url), SystemClock()):
        assert json.loads(place.read_text())["process"] == os.getpid()
