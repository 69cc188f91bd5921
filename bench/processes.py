"""Sandbox and service as processes of their own, on loopback, in a folder that goes when they go."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.portal import NAME, portal_text

STARTS_WITHIN = 30.0
STOPS_WITHIN = 15.0
DISK = Path("/var/tmp")
"""Where the database lies: `/tmp` is memory on many machines, this is not."""
_SANDBOX_SAYS = re.compile(r"listening on (http://\S+)")
_SERVICE_SAYS = re.compile(r'"address": ?"(http://[^"]+)"')
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchFailed(Exception):
    """A measure cannot go on; the message says why."""


class Process:
    """One process with its log; `url` is where it listens."""

    def __init__(
        self, name: str, arguments: Sequence[str], folder: Path, settings: Mapping[str, str]
    ) -> None:
        self.name = name
        self.url = ""
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=folder,
                env=_environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, says: re.Pattern[str]) -> None:
        """Until its log names its address."""
        give_up = time.monotonic() + STARTS_WITHIN
        while (found := says.search(self._text())) is None:
            self.check()
            if time.monotonic() > give_up:
                raise BenchFailed(f"the {self.name} did not start within {STARTS_WITHIN:g} s:\n{self._end()}")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        self.url = found[1]

    def check(self) -> None:
        """Raises `BenchFailed` if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise BenchFailed(f"the {self.name} ended with exit code {code}:\n{self._end()}")

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it ends."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def cpu_seconds(self) -> float:
        """Processor time it has used so far, by the kernel's count."""
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS

    def most_megabytes(self) -> float:
        """The most memory it has had in RAM so far, by the kernel's count (VmHWM)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6

    def lines(self) -> list[dict[str, Any]]:
        """Its log, line by line; a line that is no JSON object is an error of its own."""
        return [_line(text) for text in self._text().splitlines() if text.strip()]

    def complaints(self) -> str:
        """The first of its log lines at warning or above."""
        loud = [line for line in self.lines() if line.get("level") not in ("info", "debug")]
        return "\n".join(json.dumps(line) for line in loud[:5]) or "nothing at warning or above"

    @property
    def id(self) -> int:
        """The process's id."""
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it by its id, at first politely."""
        self._process.terminate()
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _text(self) -> str:
        return self.log.read_text(errors="replace")

    def _end(self) -> str:
        return "\n".join(self._text().splitlines()[-12:])


@dataclass(frozen=True, slots=True)
class Stage:
    """Both processes of one measure, and a token that may do everything."""

    folder: Path
    sandbox: Process
    service: Process
    token: str


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder on a disk, removed at the end."""
    place = DISK if os.access(DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="credsync-bench-", dir=place) as folder:
        yield Path(folder)


@contextmanager
def sandbox_process(
    folder: Path, *, speed: float = 1.0, seed: int = 1, writes: int = 2, by_property: bool = False
) -> Iterator[Process]:
    """A sandbox of the measured portal; its portal file, with its address in it, is `portals/bench.toml`."""
    portal = folder / "portals" / f"{NAME}.toml"
    portal.parent.mkdir()
    portal.write_text(portal_text("http://127.0.0.1:9", writes, by_property=by_property), encoding="utf-8")
    options = ("--speed", f"{speed:g}", "--seed", str(seed))
    sandbox = Process(
        "sandbox", ("credsync_sandbox", "--port", "0", "--portal", str(portal), *options), folder, {}
    )
    try:
        sandbox.wait_for(_SANDBOX_SAYS)
        portal.write_text(portal_text(sandbox.url, writes, by_property=by_property), encoding="utf-8")
        yield sandbox
    finally:
        sandbox.stop()


@contextmanager
def stage(
    *,
    sandbox_speed: float = 1.0,
    speed: float = 1.0,
    seed: int = 1,
    writes: int = 2,
    by_property: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Sandbox and service, started; `settings` are keys of `credsync.toml`."""
    with ExitStack() as undo:
        folder = undo.enter_context(temporary_folder())
        sandbox = undo.enter_context(
            sandbox_process(folder, speed=sandbox_speed, seed=seed, writes=writes, by_property=by_property)
        )
        yield undo.enter_context(start_service(folder, sandbox, settings or {}, speed=speed))


@contextmanager
def start_service(
    folder: Path, sandbox: Process, settings: Mapping[str, str], *, speed: float = 1.0
) -> Iterator[Stage]:
    """The service beside a running sandbox, on the database of the folder."""
    chosen = {
        "bind": "127.0.0.1:0",
        "database_url": "sqlite:///credsync.db",
        "portals": "portals/*.toml",
        **settings,
    }
    service = Process("service", ("credsync", "serve", "--speed", f"{speed:g}"), folder, chosen)
    try:
        service.wait_for(_SERVICE_SAYS)
        token = command(folder, chosen, "token", "create", "bench", "--scope", "admin").strip()
        try:
            yield Stage(folder, sandbox, service, token)
        except BenchFailed as failure:
            raise BenchFailed(f"{failure}\nIt said:\n{service.complaints()}") from None
    finally:
        service.stop()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without anybody's settings of a real credsync. The sandbox takes any token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CREDSYNC_")}
    here = str(Path(__file__).parents[1])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (here, kept.get("PYTHONPATH"))))
    kept["CREDSYNC_HUBSPOT_TOKEN_BENCH"] = "a-token-of-the-sandbox"
    return {**kept, **{f"CREDSYNC_{name.upper()}": value for name, value in settings.items()}}


def command(folder: Path, settings: Mapping[str, str], *arguments: str) -> str:
    """Run one command of credsync to its end; gives what it printed. Raises `BenchFailed` if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "credsync", *arguments],
        cwd=folder,
        env=_environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(f"`credsync {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def _line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"level": "error", "event": f"no JSON: {text[:200]}"}
