"""Every record of the portal: contacts and custom objects, by object type and id.

A record's id is a string of digits. `find` is strict (batches use it); `resolve` also follows merges, as HubSpot's
single reads and writes do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(slots=True)
class Record:
    """`created`, `updated` and so on are wall moments; `created_sandbox` the same in sandbox time."""

    id: str
    type_id: str
    created: float
    created_sandbox: float
    updated: float
    properties: dict[str, str] = field(default_factory=dict)
    slot: str | None = None
    """The slot a workflow made it for, `license.NY` with its value; None for what a call made."""
    contact: str | None = None
    linked: float | None = None
    """When its association became visible."""
    writes: int = 0
    """Calls that wrote to it; its creation is none."""
    written: dict[str, float] | None = None
    """When each property was last written by a call."""
    first_written: float | None = None
    archived: float | None = None
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    ended: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    """What it was associated with when it was deleted (type, id, association types): a restore brings that back."""
    erased: bool = False
    """Gone for good, its content too (GDPR): nothing leads to it any more, and its id is nobody's again."""


class Records:
    """`touched` collects (type, id) of what changed since it was last emptied; None when nobody keeps the state."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._live: dict[str, dict[str, Record]] = {}
        self._gone: dict[str, dict[str, Record]] = {}
        self._emails: dict[str, str] = {}
        self._reserved: set[tuple[str, str]] = set()
        self.touched: set[tuple[str, str]] | None = None

    def of(self, type_id: str) -> dict[str, Record]:
        """The live records of a type, by id."""
        return self._live.setdefault(type_id, {})

    def everything(self) -> Iterator[Record]:
        """Live records, then archived ones."""
        for by_id in (*self._live.values(), *self._gone.values()):
            yield from by_id.values()

    def count(self) -> int:
        """How many live records there are, contacts included."""
        return sum(len(by_id) for by_id in self._live.values())

    def find(self, type_id: str, record_id: str) -> Record | None:
        """The live record with exactly this id."""
        return self.of(type_id).get(record_id)

    def gone(self, type_id: str, record_id: str) -> Record | None:
        """The archived, merged or erased record with this id."""
        return self._gone.get(type_id, {}).get(record_id)

    def archived(self, type_id: str, record_id: str) -> Record | None:
        """The archived record with this id, as a read of archived records shows it: no erased one."""
        found = self.gone(type_id, record_id)
        return None if found is None or found.erased else found

    def resolve(self, type_id: str, record_id: str) -> Record | None:
        """The live record this id leads to, through merges."""
        found = self.find(type_id, record_id)
        while found is None:
            former = self.gone(type_id, record_id)
            if former is None or former.merged_into is None:
                return None
            record_id = former.merged_into
            found = self.find(type_id, record_id)
        return found

    def taken(self, type_id: str, record_id: str) -> bool:
        """True for an id that is, was or will be a record's."""
        return (
            record_id in self.of(type_id)
            or self.gone(type_id, record_id) is not None
            or (type_id, record_id) in self._reserved
        )

    def new_id(self, type_id: str, *names: str) -> str:
        """A free id, reserved from now on: eleven digits (nine for a contact), by the names and not by the order."""
        floor, span = (100_000_000, 899_999_981) if type_id == "0-1" else (20_000_000_000, 29_999_999_993)
        attempt = 0
        while True:
            text = "\x00".join((str(self._seed), type_id, *names, str(attempt)))
            number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
            record_id = str(floor + number % span)
            if not self.taken(type_id, record_id):
                self._reserved.add((type_id, record_id))
                return record_id
            attempt += 1

    def add(self, record: Record) -> Record:
        """Make it exist."""
        self.of(record.type_id)[record.id] = record
        self._reserved.discard((record.type_id, record.id))
        self._index(record)
        self.touch(record)
        return record

    def restore(self, record: Record) -> None:
        """Take a record in from a state file, live or gone."""
        side = self._live if record.archived is None else self._gone
        side.setdefault(record.type_id, {})[record.id] = record
        if record.archived is None:
            self._index(record)

    def reserve(self, type_id: str, record_id: str) -> None:
        """Keep an id for a record that a workflow will make."""
        self._reserved.add((type_id, record_id))

    def archive(self, record: Record, at: float, merged_into: str | None = None) -> None:
        """Take it out of the living."""
        self.of(record.type_id).pop(record.id, None)
        self._gone.setdefault(record.type_id, {})[record.id] = record
        record.archived, record.merged_into = at, merged_into
        email = record.properties.get("email", "").lower()
        if self._emails.get(email) == record.id:
            del self._emails[email]
        self.touch(record)

    def revive(self, record: Record, at: float) -> None:
        """Bring an archived record back to the living."""
        del self._gone[record.type_id][record.id]
        self.of(record.type_id)[record.id] = record
        record.archived, record.ended, record.updated = None, (), at
        self._index(record)
        self.touch(record)

    def erase(self, record: Record, at: float) -> None:
        """Take it out of the living for good, and with it those it was merged from."""
        self.archive(record, at)
        for former in [record, *filter(None, (self.gone(record.type_id, one) for one in record.merged))]:
            former.properties, former.written, former.merged, former.ended = {}, None, (), ()
            former.merged_into, former.erased = None, True
            self.touch(former)

    def set(self, record: Record, values: dict[str, str], at: float) -> None:
        """Put these values on it; an empty one clears."""
        before = record.properties.get("email", "").lower()
        for name, value in values.items():
            if value == "":
                record.properties.pop(name, None)
            else:
                record.properties[name] = value
        record.updated = at
        if record.type_id == "0-1" and "email" in values:
            if self._emails.get(before) == record.id:
                del self._emails[before]
            self._index(record)
        self.touch(record)

    def by_email(self, email: str) -> str | None:
        """The id of the contact with this address."""
        return self._emails.get(email.lower())

    def touch(self, record: Record) -> None:
        """Note that it changed."""
        if self.touched is not None:
            self.touched.add((record.type_id, record.id))

    def _index(self, record: Record) -> None:
        if record.type_id == "0-1" and (email := record.properties.get("email")):
            self._emails.setdefault(email.lower(), record.id)
