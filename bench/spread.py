"""What spreading over processes costs and gives: takeover, the way from a fact to its round, idling, fair shares.

PostgreSQL is one of its own, with every commit durable; HubSpot is the stand-in. Each figure is of real processes.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from sqlalchemy import select

from bench.portal import NAME, Applicant
from bench.processes import BenchFailed, Process, command, sandbox_process, temporary_folder
from bench.report import Row, percentile
from credsync.store.database import Database
from credsync.store.schema import upgrade
from credsync.store.tables import leases
from tests.databases import PostgresServer, own_server

TTL = 12.0
TAKEN_WITHIN = 15.0
ROUND_WITHIN = 0.05
IDLE_FOR = 30.0
MOST_IDLE = 2.0
FAIR = 0.9
_UP = re.compile(r'"(service\.started)"')
_ADDRESS = re.compile(r'"address": ?"(http://[^"]+)"')
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")
_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK")


class Crowd:
    """The service's processes over one database and one stand-in."""

    def __init__(self, folder: Path, url: str, sandbox: Process, settings: Mapping[str, str]) -> None:
        self.folder, self.url, self.sandbox = folder, url, sandbox
        self.settings = {
            "bind": "127.0.0.1:0",
            "database_url": url,
            "portals": "portals/*.toml",
            **settings,
        }
        self.running: dict[str, Process] = {}
        self._starts = 0
        self.database = Database(url)
        upgrade(self.database)
        self.token = command(folder, self.settings, "token", "create", "bench", "--scope", "admin").strip()

    def start(self, name: str, *arguments: str) -> Process:
        """Start a process and wait until it is up."""
        self._starts += 1
        made = Process(
            f"{name}-{self._starts}", ("credsync", "serve", *arguments), self.folder, self.settings
        )
        self.running[name] = made
        made.wait_for(_ADDRESS if "worker" not in arguments else _UP)
        return made

    def owner(self) -> tuple[str, int]:
        """Who holds the measured portal, and its token."""
        with self.database.read() as connection:
            row = connection.execute(
                select(leases.c.owner, leases.c.token).where(leases.c.name == f"portal:{NAME}")
            ).one_or_none()
        return (row.owner, row.token) if row is not None else ("", 0)

    def close(self) -> None:
        """End all of them."""
        for each in self.running.values():
            each.stop()
        self.database.close()


@contextmanager
def crowd(
    on: str, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[Crowd, PostgresServer | None]]:
    """A stand-in, a database, and no process of the service yet."""
    with ExitStack() as undo:
        folder = undo.enter_context(temporary_folder())
        sandbox = undo.enter_context(sandbox_process(folder, speed=100.0))
        server = undo.enter_context(own_server()) if on == "postgresql" else None
        if server is not None:
            server.admin.execute("ALTER SYSTEM SET synchronous_commit = on")
            server.admin.execute("SELECT pg_reload_conf()")
        url = (
            server.url(server.create_database()) if server is not None else f"sqlite:///{folder}/credsync.db"
        )
        made = Crowd(folder, url, sandbox, settings or {})
        undo.callback(made.close)
        yield made, server


def takeovers(kills: int, lease: float = TTL) -> list[float]:
    """Seconds from kill -9 of the portal's owner until the other worker has taken it, on PostgreSQL."""
    found: list[float] = []
    with crowd("postgresql", {"lease": f"{lease:g}s"}) as (here, _):
        for name in ("worker-1", "worker-2"):
            here.start(name, "--only", "worker")
        for _ in range(kills):
            owner, token = _settled(here)
            name = next(n for n, p in here.running.items() if f":{p.id}:" in owner)
            began = time.monotonic()
            here.running[name].kill()
            while here.owner()[1] == token:
                if time.monotonic() - began > 5 * TAKEN_WITHIN:
                    raise BenchFailed("nobody took the portal over")
                time.sleep(0.02)
            found.append(time.monotonic() - began)
            here.start(name, "--only", "worker")
    return found


def _settled(here: Crowd) -> tuple[str, int]:
    """An owner among the processes that run."""
    ends = time.monotonic() + 60
    while True:
        owner, token = here.owner()
        if any(f":{each.id}:" in owner for each in here.running.values()):
            return owner, token
        if time.monotonic() > ends:
            raise BenchFailed("no process owns the portal")
        time.sleep(0.05)


