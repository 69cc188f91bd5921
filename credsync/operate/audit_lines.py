"""The audit as people and machines read it."""

from __future__ import annotations

from typing import Any

from credsync.core.audit import Sealed
from credsync.store.clock import say_time


def audit_line(row: Sealed) -> dict[str, Any]:
    """`{line, at, who, act, kind, whom, why, before, after, hash}`; `before` and `after` are hashes, never values."""
    entry = row.entry
    return {
        "line": entry.seq,
        "at": say_time(entry.at),
        "who": entry.who,
        "act": entry.act,
        "kind": entry.kind,
        "whom": entry.whom,
        "why": entry.why,
        "before": entry.before,
        "after": entry.after,
        "hash": row.hash,
    }
