"""`credsync delays`: how long records take, and the contacts to enrol again as CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

from credsync.core.delays import Delay, Measure
from credsync.core.links import Link
from credsync.core.reasons import Reason
from credsync.store.database import Database
from credsync.store.delays import count_delays
from credsync.store.intake import accept_therapist
from credsync.store.links import Seen, save_links
from credsync.store.therapists import Door, Who
from tests.cli.conftest import Run

ACTIVE = "credentialing_active_attested"


def waiting(database: Database, number: int, minutes: float) -> str:
    """A therapist who has waited so long for the Credentialing; gives the UUID."""
    since = database.clock.now() - timedelta(minutes=minutes)
    who = Who(f"00000000-0000-4000-8000-{number:012d}", "demo", f"10{number}")
    link = Link(
        ACTIVE,
        True,
        since,
        reason=Reason.RECORD_AWAITED,
        first_missed_at=since + timedelta(seconds=4),
        last_looked_at=database.clock.now(),
        overdue_since=database.clock.now() if minutes > 30 else None,
    )
    with database.write() as connection:
        accept_therapist(connection, Door(since, timedelta(seconds=4)), who, None, None)
        save_links(connection, "demo", [Seen(who.therapist_id, {}, {ACTIVE: link})], {})
    return who.therapist_id


def test_delays_say_what_is_normal_and_who_waits(run: Run, database: Database) -> None:
    """What is normal, when a wait is overdue and why, and how many wait: for people, and as JSON."""
    assert (
        "too few to say what is normal (0 of 30); overdue after 30 min, the default; 0 wait"
        in run("delays").out
    )
    waiting(database, 1, 10)
    with database.write() as connection:
        spans = [timedelta(minutes=1 + n / 40) for n in range(120)]
        now = database.clock.now()
        count_delays(connection, "demo", [Delay(ACTIVE, Measure.FOUND, now, span) for span in spans])
    told = run("delays", "--slot", ACTIVE)
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == ACTIVE
    assert lines[1].startswith(
        "  normally 1 to 4 minutes; overdue after 5 min, learnt from 120; 1 waits, the longest"
    )
    assert lines[3].split()[1:3] == ["id", "120"]
    (as_json,) = json.loads(run("delays", "--slot", ACTIVE, "--json").out)["delays"]
    assert (as_json["waiting"], as_json["overdue_after_s"]) == (1, 300.0)


def test_the_contacts_to_enrol_again_come_as_csv(run: Run, database: Database) -> None:
    """The contacts whose record is late, as a list to enrol again."""
    first, _ = waiting(database, 1, 90), waiting(database, 2, 10)
    told = run("delays", "--reenrol", ACTIVE)
    (row,) = csv.DictReader(io.StringIO(told.out))
    assert (row["contact_id"], row["therapist_id"], row["portal"]) == ("101", first, "demo")
    assert json.loads(run("delays", "--reenrol", ACTIVE, "--json").out)["contacts"][0]["contact_id"] == "101"


def test_an_unknown_slot_or_portal_is_refused_with_those_there_are(run: Run, database: Database) -> None:
    for arguments in (("--slot", "x"), ("--reenrol", "x"), ("--portal", "x")):
        ended = run("delays", *arguments)
        assert ended.code == 2
        assert ("demo" if arguments[0] == "--portal" else ACTIVE) in ended.err
