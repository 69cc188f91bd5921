"""Who did what to whom: rows that are only ever appended, each bound to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from credsync.core.audit import FIRST, Deed, Entry, Judged, Sealed, judge_chain, seal, state_hash
from credsync.core.audit import Broken as Broken
from credsync.store.database import insert
from credsync.store.people_tables import audit, audit_head

_LONGEST_WHY = 1_000
_LONGEST_NAME = 300
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Whom:
    """To whom or what it was done: `Whom("therapist", "8b1c…")`."""

    kind: str
    name: str


def by_person(email: str) -> str:
    """How the audit names a person who has signed in."""
    return f"person:{email}"


def by_token(name: str) -> str:
    """How the audit names the holder of an API token."""
    return f"token:{name}"


def append(
    connection: Connection,
    now: datetime,
    who: str,
    act: Deed,
    whom: Whom,
    *,
    why: str | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> int:
    """Add a line in the transaction of the act itself; gives its number. Of `before` and `after` only hashes are kept.

    The last statement of a transaction, but for others of its kind: from here to the commit every other that appends
    waits, and whoever takes other rows after this one may wait in a circle. Works behind a pooler that gives each
    transaction another connection.
    """
    seq, previous = _newest(connection)
    entry = Entry(
        seq + 1,
        now,
        who[:_LONGEST_NAME],
        act.value,
        whom.kind,
        whom.name[:_LONGEST_NAME],
        why[:_LONGEST_WHY] if why is not None else None,
        state_hash(before) if before is not None else None,
        state_hash(after) if after is not None else None,
    )
    sealed = seal(entry, previous)
    connection.execute(audit.insert(), _values(sealed))
    connection.execute(update(audit_head).values(seq=entry.seq, hash=sealed.hash))
    return entry.seq


def _newest(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest row, held until the transaction ends."""
    held = select(audit_head.c.seq, audit_head.c.hash).with_for_update()
    row = connection.execute(held).one_or_none()
    if row is None:
        connection.execute(
            insert(connection, audit_head).values(one=1, seq=0, hash=FIRST).on_conflict_do_nothing()
        )
        row = connection.execute(held).one()
    return row.seq, row.hash


def verify(connection: Connection) -> Judged:
    """Go through all of it. The first broken row is named; so is what was cut off the end."""
    judged = judge_chain(_chain(connection))
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one_or_none()
    if judged.broken is not None or head is None or (head.seq, head.hash) == (judged.entries, judged.head):
        return judged
    if head.seq > judged.entries:
        why = f"it is missing: {head.seq} rows were written"
        return Judged(judged.entries, judged.head, Broken(judged.entries + 1, why))
    return Judged(
        judged.entries, judged.head, Broken(judged.entries, "it is not the one that was written last")
    )


def hash_of(connection: Connection, seq: int) -> str | None:
    """The hash of one row, to be compared with what was noted elsewhere; None where there is no such row."""
    found: str | None = connection.execute(
        select(audit.c.hash).where(audit.c.seq == seq)
    ).scalar_one_or_none()
    return found


def page(
    connection: Connection, *, before: int | None = None, limit: int, whom: Whom | None = None
) -> list[Sealed]:
    """Rows, newest first, with a number below `before`; those of one therapist, person or portal with `whom`."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    if whom is not None:
        query = query.where(audit.c.kind == whom.kind, audit.c.whom == whom.name)
    return [_sealed(row) for row in connection.execute(query)]


def _chain(connection: Connection) -> Iterator[Sealed]:
    after = 0
    while True:
        query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(_AT_A_TIME)
        rows = connection.execute(query).all()
        yield from map(_sealed, rows)
        if len(rows) < _AT_A_TIME:
            return
        after = rows[-1].seq


def _values(sealed: Sealed) -> dict[str, Any]:
    entry = sealed.entry
    return {
        "seq": entry.seq,
        "at": entry.at,
        "who": entry.who,
        "act": entry.act,
        "kind": entry.kind,
        "whom": entry.whom,
        "why": entry.why,
        "before": entry.before,
        "after": entry.after,
        "previous": sealed.previous,
        "hash": sealed.hash,
    }


def _sealed(row: Row[Any]) -> Sealed:
    entry = Entry(row.seq, row.at, row.who, row.act, row.kind, row.whom, row.why, row.before, row.after)
    return Sealed(entry, row.previous, row.hash)
