"""What a round did, for the worker's next step and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from credsync.core.denials import FORBIDDEN, UNAUTHORIZED, Denied
from credsync.core.observations import NotSeen
from credsync.core.slots import TypeSight
from credsync.reconcile.observe import Sights
from credsync.reconcile.prepare import Prepared


@dataclass(slots=True)
class RoundReport:
    """What a round did, for the worker's next step and the log."""

    therapists: int = 0
    looked: int = 0
    sent: int = 0
    unanswered: int = 0
    stop_code: str = ""
    retry_after: float | None = None
    unauthorized: bool = False
    """HubSpot does not take the token."""
    denied: tuple[Denied, ...] = ()
    """What the token may not do, as this round found out; it is stored already."""

    @property
    def hubspot_silent(self) -> bool:
        """Whether HubSpot answered nothing at all: the next round had better wait."""
        return self.looked > 0 and self.unanswered == self.looked


def unanswered(seen: Mapping[str, TypeSight]) -> bool:
    return any(isinstance(sight, NotSeen) for sight in seen.values())


_ANSWERED = FORBIDDEN | {UNAUTHORIZED}
"""Looks that failed though HubSpot answered: what follows from that is not a silence."""


def report_of(prepared: Sequence[Prepared], sights: Sights) -> RoundReport:
    report = RoundReport(therapists=len(prepared))
    for seen in sights.values():
        for sight in seen.values():
            if isinstance(sight, NotSeen) and sight.code in _ANSWERED:
                continue
            report.looked += 1
            if isinstance(sight, NotSeen):
                report.unanswered += 1
                report.stop_code = sight.code
                report.retry_after = sight.retry_after or report.retry_after
    return report
