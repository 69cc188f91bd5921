"""What happened to every record, in order, kept where the setting `journal` asks for it: the evidence a judge reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from credsync_sandbox.world.records import Record
from credsync_sandbox.world.times import iso_us

KEPT = 200_000


class Journal:
    """The newest KEPT changes. `describe` tells a record as it is right after the change."""

    def __init__(self, describe: Callable[[Record], dict[str, Any]]) -> None:
        self._describe = describe
        self.seq = 0
        self.changes: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._correlation_id: str | None = None

    @contextmanager
    def during(self, correlation_id: str) -> Iterator[None]:
        """What happens meanwhile is this HubSpot call's doing; all else is an automation's or `/_sandbox/`'s."""
        self._correlation_id = correlation_id
        try:
            yield
        finally:
            self._correlation_id = None

    def note(self, action: str, record: Record, at: float, values: Mapping[str, str] | None = None) -> None:
        """Keep one change; `at` is its wall moment."""
        self.seq += 1
        self.changes.append(
            {
                "seq": self.seq,
                "at": iso_us(at),
                "action": action,
                "correlation_id": self._correlation_id,
                "values": dict(values or {}),
                "record": self._describe(record),
            }
        )

    def since(self, seq: int) -> list[dict[str, Any]]:
        """The changes after this number, oldest first."""
        return [change for change in self.changes if change["seq"] > seq]
