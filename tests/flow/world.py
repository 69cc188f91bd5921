"""A whole small world for one test: a sandbox process, a service process that may be killed, and a caller."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2

PORTAL = Path(__file__).parents[2] / "portals" / "demo.toml"
_T = TypeVar("_T")


class World:
    """`speed` makes the sandbox's workflows and the service's schedule run faster; time-outs and leases do not."""

    def __init__(self, folder: Path, database_url: str, *, delay: str = "90s", speed: float = 40.0) -> None:
        self.folder = folder
        self.speed = speed
        self.sandbox = _Process(
            folder / "sandbox.log",
            [
                "credsync_sandbox",
                "--port",
                "0",
                "--portal",
                str(PORTAL),
                "--delay",
                delay,
                "--speed",
                str(speed),
            ],
        )
        self.hubspot_url = self.sandbox.wait_for(r"sandbox listening on (http://\S+)")
        self.hubspot = httpx2.Client(base_url=self.hubspot_url, timeout=30)
        portal = folder / "portals" / "demo.toml"
        portal.parent.mkdir()
        portal.write_text(
            PORTAL.read_text(encoding="utf-8").replace("http://127.0.0.1:8090", self.hubspot_url),
            encoding="utf-8",
        )
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CREDSYNC_")},
            "CREDSYNC_DATABASE_URL": database_url,
            "CREDSYNC_PORTALS": str(folder / "portals" / "*.toml"),
            "CREDSYNC_BIND": "127.0.0.1:0",
            "CREDSYNC_HUBSPOT_TOKEN_DEMO": "a-token",
            "CREDSYNC_LEASE": "2s",
        }
        self.token = self.cli("token", "create", "test", "--scope", "admin").stdout.strip()
        self.services = 0
        self.service: _Process
        self.api: httpx2.Client
        self.start()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        command = [sys.executable, "-m", "credsync", *arguments]
        return subprocess.run(
            command, env=self.environment, text=True, capture_output=True, timeout=60, check=False
        )

    def start(self) -> None:
        """Start the service (again)."""
        self.services += 1
        log = self.folder / f"service-{self.services}.log"
        self.service = _Process(log, ["credsync", "serve", "--speed", str(self.speed)], self.environment)
        address = self.service.wait_for(r'"address": ?"(http://[^"]+)"')
        headers = {"Authorization": f"Bearer {self.token}"}
        self.api = httpx2.Client(base_url=address, headers=headers, timeout=30)

    def kill(self) -> None:
        """kill -9: nothing gets a chance to tidy up."""
        self.api.close()
        self.service.end(signal.SIGKILL)

    def close(self) -> None:
        """End both processes by their ids."""
        self.api.close()
        self.hubspot.close()
        self.service.end(signal.SIGTERM)
        self.sandbox.end(signal.SIGTERM)

    def contact(self, **planned: Any) -> str:
        """Make a contact in HubSpot, whose records its workflows will create; gives its id."""
        answer = self.hubspot.post("/_sandbox/contacts", json=planned)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def advance(self, span: str) -> None:
        """Let sandbox time jump."""
        self.hubspot.post("/_sandbox/time", json={"advance": span}).raise_for_status()

    def fault(self, **fault: Any) -> None:
        """Make HubSpot misbehave."""
        answer = self.hubspot.post("/_sandbox/faults", json=fault)
        assert answer.status_code == 201, answer.text

    def records(self, contact: str) -> dict[str, dict[str, Any]]:
        """The truth: the contact's records by slot."""
        truth = self.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
        return {slot: record for record in truth["records"] for slot in record["slots"]}

    def requests(self) -> list[dict[str, Any]]:
        """Every call HubSpot got."""
        return list(self.hubspot.get("/_sandbox/requests").json()["requests"])

    def sign_up(self, therapist: str, contact: str | None, **more: Any) -> None:
        """Report a sign-up."""
        body = {"kind": "first", "occurred_at": moment(), "portal": "demo", **more}
        if contact is not None:
            body["contact_id"] = contact
        answer = self.api.post(f"/v1/therapists/{therapist}/sign-ups", json=body)
        assert answer.status_code == 202, answer.text

    def submit(self, therapist: str, data: dict[str, Any], form: str = "ca", **more: Any) -> httpx2.Response:
        """Submit a form."""
        body = {"form": form, "occurred_at": moment(), "data": data, **more}
        answer = self.api.post(f"/v1/therapists/{therapist}/submissions", json=body)
        assert answer.status_code == 202, answer.text
        return answer

    def status(self, therapist: str) -> dict[str, Any]:
        """The therapist's status."""
        answer = self.api.get(f"/v1/therapists/{therapist}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until_state(self, therapist: str, state: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until the therapist is in a state; gives the status."""
        return until(
            lambda: s if (s := self.status(therapist))["state"] == state else None, seconds, f"state {state}"
        )

    def log_lines(self) -> list[dict[str, Any]]:
        """Every log line of every service process so far."""
        lines = []
        for number in range(1, self.services + 1):
            text = (self.folder / f"service-{number}.log").read_text(encoding="utf-8")
            lines += [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return lines


class _Process:
    def __init__(self, log: Path, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=out, stderr=subprocess.STDOUT, env=environment
            )

    def wait_for(self, pattern: str, seconds: float = 30) -> str:
        def found() -> str | None:
            text = self.log.read_text(encoding="utf-8")
            assert self._process.poll() is None, f"ended early:\n{text}"
            match = re.search(pattern, text)
            return match.group(1) if match else None

        return until(found, seconds, pattern)

    def end(self, how: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(15)
        finally:
            self._process.kill()


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


@contextmanager
def world(folder: Path, database_url: str, **options: Any) -> Iterator[World]:
    """A world that is ended whatever happens."""
    made = World(folder, database_url, **options)
    try:
        yield made
    finally:
        made.close()


def moment(seconds_ago: float = 0) -> str:
    """A moment as the API takes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def someone() -> str:
    """A new therapist's UUID."""
    return str(uuid.uuid4())
