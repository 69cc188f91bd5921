"""alerts: what is wrong, for people and for machines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from credsync.core.events import EventName
from credsync.core.facts import SignUpKind
from credsync.store.database import Database
from credsync.store.intake import accept_sign_up
from credsync.store.tables import alerts, links
from credsync.store.therapists import Door, Who
from credsync.store.timeline import after
from tests.cli.conftest import Run

ANN = "0191a7c2-0000-7000-8000-00000000000a"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
SLOT = "credentialing_active_attested"


@pytest.fixture
def late(database: Database) -> Database:
    """Ann's Credentialing is late: alert 1; alert 2 is over."""
    with database.write() as connection:
        door = Door(AT, timedelta(seconds=3))
        who = Who(ANN, "demo", "123456", "Ann")
        accept_sign_up(connection, door, who, SignUpKind.FIRST, AT, False, None)
        link = {"therapist_id": ANN, "slot": SLOT, "portal": "demo", "awaited": True, "awaited_since": AT}
        link |= {"overdue_since": AT, "state": "awaited", "reason": "record_awaited", "candidates": []}
        connection.execute(insert(links).values(**link, looks=9))
        about = {"portal": "demo", "kind": "overdue", "object": "credentialing", "slot": SLOT, "verb": ""}
        about |= {"property": "", "therapists": 1, "details": {}, "first_seen_at": AT, "last_seen_at": AT}
        connection.execute(insert(alerts).values(about))
        connection.execute(insert(alerts).values(**about, closed_at=AT))
    return database


@pytest.mark.usefixtures("late")
def test_open_alerts_are_listed(run: Run) -> None:
    """One line per cause; --json is what the API says."""
    told = run("alerts")
    assert (told.code, told.err) == (0, "")
    _, line = told.out.splitlines()
    assert "credentialing record of slot" in line
    assert "2026-01-05 12:00:00Z" in line
    (alert,) = json.loads(run("alerts", "--json").out)["alerts"]
    assert (alert["id"], alert["therapists"]) == ("1", 1)
    assert len(run("alerts", "--state", "all").out.splitlines()) == 3
    assert run("alerts", "--state", "closed").out.count("closed") == 1


@pytest.mark.usefixtures("late")
def test_one_alert_is_shown_with_whom_it_hits(run: Run) -> None:
    """What to do, and the contacts to enrol again."""
    told = run("alerts", "1")
    assert told.code == 0
    assert ANN in told.out
    assert "123456" in told.out
    assert "workflow" in told.out
    shown = json.loads(run("alerts", "1", "--json").out)
    assert [each["id"] for each in shown["therapists"]] == [ANN]


def test_an_alert_is_acknowledged(run: Run, late: Database) -> None:
    """Who said so and what they said stand there from then on; the alert stays open."""
    told = run("alerts", "1", "--acknowledge", "--note", "asked the administrator")
    assert told.code == 0
    assert "asked the administrator" in told.out
    (alert,) = json.loads(run("alerts", "--json").out)["alerts"]
    assert alert["acknowledged_by"].startswith("cli:")
    with late.read() as connection:
        (told,) = after(connection, 0, [EventName.ALERT_ACKNOWLEDGED.value])
    assert (told.event.details["by"], told.event.details["alert_id"]) == (alert["acknowledged_by"], "1")


@pytest.mark.usefixtures("database")
def test_nothing_wrong_is_said(run: Run) -> None:
    """An empty list is a good answer."""
    assert run("alerts").out == "Nothing is wrong.\n"


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["alerts", "--state", "new"], 2, "--state"),
        (["alerts", "--portal", "gamma"], 2, "--portal"),
        (["alerts", "x"], 2, "ALERT"),
        (["alerts", "--acknowledge"], 2, "ALERT"),
        (["alerts", "1", "--note", "x"], 2, "--acknowledge"),
        (["alerts", "77"], 1, "no alert 77"),
        (["alerts", "77", "--acknowledge"], 1, "no alert 77"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, arguments: list[str], code: int, word: str) -> None:
    """With what would."""
    told = run(*arguments)
    assert told.code == code
    assert word in told.err
