"""From a submission to the HubSpot properties it sets: the portal file's allow-list applied, nothing else leaves.

Values here are still the submitted ones; `credsync.core.properties` shapes them by the property's own type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from credsync.core.facts import Facts, Submission
from credsync.core.portal import ATTESTATION_DUE_AFTER, DEFINITIVE, ByEach, Portal, WriteMap


class _Absent:
    """Marks a path a submission says nothing about; None means it says "clear"."""


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value for one property, the submission it comes from, and the option renames of its map."""

    value: Any
    submission: int
    renames: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What one submission has to say to one slot. `slot` is `definitive` while the choice is not yet possible."""

    slot: str
    rule: str | None
    properties: Mapping[str, Wanted]


def resolve(data: Any, path: str) -> Any:
    """The value at a dotted path; ABSENT where nothing is said of it, None where it (or what holds it) is cleared."""
    for part in path.split("."):
        if data is None:
            return None
        if not isinstance(data, Mapping) or part not in data:
            return ABSENT
        data = data[part]
    return data


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def derived(submission: Submission, due_after: timedelta = ATTESTATION_DUE_AFTER) -> dict[str, Any]:
    """The values a submission has beside its data: `form_status, submitted_at, attested_at, attestation_due`."""
    values: dict[str, Any] = {"form_status": "submitted", "submitted_at": _stamp(submission.occurred_at)}
    path = "attestation.attested_at" if submission.form == "af" else "certification_and_release.signed_at"
    attested = resolve(submission.data, path)
    if attested in (ABSENT, None) and submission.form == "af":
        attested = values["submitted_at"]
    if isinstance(attested, str):
        values["attested_at"] = attested
        with suppress(OverflowError):  # attested at the end of the calendar: never due again
            due = datetime.fromisoformat(attested) + due_after
            values["attestation_due"] = due.date().isoformat()
    return values


def definitive_slot(portal: Portal, facts: Facts, submission: Submission) -> tuple[str, str | None]:
    """The Credentialing slot a submission belongs to, and the rule that chose it.

    The first rule whose condition holds. `("definitive", None)` while a rule asks whether the therapist is moving and
    nobody has said.
    """
    for rule in portal.rules(submission.form):
        if rule.when is None:
            return rule.slot, rule.name
        moving = facts.moving_as_of(submission)
        if moving is None:
            return DEFINITIVE, None
        if moving:
            return rule.slot, rule.name
    return DEFINITIVE, None


def list_holder(portal: Portal, submissions: Iterable[Submission], write: WriteMap) -> int | None:
    """The id of the newest submission that gives the list a map takes its items from; older lists are replaced by it.

    A form whose list goes nowhere near that slot replaces nothing there.
    """
    assert write.each is not None
    forms = {m.form for m in portal.writes if (m.to, m.each) == (write.to, write.each)}
    holder = None
    for submission in submissions:
        if submission.form in forms and resolve(submission.data, write.each) is not ABSENT:
            holder = submission.id
    return holder


def targets(
    portal: Portal,
    facts: Facts,
    submission: Submission,
    siblings: Iterable[Submission],
    settled: Mapping[int, tuple[str, str | None]],
) -> list[Target]:
    """Every slot a submission has something to say to.

    `siblings` are its enrolment's submissions, oldest first; `settled` gives the definitive slot and rule of those
    that were sent already, which are not judged again.
    """
    extra = derived(submission, portal.attestation_due_after)
    found: dict[tuple[str, str | None], dict[str, Wanted]] = {}
    siblings = list(siblings)
    for write in portal.maps_of(submission.form):
        if write.each is not None:
            if list_holder(portal, siblings, write) == submission.id:
                for slot, properties in _items(write, submission, extra):
                    found.setdefault((slot, None), {}).update(properties)
            continue
        if write.to == DEFINITIVE:
            at = settled.get(submission.id) or definitive_slot(portal, facts, submission)
        else:
            at = (write.to, None)
        properties = _properties(write, submission, submission.data, extra)
        if properties:
            found.setdefault(at, {}).update(properties)
    return [Target(slot, rule, properties) for (slot, rule), properties in found.items()]


def _properties(
    write: WriteMap, submission: Submission, data: Any, extra: Mapping[str, Any]
) -> dict[str, Wanted]:
    wanted = {}
    for name, path in write.fields.items():
        value = resolve(data, path)
        if value is ABSENT:
            value = extra.get(path, ABSENT)
        if value is not ABSENT:
            wanted[name] = Wanted(value, submission.id, write.values.get(name, {}))
    return wanted


def _items(
    write: WriteMap, submission: Submission, extra: Mapping[str, Any]
) -> Iterable[tuple[str, dict[str, Wanted]]]:
    assert write.each is not None
    for item in resolve(submission.data, write.each) or ():
        key = [resolve(item, name) for name in write.key]
        if all(isinstance(part, str) and part for part in key):
            properties = _properties(write, submission, item, extra)
            if properties:
                yield ".".join([write.to, *key]), properties


def submitted_slots(portal: Portal, facts: Facts) -> set[str]:
    """The per-value slots (`license.NY`) that the current enrolment's newest lists name."""
    named: set[str] = set()
    current = facts.in_enrolment(facts.enrolment)
    for write in portal.writes:
        rule = portal.slots.get(write.to)
        if write.each is None or rule is None or not isinstance(rule.marker, ByEach):
            continue
        for submission in current:
            if submission.form == write.form and list_holder(portal, current, write) == submission.id:
                named.update(slot for slot, _ in _items(write, submission, {}))
    return named


class Told:
    """What each submission of one therapist has to say: `targets`, worked out once however many records ask."""

    def __init__(self, portal: Portal, facts: Facts) -> None:
        self.facts = facts
        self._portal = portal
        self._known: dict[tuple[int, tuple[str, str | None] | None], list[Target]] = {}

    def by(
        self, submission: Submission, enrolment: int, settled: Mapping[int, tuple[str, str | None]]
    ) -> list[Target]:
        """The targets of a submission of that enrolment."""
        key = (submission.id, settled.get(submission.id))
        if key not in self._known:
            siblings = self.facts.in_enrolment(enrolment)
            self._known[key] = targets(self._portal, self.facts, submission, siblings, settled)
        return self._known[key]


def merge(
    told: Told,
    enrolment: int,
    slot: str,
    settled: Mapping[int, tuple[str, str | None]],
    also: Iterable[int] = (),
) -> dict[str, Wanted]:
    """The newest value of each property that the enrolment's submitted forms give the record in `slot`.

    `also` adds single submissions of older enrolments (held ones that a person chose to send).
    """
    merged: dict[str, Wanted] = {}
    extra = set(also)
    for submission in told.facts.submissions:
        own = told.facts.enrolment_of(submission.occurred_at)
        if own != enrolment and submission.id not in extra:
            continue
        for target in told.by(submission, own, settled):
            if target.slot == slot:
                merged.update(target.properties)
    return merged
