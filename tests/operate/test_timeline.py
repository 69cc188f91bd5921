"""What happened: to one therapist, and as a feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from credsync.core.events import EventName, TimelineEvent
from credsync.operate.packet import packet_markdown
from credsync.operate.timeline import feed, timeline_of
from credsync.store import timeline
from credsync.store.clock import say_time
from credsync.store.intake import accept_sync
from credsync.store.therapists import Door
from tests.operate.scene import ACTIVE, T0, Scene, awaited, uuid_of

ON_POSTGRESQL = pytest.mark.parametrize("scene", ["postgresql"], indirect=True)
"""SQLite has one writer at a time, and nothing to show here."""


def an_event(number: int = 1, name: EventName = EventName.LOOKUP_MISSED, at: datetime = T0) -> TimelineEvent:
    """Something that happened to a therapist."""
    return TimelineEvent(name, "alpha", uuid_of(number), "101", at, ACTIVE, None, {"looks": number})


def test_a_timeline_is_one_therapists_alone_oldest_first(scene: Scene) -> None:
    scene.sign_up(1, "101")
    scene.sign_up(2, "102")
    scene.clock.wait(60)
    scene.submit(1)
    scene.store(1, [awaited()], events=[an_event()])
    with scene.database.read() as connection:
        told = timeline_of(connection, uuid_of(1))
    assert [each["event"] for each in told] == ["sign_up.completed", "form.submitted", "lookup.missed"]
    assert told[2] == {
        "id": told[2]["id"],
        "event": "lookup.missed",
        "at": say_time(T0),
        "portal": "alpha",
        "therapist_id": uuid_of(1),
        "contact_id": "101",
        "slot": ACTIVE,
        "record_id": None,
        "details": {"looks": 1},
    }


def test_the_feed_goes_on_where_it_ended(scene: Scene) -> None:
    with scene.database.write() as connection:
        timeline.append(connection, [an_event(number) for number in range(1, 6)])
    with scene.database.read() as connection:
        first = feed(connection, 0, limit=2)
        second = feed(connection, first["next_after"], limit=2)
        third = feed(connection, second["next_after"], limit=2)
        end = feed(connection, third["next_after"])
    looks = [[each["details"]["looks"] for each in part["events"]] for part in (first, second, third, end)]
    assert looks == [[1, 2], [3, 4], [5], []]
    assert end["next_after"] == third["next_after"]


def test_the_feed_can_be_of_some_events_alone(scene: Scene) -> None:
    names = [EventName.LINK_FOUND, EventName.LOOKUP_MISSED, EventName.WRITE_WRITTEN, EventName.LINK_FOUND]
    with scene.database.write() as connection:
        timeline.append(connection, [an_event(number, name) for number, name in enumerate(names)])
    with scene.database.read() as connection:
        told = feed(connection, 0, ["link.found", "write.written"])
    assert [each["event"] for each in told["events"]] == ["link.found", "write.written", "link.found"]


@ON_POSTGRESQL
def test_the_feed_waits_for_a_place_that_is_taken_and_not_committed(scene: Scene) -> None:
    """On PostgreSQL the first to take a place may commit last: a reader must not go past it."""
    now = datetime.now(UTC)
    with scene.database.write() as slow:
        timeline.append(slow, [an_event(1, at=now)])
        with scene.database.write() as quick:
            timeline.append(quick, [an_event(2, at=now)])
        with scene.database.read() as connection:
            before = feed(connection, 0)
    with scene.database.read() as connection:
        after = feed(connection, before["next_after"])
    assert before == {"events": [], "next_after": 0}
    assert [each["details"]["looks"] for each in after["events"]] == [1, 2]


@ON_POSTGRESQL
def test_the_feed_tells_what_stands_before_the_gap(scene: Scene) -> None:
    now = datetime.now(UTC)
    with scene.database.write() as connection:
        timeline.append(connection, [an_event(1, at=now)])
    with scene.database.write() as slow:
        timeline.append(slow, [an_event(2, at=now)])
        with scene.database.write() as quick:
            timeline.append(quick, [an_event(3, at=now)])
        with scene.database.read() as connection:
            told = feed(connection, 0)
    assert [each["details"]["looks"] for each in told["events"]] == [1]


def test_a_place_that_was_rolled_back_holds_the_feed_up_for_a_moment_only(scene: Scene) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=1)

    def rolled_back(connection: Connection) -> None:
        timeline.append(connection, [an_event(2, at=long_ago)])
        raise RuntimeError

    with scene.database.write() as connection:
        timeline.append(connection, [an_event(1, at=long_ago)])
    scene.database.write_together([rolled_back])
    with scene.database.write() as connection:
        timeline.append(connection, [an_event(3, at=long_ago)])
    with scene.database.read() as connection:
        assert [each["details"]["looks"] for each in feed(connection)["events"]] == [1, 3]


def test_why_somebody_pressed_sync_now_is_told_and_not_logged(scene: Scene) -> None:
    """The reason of a Sync now stands in timeline and packet, and in no log line.

    It is a person's own sentence, and may name somebody.
    """
    scene.sign_up()
    reason = "Ann's mother called *twice*"
    with scene.database.write() as connection:
        taken = accept_sync(connection, Door(T0, timedelta(0)), uuid_of(1), reason, False, "support")
    with capture_logs() as logged:
        timeline.log(taken.events)
    assert [(line["event"], line["requested_by"]) for line in logged] == [("sync.requested", "support")]
    assert "mother" not in str(logged)
    packet = scene.packet()
    pressed = packet["timeline"][-1]
    assert (pressed["event"], pressed["details"]["said"]) == ("sync.requested", reason)
    assert r"said Ann's mother called \*twice\*" in packet_markdown(packet)
