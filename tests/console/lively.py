"""A console in which everything is the matter at once: each reason, each state of a write, each kind of alert."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from sqlalchemy import Connection, insert, update

from credsync.core.alerts import AlertKind
from credsync.core.delays import Delay, Measure
from credsync.core.events import EventName
from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.verdicts import Outcome
from credsync.core.writes import Cause, WriteState
from credsync.store import portals
from credsync.store.delays import count_delays
from credsync.store.tables import alerts, events, links, therapists, writes
from tests.api.service import contact
from tests.console.service import Console, serving_console

SLOT = "credentialing_active_attested"
OTHERS_WORDS = "HubSpot failed (500) <b>at 100% of %(it)s, {that} and {}</b>"
"""Nobody's template: whatever stands in it is shown as it is."""
_FAULTS = (
    "HubSpot refused the value of medicare: INVALID_OPTION",
    "the value is none of the property's options",
    "the text is longer than 65536 characters",
)
_PROBLEM = (
    "HubSpot's 250,000 calls for today are used up by all apps of the account; what comes in is kept, and goes on by "
    "itself after midnight in US/Eastern at the latest"
)


@contextmanager
def serving_lively_console(migrated: Path, folder: Path) -> Iterator[tuple[Console, list[str]]]:
    """It, on a database of its own, and the addresses of the therapists' pages."""
    path = folder / "credsync.db"
    shutil.copyfile(migrated, path)
    with serving_console(f"sqlite:///{path}") as console:
        yield console, enliven(console)


def enliven(console: Console) -> list[str]:
    """Make it so; gives the addresses of the therapists' pages, one for each reason."""
    pages = []
    states = cycle(LinkState)
    for number, reason in enumerate(reason for reason in Reason if reason is not Reason.NONE):
        known = {} if number == 1 else {"contact_id": contact()}
        pages.append(console.therapist(portal="alpha" if number % 3 else "beta", **known))
        with console.api.database.write() as connection:
            _stuck(connection, console, pages[-1].rpartition("/")[2], reason, next(states), number)
    with console.api.database.write() as connection:
        _portals(connection, console)
    return pages


def _stuck(
    connection: Connection, console: Console, therapist: str, reason: Reason, state: LinkState, number: int
) -> None:
    now = console.api.clock.now()
    mine = therapists.c.id == therapist
    states = ("waiting", "overdue", "held", "ambiguous", "refused", "partial", "given_up", "in_sync")
    connection.execute(
        update(therapists)
        .where(mine)
        .values(
            state=states[number % len(states)],
            reason=reason.value,
            settled_generation=therapists.c.generation,
            due_at=now + timedelta(seconds=0 if number % 2 else 90),
        )
    )
    row = {"therapist_id": therapist, "portal": "alpha" if number % 3 else "beta", "awaited": True}
    connection.execute(
        insert(links).values(
            **row,
            slot=SLOT,
            state=state.value,
            reason=reason.value,
            awaited_since=now,
            candidates=["801", "802"] if state is LinkState.AMBIGUOUS else [],
            looks=number % 3,
            record_id="800" if state is LinkState.FOUND else None,
            first_missed_at=now if number % 2 else None,
            record_created_at=now + timedelta(seconds=71) if number % 4 == 1 else None,
            overdue_since=now if state is LinkState.AWAITED and number % 2 else None,
            next_look_at=now + timedelta(minutes=number % 5),
        )
    )
    for place, write in enumerate(WriteState):
        connection.execute(
            insert(writes).values(
                therapist_id=therapist,
                enrolment=0,
                form=("sign_up", "ca", "af")[place % 3],
                slot=SLOT if place % 2 else "license.NY",
                cause=Cause.SUBMITTED.value,
                state=write.value,
                reason=reason.value,
                message=OTHERS_WORDS,
                submissions=[],
                submitted_at=now,
                attempts=place,
                properties=[
                    {"name": "medicare", "state": outcome.value, "code": "a_code", "message": fault}
                    for outcome, fault in zip(Outcome, cycle(_FAULTS), strict=False)
                ],
                correlation_ids=[],
            )
        )
    for event in EventName:
        connection.execute(
            insert(events).values(
                at=now,
                name=event.value,
                portal="alpha",
                therapist_id=therapist,
                details={"form": "ca", "attempt": 1, "reason": reason.value, "by": "success@example.org"},
            )
        )


def _portals(connection: Connection, console: Console) -> None:
    now = console.api.clock.now()
    for number, kind in enumerate(AlertKind):
        details = {
            AlertKind.PORTAL_FORBIDDEN: {"scopes": ["crm.objects.custom.read"]},
            AlertKind.PORTAL_UNUSABLE: {"problem": _PROBLEM},
        }
        connection.execute(
            insert(alerts).values(
                portal="alpha",
                kind=kind.value,
                object="license",
                slot="license",
                property="medicare" if number % 2 else "",
                verb="read" if number % 2 else "write",
                therapists=number,
                details=details.get(kind, {}),
                first_seen_at=now,
                last_seen_at=now,
            )
        )
    portals.pause(connection, "beta", "admin@example.org", "a test", now)
    portals.set_problem(connection, "alpha", _PROBLEM, AlertKind.RATE_LIMITED_DAILY)
    for slot, minutes in ((SLOT, 4), ("license", 90)):
        taken = [
            Delay(slot, Measure.FOUND, now - timedelta(hours=3), timedelta(minutes=n % minutes + 1))
            for n in range(40)
        ]
        count_delays(connection, "alpha", taken)