def until_rounds(on: str, submits: int, *, apart: bool, listen: bool = True) -> list[float]:
    """Seconds from a submit's acknowledgement to the first call of its round, where the links are found.

    `apart`: API and worker are processes of their own.
    """
    with crowd(on, {"listen": "true" if listen else "false"}) as (here, _):
        api = here.start("api", *(("--only", "api") if apart else ()))
        if apart:
            here.start("worker", "--only", "worker")
        headers = {"Authorization": f"Bearer {here.token}"}
        with (
            httpx2.Client(base_url=api.url, headers=headers, timeout=30) as service,
            httpx2.Client(base_url=here.sandbox.url, timeout=30) as hubspot,
        ):
            person = Applicant(1)
            contact = str(hubspot.post("/_sandbox/contacts", json={}).json()["id"])
            hubspot.post("/_sandbox/time", json={"advance": "1h"}).raise_for_status()
            _tell(service, person, "sign-ups", kind="first", portal=NAME, contact_id=contact)
            _tell(service, person, "submissions", form="ca", data=person.application())
            _until(lambda: _in_sync(service, person), 60, "the first write")
            found = []
            for number in range(submits):
                hubspot.delete("/_sandbox/requests")
                data = person.application()
                data["practice_preferences"]["bio"] = f"Tells of itself {number}"
                _tell(service, person, "submissions", form="ca", data=data)
                told = datetime.now().astimezone()
                first = _until(lambda: _first_look(hubspot), 30, "its round")
                found.append(max(0.0, (first - told).total_seconds()))
                _until(lambda: _in_sync(service, person), 30, "its write")
    return found


def _tell(service: httpx2.Client, person: Applicant, what: str, **body: Any) -> None:
    told = {"occurred_at": datetime.now().astimezone().isoformat(), **body}
    answer = service.post(f"/v1/therapists/{person.id}/{what}", json=told)
    if answer.status_code != 202:
        raise BenchFailed(f"{what}: {answer.text[:300]}")


def _in_sync(service: httpx2.Client, person: Applicant) -> bool:
    writes = service.get(f"/v1/therapists/{person.id}").json()["writes"]
    return bool(writes) and all(each["state"] == "written" for each in writes)


def _first_look(hubspot: httpx2.Client) -> datetime | None:
    calls = hubspot.get("/_sandbox/requests").json()["requests"]
    looks = [each for each in calls if each["call"] == "associations batch/read"]
    return min((datetime.fromisoformat(each["at"]) for each in looks), default=None)


def idle(portals: int) -> tuple[float, float]:
    """Statements a second of one whole process at rest that owns so many portals on PostgreSQL; and with BEGIN, COMMIT."""
    with crowd("postgresql") as (here, server):
        assert server is not None
        assert server.cluster is not None
        copy_portal(here.folder, portals)
        here.settings |= _tokens(portals)
        here.start("service")
        _until(lambda: _owned(here) == portals, 60, "every portal's owner")
        time.sleep(5.0)
        for change in ("log_statement = 'all'", "log_line_prefix = '%a|'"):
            server.admin.execute(f"ALTER SYSTEM SET {change}".encode())
        server.admin.execute("SELECT pg_reload_conf()")
        time.sleep(1.0)
        log = server.cluster.home / "log"
        before = log.stat().st_size
        time.sleep(IDLE_FOR)
        text = log.read_bytes()[before:].decode(errors="replace")
    said = [found[1] for line in text.splitlines() if (found := _STATEMENT.search(line))]
    statements = [each for each in said if not each.startswith(_TRANSACTION)]
    return len(statements) / IDLE_FOR, len(said) / IDLE_FOR


def copy_portal(folder: Path, number: int) -> None:
    """So many portals in all, with the same HubSpot: files with other names."""
    text = (folder / "portals" / f"{NAME}.toml").read_text(encoding="utf-8")
    for each in range(2, number + 1):
        (folder / "portals" / f"{NAME}-{each}.toml").write_text(text, encoding="utf-8")


def _tokens(number: int) -> dict[str, str]:
    return {f"hubspot_token_{NAME}_{each}": "a-token-of-the-sandbox" for each in range(2, number + 1)}


def _owned(here: Crowd) -> int:
    with here.database.read() as connection:
        names = connection.execute(select(leases.c.name)).scalars()
        return sum(1 for name in names if name.startswith("portal:"))


@dataclass(frozen=True, slots=True)
class Fairness:
    """Writes of each portal in the same seconds, and the processor time of all workers in them."""

    written: list[int]
    owners: list[int]
    seconds: float
    cpu: float


