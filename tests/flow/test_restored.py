"""A backup of yesterday is restored, end to end: nothing older is written over what HubSpot got since."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.databases import PostgresServer
from tests.flow.conftest import Fresh
from tests.flow.forms import ca
from tests.flow.world import ACTIVE, ADDRESS, World, moment, someone, until


@pytest.fixture
def here(tmp_path: Path, fresh: Fresh) -> Iterator[World]:
    """A world that the oracle does not judge: what was acknowledged after the backup is forgotten on purpose."""
    with fresh.database(tmp_path) as url, closing(World(tmp_path, url, token=fresh.token)) as made:
        yield made


@pytest.fixture
def backup(here: World, request: pytest.FixtureRequest) -> tuple[Callable[[], None], Callable[[], None]]:
    """Takes a backup of a stopped service's database, and restores it."""
    url = here.environment["CREDSYNC_DATABASE_URL"]
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        kept = path.with_name("yesterday")

        def restore_file() -> None:
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            shutil.copyfile(kept, path)

        return lambda: shutil.copyfile(path, kept) and None, restore_file
    server: PostgresServer = request.getfixturevalue("postgres")
    name = url.rpartition("/")[2]
    copies: list[str] = []

    def restore_copy() -> None:
        server.drop_database(name)
        server.create_database(copies[0], name)

    return lambda: copies.append(server.create_database(name)), restore_copy


def restored(here: World, *, therapists: int) -> dict[str, Any] | None:
    """The open alert that a backup was restored, once so many therapists are beneath it."""
    told = here.api.get("/v1/alerts").json()["alerts"]
    found = (each for each in told if (each["kind"], each["therapists"]) == ("restored", therapists))
    return next(found, None)


def stop(here: World) -> None:
    """In order, so that the file alone is the whole database."""
    here.api.close()
    here.service.end(signal.SIGTERM)


def street(text: str) -> dict[str, Any]:
    """A form whose address says which submission it is."""
    made = ca()
    made["practice_preferences"]["treating_address"]["line1"] = text
    return made


def test_after_a_backup_was_restored_nothing_older_is_written_over_what_hubspot_got_since(
    here: World, backup: tuple[Callable[[], None], Callable[[], None]]
) -> None:
    """An older submission never overwrites a newer, though the database forgot the newer.

    `credsync db restored`: every link is in doubt until a look has found its record again; what was not sent by then is
    compared with its record: what is there counts as written, what differs is held, and an alert says so until nothing
    is; what the backend submits again is written.
    """
    take, restore = backup
    done, waiting, sent_since = someone(), someone(), someone()
    contacts = {done: here.contact(delay="1s")} | {
        therapist: here.contact(delay="4000s") for therapist in (waiting, sent_since)
    }
    for therapist, contact in contacts.items():
        here.sign_up(therapist, contact)
        here.submit(therapist, street("1 Yesterday St"), occurred_at=moment(60))
    ids = here.until_state(done, "in_sync")["ids"]
    for therapist in (waiting, sent_since):
        until(lambda who=therapist: here.link(who, ACTIVE).get("looks"), 20, "the first look")
    stop(here)
    take()

    here.start()
    later = {"data": street("2 Today St"), "occurred_at": moment()}
    for therapist in (done, waiting):
        here.submit(therapist, later["data"], occurred_at=later["occurred_at"])
    here.hubspot.post("/_sandbox/time", json={"advance": "4000s"}).raise_for_status()
    for therapist in contacts:
        here.until_state(therapist, "in_sync", 60)
    stop(here)
    restore()
    sent = len([r for r in here.requests() if "batch/update" in r["path"]])

    told = here.cli("db", "restored")
    assert told.returncode == 0, told.stderr
    assert "3 therapists are looked at again" in told.stdout
    assert here.cli("db", "restored").returncode == 0, "twice is once"
    here.start()
    assert here.until_state(done, "in_sync")["ids"] == ids
    until(
        lambda: s if (s := here.status(waiting))["state"] == "held" and s["complete"] else None,
        30,
        "its links",
    )
    assert here.writes(waiting, ADDRESS) == [("held", "restored_differs")]
    assert here.until_state(sent_since, "in_sync")["complete"], "it was sent after the backup"
    assert {(w["state"], w["reason"]) for w in here.status(sent_since)["writes"]} == {("written", "")}
    alert = until(lambda: restored(here, therapists=1), 30, "the alert")
    assert "submit again" in alert["remedy"]
    beneath = here.api.get(alert["therapists_url"]).json()["therapists"]
    assert [each["id"] for each in beneath] == [waiting]
    assert [r for r in here.requests() if "batch/update" in r["path"]][sent:] == []
    for therapist, line in ((done, "2 Today St"), (waiting, "2 Today St"), (sent_since, "1 Yesterday St")):
        assert here.records(contacts[therapist])[ADDRESS]["properties"]["street"] == line

    for therapist in (waiting, done):
        here.submit(therapist, later["data"], occurred_at=later["occurred_at"])
        here.until_state(therapist, "in_sync")
    assert here.writes(waiting, ADDRESS) == [("superseded", "newer_submission"), ("written", "")]
    assert here.records(contacts[waiting])[ADDRESS]["properties"]["street"] == "2 Today St"
    until(lambda: restored(here, therapists=1) is None, 30, "the alert's end")
