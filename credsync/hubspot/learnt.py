"""What HubSpot refused so far in one round, so that no later batch of it is refused for the same again.

A refusal that named its property holds for everybody who sends that value; one that named nothing only makes its
value a suspect. Values are kept in memory for the length of a round and never leave; no `repr` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from credsync.core.verdicts import PropertyFault

Properties = Mapping[str, str | None]


@dataclass(slots=True)
class Learnt:
    """Faults by object type, property and, where it is the value's fault, value."""

    _properties: dict[tuple[str, str], PropertyFault] = field(default_factory=dict, repr=False)
    _values: dict[tuple[str, str, str], PropertyFault] = field(default_factory=dict, repr=False)
    _suspects: set[tuple[str, str, str]] = field(default_factory=set, repr=False)

    def property_refused(self, type_id: str, fault: PropertyFault) -> None:
        """Nobody can send this property, whatever its value."""
        self._properties[(type_id, fault.name)] = fault

    def value_refused(self, type_id: str, fault: PropertyFault, value: str | None) -> None:
        """HubSpot named the property: nobody can send this value of it."""
        if value:
            self._values[(type_id, fault.name, value)] = fault

    def value_suspected(self, type_id: str, name: str, value: str | None) -> None:
        """One record was refused for this value, though HubSpot did not say so."""
        if value:
            self._suspects.add((type_id, name, value))

    def known_faults(self, type_id: str, properties: Properties) -> list[PropertyFault]:
        """What a record's properties would be refused for."""
        found = (
            self._properties.get((type_id, name)) or self._values.get((type_id, name, value or ""))
            for name, value in properties.items()
        )
        return [fault for fault in found if fault is not None]

    def suspects(self, type_id: str, records: Mapping[str, Properties]) -> dict[str, set[str]]:
        """The records that send a value that may be the reason, with the properties concerned."""
        if not self._suspects:
            return {}
        found = {
            record: {name for name, value in sent.items() if (type_id, name, value) in self._suspects}
            for record, sent in records.items()
        }
        return {record: names for record, names in found.items() if names}
