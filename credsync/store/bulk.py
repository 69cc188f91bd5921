"""One statement for many rows, bound here: the toolkit prepares each row's values at twice the cost of running it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.dml import UpdateBase

_Bind = tuple[str, Callable[[Any], Any] | None]
"""A value's name in the row, and what makes of it what the driver takes; None where it is that already."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement's text for one database, and its values in the order or under the names that the text has."""

    text: str
    binds: Sequence[_Bind]
    positional: bool

    def bound(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.positional:
            return [
                tuple([row[name] if bind is None else bind(row[name]) for name, bind in self.binds])
                for row in rows
            ]
        return [
            {name: row[name] if bind is None else bind(row[name]) for name, bind in self.binds}
            for row in rows
        ]


class Bulk:
    """An INSERT or UPDATE whose every bound value is in its rows; no `IN` list, no default of Python's.

    `make` gives the statement for rows with these names. It is prepared once for each set of names and engine.
    """

    def __init__(self, make: Callable[[Sequence[str]], UpdateBase]) -> None:
        self._make = make
        self._prepared: WeakKeyDictionary[Dialect, dict[tuple[str, ...], _Prepared]] = WeakKeyDictionary()

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of the rows, which all have the same names; nothing happens without any.

        Raises what the database does, as `Connection.execute`.
        """
        if not rows:
            return
        names = tuple(rows[0])
        known = self._prepared.setdefault(connection.dialect, {})
        if names not in known:
            known[names] = _prepare(self._make(names), names, connection.dialect)
        prepared = known[names]
        connection.exec_driver_sql(prepared.text, prepared.bound(rows))

    def run_mixed(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """The same for rows of several sets of names: those of one set at once."""
        alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            alike[tuple(row)].append(row)
        for some in alike.values():
            self.run(connection, some)


def _prepare(statement: UpdateBase, names: Sequence[str], dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup if compiled.positional else list(compiled.binds)
    binds = [
        (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in order or ()
    ]
    return _Prepared(str(compiled), binds, compiled.positional)
