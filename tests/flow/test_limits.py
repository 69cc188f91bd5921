"""HubSpot's limits, end to end: a share of the day, the day that is used up, a figure that differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, Select, select

from credsync.store.database import Database
from credsync.store.tables import leases, portals
from tests.flow.conftest import Fresh
from tests.flow.forms import ca
from tests.flow.world import PORTAL, World, someone, until, world


def lease(here: World) -> tuple[int, datetime]:
    """The portal's: its token rises with every process that takes it, its end with every heartbeat."""
    row = stored(here, select(leases.c.token, leases.c.expires_at).where(leases.c.name == "portal:demo"))
    return row.token, row.expires_at


def stored(here: World, query: Select[Any]) -> Row[Any]:
    """One row of the service's database."""
    database = Database(here.environment["CREDSYNC_DATABASE_URL"])
    with closing(database), database.read() as connection:
        return connection.execute(query).one()


def problem(here: World) -> str:
    """What keeps rounds from running, as the log told it last; empty while they run."""
    told = [line for line in here.log_lines() if line["event"] in ("portal.unusable", "portal.usable")]
    return str(told[-1].get("problem", "")) if told else ""


@pytest.fixture
def sharing(tmp_path: Path, fresh: Fresh) -> Iterator[World]:
    """A world whose portal may make 25 of the account's 625,000 daily calls."""
    text = PORTAL.read_text(encoding="utf-8")
    portal = tmp_path / "sharing.toml"
    portal.write_text(text.replace("[hubspot]\n", "[hubspot]\ndaily_share = 0.00004\n"), encoding="utf-8")
    with fresh.database(tmp_path) as url, world(tmp_path, url, token=fresh.token, portal=portal) as made:
        yield made


def test_a_share_of_the_day_is_kept_over_kill_9_and_what_comes_in_is_kept_too(
    sharing: World, tmp_path: Path
) -> None:
    """25 of 625,000 calls: then the portal says why it rests, and a new process makes not one call more."""
    here = sharing
    contact = here.contact(delay="1s")
    therapist = someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    while not problem(here):
        here.sync(therapist)
        until(lambda: problem(here) or here.nothing_unsent(therapist), 20, "a sync, or its end")
    assert "daily_share (4e-05) of HubSpot's" in problem(here)
    assert "after midnight in America/New_York" in problem(here)
    made = len(here.requests())
    assert len([r for r in here.requests() if r["kind"] != "associations"]) <= 25
    here.kill()
    token, _ = lease(here)
    here.start()
    until(lambda: lease(here)[0] > token, 20, "the new process to own the portal")
    here.sync(therapist)
    for _ in range(2):
        held = lease(here)
        until(lambda held=held: lease(here) != held, 20, "a heartbeat: by then, a round would have begun")
    assert here.status(therapist)["portal_state"] == "running"
    assert len(here.requests()) == made
    here.leaves(therapist, "the day has no calls left")


def test_a_day_that_all_apps_used_up_stops_the_portal_until_it_is_over(here: World) -> None:
    """HubSpot names the wait: not a call is made before it is over, what comes in is kept, and then it goes on."""
    contact = here.contact(delay="1s")
    therapist = someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    daily = {"status": 429, "policy": "DAILY", "headers": {"Retry-After": "120"}}
    here.fault(match={"path": "batch/read"}, times=1, answer=daily)
    here.sync(therapist)
    until(lambda: problem(here), 20, "the problem")
    assert "are used up by all apps of the account" in problem(here)
    until(lambda: problem(here) == "", 20, "that it is over")
    here.until_state(therapist, "in_sync")
    until(lambda: here.nothing_unsent(therapist), 20, "what waited")
    moments = [(datetime.fromisoformat(r["sandbox_at"]), r["status"]) for r in here.requests()]
    refused = next(at for at, status in moments if status == 429)
    since = [(at - refused).total_seconds() for at, _ in moments]
    assert [s for s in since if 30 < s < 119] == [], "what was under way ends within less than a second"
    assert max(since) >= 119


def test_hubspots_word_to_stop_for_today_outlives_kill_9(here: World, tmp_path: Path) -> None:
    """Never a call before it is allowed: a new process was not told, and makes none; all say why, and until when."""
    contact = here.contact(delay="1s")
    therapist = someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    hours = {"status": 429, "policy": "DAILY", "headers": {"Retry-After": str(40 * 3600)}}
    here.fault(match={"path": "batch/read"}, times=1, answer=hours)
    here.sync(therapist)
    until(lambda: problem(here), 20, "the problem")
    other = someone()
    here.sign_up(other, here.contact(delay="1s"))
    here.submit(other, ca())
    here.kill()
    token, _ = lease(here)
    made = len(here.requests())
    here.start()
    until(lambda: lease(here)[0] > token, 20, "the new process to own the portal")
    third = someone()
    here.sign_up(third, here.contact(delay="1s"))
    here.submit(third, ca())
    for _ in range(2):
        held = lease(here)
        until(lambda held=held: lease(here) != held, 20, "a heartbeat: by then, a round would have begun")
    assert "HubSpot's daily limit is used up" in here.cli("show", other, "--live", "--json").stdout
    assert len(here.requests()) == made
    ends = stored(here, select(portals.c.problem_until)).problem_until
    for each in (therapist, other, third):
        status = here.status(each)
        assert (status["state"], status["reason"]) == ("waiting", "rate_limited_daily"), status
        assert datetime.fromisoformat(status["next_look_at"]) == ends
        waiting = [w for w in status["writes"] if w["state"] not in ("written", "superseded")]
        assert {w["reason"] for w in waiting} == {"rate_limited_daily"}
        assert "are used up by all apps of the account" in status["portal_message"]
        here.leaves(each, "the day has no calls left")
    assert {link["reason"] for link in here.status(third)["links"]} == {"rate_limited_daily"}
    (alert,) = until(lambda: here.api.get("/v1/alerts").json()["alerts"], 20, "the alert")
    assert alert["kind"] == "rate_limited_daily"
    doctor = " ".join(here.cli("doctor").stdout.split())
    assert "are used up by all apps of the account" in doctor


def test_a_limit_that_differs_from_hubspots_is_told_once_with_the_remedy(here: World) -> None:
    """In the log and by doctor; the smaller figure is kept to."""
    here.hubspot.put("/_sandbox/settings", json={"calls_per_10s": 100}).raise_for_status()
    contact = here.contact(delay="1s")
    therapist = someone()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")
    told = [line for line in here.log_lines() if line["event"] == "limit.differs"]
    assert [line["remedy"] for line in told] == ["set calls_per_10s = 100 under [hubspot]"]
    doctor = here.cli("doctor").stdout
    assert "HubSpot allows 100 calls in 10 s, the portal file says 190 in 10 s" in " ".join(doctor.split())
