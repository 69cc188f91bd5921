"""Sandbox and service as processes of their own, in a temporary folder that goes when they go."""

from __future__ import annotations

import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from credsync.settings import ENV_PREFIX

PORTAL = "demo"
WATCHER = "you@example.org"
"""Who may sign in to the demo's console."""
STARTS_WITHIN = 60.0
STOPS_WITHIN = 10.0
OVERDUE_AFTER = "12m"
"""Shorter than usual, so that the demo need not last until what never comes is overdue."""
_SANDBOX_SAYS = re.compile(r"listening on (http://\S+)")
_SERVICE_SAYS = re.compile(r'"address": ?"(http://[^"]+)"')
_BASE_URL = re.compile(r'^base_url = ".*"$', re.MULTILINE)


class DemoFailed(Exception):
    """The demo cannot go on; the message is for the person who started it."""


class Running:
    """One process, its log and where it listens."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.url = ""
        self._process = process
        self._log = log

    def check(self) -> None:
        """Raises `DemoFailed` if the process has ended."""
        code = self._process.poll()
        if code is not None:
            raise DemoFailed(f"The {self.name} ended with exit code {code}.")

    def wait_for(self, says: re.Pattern[str]) -> None:
        """Until its log names its address. Raises `DemoFailed` if it ends first or takes too long."""
        give_up = time.monotonic() + STARTS_WITHIN
        while not (found := says.search(self._log.read_text(errors="replace"))):
            if time.monotonic() > give_up:
                raise DemoFailed(f"The {self.name} did not start within {STARTS_WITHIN:g} s.")
            self._rest(0.05)
        self.url = found[1]

    def stop(self) -> None:
        """End it, at first politely."""
        self._process.terminate()
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _rest(self, seconds: float) -> None:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        self.check()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: both processes, and what a person needs to look at them."""

    folder: Path
    sandbox: Running
    service: Running
    token: str
    console: str
    """The address at which a person chooses a password and is in the console."""

    def check(self) -> None:
        """Raises `DemoFailed` if one of the two has ended."""
        self.sandbox.check()
        self.service.check()


@contextmanager
def stage(speed: float, seed: int, workflow: str) -> Iterator[Stage]:
    """Start everything; end it, and remove the folder, whatever happens. Any `DemoFailed` tells what the logs say."""
    with ExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="credsync-demo-")))
        try:
            yield _set(undo, folder, speed, seed, workflow)
        except DemoFailed as failed:
            raise DemoFailed("\n".join([str(failed), *_last_words(folder)])) from None


def _set(undo: ExitStack, folder: Path, speed: float, seed: int, workflow: str) -> Stage:
    config = ["--config", str(folder / "credsync.toml")]
    portal = folder / "portals" / f"{PORTAL}.toml"
    portal.parent.mkdir()
    portal.write_text(portal_text(), encoding="utf-8")
    Path(config[1]).write_text(_settings(folder), encoding="utf-8")

    fast = ("--speed", f"{speed:g}")
    play = ("--portal", str(portal), "--port", "0", "--delay", workflow, "--seed", str(seed), *fast)
    sandbox = _start(undo, folder, "sandbox", ["sandbox", *play])
    _run([*config, "db", "upgrade"])
    token = _run([*config, "token", "create", "demo", "--scope", "intake", "--scope", "read"]).strip()
    link = _run([*config, "user", "add", WATCHER, "--role", "admin"]).strip()
    sandbox.wait_for(_SANDBOX_SAYS)
    portal.write_text(portal_text(sandbox.url), encoding="utf-8")
    service = _start(undo, folder, "service", [*config, "serve", *fast])
    service.wait_for(_SERVICE_SAYS)
    return Stage(folder, sandbox, service, token, f"{service.url}{urlsplit(link).path}")


def _last_words(folder: Path) -> Iterator[str]:
    for log in sorted(folder.glob("*.log")):
        yield f"{log.name} ends with:"
        yield from log.read_text(errors="replace").splitlines()[-8:]


def _settings(folder: Path) -> str:
    values = {
        "database_url": f"sqlite:///{folder / 'credsync.db'}",
        "portals": f"{glob.escape(str(folder))}/portals/*.toml",
        "bind": "127.0.0.1:0",
        "log_format": "json",
        "overdue_after": OVERDUE_AFTER,
    }
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def portal_text(base_url: str | None = None) -> str:
    """The demo's portal file, with HubSpot at `base_url`."""
    text = resources.files("credsync.demo").joinpath("portal.toml").read_text(encoding="utf-8")
    return text if base_url is None else _BASE_URL.sub(f'base_url = "{base_url}"', text)


def credsync() -> list[str]:
    """How the command line is called: by its script, where there is one."""
    script = Path(sys.executable).with_name("credsync")
    return [str(script)] if script.exists() else [sys.executable, "-m", "credsync"]


def _environment() -> dict[str, str]:
    """Ours without anybody's settings of a real credsync. The sandbox takes any token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    return {**kept, f"{ENV_PREFIX}HUBSPOT_TOKEN_{PORTAL.upper()}": "a-token-of-the-sandbox"}


def _start(undo: ExitStack, folder: Path, name: str, arguments: Sequence[str]) -> Running:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*credsync(), *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(name, process, log)
    undo.callback(running.stop)
    return running


def _run(arguments: Sequence[str]) -> str:
    command = f"`credsync {shlex.join(arguments)}`"
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            [*credsync(), *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DemoFailed(f"{command} did not end within {STARTS_WITHIN:g} s.") from None
    if done.returncode:
        raise DemoFailed(f"{command} ended with exit code {done.returncode}:\n{done.stderr}")
    return done.stdout
