"""The audit's chain: each entry is bound to the one before, so that none can be changed, taken out or slipped in unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from credsync.core.phrases import phrase

FIRST: Final = "0" * 64
"""What stands for the hash before the first entry's."""


class Deed(StrEnum):
    """What can be done to the service's matters by a person or a token."""

    SYNC = "sync.requested"
    CHOICE = "link.chosen"
    NOTE = "note.added"
    RESYNC = "resync.requested"
    IMPORT = "therapists.imported"
    ACKNOWLEDGED = "alert.acknowledged"
    PAUSED = "portal.paused"
    RESUMED = "portal.resumed"
    RESTORED = "portal.restored"
    TOKEN_MADE = "token.created"  # noqa: S105 - the name of an act
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an act
    PERSON_ADDED = "person.added"
    ROLE_CHANGED = "person.role_changed"
    DISABLED = "person.disabled"
    ENABLED = "person.enabled"
    LINK_MADE = "person.link_made"
    PASSWORD_SET = "person.password_set"  # noqa: S105 - the name of an act
    SIGNED_IN = "session.opened"
    SIGNED_OUT = "session.ended"
    SESSION_REVOKED = "session.revoked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit. `who` is `person:…`, `token:…`, `cli:…` or `credsync`; `kind` and `whom` say to whom.

    `before` and `after` are hashes of how it stood, see `state_hash`; no value is ever in an entry.
    """

    seq: int
    at: datetime
    who: str
    act: str
    kind: str
    whom: str
    why: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with its place in the chain."""

    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that does not hold, and what is wrong with it, for people."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """How many entries hold, the newest of them, and where the chain breaks; None where it is whole."""

    entries: int
    head: str
    broken: Broken | None = None


def seal(entry: Entry, previous: str) -> Sealed:
    """Bind an entry to the hash of the one before: SHA-256 over that hash and the entry as canonical JSON.

    Canonical is: keys in order, no blanks, UTF-8, moments as UTC with microseconds.
    """
    return Sealed(entry, previous, sha256(previous.encode() + _canonical(entry)).hexdigest())


def state_hash(state: Mapping[str, object]) -> str:
    """What is kept of how something stood: two states have the same hash only if they are the same."""
    return sha256(_json(state)).hexdigest()


def judge_chain(chain: Iterable[Sealed]) -> Judged:
    """Go through a chain from its first entry on and stop at the first that is broken."""
    seq, head = 0, FIRST
    for sealed in chain:
        entry = sealed.entry
        if entry.seq != seq + 1:
            return Judged(
                seq,
                head,
                Broken(
                    seq + 1,
                    phrase(
                        "it is missing: entry {next} comes after {last}", next=str(entry.seq), last=str(seq)
                    ),
                ),
            )
        if sealed.previous != head:
            return Judged(seq, head, Broken(entry.seq, phrase("it does not follow the entry before it")))
        if seal(entry, head).hash != sealed.hash:
            return Judged(seq, head, Broken(entry.seq, phrase("its content is not what was written")))
        seq, head = entry.seq, sealed.hash
    return Judged(seq, head)


def _canonical(entry: Entry) -> bytes:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    names = ("seq", "who", "act", "kind", "whom", "why", "before", "after")
    return _json({"at": at, **{name: getattr(entry, name) for name in names}})


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
