"""How events come: in one order or none, once or twice, soon or late, cut into the bodies of calls. No clock, no network."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

MOST_EVENTS = 100
REPEATED_WITHIN = 1.0
"""Sandbox seconds within which an event comes again, where none is late by more."""
_IDS = 1_000
"""Event ids are not unique; they go round after so many."""


@dataclass(frozen=True, slots=True)
class Manner:
    """`shuffled`: in no order, in bodies of any size. `doubled`: the share of events that come twice. `late`: up to so
    many sandbox seconds, each event by itself. `drop`: the share that never come.
    """

    shuffled: bool = False
    doubled: float = 0.0
    late: float = 0.0
    drop: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One call's body: an app's events, or what the workflow named tells of one contact."""

    events: tuple[dict[str, Any], ...]
    workflow: str | None = None

    def __len__(self) -> int:
        return len(self.events)


class Arrivals:
    """Events that have happened and were not sent yet."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._numbers = itertools.count()
        self._order = itertools.count()
        self._held: list[tuple[float, int, Message]] = []
        """By the sandbox moment at which it comes; each of one event."""

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        """Forget what has not come yet."""
        self._held.clear()

    def happened(self, messages: Iterable[Message], manner: Manner, now: float) -> None:
        """Take in what happened up to the sandbox moment `now`, a message of one event each, and draw how it comes."""
        for message in messages:
            if manner.drop and self._chance.random() < manner.drop:
                continue
            if message.workflow is None:
                number = 1 + next(self._numbers) % _IDS
                message = Message(tuple({**event, "eventId": number} for event in message.events))
            self._hold(now + self._chance.uniform(0.0, manner.late), message)
            if manner.doubled and self._chance.random() < manner.doubled:
                again = self._chance.uniform(0.0, max(manner.late, REPEATED_WITHIN))
                self._hold(now + again, message)

    def due(self, manner: Manner, now: float) -> list[Message]:
        """The bodies to send now, in the order in which to send them."""
        come: list[Message] = []
        while self._held and self._held[0][0] <= now:
            come.append(heapq.heappop(self._held)[2])
        if manner.shuffled:
            self._chance.shuffle(come)
        events = [event for message in come if message.workflow is None for event in message.events]
        bodies = [message for message in come if message.workflow is not None]
        while events:
            size = self._chance.randint(1, MOST_EVENTS) if manner.shuffled else MOST_EVENTS
            bodies.append(Message(tuple(events[:size])))
            del events[:size]
        return bodies

    def _hold(self, at: float, message: Message) -> None:
        heapq.heappush(self._held, (at, next(self._order), message))
