"""The portal's object types, properties and association types, found by whatever name a call uses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from credsync_sandbox.portal.property import Property
from credsync_sandbox.portal.validation import ValidationRule

USER_DEFINED = "USER_DEFINED"
HUBSPOT_DEFINED = "HUBSPOT_DEFINED"


@dataclass(slots=True)
class ObjectType:
    """`key` is the portal file's word (`contact`, `credentialing`); `parent` the key it hangs on, None for contacts."""

    type_id: str
    key: str
    name: str
    fully_qualified_name: str
    singular: str
    plural: str
    parent: str | None
    properties: dict[str, Property] = field(default_factory=dict)
    display: str = "hs_object_id"
    """The primary display property's name."""
    described: dict[str, Any] = field(default_factory=dict)
    """The rest of what HubSpot says of the type, as exported: labels, description, required properties, moments."""
    validations: dict[str, list[ValidationRule]] = field(default_factory=dict)
    """The rules an administrator set for a property's values, by its name."""

    @property
    def custom(self) -> bool:
        """False for HubSpot's own types."""
        return self.type_id.startswith("2-")


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One type of association in one direction; `inverse` is the same association's type id seen from the other end."""

    type_id: int
    category: str
    label: str | None
    from_type: str
    to_type: str
    inverse: int
    limit: int | None = None
    """At most so many records with this label per record at the near end."""

    def as_json(self) -> dict[str, object]:
        """As HubSpot lists it."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


class Schema:
    """All types of one portal."""

    def __init__(self, portal_id: int) -> None:
        self.portal_id = portal_id
        self.types: dict[str, ObjectType] = {}
        self.by_key: dict[str, ObjectType] = {}
        self._names: dict[str, ObjectType] = {}
        self._kinds: dict[tuple[str, str], dict[int, AssociationType]] = {}
        self._unlabelled: dict[tuple[str, str], AssociationType] = {}
        self._labels: dict[tuple[str, str, str], AssociationType] = {}

    def add_type(self, found: ObjectType) -> ObjectType:
        """Take an object type in; it answers to its id, name, qualified name and `p_name`, in any case."""
        self.types[found.type_id] = found
        self.by_key[found.key] = found
        names = {found.type_id, found.name, found.fully_qualified_name}
        if found.custom:
            names |= {f"p_{found.name}", f"p{self.portal_id}_{found.name}"}
        else:
            names |= {found.plural}
        for name in names:
            self._names[name.lower()] = found
        return found

    def type_of(self, name: str) -> ObjectType | None:
        """The object type a call means."""
        return self._names.get(name.lower())

    def add_association(self, near: AssociationType) -> None:
        """Take an association type in, in both directions."""
        far = AssociationType(
            near.inverse, near.category, near.label, near.to_type, near.from_type, near.type_id
        )
        for kind in (near, far):
            pair = (kind.from_type, kind.to_type)
            self._kinds.setdefault(pair, {})[kind.type_id] = kind
            if kind.label is None:
                self._unlabelled.setdefault(pair, kind)
            else:
                self._labels[(*pair, kind.label)] = kind

    def limit_label(self, from_type: str, to_type: str, label: str, most: int | None) -> None:
        """Let a label lead to at most so many records (None: to any number) from each at the near end."""
        kind = replace(self._labels[(from_type, to_type, label)], limit=most)
        self._labels[(from_type, to_type, label)] = self._kinds[(from_type, to_type)][kind.type_id] = kind

    def drop_label(self, from_type: str, to_type: str, label: str) -> bool:
        """Forget a label in both directions; False when there is none."""
        near = self._labels.pop((from_type, to_type, label), None)
        if near is None:
            return False
        self._kinds[(from_type, to_type)].pop(near.type_id, None)
        self._labels.pop((to_type, from_type, label), None)
        self._kinds[(to_type, from_type)].pop(near.inverse, None)
        return True

    def pairs(self, type_id: str) -> list[tuple[str, str]]:
        """Every (from, to) with this type at the near end."""
        return [pair for pair in self._kinds if pair[0] == type_id]

    def associations(self, from_type: str, to_type: str) -> dict[int, AssociationType]:
        """The association types of one direction, by type id; empty when the two cannot be associated."""
        return self._kinds.get((from_type, to_type), {})

    def unlabelled(self, from_type: str, to_type: str) -> AssociationType | None:
        """The type every association of the two carries."""
        return self._unlabelled.get((from_type, to_type))

    def label(self, from_type: str, to_type: str, label: str) -> AssociationType | None:
        """The type of a label in one direction."""
        return self._labels.get((from_type, to_type, label))
