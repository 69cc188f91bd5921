"""People, their sessions and links, and the counting of attempts: the same on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select

from credsync.core.people import Role
from credsync.store import audit, people, sessions, set_up_links
from credsync.store.database import Database
from credsync.store.people import Person
from credsync.store.people_tables import sessions as sessions_table
from credsync.store.people_tables import set_up_links as links_table
from credsync.store.people_tables import sign_in_attempts
from credsync.store.sign_in_attempts import Count, begin_attempt, succeeded
from tests.store.test_row_locks import until_it_waits_or_ends

_T = TypeVar("_T")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BY = "cli:test"


def act(database: Database, change: Callable[[Connection], _T]) -> _T:
    """In a transaction of its own."""
    with database.write() as connection:
        return change(connection)


def added(database: Database, email: str = "ada@example.org", role: Role = Role.ADMIN) -> Person:
    """Somebody who was let in and has set up a password."""
    person = act(database, lambda c: people.add_person(c, email, role, BY, NOW))
    link = act(database, lambda c: set_up_links.make_link(c, person, BY, NOW))
    assert act(database, lambda c: set_up_links.use_link(c, link, None, "hash", NOW))
    return person


def deeds(database: Database) -> list[str]:
    """What the audit tells, oldest first."""
    with database.read() as connection:
        assert audit.verify(connection).broken is None
        return [row.entry.act for row in reversed(audit.page(connection, limit=100))]


def test_an_address_is_kept_in_lower_case_and_once(database: Database) -> None:
    """So that nobody is two people."""
    added(database, " Ada@Example.org ")
    with database.read() as connection:
        assert people.person_of(connection, "ada@example.org")
    with pytest.raises(people.EmailTaken):
        added(database, "ADA@example.org")


@pytest.mark.parametrize("text", ["", "ada", "a b@example.org", "ada@", "@example.org", "a@b@c", "a\x00@b.c"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With what is expected."""
    with pytest.raises(people.BadEmail, match="expected"):
        people.email_of(text)


def test_a_link_is_for_a_quarter_of_an_hour_and_for_once(database: Database) -> None:
    """Looking at it changes nothing; used, it lets nobody in; a new one ends the one before; only digests are kept."""
    person = act(database, lambda c: people.add_person(c, "ada@example.org", Role.VIEWER, BY, NOW))
    old = act(database, lambda c: set_up_links.make_link(c, person, BY, NOW))
    link = act(database, lambda c: set_up_links.make_link(c, person, BY, NOW))
    with database.read() as connection:
        for _ in range(2):
            assert set_up_links.set_up_of(connection, link, NOW + 14 * MINUTE)
        assert set_up_links.set_up_of(connection, link, NOW + 15 * MINUTE) is None
        assert set_up_links.set_up_of(connection, old, NOW) is None
        assert link not in str(connection.execute(select(links_table)).all())
    late = NOW + 15 * MINUTE
    assert act(database, lambda c: set_up_links.use_link(c, link, None, "h", late)) is None
    assert act(database, lambda c: set_up_links.use_link(c, old, None, "h", NOW)) is None
    assert act(database, lambda c: set_up_links.use_link(c, link, None, "first", NOW)) == person
    assert act(database, lambda c: set_up_links.use_link(c, link, None, "second", NOW)) is None
    with database.read() as connection:
        found = people.password_hash_of(connection, person.email)
    assert found is not None
    assert found[1] == "first"
    assert deeds(database) == [
        "person.added",
        "person.link_made",
        "person.link_made",
        "person.password_set",
    ]


