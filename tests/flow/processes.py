"""Processes of a test's own, ended by their ids, and waiting for what they say or do."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


class Process:
    """`python -m …`, with all it says in a file."""

    def __init__(self, log: Path, arguments: list[str], environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=out, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def id(self) -> int:
        """The process's id."""
        return self._process.pid

    def wait_for(self, pattern: str, seconds: float = 30) -> str:
        """What the pattern's group finds in what the process said; fails if it ends before."""

        def found() -> str | None:
            text = self.log.read_text(encoding="utf-8")
            assert self._process.poll() is None, f"ended early:\n{text}"
            match = re.search(pattern, text)
            return match.group(1) if match else None

        return until(found, seconds, pattern)

    def end(self, how: signal.Signals) -> None:
        """End it, by force if it takes long."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(15)
        finally:
            self._process.kill()


def run(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m …` to its end."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60, check=False)


def until(ask: Callable[[], _T | None], seconds: float, what: str) -> _T:
    """Ask until there is an answer; fails after `seconds`."""
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < ends, f"waited {seconds} s for {what}"
        pause.wait(0.02)
