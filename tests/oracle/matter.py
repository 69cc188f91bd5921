"""What the oracle knows, and the questions every judgement asks of it: whose contact, what was told by when."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.oracle.evidence import Calls, Evidence, History, Told, Write
from tests.oracle.reading import Knowledge, Portal, Submission

SLACK = timedelta(milliseconds=150)
"""A round claims therapists shortly before it looks: a fact that came in between may be missing from it."""
_EVER = datetime.max.replace(tzinfo=UTC)
_THERAPIST = re.compile(r"^/v1/therapists/([^/]+)(?:/(sign-ups|submissions|sync|sections|links/[^/]+))?$")


@dataclass(frozen=True, slots=True)
class Seen:
    """A write with what surrounds it: `looked` is the look that led to it, which a round began at `lower` or later."""

    write: Write
    therapist: str
    looked: datetime
    lower: datetime
    states: Sequence[int]
    slots: frozenset[str]


class Matter:
    """The evidence, read and sorted, and the questions that every judgement asks of it."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.portal = Portal(evidence.portal)
        self.history = History(evidence)
        self.calls = Calls(evidence)
        self.told: dict[str, list[Told]] = defaultdict(list)
        self.pauses: list[tuple[datetime, datetime | None]] = []
        for each in sorted(evidence.told, key=lambda told: told.asked):
            self._sort(each)
        self.named: dict[str, set[str]] = defaultdict(set)
        for therapist, calls in self.told.items():
            for _, _, contact in mentions(calls):
                self.named[contact].add(therapist)
        self.pinned: dict[str, dict[Submission, str]] = defaultdict(dict)

    def _sort(self, told: Told) -> None:
        found = _THERAPIST.match(told.path)
        if found:
            self.told[found[1].lower()].append(told)
        elif told.path.endswith("/pause") and told.answered:
            self.pauses.append((told.answered, None))
        elif told.path.endswith("/resume") and self.pauses and self.pauses[-1][1] is None:
            self.pauses[-1] = (self.pauses[-1][0], told.asked)

    def owners(
        self, contact_id: str, seq: int, lower: datetime = _EVER, upper: datetime = _EVER
    ) -> frozenset[str]:
        """Whose contact this was, by what credsync knew at `lower` or may have heard until `upper`."""
        return frozenset(
            therapist
            for former in (contact_id, *self.history.merged_into(contact_id, seq))
            for therapist in self.named.get(former, ())
            if former in contacts_between(self.told[therapist], lower, upper)
        )

    def ever(self, therapist: str, write: Write) -> set[str]:
        """Every id a therapist's contact had until then, merges included."""
        told = {c for _, _, c in mentions(self.told[therapist])}
        return told | {self.history.heir(c, write.seq) for c in told}

    def chose(self, therapist: str, write: Write) -> bool:
        """Whether the therapist was given this record by a person before it was written."""
        return any(
            "/links/" in told.path and told.body.get("record_id") == write.record_id
            for told in self.told[therapist]
            if told.asked <= write.at
        )

    def chosen(self, seen: Seen) -> bool:
        """`chose`, of a write that is placed."""
        return self.chose(seen.therapist, seen.write)

    def told_by(self, therapist: str, moment: datetime) -> list[Told]:
        """What was acknowledged of a therapist by then."""
        return [t for t in self.told[therapist] if t.answered is not None and t.answered <= moment]

    def knowledges(self, seen: Seen) -> Iterator[Knowledge]:
        """What the round may have known: surely what was acknowledged before it, perhaps what came meanwhile."""
        told = [t for t in self.told[seen.therapist] if t.asked <= seen.write.at]
        sure = len([t for t in told if t.answered is not None and t.answered <= seen.lower])
        answered = [t for t in told if t.answered is not None]
        for upto in range(len(answered), sure - 1, -1):
            last = answered[upto - 1].asked if upto else None
            known = [t for t in told if last is not None and t.asked <= last]
            yield Knowledge(self.portal, known, self.pinned[seen.therapist])
            if any(t.answered is None for t in known):
                without = [t for t in known if t.answered is not None]
                yield Knowledge(self.portal, without, self.pinned[seen.therapist])
        if len(answered) < len(told):
            yield Knowledge(self.portal, told, self.pinned[seen.therapist])

    def sent_at(self, write: Write) -> datetime:
        """When a write left, if its process froze while it was on its way; else when it arrived.

        HubSpot has no compare-and-set: what was half sent arrives when the process goes on.
        """
        call = self.calls.by_correlation.get(write.correlation_id)
        if call is not None and any(
            call.began < since and until <= call.at for since, until in self.evidence.stalled
        ):
            return call.began
        return write.at

    def sync_since(self, seen: Seen, told: Told | None, *, include_held: bool) -> bool:
        """Whether Sync now was pressed since something was told."""
        return any(
            each.path.endswith("/sync")
            and each.asked <= seen.write.at
            and (told is None or each.asked >= told.asked)
            and (each.body.get("include_held") or not include_held)
            for each in self.told[seen.therapist]
        )

    def took_after(self, seen: Seen, slot: str, began: datetime) -> bool:
        """Whether the record took the slot after a moment."""
        since = self.history.held_since(seen.write.record_id, slot, seen.write.seq)
        return since is not None and self.history.moment_of(since) > began


def mentions(told: Iterable[Told]) -> list[tuple[datetime, datetime | None, str]]:
    """When a therapist was said to have which contact, oldest first."""
    return [(t.asked, t.answered, str(t.body["contact_id"])) for t in told if t.body.get("contact_id")]


def contacts_between(told: Iterable[Told], lower: datetime, upper: datetime) -> set[str]:
    """The contact a therapist was known to have, and those it may have got until `upper`."""
    said = mentions(told)
    known = [c for _, answered, c in said if answered is not None and answered <= lower]
    perhaps = {c for asked, answered, c in said if asked <= upper and (answered is None or answered > lower)}
    return {*known[-1:], *perhaps}
