"""Delays as they are kept: counts by bucket, once each, and who waits now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event, func, select

from credsync.core.deadlines import Deadline, Source
from credsync.core.delays import Delay, Measure
from credsync.core.links import Link, LinkState
from credsync.core.reasons import Reason
from credsync.store.database import Database
from credsync.store.delays import (
    count_delays,
    deadlines_of,
    delays_by_week,
    forget_old_delays,
    keep_creation_times,
    keep_deadlines,
    waiting_now,
)
from credsync.store.intake import accept_therapist
from credsync.store.links import Seen, save_links
from credsync.store.tables import delays, links
from credsync.store.therapists import Door, Who
from credsync.store.workflows import came_since, slots_with_late, to_enrol_again, waiting_for
from tests.core.builders import ACTIVE, NJ, NY, PORTAL, T0, at
from tests.operate.scene import uuid_of

SECOND = timedelta(seconds=1)


def delay(seconds: float, since: float = 0, slot: str = ACTIVE) -> Delay:
    return Delay(slot, Measure.FOUND, at(since), seconds * SECOND)


def holding(database: Database, *known: Link, therapist: int = 1) -> None:
    """A therapist with these links."""
    who = Who(uuid_of(therapist), "alpha", f"10{therapist}")
    with database.write() as connection:
        accept_therapist(connection, Door(T0, SECOND), who, None, None)
        save_links(connection, "alpha", [Seen(who.therapist_id, {}, {k.slot: k for k in known})], {})


def test_delays_add_up_by_slot_week_and_bucket(database: Database) -> None:
    """However many delays come, there are as many rows as buckets."""
    statements: list[str] = []
    with database.write() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        for _ in range(3):
            count_delays(connection, "alpha", [delay(90 + n / 10_000) for n in range(400)])
        count_delays(connection, "alpha", [delay(600), delay(90, 7 * 86_400), delay(9, slot="license")])
        count_delays(connection, "beta", [delay(90)])
        count_delays(connection, "alpha", [])
        rows = connection.execute(select(func.count()).select_from(delays)).scalar_one()
    assert (rows, len(statements)) == (5, 6)
    with database.read() as connection:
        told = delays_by_week(connection, "alpha")
    assert told[ACTIVE]["2026-03-02"][Measure.FOUND].count == 1_201
    assert told[ACTIVE]["2026-03-09"][Measure.FOUND].count == 1
    assert told["license"]["2026-03-02"][Measure.FOUND].count == 1


def test_old_weeks_are_dropped(database: Database) -> None:
    with database.write() as connection:
        count_delays(connection, "alpha", [delay(9, -92 * 86_400), delay(9, -84 * 86_400), delay(9)])
        count_delays(connection, "beta", [delay(9, -92 * 86_400)])
        forget_old_delays(connection, "alpha", T0)
        assert sorted(delays_by_week(connection, "alpha")[ACTIVE]) == ["2025-12-08", "2026-03-02"]
        assert delays_by_week(connection, "beta")


def test_a_creation_time_is_taken_once_and_only_for_the_record_that_is_there(database: Database) -> None:
    """A creation time that comes later ends its delay, once."""
    holding(
        database,
        Link(ACTIVE, True, T0, LinkState.FOUND, Reason.NONE, "7", found_at=at(90), measured_from=T0),
        Link(NY, True, T0, LinkState.FOUND, Reason.NONE, "8", found_at=at(90)),
        Link(NJ, True, T0, LinkState.FOUND, Reason.NONE, "9", found_at=at(90), measured_from=T0),
    )
    therapist = uuid_of(1)
    told = {
        (therapist, ACTIVE, "7"): at(80),
        (therapist, NY, "8"): at(80),
        (therapist, NJ, "1"): at(80),
    }
    for news in (2, 0):
        with database.write() as connection:
            assert keep_creation_times(connection, "alpha", told) == news
    with database.read() as connection:
        counted = delays_by_week(connection, "alpha")
        kept = {
            row.slot: (row.record_created_at, row.measured_from) for row in connection.execute(select(links))
        }
    assert kept == {ACTIVE: (at(80), None), NY: (at(80), None), NJ: (None, T0)}
    assert list(counted) == [ACTIVE]
    assert counted[ACTIVE]["2026-03-02"][Measure.CREATED].count == 1


def test_the_creation_of_a_record_that_is_gone_is_not_its_successors(database: Database) -> None:
    """It may be told while a round is under way that finds another record in the slot."""
    claimed = Link(ACTIVE, True, T0, LinkState.FOUND, Reason.NONE, "7", found_at=at(90), measured_from=T0)
    holding(database, claimed)
    therapist, found = uuid_of(1), replace(claimed, record_id="8", found_at=at(99))
    with database.write() as connection:
        keep_creation_times(connection, "alpha", {(therapist, ACTIVE, "7"): at(80)})
        save_links(connection, "alpha", [Seen(therapist, {ACTIVE: claimed}, {ACTIVE: found})], {})
    with database.read() as connection:
        row = connection.execute(select(links)).one()
    assert (row.record_id, row.record_created_at, row.measured_from) == ("8", None, T0)


def test_who_waits_is_counted_by_slot_without_the_given_up(database: Database) -> None:
    waits = Link(ACTIVE, True, T0)
    holding(database, waits, replace(waits, slot=NY, awaited_since=at(-9)), replace(waits, slot=NJ))
    holding(
        database,
        replace(waits, state=LinkState.GIVEN_UP),
        replace(waits, slot=NY, awaited=False),
        therapist=2,
    )
    with database.read() as connection:
        told = waiting_now(connection, "alpha")
    assert {slot: (each.count, each.since) for slot, each in told.items()} == {
        ACTIVE: (1, T0),
        "license": (2, at(-9)),
    }


def test_deadlines_are_kept_as_they_were_judged(database: Database) -> None:
    learnt = Deadline(ACTIVE, 725 * SECOND, Source.LEARNT, 214, (60 * SECOND, 240 * SECOND))
    default = Deadline("license", 1_800 * SECOND, Source.DEFAULT, 3)
    with database.write() as connection:
        keep_deadlines(connection, "alpha", [learnt, default])
        assert deadlines_of(connection, "alpha") == {ACTIVE: learnt, "license": default}
        keep_deadlines(connection, "alpha", [default])
        assert deadlines_of(connection, "alpha") == {"license": default}
        assert deadlines_of(connection, "beta") == {}


def test_who_is_late_is_read_over_the_index_of_those_who_wait(database: Database) -> None:
    """However many links there are, only those who wait are read."""
    asked: list[tuple[str, object]] = []
    for number in range(1, 60):
        links_of_one = [
            Link(slot, True, T0, LinkState.FOUND, Reason.NONE, f"{number}{slot}") for slot in (ACTIVE, NY)
        ]
        holding(database, *links_of_one, therapist=number)
    holding(database, Link(ACTIVE, True, T0), therapist=60)
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        rule = PORTAL.slots[ACTIVE]
        slots_with_late(connection, "alpha", [rule, PORTAL.slots["license"]], T0, 3)
        waiting_for(connection, "alpha", rule)
        came_since(connection, "alpha", rule, T0)
        to_enrol_again(connection, "alpha", ACTIVE)
    if database.is_sqlite:
        plans = []
        with database.read() as connection:
            for query, values in asked:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()  # type: ignore[arg-type]
                plans.append(str(rows))
        indexes = ("ix_links_waiting", "ix_links_waiting", "ix_links_found", "ix_links_overdue")
        assert [index in plan for index, plan in zip(indexes, plans, strict=True)] == [True] * 4, plans
        assert "TEMP B-TREE" not in plans[1]
