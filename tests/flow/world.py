"""A whole small world for one test: a sandbox process, a service process that may be killed, and a caller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.flow.caller import ACTIVE, ADDRESS, MOVING, Caller, moment, someone
from tests.flow.hubspot_side import HubSpotSide
from tests.flow.processes import Process, run, until
from tests.oracle import Evidence, judge

__all__ = ["ACTIVE", "ADDRESS", "MOVING", "World", "moment", "someone", "until", "world"]

PUBLIC_URL = "https://credsync.example.org"
WEBHOOK_SECRET = "a-client-secret"
PORTAL = Path(__file__).parents[2] / "portals" / "demo.toml"


class World(HubSpotSide, Caller):
    """`speed` makes the sandbox's workflows and the service's schedule run faster; time-outs and leases do not.

    `settings` are the service's, by their names in the contract (`settle_after="40s"`). `judge` asks the oracle.
    What was started is ended when a start fails.
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
        self.folder, self.database_url = folder, database_url
        self.speed = speed
        self.services = 0
        self.service: Process
        self.unfinished: dict[str, str] = {}
        self._settle_after = _seconds((settings or {}).get("settle_after", "10m")) / speed
        self._observed: list[tuple[datetime, datetime | None]] = []
        self._interrupted: list[datetime] = []
        self._known: set[str] = set()
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            options = ["--port", "0", "--portal", str(portal), "--delay", delay, "--speed", str(speed)]
            self.sandbox = Process(folder / "sandbox.log", ["credsync_sandbox", *options])
            self.hubspot_url = self.sandbox.wait_for(r"sandbox listening on (http://\S+)")
            HubSpotSide.__init__(self, self.hubspot_url)
            Caller.__init__(self)
            self.portal = folder / "portals" / "demo.toml"
            self.portal.parent.mkdir()
            text = portal.read_text(encoding="utf-8").replace("http://127.0.0.1:8090", self.hubspot_url)
            self.portal.write_text(text, encoding="utf-8")
            self.environment = {
                **{k: v for k, v in os.environ.items() if not k.startswith("CREDSYNC_")},
                "CREDSYNC_DATABASE_URL": database_url,
                "CREDSYNC_PORTALS": str(folder / "portals" / "*.toml"),
                "CREDSYNC_BIND": "127.0.0.1:0",
                "CREDSYNC_HUBSPOT_TOKEN_DEMO": "a-token",
                "CREDSYNC_LEASE": "2s",
                "CREDSYNC_PUBLIC_URL": PUBLIC_URL,
                "CREDSYNC_WEBHOOK_SECRET_DEMO": WEBHOOK_SECRET,
                **{f"CREDSYNC_{key.upper()}": value for key, value in (settings or {}).items()},
            }
            self.token = token or self.cli("token", "create", "test", "--scope", "admin").stdout.strip()
            self.start()
            on_failure.pop_all()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return run(["credsync", *arguments], self.environment)

    def start(self) -> None:
        """Start the service (again)."""
        self.services += 1
        log = self.folder / f"service-{self.services}.log"
        self.service = Process(log, ["credsync", "serve", "--speed", str(self.speed)], self.environment)
        self.connect(self.service.wait_for(r'"address": ?"(http://[^"]+)"'), self.token)

    def close(self) -> None:
        """End whatever was started, by its id."""
        with ExitStack() as ending:
            for name in ("sandbox", "service"):
                if hasattr(self, name):
                    ending.callback(getattr(self, name).end, signal.SIGTERM)
            for name in ("hubspot", "api"):
                if hasattr(self, name):
                    ending.callback(getattr(self, name).close)

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

    def hooks(self, secret: str = WEBHOOK_SECRET, **manner: Any) -> None:
        """HubSpot sends its webhooks from here on, by way of a proxy that has the service's public address.

        `manner` is how they come, as `/_sandbox/webhooks` takes it: `drop`, `shuffled`, `doubled`, `late`, …
        """
        path = "/v1/webhooks/hubspot/demo"
        signed_as = f"{PUBLIC_URL}{path}"
        told = {
            "url": f"{str(self.api.base_url).rstrip('/')}{path}",
            "secret": secret,
            "signed_as": signed_as,
        }
        self.hubspot.post("/_sandbox/webhooks", json={**told, **manner}).raise_for_status()

    def leaves(self, therapist: str, why: str) -> None:
        """Tell the oracle that this test leaves something of a therapist unwritten on purpose."""
        self.unfinished[therapist] = why

    def judge(self) -> None:
        """Let the oracle say what is wrong that it has not said before."""
        wrongs = {str(wrong) for wrong in judge(self.evidence())} - self._known
        self._known |= wrongs
        assert not wrongs, "the oracle found:\n" + "\n".join(sorted(wrongs))

    def evidence(self) -> Evidence:
        """What was told and what became of it."""
        journal, truth = self.history()
        return Evidence(
            portal=tomllib.loads(self.portal.read_text(encoding="utf-8")),
            told=list(self.told),
            requests=self.requests(),
            journal=journal,
            truth=truth,
            settle_after=timedelta(seconds=self._settle_after),
            by_people=frozenset(self.by_people),
            slow=frozenset(self.slow),
            observed=[(began, ended or datetime.now(UTC)) for began, ended in self._observed],
            interrupted=self._interrupted,
            unfinished=self.unfinished,
        )

    def log_lines(self) -> list[dict[str, Any]]:
        """Every log line of every service process so far."""
        lines = []
        for number in range(1, self.services + 1):
            text = (self.folder / f"service-{number}.log").read_text(encoding="utf-8")
            lines += [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return lines


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
