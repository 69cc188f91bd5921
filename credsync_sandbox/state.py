"""The state file: an SQLite database that holds the portal's content, so that a restart goes on where it stopped.

Only what changed is written, in one transaction after every call that changed something; a killed process loses
nothing it had answered. Rules of values are kept; settings, faults, limits and the request log are not. Time stands
still while the sandbox is down; after a kill it goes on from the last change or advance.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from credsync_sandbox.portal.validation import ValidationRule, rule_of
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.steps import Step
from credsync_sandbox.world.world import World

_TABLES = """
CREATE TABLE IF NOT EXISTS records (type TEXT, id TEXT, body TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (near TEXT, far TEXT, id TEXT, body TEXT, PRIMARY KEY (near, far, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (seq INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS rules (object TEXT, property TEXT, body TEXT, PRIMARY KEY (object, property)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID;
"""


class StateFileError(ValueError):
    """The state file cannot be used."""


class StateFile:
    """One open state file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise StateFileError(f"{path}: {error}") from error

    def meta(self) -> dict[str, Any]:
        """What is kept beside the content: `sandbox_now`, `contacts_made`, `portal_id`, `seed`; empty when new."""
        return {key: json.loads(body) for key, body in self._db.execute("SELECT key, body FROM meta")}

    def load(self, world: World) -> None:
        """Fill an empty world, and from now on collect what changes."""
        meta = self.meta()
        if meta and meta["portal_id"] != world.schema.portal_id:
            raise StateFileError(
                f"{self._path}: holds portal {meta['portal_id']}, not {world.schema.portal_id}"
            )
        world.contacts_made = int(meta.get("contacts_made", 0))
        for (body,) in self._db.execute("SELECT body FROM records"):
            found = json.loads(body)
            found["merged"] = tuple(found["merged"])
            found["ended"] = tuple((far, one, tuple(types)) for far, one, types in found.get("ended", ()))
            world.records.restore(Record(**found))
        for near, far, record_id, body in self._db.execute("SELECT near, far, id, body FROM links"):
            others = {other: tuple(type_ids) for other, type_ids in json.loads(body).items()}
            world.links.restore(near, far, record_id, others)
        for (body,) in self._db.execute("SELECT body FROM steps ORDER BY seq"):
            step = Step(**json.loads(body))
            world.records.reserve(step.type_id, step.record_id)
            world.steps.restore(step)
        for key, name, body in self._db.execute("SELECT object, property, body FROM rules"):
            if key in world.schema.by_key:
                world.schema.by_key[key].validations[name] = [
                    rule_of(each, published=each["published"]) for each in json.loads(body)
                ]
        world.records.touched, world.links.touched, world.steps.added = set(), set(), []

    def save(self, world: World) -> None:
        """Write what changed since the last time."""
        records, links, added, done = (
            world.records.touched or set(),
            world.links.touched or set(),
            world.steps.added or [],
            world.steps.done,
        )
        if not (records or links or added or done):
            return
        self._db.execute("BEGIN")
        self._db.executemany(
            "REPLACE INTO records VALUES (?, ?, ?)", [_record(world, *key) for key in records]
        )
        self._db.executemany("REPLACE INTO links VALUES (?, ?, ?, ?)", [_links(world, *key) for key in links])
        self._db.executemany(
            "REPLACE INTO steps VALUES (?, ?)", [(step.seq, _json(asdict(step))) for step in added]
        )
        self._db.executemany("DELETE FROM steps WHERE seq = ?", [(seq,) for seq in done])
        self._meta(world)
        self._db.execute("COMMIT")
        records.clear()
        links.clear()
        added.clear()
        done.clear()

    def save_rules(self, key: str, name: str, rules: Sequence[ValidationRule]) -> None:
        """Write all rules of one property of an object, by its key; none is kept too, instead of the schema file's."""
        told = [rule.as_json() | {"published": rule.published} for rule in rules]
        self._db.execute("REPLACE INTO rules VALUES (?, ?, ?)", (key, name, _json(told)))

    def save_time(self, world: World) -> None:
        """Write the time, after an advance."""
        self._meta(world)

    def close(self, world: World) -> None:
        """Write the rest and the time."""
        self.save(world)
        self.save_time(world)
        self._db.close()

    def _meta(self, world: World) -> None:
        kept = {
            "sandbox_now": world.clock.now(),
            "contacts_made": world.contacts_made,
            "portal_id": world.schema.portal_id,
        }
        self._db.executemany(
            "REPLACE INTO meta VALUES (?, ?)", [(key, _json(value)) for key, value in kept.items()]
        )


def _record(world: World, type_id: str, record_id: str) -> tuple[str, str, str]:
    record = world.records.find(type_id, record_id) or world.records.gone(type_id, record_id)
    assert record is not None
    return type_id, record_id, _json(asdict(record))


def _links(world: World, near: str, far: str, record_id: str) -> tuple[str, str, str, str]:
    return near, far, record_id, _json(world.links.of(near, far, record_id))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
