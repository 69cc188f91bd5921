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
    held; what the backend submits again is written.
    """
    take, restore = backup
    done, waiting = someone(), someone()
    contacts = {done: here.contact(delay="1s"), waiting: here.contact(delay="4000s")}
    for therapist, contact in contacts.items():
        here.sign_up(therapist, contact)
        here.submit(therapist, street("1 Yesterday St"), occurred_at=moment(60))
    ids = here.until_state(done, "in_sync")["ids"]
    until(lambda: here.link(waiting, ACTIVE).get("looks"), 20, "the first look")
    stop(here)
    take()

    here.start()
    later = {"data": street("2 Today St"), "occurred_at": moment()}
    for therapist in contacts:
        here.submit(therapist, later["data"], occurred_at=later["occurred_at"])
    here.hubspot.post("/_sandbox/time", json={"advance": "4000s"}).raise_for_status()
    for therapist in contacts:
        here.until_state(therapist, "in_sync", 60)
    stop(here)
    restore()
    sent = len([r for r in here.requests() if "batch/update" in r["path"]])

    told = here.cli("db", "restored")
    assert told.returncode == 0, told.stderr
    assert "2 therapists are looked at again" in told.stdout
    assert here.cli("db", "restored").returncode == 0, "twice is once"
    here.start()
    assert here.until_state(done, "in_sync")["ids"] == ids
    held = until(
        lambda: s if (s := here.status(waiting))["state"] == "held" and s["complete"] else None,
        30,
        "its links",
    )
    assert {(w["state"], w["reason"]) for w in held["writes"]} == {("held", "restored")}
    assert [r for r in here.requests() if "batch/update" in r["path"]][sent:] == []
    for contact in contacts.values():
        assert here.records(contact)[ADDRESS]["properties"]["street"] == "2 Today St"

    here.submit(waiting, later["data"], occurred_at=later["occurred_at"])
    until(lambda: ("written", "") in here.writes(waiting, ADDRESS), 20, "what is submitted again")
    here.sync(waiting)
    here.until_state(waiting, "in_sync")
    assert here.records(contacts[waiting])[ADDRESS]["properties"]["street"] == "2 Today St"
    here.submit(done, later["data"], occurred_at=later["occurred_at"])
    here.until_state(done, "in_sync")