def fairness(portals: int, workers: int, people: int, seconds: float) -> Fairness:
    """All portals have more to do than there is time for: what each gets done."""
    with crowd("postgresql") as (here, _):
        copy_portal(here.folder, portals)
        here.settings |= _tokens(portals)
        api = here.start("api", "--only", "api")
        names = [NAME, *(f"{NAME}-{each}" for each in range(2, portals + 1))]
        headers = {"Authorization": f"Bearer {here.token}"}
        with (
            httpx2.Client(base_url=api.url, headers=headers, timeout=30) as service,
            httpx2.Client(base_url=here.sandbox.url, timeout=30) as hubspot,
        ):
            limits = {"calls_per_10s": 1_000_000, "association_calls_per_10s": 1_000_000}
            hubspot.put("/_sandbox/settings", json=limits).raise_for_status()
            crowd_of = [
                (name, Applicant(n * 1_000 + k)) for n, name in enumerate(names) for k in range(people)
            ]
            for name, person in crowd_of:
                contact = str(hubspot.post("/_sandbox/contacts", json={}).json()["id"])
                _tell(service, person, "sign-ups", kind="first", portal=name, contact_id=contact)
            hubspot.post("/_sandbox/time", json={"advance": "1h"}).raise_for_status()
            running = [here.start(f"worker-{n}", "--only", "worker") for n in range(workers)]
            _until(lambda: _owned(here) == portals, 60, "every portal's owner")
            time.sleep(25.0)
            began, cpu = time.monotonic(), sum(each.cpu_seconds() for each in running)
            number = 0
            while time.monotonic() - began < seconds:
                name, person = crowd_of[(number * people + number // portals) % len(crowd_of)]
                data = person.application()
                data["practice_preferences"]["bio"] = f"Tells of itself {number}"
                _tell(service, person, "submissions", form="ca", data=data)
                number += 1
            took = time.monotonic() - began
            used = sum(each.cpu_seconds() for each in running) - cpu
            time.sleep(0.5)
        with psycopg.connect(here.url) as connection:
            written = dict(
                connection.execute(
                    "SELECT t.portal, count(*) FROM writes w JOIN therapists t ON t.id = w.therapist_id "
                    "WHERE w.state = 'written' GROUP BY 1"
                ).fetchall()
            )
            owners = Counter(
                owner
                for (owner,) in connection.execute("SELECT owner FROM leases WHERE name LIKE 'portal:%'")
            )
    return Fairness([int(written.get(name, 0)) for name in names], sorted(owners.values()), took, used)


def _until(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    ends = time.monotonic() + seconds
    while not (found := ask()):
        if time.monotonic() > ends:
            raise BenchFailed(f"waited {seconds:g} s for {what}")
        time.sleep(0.005)
    return found


def takeover_rows(found: list[float], lease: float) -> list[Row]:
    """The lines of the table. Targets: issue 5, "Measures"."""
    half, most = percentile(found, 0.5), percentile(found, 0.95)
    default = lease == TTL
    return [
        Row(
            f"kill -9 of a portal's owner until another has it, lease {lease:g} s, {len(found)} kills",
            f"p50 {half:.1f} s, p95 {most:.1f} s, longest {max(found):.1f} s",
            target=f"<= {TAKEN_WITHIN:g} s" if default else "",
            met=max(found) <= TAKEN_WITHIN if default else None,
        )
    ]


def round_rows(found: Mapping[str, list[float]]) -> list[Row]:
    """From a submit's acknowledgement to its round's first call."""
    return [
        Row(
            f"submit with links found until its round calls HubSpot, {what}",
            f"p50 {percentile(each, 0.5) * 1e3:.0f} ms, p95 {percentile(each, 0.95) * 1e3:.0f} ms",
            target=f"p95 <= {ROUND_WITHIN * 1e3:.0f} ms" if "polling" not in what else "",
            met=percentile(each, 0.95) <= ROUND_WITHIN if "polling" not in what else None,
        )
        for what, each in found.items()
    ]


def idle_rows(portals: int, statements: float, with_transactions: float) -> list[Row]:
    """Statements a second at rest."""
    return [
        Row(
            f"statements of an idle process with {portals} portal{'s' if portals > 1 else ''}",
            f"{statements:.2f} a second ({with_transactions:.2f} with BEGIN and COMMIT)",
            target=f"<= {MOST_IDLE:g}",
            met=statements <= MOST_IDLE,
        )
    ]


def fair_rows(found: Fairness) -> list[Row]:
    """Many portals over several processes."""
    ratio = min(found.written) / max(found.written)
    return [
        Row(
            f"{len(found.written)} portals on {len(found.owners)} processes, all with work: slowest / fastest",
            f"{ratio:.2f}; portals by process: {found.owners}",
            target=f">= {FAIR}",
            met=ratio >= FAIR,
        ),
        Row(
            "  together",
            f"{sum(found.written) / found.seconds:,.0f} writes a second, workers {found.cpu / found.seconds:.2f} processors",
        ),
    ]
