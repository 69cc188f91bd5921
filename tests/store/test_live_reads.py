"""The reserve of calls for people's questions, on either database and over all who share it."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select, update

from credsync.store.database import Database
from credsync.store.live_reads import SEATS, Seat, Wait, leave_seat, take_seat
from credsync.store.tables import live_reads

WINDOW = 10.0


def take(database: Database, portal: str = "alpha") -> Seat | Wait:
    with database.write() as connection:
        return take_seat(connection, portal, WINDOW)


def leave(database: Database, seat: Seat | Wait) -> None:
    assert isinstance(seat, Seat)
    with database.write() as connection:
        leave_seat(connection, seat)


def let_pass(database: Database, seconds: float) -> None:
    """As if so much time had passed: every seat was taken so much earlier."""
    with database.write() as connection:
        for row in connection.execute(select(live_reads)).all():
            earlier = row.at - timedelta(seconds=seconds)
            connection.execute(update(live_reads).where(live_reads.c.id == row.id).values(at=earlier))


def test_four_calls_have_a_seat_and_the_fifth_hears_when(database: Database) -> None:
    """It waits for the first to be a window old."""
    assert all(isinstance(take(database), Seat) for _ in range(SEATS))
    let_pass(database, 3)
    told = take(database)
    assert isinstance(told, Wait)
    assert WINDOW - 8 < told.seconds <= WINDOW - 3


def test_seats_are_free_again_after_a_window_and_nothing_older_is_kept(database: Database) -> None:
    """The table holds the last window, not a history."""
    for _ in range(SEATS):
        take(database)
    let_pass(database, WINDOW)
    assert isinstance(take(database), Seat)
    with database.read() as connection:
        assert len(connection.execute(select(live_reads)).all()) == 1


def test_the_window_rolls(database: Database) -> None:
    """One seat is free when one call is old enough, not four."""
    take(database)
    let_pass(database, 6)
    for _ in range(SEATS - 1):
        take(database)
    let_pass(database, 5)
    assert isinstance(take(database), Seat)
    assert isinstance(take(database), Wait)


def test_a_call_keeps_its_seat_until_a_window_after_it_ended(database: Database) -> None:
    """HubSpot may have received it at its very end."""
    seats = [take(database) for _ in range(SEATS)]
    let_pass(database, 9)
    for seat in seats:
        leave(database, seat)
    let_pass(database, 2)
    assert isinstance(take(database), Wait)


def test_portals_have_seats_of_their_own(database: Database) -> None:
    """HubSpot counts by account."""
    for _ in range(SEATS):
        take(database)
    assert isinstance(take(database, "beta"), Seat)


def test_no_more_than_four_get_a_seat_however_many_ask_at_once(database: Database) -> None:
    """Two opened databases are as two processes; each asks from eight threads at one moment."""
    other = Database(database.url.render_as_string(hide_password=False), database.clock)
    told: list[Seat | Wait] = []
    together = threading.Barrier(16)

    def ask(of: Database) -> None:
        together.wait(10)
        told.append(take(of))

    threads = [threading.Thread(target=ask, args=(each,)) for each in (database, other) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    other.close()
    assert sorted(type(each).__name__ for each in told) == ["Seat"] * SEATS + ["Wait"] * 12
