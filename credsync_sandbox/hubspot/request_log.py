"""Every HubSpot call the sandbox met, as the judge of how many there were. Calls under `/_sandbox/` are not in it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from credsync_sandbox.world.times import iso_us

KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """`status` 0: nothing was answered (a fault hung or closed the connection). `at` wall, `sandbox_at` sandbox."""

    seq: int
    at: float
    sandbox_at: float
    method: str
    path: str
    call: str
    """Which call it is, whatever the path's style: `associations batch/read`, `objects batch/update`."""
    kind: str
    inputs: int
    status: int
    bytes_in: int
    bytes_out: int
    correlation_id: str
    ms: float
    """Milliseconds of wall time the sandbox took."""
    fault: int | None
    text: str | None = None
    """Query and body as they came, where the setting `journal` asks for them."""

    def as_json(self) -> dict[str, Any]:
        """For `/_sandbox/requests`."""
        return {
            "seq": self.seq,
            "at": iso_us(self.at),
            "sandbox_at": iso_us(self.sandbox_at),
            "method": self.method,
            "path": self.path,
            "call": self.call,
            "kind": self.kind,
            "inputs": self.inputs,
            "status": self.status,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "correlation_id": self.correlation_id,
            "ms": round(self.ms, 3),
            "fault": self.fault,
            "text": self.text,
        }


class RequestLog:
    """The newest KEPT entries, and counts of all since the last reset."""

    def __init__(self) -> None:
        self.seq = 0
        self.clear()

    def clear(self) -> None:
        """Forget the entries; numbers go on."""
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self._by_kind: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()
        self._by_call: Counter[str] = Counter()
        self._inputs: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Note one call."""
        self.entries.append(entry)
        self._by_kind[entry.kind] += 1
        self._by_status[str(entry.status)] += 1
        self._by_call[f"{entry.method} {entry.call}"] += 1
        self._inputs[entry.kind] += entry.inputs

    def since(self, seq: int, kind: str | None, limit: int | None) -> list[Entry]:
        """The entries after this number, oldest first."""
        found = [entry for entry in self.entries if entry.seq > seq and kind in (None, entry.kind)]
        return found if limit is None else found[:limit]

    def summary(self) -> dict[str, Any]:
        """Counts since the last reset."""
        return {
            "total": sum(self._by_kind.values()),
            "by_kind": dict(self._by_kind),
            "by_status": dict(self._by_status),
            "by_call": dict(self._by_call),
            "inputs": dict(self._inputs),
            "last_seq": self.seq,
        }