def test_two_who_use_a_link_at_once_are_one(database: Database) -> None:
    """Also two links of the first start: there is one first admin."""
    first, second = (act(database, lambda c: set_up_links.make_first_link(c, NOW)) for _ in range(2))
    assert first
    assert second
    start, done = threading.Barrier(3), []

    def use(number: int) -> None:
        start.wait()
        email = f"{number}@example.org"
        done.append(act(database, lambda c: set_up_links.use_link(c, second, email, "h", NOW)))

    threads = [threading.Thread(target=use, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
    assert sum(each is not None for each in done) == 1
    with database.read() as connection:
        [only] = people.everybody(connection)
    assert only.role is Role.ADMIN
    assert act(database, lambda c: set_up_links.use_link(c, first, "late@example.org", "h", NOW)) is None
    assert act(database, lambda c: set_up_links.make_first_link(c, NOW)) is None


def test_a_session_holds_while_it_is_used_and_ends_for_good(database: Database) -> None:
    """Idle, old, signed out, revoked, its person disabled or with a new password: nobody's session any more."""
    person = added(database)
    opened = [act(database, lambda c: sessions.open_session(c, person, "192.0.2.1", "a", NOW)) for _ in "abc"]

    def at(secret: str, now: datetime) -> sessions.Session | None:
        with database.read() as connection:
            return sessions.session_of(connection, secret, now)

    session = at(opened[0], NOW + 29 * MINUTE)
    assert session is not None
    assert (session.email, session.role) == (person.email, person.role)
    assert at(opened[0], NOW + 30 * MINUTE) is None
    act(database, lambda c: sessions.seen(c, session.id, NOW + 20 * MINUTE))
    assert at(opened[0], NOW + 49 * MINUTE)
    act(database, lambda c: sessions.seen(c, session.id, NOW + 12 * HOUR - MINUTE))
    assert at(opened[0], NOW + 12 * HOUR) is None
    assert at("another", NOW) is None
    first, second, third = (at(each, NOW) for each in opened)
    assert first
    assert second
    assert third
    assert act(database, lambda c: sessions.sign_out(c, first, NOW))
    assert not act(database, lambda c: sessions.sign_out(c, first, NOW))
    assert act(database, lambda c: sessions.revoke(c, second, BY, NOW))
    assert (at(opened[0], NOW), at(opened[1], NOW)) == (None, None)
    assert at(opened[2], NOW)
    link = act(database, lambda c: set_up_links.make_link(c, person, BY, NOW))
    act(database, lambda c: set_up_links.use_link(c, link, None, "new", NOW))
    assert at(opened[2], NOW) is None
    again = act(database, lambda c: sessions.open_session(c, person, "192.0.2.1", "a", NOW))
    act(database, lambda c: people.disable(c, person, BY, NOW, anyway=True))
    act(database, lambda c: people.enable(c, person, BY, NOW))
    assert at(again, NOW) is None, "enabled again, one signs in again"
    assert deeds(database)[-5:] == [
        "person.link_made",
        "person.password_set",
        "session.opened",
        "person.disabled",
        "person.enabled",
    ]


def test_sessions_are_listed_while_they_hold_and_forgotten_after_a_month(database: Database) -> None:
    """Newest first; where from and with what, as far as it can be shown."""
    ada, bob = added(database), added(database, "bob@example.org", Role.VIEWER)
    for person, address in ((ada, "192.0.2.1"), (bob, "192.0.2.2"), (ada, "192.0.2.3\x1b")):
        act(database, lambda c, p=person, a=address: sessions.open_session(c, p, a, "x" * 400, NOW))
    with database.read() as connection:
        assert [s.address for s in sessions.open_sessions(connection, NOW, ada.id)] == [
            "192.0.2.3?",
            "192.0.2.1",
        ]
        assert len(sessions.open_sessions(connection, NOW)) == 3
        assert {len(s.user_agent) for s in sessions.open_sessions(connection, NOW)} == {300}
        assert sessions.open_sessions(connection, NOW + 30 * MINUTE) == []
        assert sessions.signed_in_from(connection, ada.id, "192.0.2.1")
        assert not sessions.signed_in_from(connection, ada.id, "192.0.2.2")
    act(database, lambda c: sessions.open_session(c, ada, "", "", NOW + timedelta(days=31)))
    with database.read() as connection:
        assert len(connection.execute(select(sessions_table)).all()) == 1


def test_the_last_admin_stays_admin(database: Database) -> None:
    """Neither disabled nor given another role, unless on the command line; one who never set up does not count."""
    ada = added(database)
    act(database, lambda c: people.add_person(c, "new@example.org", Role.ADMIN, BY, NOW))
    with pytest.raises(people.LastAdmin):
        act(database, lambda c: people.disable(c, ada, BY, NOW))
    with pytest.raises(people.LastAdmin):
        act(database, lambda c: people.set_role(c, ada, Role.VIEWER, BY, NOW))
    added(database, "bob@example.org")
    assert act(database, lambda c: people.set_role(c, ada, Role.VIEWER, BY, NOW))
    assert not act(database, lambda c: people.set_role(c, ada, Role.VIEWER, BY, NOW))
    with database.read() as connection:
        bob = people.person_of(connection, "bob@example.org")
    assert bob
    with pytest.raises(people.LastAdmin):
        act(database, lambda c: people.disable(c, bob, BY, NOW))
    assert act(database, lambda c: people.disable(c, bob, BY, NOW, anyway=True))
    with database.read() as connection:
        assert people.password_hash_of(connection, bob.email) is None


def test_two_admins_who_disable_each_other_at_once_leave_one(database: Database) -> None:
    """The second waits for the first one's end, and then is the last."""
    ada, bob = (added(database, f"{name}@example.org") for name in ("ada", "bob"))

    def disable() -> None:
        act(database, lambda c: people.disable(c, ada, BY, NOW))

    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            assert people.disable(connection, bob, BY, NOW)
            running = pool.submit(disable)
            if not database.is_sqlite:
                until_it_waits_or_ends(database, running)
        with pytest.raises(people.LastAdmin):
            running.result()


def test_nobody_who_is_disabled_has_a_session(database: Database) -> None:
    """Not even one that was opened at the very moment."""
    person = added(database)
    act(database, lambda c: people.disable(c, person, BY, NOW, anyway=True))
    secret = act(database, lambda c: sessions.open_session(c, person, "192.0.2.1", "a", NOW))
    with database.read() as connection:
        assert sessions.session_of(connection, secret, NOW) is None
        assert sessions.open_sessions(connection, NOW) == []


def test_attempts_are_counted_before_they_are_judged(database: Database) -> None:
    """By person and by address; a success clears the person, and gives the address its one attempt back."""
    person, address = Count("person:a", 5), Count("address:x", 20)

    def begin(*counts: Count, now: datetime = NOW) -> datetime | None:
        return act(database, lambda c: begin_attempt(c, counts, now))

    assert [begin(person, address) for _ in range(5)] == [None] * 5
    assert begin(person, address) == NOW + timedelta(seconds=1)
    assert begin(Count("person:b", 5), address) is None
    act(database, lambda c: succeeded(c, person, [address]))
    assert begin(person, address) is None
    for number in range(14):
        assert begin(Count(f"person:{number}", 5), address) is None
    assert begin(Count("person:z", 5), address) == NOW + timedelta(seconds=1)
    assert begin(Count("person:z", 5)) is None
    assert begin(address, now=NOW + HOUR + MINUTE) is None
    with database.read() as connection:
        assert len(connection.execute(select(sign_in_attempts)).all()) == 1, "what is too old is not kept"


def test_many_attempts_at_once_are_no_faster(database: Database) -> None:
    """Of twenty at the same moment five are looked at."""
    start, begun = threading.Barrier(8), []

    def attempt() -> None:
        start.wait()
        counts = [Count("a", 5), Count("b", 20)]
        begun.extend(act(database, lambda c: begin_attempt(c, counts, NOW)) for _ in range(3))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 24
    assert begun.count(None) == 5
