"""What one round costs with everybody in it: HubSpot calls and bytes, SQL statements, and where its time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import event

from bench.ground import ground
from bench.judge import Calls, Judge
from bench.portal import NAME, Applicant
from bench.report import Row
from credsync.core.facts import SignUpKind
from credsync.core.forms import check_form
from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.hubspot.client import CallRecord, HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.logs import configure_logs
from credsync.reconcile.round import Round
from credsync.store import intake, leases, schema, therapists
from credsync.store.database import Database

SOON = timedelta(milliseconds=1)
LATE = 3_600.0
"""Sandbox seconds until the records come: no earlier than the third round."""
HURRY = Policy(look_again_min=SOON, look_again_share=1e-9, coalesce=SOON)
"""Everybody is due again at once, so that every round holds everybody."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One round's."""

    what: str
    therapists: int
    sent: int
    calls: Calls
    statements: int
    rows: int
    """Parameter sets: a statement may be carried out for many rows."""
    seconds: float
    in_database: float
    in_hubspot: float
    """Summed over the calls, some of which are under way at once."""


class Meter:
    """Counts what goes to the database and to HubSpot."""

    def __init__(self) -> None:
        self.statements = self.rows = 0
        self.in_database = self.in_hubspot = 0.0
        self._began = 0.0

    def watch(self, database: Database) -> None:
        """Count this database's statements."""
        event.listen(database.engine, "before_cursor_execute", self._before)
        event.listen(database.engine, "after_cursor_execute", self._after)

    def called(self, call: CallRecord) -> None:
        """A call has ended."""
        self.in_hubspot += call.seconds

    def _before(
        self, _connection: Any, _cursor: Any, _statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        self.statements += 1
        self.rows += len(parameters) if many and isinstance(parameters, list) else 1
        self._began = time.perf_counter()

    def _after(
        self, _connection: Any, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: bool
    ) -> None:
        self.in_database += time.perf_counter() - self._began


def measure(therapists: int = 1_000) -> list[Cost]:
    """Three rounds over the same therapists: their first look finds nothing, the next neither, the third everything."""
    with (
        ground() as on,
        new_database(on.folder) as database,
        logging_to(on.folder / "rounds.log"),
    ):
        apply_all(database, on.portal, dict(enumerate(on.judge.make_contacts(therapists, LATE))))
        return anyio.run(_rounds, database, on.portal, on.judge, therapists)


async def _rounds(database: Database, portal: Portal, judge: Judge, therapists: int) -> list[Cost]:
    meter = Meter()
    meter.watch(database)
    costs: list[Cost] = []
    async with HubSpotClient(
        portal.hubspot.base_url, "a-token-of-the-sandbox", on_call=meter.called
    ) as client:
        edge = Edge(portal, client)
        names = await edge.names(database.clock.now())
        with database.write() as connection:
            lease = leases.acquire(connection, f"portal:{NAME}", "bench", 600)
        assert lease is not None
        for what in (
            "first look, nothing there",
            "another look, nothing there",
            "all there: found and written",
        ):
            if what.startswith("all"):
                judge.advance(LATE)
            since, statements, rows = judge.last_call(), meter.statements, meter.rows
            database_before, hubspot_before, began = meter.in_database, meter.in_hubspot, time.perf_counter()
            report = await Round(database, edge, names, lease, HURRY).run()
            costs.append(
                Cost(
                    what,
                    report.therapists,
                    report.sent,
                    judge.calls(since),
                    meter.statements - statements,
                    meter.rows - rows,
                    time.perf_counter() - began,
                    meter.in_database - database_before,
                    meter.in_hubspot - hubspot_before,
                )
            )
    assert costs[0].therapists == therapists
    return costs


@contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """The service's own log lines, as JSON, where they cost what they cost and nobody reads them."""
    with file.open("w", encoding="utf-8") as output, redirect_stderr(output):
        configure_logs("json")
        yield


@contextmanager
def new_database(folder: Path) -> Iterator[Database]:
    """An empty one of the newest schema, on disk."""
    database = Database(f"sqlite:///{folder / 'credsync.db'}")
    schema.upgrade(database)
    try:
        yield database
    finally:
        database.close()


def apply_all(database: Database, portal: Portal, people: dict[int, str]) -> None:
    """Everybody signs up and submits, and is due at once; contacts by the applicant's number."""
    now = datetime.now(UTC)
    door = therapists.Door(now, SOON)
    with database.write() as connection:
        for number, contact_id in people.items():
            applicant = Applicant(number)
            who = therapists.Who(applicant.id, portal.name, contact_id)
            data = check_form("ca", applicant.application(), portal.custom).data
            intake.accept_sign_up(connection, door, who, SignUpKind.FIRST, now, False, None)
            intake.accept_submission(connection, door, who, "ca", now, None, data)


def rows(costs: list[Cost]) -> list[Row]:
    """The lines of the table; without a target."""
    told = []
    for cost in costs:
        calls = ", ".join(
            f"{count} {call.removeprefix('POST ')}" for call, count in cost.calls.by_call.items()
        )
        each = cost.statements / cost.therapists
        told.append(
            Row(
                f"round of {cost.therapists:,}: {cost.what}",
                f"{cost.calls.total} calls ({calls}); {cost.calls.bytes_in / 1e3:,.0f} kB out, "
                f"{cost.calls.bytes_out / 1e3:,.0f} kB in",
            )
        )
        told.append(
            Row(
                "",
                f"{cost.statements:,} statements for {cost.rows:,} rows ({each:.2f} a therapist); time: "
                f"{cost.in_database / cost.seconds:.0%} in SQL cursors, "
                f"{cost.in_hubspot / cost.seconds:.0%} in calls, the rest in Python",
            )
        )
    return told
