"""Where people have signed in: opened, seen, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from credsync.core.audit import Deed
from credsync.core.people import Role
from credsync.core.sign_in import IDLE, LONGEST, session_lasts
from credsync.store import audit, people
from credsync.store.database import insert_row
from credsync.store.digests import digest, new_secret
from credsync.store.people import Person
from credsync.store.people_tables import people as people_table
from credsync.store.people_tables import sessions

SEEN_EVERY: Final = timedelta(minutes=1)
_KEPT = timedelta(days=30)
_LONGEST_AGENT, _LONGEST_ADDRESS = 300, 100


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of a person, from one browser."""

    id: int
    person_id: int
    email: str
    role: Role
    language: str | None
    csrf: str
    opened_at: datetime
    seen_at: datetime
    address: str
    user_agent: str


def open_session(
    connection: Connection,
    person: Person,
    address: str,
    user_agent: str,
    now: datetime,
    via: str | None = None,
) -> str:
    """Sign a person in; gives what the cookie holds. What is known of long ended sessions is forgotten by the way."""
    connection.execute(delete(sessions).where(sessions.c.opened_at < now - LONGEST - _KEPT))
    secret = new_secret()
    insert_row(
        connection,
        sessions,
        digest=digest(secret),
        person_id=person.id,
        csrf=new_secret(),
        opened_at=now,
        seen_at=now,
        address=_shown(address, _LONGEST_ADDRESS),
        user_agent=_shown(user_agent, _LONGEST_AGENT),
    )
    audit.append(connection, now, audit.by_person(person.email), Deed.SIGNED_IN, people.whom(person), why=via)
    return secret


def session_of(connection: Connection, secret: str, now: datetime) -> Session | None:
    """Whose session a cookie names; None for one that is unknown, ended, too old, or of somebody disabled."""
    query = _query().where(sessions.c.digest == digest(secret))
    row = connection.execute(query).one_or_none()
    if row is None or not session_lasts(row.opened_at, row.seen_at, now):
        return None
    return _session(row)


def seen(connection: Connection, session_id: int, now: datetime) -> None:
    """Note that a session is used."""
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now))


def open_sessions(connection: Connection, now: datetime, person_id: int | None = None) -> list[Session]:
    """Everybody's sessions that hold, or one person's; the newest first."""
    query = _query().where(sessions.c.opened_at > now - LONGEST, sessions.c.seen_at > now - IDLE)
    if person_id is not None:
        query = query.where(sessions.c.person_id == person_id)
    rows = connection.execute(query.order_by(sessions.c.opened_at.desc(), sessions.c.id.desc()))
    return [_session(row) for row in rows]


def signed_in_from(connection: Connection, person_id: int, address: str) -> bool:
    """Whether the person signed in from this address within the last month."""
    query = select(sessions.c.id).where(
        sessions.c.person_id == person_id, sessions.c.address == _shown(address, _LONGEST_ADDRESS)
    )
    return connection.execute(query.limit(1)).first() is not None


def sign_out(connection: Connection, session: Session, now: datetime) -> bool:
    """End one's own session; false if it had ended already."""
    if not _end(connection, session.id, now):
        return False
    email = session.email
    audit.append(connection, now, audit.by_person(email), Deed.SIGNED_OUT, audit.Whom("person", email))
    return True


def revoke(connection: Connection, session: Session, by: str, now: datetime) -> bool:
    """End any session; false if it had ended already."""
    if not _end(connection, session.id, now):
        return False
    audit.append(connection, now, by, Deed.SESSION_REVOKED, audit.Whom("person", session.email))
    return True


def end_all(connection: Connection, person_id: int, now: datetime) -> int:
    """End all of a person's sessions, as part of what the audit tells already; gives how many there were."""
    mine = sessions.c.person_id == person_id
    ended = update(sessions).where(mine, sessions.c.ended_at.is_(None)).values(ended_at=now)
    return connection.execute(ended).rowcount


def _end(connection: Connection, session_id: int, now: datetime) -> bool:
    mine = sessions.c.id == session_id
    ended = update(sessions).where(mine, sessions.c.ended_at.is_(None)).values(ended_at=now)
    return connection.execute(ended).rowcount == 1


def _query() -> Any:
    return (
        select(sessions, people_table.c.email, people_table.c.role, people_table.c.language)
        .join(people_table, people_table.c.id == sessions.c.person_id)
        .where(sessions.c.ended_at.is_(None), people_table.c.disabled_at.is_(None))
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        row.id,
        row.person_id,
        row.email,
        Role(row.role),
        row.language,
        row.csrf,
        row.opened_at,
        row.seen_at,
        row.address,
        row.user_agent,
    )


def _shown(text: str, longest: int) -> str:
    """As much of what a browser says as may be kept and shown."""
    return "".join(c if c.isprintable() else "?" for c in text)[:longest]
