"""Which of one record's properties HubSpot minds when its refusal names none: halves again, of the properties.

What passes on the way is written. When one half passes, the other holds the culprit and is not sent to find that
out; what was set aside on the way to the first culprit goes together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from credsync.core.refusal_words import refused_together, refused_without_reason
from credsync.core.verdicts import Outcome, PropertyFault, Verdict

MOST_SIFTS = 16
"""Calls spent on one record: two culprits among a hundred properties, or eight properties none of which passes."""

Send = Callable[[Sequence[str]], Awaitable[Verdict]]
"""Sends these properties of the record in a call of its own."""


@dataclass(slots=True)
class Sifted:
    """`last` is the verdict of what was taken, or of the call that failed; None when nothing was taken at all."""

    faults: dict[str, PropertyFault] = field(default_factory=dict)
    last: Verdict | None = None
    failed: bool = False
    """A call ended without HubSpot's word on it, or the record is gone: nothing more was sent."""
    correlation_ids: list[str] = field(default_factory=list)
    calls: int = 0


async def sift(names: Sequence[str], refusal: Verdict, send: Send) -> Sifted:
    """Send them in parts until each was taken or is known as bad; together they were refused with `refusal`."""
    found = Sifted()
    held = list(names)
    while held:
        culprits, aside, refusal = await _search(held, refusal, send, found)
        for name in culprits:
            _blame(found, name, refusal, alone=len(culprits) == 1)
        if found.failed or not aside:
            return found
        if found.calls >= MOST_SIFTS:
            for name in aside:
                _blame(found, name, refusal, alone=False)
            return found
        said = await _said(aside, send, found)
        if said.outcome is not Outcome.REFUSED:
            return found
        refusal, held = said, _without_named(aside, said, found)
    return found


async def _search(
    held: list[str], refusal: Verdict, send: Send, found: Sifted
) -> tuple[list[str], list[str], Verdict]:
    """Straight to one culprit among those that were refused together: it, what was set aside, its refusal."""
    aside: list[str] = []
    while len(held) > 1 and found.calls < MOST_SIFTS:
        middle = len(held) // 2
        half, other = held[:middle], held[middle:]
        said = await _said(half, send, found)
        if found.failed:
            return [], [], refusal
        if said.outcome is not Outcome.REFUSED:
            held = other
            continue
        refusal = said
        left = _without_named(half, said, found)
        aside += other
        if len(left) < len(half):
            return [], [*left, *aside], refusal
        held = half
    return held, aside, refusal


async def _said(names: Sequence[str], send: Send, found: Sifted) -> Verdict:
    found.calls += 1
    said = await send(names)
    found.correlation_ids += said.correlation_ids
    if said.outcome is not Outcome.REFUSED:
        found.last = said
        found.failed = said.outcome is not Outcome.WRITTEN
    return said


def _without_named(names: list[str], said: Verdict, found: Sifted) -> list[str]:
    """What is left when those are blamed that the refusal names after all."""
    named = {fault.name: fault for fault in said.faults if fault.name in names}
    found.faults |= named
    return [name for name in names if name not in named]


def _blame(found: Sifted, name: str, refusal: Verdict, *, alone: bool) -> None:
    code = refusal.code or "refused"
    why = refused_without_reason(name, code) if alone else refused_together(name, code)
    found.faults.setdefault(name, PropertyFault(name, code, why))
