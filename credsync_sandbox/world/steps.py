"""What workflows and other automations still have to do, in the order in which it falls due."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["make", "create", "mark", "unmark", "adopt"]
"""make: create and put in its slot. create: create, associated with nothing. mark: associate and put in a slot.
unmark: take the slot from everybody but this record. adopt: take over the children of the siblings whose ids `properties` names, or of all."""


@dataclass(slots=True)
class Step:
    """`due` is a sandbox moment; `slot` a name such as `license.NY`, None for a record without a mark."""

    due: float
    seq: int
    action: Action
    contact: str
    type_id: str
    record_id: str
    parent_type: str
    parent_id: str
    slot: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    finishes: bool = False
    """With it the workflow that made the record is done."""
    planned: float = 0.0
    """The wall moment of planning: nothing happens before it, even while time stands still."""


class Steps:
    """A heap of steps. `added` and `done` collect changes for the state file; None when nobody keeps it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Step]] = []
        self._seq = 0
        self.skipped = 0
        """Steps whose contact or parent was gone when they fell due."""
        self.added: list[Step] | None = None
        self.done: list[int] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Step]:
        return (entry[2] for entry in self._heap)

    def add(self, step: Step) -> None:
        """Schedule it; it gets its number here."""
        self._seq += 1
        step.seq = self._seq
        step.due = round(step.due, 6)
        self.restore(step)
        if self.added is not None:
            self.added.append(step)

    def restore(self, step: Step) -> None:
        """Take a numbered step in, as read from a state file."""
        self._seq = max(self._seq, step.seq)
        heapq.heappush(self._heap, (step.due, step.seq, step))

    def pop_due(self, now: float) -> Step | None:
        """The next step due at this sandbox moment."""
        if not self._heap or self._heap[0][0] > now:
            return None
        step = heapq.heappop(self._heap)[2]
        if self.added is not None:
            self.done.append(step.seq)
        return step

    def next_due(self) -> float | None:
        """The sandbox moment of the next step."""
        return self._heap[0][0] if self._heap else None
