"""The stand-in and the service's processes over one database, each of which may be killed or stopped at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import tomllib
from collections import defaultdict
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from credsync.core.events import EventName
from credsync.store.database import Database
from credsync.store.tables import events
from tests.flow.caller import Caller
from tests.flow.hubspot_side import HubSpotSide
from tests.flow.processes import Process, run, until
from tests.oracle import Evidence

PORTAL = Path(__file__).parents[2] / "portals" / "demo.toml"
SPEED = 20.0
"""The schedule, the workflows and the limits run so much faster; leases, heartbeats and time-outs do not."""
LEASE = "1s"
LATENCY = "30ms"
"""Of each HubSpot call, so that a moment by chance is often one in the middle of a round."""
ALL_IN_ONE = {"service": ()}
"""A SQLite file serves one worker."""
SPREAD = {
    "api": ("--only", "api"),
    "worker-1": ("--only", "worker"),
    "worker-2": ("--only", "worker"),
}
LIMITS = ("calls_per_10s", "association_calls_per_10s")
COMES_UP_WITHIN = 180.0
"""Seconds; a few on a machine that is not busy."""
_STARTED = '"service.started"'


class Stage(HubSpotSide, Caller):
    """Everything that runs. Whoever makes one closes it.

    `limits` are HubSpot's, of all calls but associations and of associations, as the portal file says them, too.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        layout: dict[str, tuple[str, ...]],
        *,
        speed: float = SPEED,
        limits: tuple[int, int] = (190, 150),
    ) -> None:
        self._speed = speed
        self.folder = folder
        self.layout = layout
        self.interrupted: list[datetime] = []
        self.stalled: list[tuple[datetime, datetime]] = []
        self._starts = 0
        self._running: dict[str, Process] = {}
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            options = ["--port", "0", "--portal", str(PORTAL), "--delay", "lognormal:40s:0.6"]
            options += ["--speed", f"{speed:g}", "--latency", LATENCY]
            self._sandbox = Process(folder / "sandbox.log", ["credsync_sandbox", *options])
            url = self._sandbox.wait_for(r"sandbox listening on (http://\S+)")
            HubSpotSide.__init__(self, url)
            Caller.__init__(self)
            self.portal = folder / "portals" / "demo.toml"
            self.portal.parent.mkdir()
            text = PORTAL.read_text(encoding="utf-8").replace("http://127.0.0.1:8090", url)
            told = {}
            for name, most, said in zip(LIMITS, limits, (190, 150), strict=True):
                text = text.replace(f"\n{name} = {said}\n", f"\n{name} = {most}\n")
                told[name] = most
            self.hubspot.put("/_sandbox/settings", json=told).raise_for_status()
            self.portal.write_text(text, encoding="utf-8")
            port = _free_port()
            self.environment = {
                **{k: v for k, v in os.environ.items() if not k.startswith("CREDSYNC_")},
                "CREDSYNC_DATABASE_URL": database_url,
                "CREDSYNC_PORTALS": str(folder / "portals" / "*.toml"),
                "CREDSYNC_BIND": f"127.0.0.1:{port}",
                "CREDSYNC_HUBSPOT_TOKEN_DEMO": "a-token",
                "CREDSYNC_LEASE": LEASE,
            }
            made = run(["credsync", "token", "create", "storm", "--scope", "admin"], self.environment)
            assert made.returncode == 0, made.stderr
            for name in layout:
                self.start(name)
            self.connect(f"http://127.0.0.1:{port}", made.stdout.strip())
            self.wait_ready()
            on_failure.pop_all()

    def start(self, name: str) -> None:
        """Start a process; it is ready some time later."""
        self._starts += 1
        log = self.folder / f"{name}-{self._starts}.log"
        arguments = ["credsync", "serve", "--speed", f"{self._speed:g}", *self.layout[name]]
        self._running[name] = Process(log, arguments, self.environment)

    def ready(self) -> list[str]:
        """The processes that have come up."""
        return [name for name, each in self._running.items() if _STARTED in each.log.read_text("utf-8")]

    def wait_ready(self) -> None:
        """Until all of them have."""
        until(lambda: len(self.ready()) == len(self.layout), COMES_UP_WITHIN, "every process")

    def kill(self, name: str) -> None:
        """kill -9, and start it again."""
        self.interrupted.append(datetime.now(UTC))
        self._running[name].end(signal.SIGKILL)
        self.start(name)

    def end_in_order(self, name: str) -> None:
        """SIGTERM: it frees its leases and ends. Then start it again."""
        self._running[name].end(signal.SIGTERM)
        self.start(name)

    def processes(self) -> dict[int, str]:
        """What each running process is called here, by its id."""
        return {each.id: name for name, each in self._running.items()}

    def freeze(self, name: str) -> datetime:
        """SIGSTOP; gives when."""
        os.kill(self._running[name].id, signal.SIGSTOP)
        return datetime.now(UTC)

    def thaw(self, name: str, since: datetime) -> None:
        """SIGCONT."""
        self.stalled.append((since, datetime.now(UTC)))
        os.kill(self._running[name].id, signal.SIGCONT)

    def check_alive(self) -> None:
        """Raises `AssertionError` if a process ended that nobody killed."""
        for each in self._running.values():
            each.wait_for("(.)")

    def evidence(self) -> Evidence:
        """What was told and what became of it."""
        journal, truth = self.history()
        return Evidence(
            portal=tomllib.loads(self.portal.read_text(encoding="utf-8")),
            told=list(self.told),
            requests=self.requests(),
            journal=journal,
            truth=truth,
            settle_after=timedelta(seconds=600 / self._speed),
            by_people=frozenset(self.by_people),
            slow=frozenset(self.slow),
            interrupted=[*self.interrupted, *self._leases_lost()],
            stalled=list(self.stalled),
            claims=self._claims(),
        )

    def _claims(self) -> dict[str, list[datetime]]:
        """When each round that wrote a record began, as the timeline tells."""
        found: dict[str, list[datetime]] = defaultdict(list)
        query = select(events.c.record_id, events.c.at).where(events.c.name == EventName.WRITE_SENT.value)
        with (
            closing(Database(self.environment["CREDSYNC_DATABASE_URL"])) as database,
            database.read() as read,
        ):
            for record_id, at in read.execute(query):
                found[record_id].append(at)
        return dict(found)

    def _leases_lost(self) -> list[datetime]:
        """When a process was so slow that its lease ran out, and said so: a round ended there, as by a kill."""
        lines = (line for log in self.folder.glob("*.log") for line in log.read_text("utf-8").splitlines())
        return [datetime.fromisoformat(json.loads(line)["at"]) for line in lines if '"lease.lost"' in line]

    def close(self) -> None:
        """End whatever was started, by its id."""
        with ExitStack() as ending:
            if hasattr(self, "_sandbox"):
                ending.callback(self._sandbox.end, signal.SIGTERM)
            for each in self._running.values():
                ending.callback(each.end, signal.SIGKILL)
            for name in ("hubspot", "api"):
                if hasattr(self, name):
                    ending.callback(getattr(self, name).close)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
