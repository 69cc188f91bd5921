"""Which records hold which slots, read off a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from credsync.core.observations import NotSeen
from credsync.core.portal import ByEach, ByLabel, ByOnly, ByProperty, Portal, SlotRule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record seen under a parent: the labels of that association and, where slots are told by them, properties."""

    record_id: str
    parent_id: str
    labels: frozenset[str] = frozenset()
    properties: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class ParentAwaited:
    """Nothing could be asked: the object it hangs on is not known yet."""


TypeSight = tuple[Candidate, ...] | NotSeen | ParentAwaited
"""What a look saw of one object type of one therapist."""


def value_of_each(marker: ByEach, candidate: Candidate) -> tuple[str, ...] | None:
    """The values that name a record's slot (`("NY",)`), or None while one of them is empty."""
    properties = candidate.properties or {}
    values = [properties.get(name) for name in marker.properties]
    return tuple(v for v in values if v) if all(values) else None


def holders(
    rule: SlotRule, candidates: Iterable[Candidate], known: Iterable[str]
) -> dict[str, list[Candidate]]:
    """The candidates for each slot of a rule.

    A slot of its own name for single slots; for a slot per value, one entry per value seen and per slot in `known`.
    """
    marker = rule.marker
    if isinstance(marker, ByEach):
        found: dict[str, list[Candidate]] = {slot: [] for slot in known}
        for candidate in candidates:
            values = value_of_each(marker, candidate)
            if values is not None:
                found.setdefault(".".join([rule.key, *values]), []).append(candidate)
        return found
    if isinstance(marker, ByLabel):
        return {rule.key: [c for c in candidates if marker.label in c.labels]}
    if isinstance(marker, ByProperty):
        return {rule.key: [c for c in candidates if (c.properties or {}).get(marker.name) == marker.value]}
    return {rule.key: list(candidates)}


def properties_needed(portal: Portal, object_key: str) -> tuple[str, ...]:
    """The properties that must be read to tell an object type's slots apart; empty when labels tell them all."""
    names: dict[str, None] = {}
    for rule in portal.rules_of(object_key):
        if isinstance(rule.marker, ByEach):
            names.update(dict.fromkeys(rule.marker.properties))
        elif isinstance(rule.marker, ByProperty):
            names[rule.marker.name] = None
    return tuple(names)


def tells_by_labels(portal: Portal, object_key: str) -> bool:
    """Whether any slot of an object type is marked by an association label."""
    return any(isinstance(rule.marker, ByLabel | ByOnly) for rule in portal.rules_of(object_key))
