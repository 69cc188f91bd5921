"""A database as a service has it after a long time: so many therapists, most in step, some of each other state, all named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
from sqlalchemy import (
    Connection,
    Integer,
    String,
    Table,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from bench.ground import Ground
from bench.one_round import HURRY, LATE, apply_all, logging_to
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.reconcile.round import Round
from credsync.store import leases
from credsync.store.database import Database, Moment
from credsync.store.names import renamed
from credsync.store.tables import links, sign_ups, submissions, therapists, writes

FIRST: Final = 1_000
"""Therapists who came by intake and were looked at by a real round; the rest are theirs once more."""
IN_ALL: Final = 100
"""Copies after which states come again."""
_SOME = ("Ada", "Ben", "Cleo", "Dov", "Eve", "Finn", "Gwen", "Hal", "Ines", "Jon")
_LAST = ("ar", "bel", "cor", "dun", "el", "fer", "gold", "hol", "il", "jens")
_STATES: Final[Mapping[int, tuple[str, str]]] = {
    0: ("waiting", "record_awaited"),
    1: ("waiting", "parent_awaited"),
    2: ("overdue", "overdue"),
    3: ("given_up", "given_up"),
    4: ("refused", "refused_by_hubspot"),
    5: ("ambiguous", "two_records_in_slot"),
    6: ("held", "older_than_sign_up"),
    7: ("partial", "properties_refused"),
}
"""Of the copies that a hundred begins with; all others are in step."""
_TOGETHER = 50
"""Copies in one transaction."""


def fill(database: Database, on: Ground, many: int) -> None:
    """Everybody of the first thousand, then copies of them under other ids until there are `many`."""
    first = min(FIRST, many)
    if first == 0:
        return
    apply_all(database, on.portal, dict(enumerate(on.judge.make_contacts(first, LATE))))
    with logging_to(on.folder / "filling.log"):
        anyio.run(_look, database, on)
    with database.write() as connection:
        rows = connection.execute(select(therapists.c.id).order_by(therapists.c.id)).scalars().all()
        for number, each in enumerate(rows):
            name = f"{_SOME[number % 10]} {_word(number)}"
            connection.execute(update(therapists).where(therapists.c.id == each).values(name=name))
            renamed(connection, each, None, name)
    now = database.clock.now()
    for start in range(1, many // first, _TOGETHER):
        with database.write() as connection:
            for copy in range(start, min(start + _TOGETHER, many // first)):
                _copy_all(connection, copy, now)
    _index_names(database)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


async def _look(database: Database, on: Ground) -> None:
    edge = Edge(on.portal, HubSpotClient(on.portal.hubspot.base_url, "a-token"))
    async with edge.client:
        names = await edge.names(database.clock.now())
        with database.write() as connection:
            lease = leases.acquire(connection, "portal:filling", "bench", 600)
        assert lease is not None
        await Round(database, edge, names, lease, HURRY).run()


def _word(number: int) -> str:
    """A surname, told by a number."""
    return "".join(_LAST[int(digit)] for digit in f"{number:03d}").capitalize()


def _copy_all(connection: Connection, copy: int, now: datetime) -> None:
    state, reason = _STATES.get(copy % IN_ALL, ("in_sync", ""))
    done = state not in ("waiting", "overdue", "given_up")
    since = literal(now - timedelta(minutes=copy * 7_919 % 20_011), Moment())
    later = literal(now + timedelta(days=365), Moment())
    none = literal(None, Moment())
    record = literal(str(copy)) + cast(func.length(links.c.slot), String) + therapists.c.contact_id
    _copy(
        connection,
        therapists,
        copy,
        {
            "contact_id": literal(f"{copy}0") + therapists.c.contact_id,
            "name": therapists.c.name + literal(f" {_word(copy)}"),
            "state": literal(state),
            "reason": literal(reason),
            "state_since": since,
            "due_at": none if done else later,
            "settled_generation": therapists.c.generation,
        },
    )
    mine: dict[str, Any] = {"awaited_since": since, "first_missed_at": since, "next_look_at": later}
    if state == "ambiguous":
        mine |= {"state": case((links.c.slot.like("credentialing%"), "ambiguous"), else_="found")}
    elif done:
        mine |= {"state": literal("found"), "reason": literal(""), "found_at": since, "next_look_at": none}
        mine |= {"record_id": select(record).where(therapists.c.id == links.c.therapist_id).scalar_subquery()}
    elif state != "waiting":
        mine |= {"overdue_since": since}
        mine |= {"state": literal("given_up")} if state == "given_up" else {}
    _copy(connection, links, copy, mine)
    written = {"in_sync": "written", "ambiguous": "waiting"}.get(state, state if done else "waiting")
    _copy(connection, writes, copy, {"state": literal(written), "reason": literal(reason if done else "")})
    _copy(connection, sign_ups, copy, {})
    if copy < IN_ALL:
        _copy(connection, submissions, copy, {})


def _copy(connection: Connection, table: Table, copy: int, changed: Mapping[str, Any]) -> None:
    """The first generation of a table's rows once more; their therapists' ids begin with the copy's number."""
    owner = table.c.id if table is therapists else table.c.therapist_id
    new: dict[str, Any] = {owner.name: literal(f"{copy:08x}") + func.substr(owner, 9), **changed}
    kept = [c for c in table.c if c.name not in new and not (c.name == "id" and isinstance(c.type, Integer))]
    names = [c.name for c in kept] + list(new)
    first = owner > f"{0xFFFF:08x}"
    connection.execute(insert(table).from_select(names, select(*kept, *new.values()).where(first)))


_INDEX = text(
    "INSERT INTO name_endings (ending, therapist_id) "
    "WITH RECURSIVE at(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM at WHERE n < 60) "
    "SELECT DISTINCT substr(lower(name), n), id FROM therapists CROSS JOIN at "
    "WHERE id < :copies AND n <= length(name) AND substr(name, n, 1) <> ' ' ORDER BY 1, 2"
)
"""What `store/names.py` keeps of names of ASCII letters, in the order of the index."""


def _index_names(database: Database) -> None:
    with database.write() as connection:
        connection.execute(_INDEX, {"copies": f"{0xFFFF:08x}"})
