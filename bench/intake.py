"""How many whole Credentialing Applications a second go in over HTTP, each durable before its answer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean

from bench import clients
from bench.portal import NAME, Applicant
from bench.processes import Stage, stage
from bench.report import Row, percentile, times
from bench.service import connected
from bench.spread import crowd
from tests.core.forms.samples import whole_ca

CLIENTS = 16
FIRST = 100_000
"""The first therapist's number, above those of other measures on the same stage."""
MOST = 20_000
"""Submissions after which a run ends, however long it was to take."""
FASTEST = 3_000
"""Submissions written out beforehand for each second: more than are taken in."""
LEAST, SLOWEST = 500, 0.05
"""What is aimed at: submissions a second at least, seconds of the p95 answer at most."""
_WHOLE = whole_ca()


@dataclass(frozen=True, slots=True)
class Intake:
    """What was taken in; `cpu` is the service's processor seconds, `commit` the seconds of one bare durable commit."""

    accepted: int
    kept: int
    seconds: float
    answers: list[float]
    cpu: float
    commit: float
    body_bytes: int

    @property
    def per_second(self) -> float:
        """Submissions a second."""
        return self.accepted / self.seconds


def measure(seconds: float = 10.0, settings: Mapping[str, str] | None = None) -> tuple[Intake, Intake]:
    """Two runs: the portal paused, so that nothing competes, then with rounds that look for all of them."""
    with stage(settings=settings) as on:
        asyncio.run(_let_rounds_run(on, False))
        alone = measure_on(on, seconds)
        asyncio.run(_let_rounds_run(on, True))
        return alone, measure_on(on, seconds, FIRST + MOST)


def measure_on(on: Stage, seconds: float, first: int = FIRST) -> Intake:
    """One run on any stage, with therapists numbered from `first`."""
    most = min(MOST, int(seconds * FASTEST) + CLIENTS)
    calls = clients.shared_out((_call(on, person) for person in range(first, first + most)), CLIENTS)
    before, cpu = _kept(on), on.service.cpu_seconds()
    sent = clients.send(on.service.url, calls, seconds)
    used, kept = on.service.cpu_seconds() - cpu, _kept(on) - before
    answers = sent.answers
    return Intake(len(answers), kept, sent.seconds, answers, used, bare_commit(on), len(_body(0)))


def with_and_without_notify(seconds: float) -> tuple[list[float], list[float]]:
    """Submissions a second on PostgreSQL through an API alone: announcing each, and not; by turns, twice each."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(4):
        announces = turn in (0, 3)
        with crowd("postgresql", {"listen": "true" if announces else "false"}) as (here, _):
            api = here.start("api", "--only", "api")
            most = int(seconds * FASTEST) + CLIENTS
            calls = clients.shared_out(
                (_call_at(api.url, here.token, person) for person in range(FIRST, FIRST + most)), CLIENTS
            )
            sent = clients.send(api.url, calls, seconds)
        found[announces].append(len(sent.answers) / sent.seconds)
    return found[True], found[False]


def _kept(on: Stage) -> int:
    """Submissions on disk, as another process reads them."""
    with closing(sqlite3.connect(on.folder / "credsync.db")) as database:
        return int(database.execute("SELECT count(*) FROM submissions").fetchone()[0])


async def _let_rounds_run(on: Stage, run: bool) -> None:
    async with connected(on) as service:
        await (service.resume() if run else service.pause())


def bare_commit(on: Stage, commits: int = 200) -> float:
    """Seconds of one durable commit of one row on this disk, nothing else: the least that durability costs."""
    with closing(sqlite3.connect(on.folder / "bare.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE IF NOT EXISTS bare (body TEXT)")
        text = _body(0).decode()
        began = time.monotonic()
        for _ in range(commits):
            database.execute("INSERT INTO bare VALUES (?)", (text,))
        return (time.monotonic() - began) / commits


def _call(on: Stage, person: int) -> bytes:
    return _call_at(on.service.url, on.token, person)


def _call_at(url: str, token: str, person: int) -> bytes:
    path = f"/v1/therapists/{Applicant(person).id}/submissions"
    return clients.request(url, path, token, _body(person))


def _body(number: int) -> bytes:
    told = {
        "form": "ca",
        "occurred_at": datetime.now(UTC).isoformat(),
        "portal": NAME,
        "contact_id": str(900_000_000 + number),
        "data": _WHOLE,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def say(found: Intake) -> str:
    """The run in a line: what bounds it."""
    each = found.seconds / found.accepted
    return (
        f"{found.accepted:,} of {found.body_bytes:,} bytes in {found.seconds:.1f} s, {CLIENTS} clients; "
        f"each takes {each * 1e3:.2f} ms of the service, of which {found.cpu / found.accepted * 1e3:.2f} ms are "
        f"processor time; a bare durable commit of the same text takes {found.commit * 1e3:.2f} ms"
    )


def rows(alone: Intake, beside_rounds: Intake) -> list[Row]:
    """The lines of the table. Targets: issue 3, "Measures"."""
    bare = 1 / alone.commit
    accepted, kept = alone.accepted + beside_rounds.accepted, alone.kept + beside_rounds.kept
    return [
        Row(
            f"whole applications taken in, {CLIENTS} clients, durable",
            f"{alone.per_second:,.0f} a second, {_answers(alone)}",
            f"{bare:,.0f} a second (bare commits of the same text)",
            times(bare, alone.per_second),
            f">= {LEAST:,} a second, p95 <= {SLOWEST * 1e3:.0f} ms",
            alone.per_second >= LEAST and percentile(alone.answers, 0.95) <= SLOWEST,
        ),
        Row("  what bounds it", bound(alone)),
        Row(
            "  the same while rounds look for all of them",
            f"{beside_rounds.per_second:,.0f} a second, {_answers(beside_rounds)}",
        ),
        Row("  accepted and kept", f"{kept:,} of {accepted:,}", "", "", "all", kept == accepted),
    ]


def notify_rows(announcing: Sequence[float], silent: Sequence[float]) -> list[Row]:
    """What announcing costs: every commit that notifies waits for the one before it."""
    with_it, without = mean(announcing), mean(silent)
    return [
        Row(
            f"the same on PostgreSQL, an API alone, each announced by NOTIFY; {len(announcing)} runs by turns",
            f"{with_it:,.0f} a second",
            f"{without:,.0f} a second without NOTIFY",
            times(without, with_it),
        )
    ]


def bound(found: Intake) -> str:
    """What keeps it from being faster: its own processor time, or what it waits for.

    The process runs Python on one processor at a time; a run that keeps it busy nine tenths of the time is bound by that.
    """
    each, share = found.cpu / found.accepted, found.cpu / found.seconds
    what = "processor time" if share >= 0.9 else "waiting for the disk, or for a processor that others hold"
    return f"{what}: {each * 1e3:.2f} ms of processor each, {share:.0%} of the time"


def _answers(found: Intake) -> str:
    half, most = (percentile(found.answers, share) * 1e3 for share in (0.5, 0.95))
    return f"answered in p50 {half:.0f} ms, p95 {most:.0f} ms"
