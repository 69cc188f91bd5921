"""A therapist's one state, the worst of what its links and writes say, and when it is next looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from credsync.core.links import Link, LinkState
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, SEEN_OF_EMPTY, Reason, sentence
from credsync.core.writes import UNFINISHED, Write, WriteState


class TherapistState(StrEnum):
    """The worst first."""

    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"
    HELD = "held"
    PARTIAL = "partial"
    GIVEN_UP = "given_up"
    OVERDUE = "overdue"
    WAITING = "waiting"
    IN_SYNC = "in_sync"


NEEDS_A_PERSON = frozenset(
    {
        TherapistState.REFUSED,
        TherapistState.AMBIGUOUS,
        TherapistState.HELD,
        TherapistState.PARTIAL,
        TherapistState.GIVEN_UP,
    }
)
_RANK = {state: rank for rank, state in enumerate(TherapistState)}


@dataclass(frozen=True, slots=True)
class Condition:
    """A state with its machine reason; the message for people follows from it."""

    state: TherapistState
    reason: Reason

    @property
    def message(self) -> str:
        """The sentence for people."""
        return sentence(self.reason)


def with_fact(condition: Condition) -> Condition:
    """A condition after one more fact that no round has taken up: nobody is in sync over it."""
    if condition.state is TherapistState.IN_SYNC:
        return Condition(TherapistState.WAITING, Reason.NOT_LOOKED_YET)
    return condition


def telling_writes(writes: Iterable[Write]) -> list[Write]:
    """The rows that still say something: the newest of each form and slot, every held or unfinished one, and each
    older one of the same enrolment with a refused property that nothing sent to the slot since has answered.

    `writes` oldest first.
    """
    latest: dict[tuple[str, str], Write] = {}
    answered: dict[tuple[int, str], frozenset[str]] = {}
    telling: list[Write] = []
    for write in reversed(list(writes)):
        if write.state is WriteState.HELD or write.state in UNFINISHED:
            telling.append(write)
        elif write.state is not WriteState.SUPERSEDED:
            newest = latest.setdefault((write.form, write.slot), write)
            at = (write.enrolment, write.slot)
            since = answered.get(at, frozenset())
            if newest is write or (newest.enrolment == write.enrolment and write.refused - since):
                telling.append(write)
            answered[at] = since | write.wrote | write.refused
    return telling[::-1]


def condition(
    contact_id: str | None, links: Iterable[Link], writes: Iterable[Write], *, contact_shared: bool = False
) -> Condition:
    """The worst of a therapist's links and writes (`writes` oldest first), and of a contact that two therapists have."""
    worst = Condition(TherapistState.IN_SYNC, Reason.NONE)
    if contact_shared:
        worst = Condition(TherapistState.AMBIGUOUS, Reason.CONTACT_OF_TWO_THERAPISTS)
    for found in _conditions(contact_id, links, writes):
        if _RANK[found.state] < _RANK[worst.state]:
            worst = found
    return worst


_WRITE_STATES = {
    WriteState.REFUSED: TherapistState.REFUSED,
    WriteState.HELD: TherapistState.HELD,
    WriteState.PARTIAL: TherapistState.PARTIAL,
    WriteState.WAITING: TherapistState.WAITING,
    WriteState.DUE: TherapistState.WAITING,
    WriteState.UNKNOWN: TherapistState.WAITING,
}


def _conditions(
    contact_id: str | None, links: Iterable[Link], writes: Iterable[Write]
) -> Iterable[Condition]:
    waits = False
    for link in links:
        if link.state is LinkState.AMBIGUOUS and link.reason is not Reason.SETTLING:
            yield Condition(TherapistState.AMBIGUOUS, link.reason)
        elif link.open:
            waits = True
            if link.state is LinkState.GIVEN_UP:
                told = link.reason in SEEN_OF_EMPTY
                yield Condition(TherapistState.GIVEN_UP, link.reason if told else Reason.GIVEN_UP)
            elif link.overdue_since is not None:
                known = link.reason in OWED_BY_NO_WORKFLOW
                yield Condition(TherapistState.OVERDUE, link.reason if known else Reason.OVERDUE)
            elif contact_id is not None:
                yield Condition(TherapistState.WAITING, link.reason)
    for write in telling_writes(writes):
        state = _WRITE_STATES.get(write.state)
        parked = write.state is WriteState.HELD and write.reason is Reason.OBSERVE_ONLY
        if state is not None and not parked:
            waits = waits or state is TherapistState.WAITING
            yield Condition(state, write.reason)
    if contact_id is None and waits:
        yield Condition(TherapistState.WAITING, Reason.NO_CONTACT)


def complete(links: Mapping[str, Link]) -> bool:
    """True when no awaited slot is empty: the old service's true or false."""
    return all(link.state is LinkState.FOUND for link in links.values() if link.awaited)


def next_due(
    contact_id: str | None, links: Iterable[Link], writes: Iterable[Write], now: datetime
) -> datetime | None:
    """When a round must come back to this therapist by itself; None when only an event can change anything."""
    if contact_id is None:
        return None
    unfinished = [row for row in writes if row.state in UNFINISHED]
    waited_for = {row.slot for row in unfinished}
    moments = [
        link.next_look_at
        for link in links
        if link.next_look_at is not None
        and (link.slot in waited_for or (link.open and link.state is not LinkState.GIVEN_UP))
    ]
    moments += [row.not_before for row in unfinished if row.not_before is not None]
    if any(
        row.not_before is None and (row.goes_now or row.reason is Reason.NO_VERDICT) for row in unfinished
    ):
        moments.append(now)
    return min(moments, default=None)
