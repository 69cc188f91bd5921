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
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests.oracle import Evidence, Told, judge

PORTAL = Path(__file__).parents[2] / "portals" / "demo.toml"
ACTIVE, MOVING = "credentialing_active_attested", "credentialing_relocation"
ADDRESS = "therapist_address_current"
_T = TypeVar("_T")


class World:
    """`speed` makes the sandbox's workflows and the service's schedule run faster; time-outs and leases do not.

    `settings` are the service's, by their names in the contract (`settle_after="40s"`). `judge` asks the oracle.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        delay: str = "90s",
        speed: float = 40.0,
        portal: Path = PORTAL,
        settings: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> None:
        self.folder = folder
        self.speed = speed
        self.told: list[Told] = []
        self.unfinished: dict[str, str] = {}
        self._settle_after = _seconds((settings or {}).get("settle_after", "10m")) / speed
        self._by_people: set[str] = set()
        self._slow: set[int] = set()
        self._observed: list[tuple[datetime, datetime | None]] = []
        self._interrupted: list[datetime] = []
        self._known: set[str] = set()
        self.sandbox = _Process(
            folder / "sandbox.log",
            [
                "credsync_sandbox",
                "--port",
                "0",
                "--portal",
                str(portal),
                "--delay",
                delay,
                "--speed",
                str(speed),
            ],
        )
        self.hubspot_url = self.sandbox.wait_for(r"sandbox listening on (http://\S+)")
        hooks = {"response": [self._note_person]}
        self.hubspot = httpx2.Client(base_url=self.hubspot_url, timeout=30, event_hooks=hooks)
        self.hubspot.put("/_sandbox/settings", json={"journal": True}).raise_for_status()
        self.portal = folder / "portals" / "demo.toml"
        self.portal.parent.mkdir()
        self.portal.write_text(
            portal.read_text(encoding="utf-8").replace("http://127.0.0.1:8090", self.hubspot_url),
            encoding="utf-8",
        )
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CREDSYNC_")},
            "CREDSYNC_DATABASE_URL": database_url,
            "CREDSYNC_PORTALS": str(folder / "portals" / "*.toml"),
            "CREDSYNC_BIND": "127.0.0.1:0",
            "CREDSYNC_HUBSPOT_TOKEN_DEMO": "a-token",
            "CREDSYNC_LEASE": "2s",
            **{f"CREDSYNC_{key.upper()}": value for key, value in (settings or {}).items()},
        }
        self.token = token or self.cli("token", "create", "test", "--scope", "admin").stdout.strip()
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
        hooks: dict[str, Any] = {"request": [self._note_asked], "response": [self._note_answered]}
        self.api = httpx2.Client(base_url=address, headers=headers, timeout=30, event_hooks=hooks)

    def kill(self) -> None:
        """kill -9: nothing gets a chance to tidy up."""
        self.api.close()
        self._interrupted.append(datetime.now(UTC))
        self.service.end(signal.SIGKILL)

    def observe_only(self, only: bool) -> None:
        """Start the service again with the portal in (or out of) observe-only mode."""
        self.api.close()
        self.service.end(signal.SIGTERM)
        text = self.portal.read_text(encoding="utf-8")
        modes = ('mode = "write"', 'mode = "observe"')
        old, new = modes if only else modes[::-1]
        assert old in text
        self.portal.write_text(text.replace(old, new), encoding="utf-8")
        if only:
            self._observed.append((datetime.now(UTC), None))
        else:
            self._observed[-1] = (self._observed[-1][0], datetime.now(UTC))
        self.start()

    def leaves(self, therapist: str, why: str) -> None:
        """Tell the oracle that this test leaves something of a therapist unwritten on purpose."""
        self.unfinished[therapist] = why

    def judge(self) -> None:
        """Let the oracle say what is wrong that it has not said before."""
        wrongs = {str(wrong) for wrong in judge(self.evidence())} - self._known
        self._known |= wrongs
        assert not wrongs, "the oracle found:\n" + "\n".join(sorted(wrongs))

    def evidence(self) -> Evidence:
        """What was told and what became of it, read again until nothing happens meanwhile."""
        ask = self.hubspot.get
        before = None
        while True:
            journal = ask("/_sandbox/journal").json()
            if journal["last_seq"] == before:
                break
            before = journal["last_seq"]
            truth = ask("/_sandbox/truth").json()["contacts"]
        return Evidence(
            portal=tomllib.loads(self.portal.read_text(encoding="utf-8")),
            told=list(self.told),
            requests=self.requests(),
            journal=journal["changes"],
            truth=truth,
            settle_after=timedelta(seconds=self._settle_after),
            by_people=frozenset(self._by_people),
            slow=frozenset(self._slow),
            observed=[(began, ended or datetime.now(UTC)) for began, ended in self._observed],
            interrupted=self._interrupted,
            unfinished=self.unfinished,
        )

    def _note_asked(self, request: httpx2.Request) -> None:
        if request.method in ("POST", "PUT") and request.url.path.startswith("/v1/"):
            body = json.loads(request.content or b"{}")
            self.told.append(Told(request.url.path, body, datetime.now(UTC), None))
            request.extensions["told"] = self.told[-1]

    def _note_answered(self, response: httpx2.Response) -> None:
        told = response.request.extensions.get("told")
        if told is None or response.status_code >= 500:
            return
        place = next(n for n, each in enumerate(self.told) if each is told)
        if response.is_success:
            self.told[place] = replace(told, answered=datetime.now(UTC))
        else:
            del self.told[place]

    def _note_person(self, response: httpx2.Response) -> None:
        correlation_id = response.headers.get("X-HubSpot-Correlation-Id")
        if correlation_id:
            self._by_people.add(correlation_id)

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
        if "answer" not in fault:
            self._slow.add(answer.json()["id"])

    def faults_met(self) -> int:
        """How many calls have met a fault that is still set."""
        return sum(fault["hits"] for fault in self.hubspot.get("/_sandbox/faults").json()["faults"])

    def change(self, action: str, **body: Any) -> dict[str, Any]:
        """Somebody changes a record in HubSpot: `delete`, `unlink`, `move`, …; gives what it then is."""
        answer = self.hubspot.post(f"/_sandbox/records/{action}", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def esu(self, contact: str, **order: Any) -> str:
        """The calling backend makes a second Credentialing and moves the labels to it; gives its id."""
        answer = self.hubspot.post("/_sandbox/esu", json={"contact": contact, **order})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["record"]["id"])

    def record(self, contact: str, record_id: str) -> dict[str, Any]:
        """The truth about one record of a contact, in a slot or not."""
        truth = self.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
        found: dict[str, Any] = next(record for record in truth["records"] if record["id"] == record_id)
        return found

    def records(self, contact: str) -> dict[str, dict[str, Any]]:
        """The truth: the contact's records by slot."""
        truth = self.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
        return {slot: record for record in truth["records"] for slot in record["slots"]}

    def looks(self, contact: str) -> int:
        """How many looks at this contact HubSpot has answered."""
        return len(
            [
                r
                for r in self.requests()
                if r["call"] == "associations batch/read"
                and f'"{contact}"' in r["text"]
                and r["status"] == 200
            ]
        )

    def tries(self, record_id: str) -> int:
        """How many updates have named this record."""
        updates = (r for r in self.requests() if r["call"] == "objects batch/update")
        return len([r for r in updates if f'"{record_id}"' in r["text"]])

    def looked(self, therapist: str, slot: str = ACTIVE) -> dict[str, Any]:
        """Wait until a slot that rounds go on looking at was looked at in a round that began after now; gives its link."""
        before = self.link(therapist, slot).get("looks", 0)

        def again() -> dict[str, Any] | None:
            link = self.link(therapist, slot)
            return link if link.get("looks", 0) >= before + 2 else None

        return until(again, 20, f"two more looks at {slot}")

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

    def extend(self, therapist: str, **more: Any) -> None:
        """Report an Extended Sign Up."""
        self.sign_up(therapist, None, kind="extended", **more)

    def sync(self, therapist: str, **more: Any) -> None:
        """Press Sync now."""
        answer = self.api.post(f"/v1/therapists/{therapist}/sync", json={"reason": "wanted", **more})
        assert answer.status_code == 202, answer.text

    def link(self, therapist: str, slot: str) -> dict[str, Any]:
        """The status's link of one slot; empty while there is none."""
        links: list[dict[str, Any]] = self.status(therapist)["links"]
        return next((link for link in links if link["slot"] == slot), {})

    def writes(self, therapist: str, slot: str) -> list[tuple[str, str]]:
        """State and reason of each write of a slot, oldest submission first."""
        found = [w for w in self.status(therapist)["writes"] if w["slot"] == slot]
        return [(w["state"], w["reason"]) for w in sorted(found, key=lambda w: str(w["submitted_at"]))]

    def diff(self, therapist: str) -> dict[str, Any]:
        """HubSpot now beside what would be written, asked again until all of it is known."""

        def whole() -> dict[str, Any] | None:
            answer = self.api.get(f"/v1/therapists/{therapist}/diff")
            assert answer.status_code in (200, 429), answer.text
            told: dict[str, Any] = answer.json()
            return told if answer.status_code == 200 and told["complete"] else None

        return until(whole, 30, "the differences")

    def nothing_unsent(self, therapist: str) -> bool:
        """Whether every write of a therapist has come to an end."""
        return not {w["state"] for w in self.status(therapist)["writes"]} & {"waiting", "due", "unknown"}

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
    """A world that is ended whatever happens, and judged if nothing else went wrong."""
    made = World(folder, database_url, **options)
    try:
        yield made
        made.judge()
    finally:
        made.close()


def _seconds(span: str) -> float:
    return float(span[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[span[-1]]


def moment(seconds_ago: float = 0) -> str:
    """A moment as the API takes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def someone() -> str:
    """A new therapist's UUID."""
    return str(uuid.uuid4())
