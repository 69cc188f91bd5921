"""Associations: which record hangs on which, and with which association types, seen from both ends."""

from __future__ import annotations

from credsync_sandbox.portal.schema import Schema

Pair = tuple[str, str]


class Links:
    """`{(from type, to type): {from id: {to id: type ids}}}`, both directions always in step.

    Type ids are sorted tuples of the direction's own ids. `touched` collects (from type, to type, from id) of what
    changed since it was last emptied; None when nobody keeps the state.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._by_pair: dict[Pair, dict[str, dict[str, tuple[int, ...]]]] = {}
        self._json: dict[tuple[str, str, tuple[int, ...]], list[dict[str, object]]] = {}
        self.touched: set[tuple[str, str, str]] | None = None

    def of(self, from_type: str, to_type: str, record_id: str) -> dict[str, tuple[int, ...]]:
        """What hangs on this record: `{other id: type ids}`."""
        by_record = self._by_pair.get((from_type, to_type))
        return by_record.get(record_id, {}) if by_record else {}

    def types_json(self, from_type: str, to_type: str, type_ids: tuple[int, ...]) -> list[dict[str, object]]:
        """The `associationTypes` of an answer; shared between answers, never to be changed."""
        key = (from_type, to_type, type_ids)
        found = self._json.get(key)
        if found is None:
            known = self._schema.associations(from_type, to_type)
            found = [known[type_id].as_json() for type_id in type_ids if type_id in known]
            self._json[key] = found
        return found

    def forget_json(self) -> None:
        """After a label was dropped or added."""
        self._json.clear()

    def labels(self, from_type: str, to_type: str, type_ids: tuple[int, ...]) -> list[str]:
        """The labels among these types."""
        known = self._schema.associations(from_type, to_type)
        found = [known[type_id].label for type_id in type_ids if type_id in known]
        return [label for label in found if label is not None]

    def put(self, from_type: str, from_id: str, to_type: str, to_id: str, type_ids: set[int]) -> None:
        """Associate two records with these types; the unlabelled type always comes along."""
        known = self._schema.associations(from_type, to_type)
        plain = self._schema.unlabelled(from_type, to_type)
        wanted = set(type_ids)
        if plain is not None:
            wanted.add(plain.type_id)
        wanted |= set(self.of(from_type, to_type, from_id).get(to_id, ()))
        self._set(from_type, from_id, to_type, to_id, tuple(sorted(wanted)))
        inverse = {known[type_id].inverse for type_id in wanted if type_id in known}
        self._set(to_type, to_id, from_type, from_id, tuple(sorted(inverse)))

    def take(self, from_type: str, from_id: str, to_type: str, to_id: str, type_ids: set[int]) -> None:
        """Take these types away; without the unlabelled one nothing of the association is left."""
        present = self.of(from_type, to_type, from_id).get(to_id)
        if present is None:
            return
        plain = self._schema.unlabelled(from_type, to_type)
        left = tuple(type_id for type_id in present if type_id not in type_ids)
        if not left or (plain is not None and plain.type_id in type_ids):
            self.cut(from_type, from_id, to_type, to_id)
            return
        known = self._schema.associations(from_type, to_type)
        self._set(from_type, from_id, to_type, to_id, left)
        inverse = {known[type_id].inverse for type_id in left if type_id in known}
        self._set(to_type, to_id, from_type, from_id, tuple(sorted(inverse)))

    def cut(self, from_type: str, from_id: str, to_type: str, to_id: str) -> bool:
        """End the association of two records; False when there was none."""
        ended = self._drop(from_type, from_id, to_type, to_id)
        self._drop(to_type, to_id, from_type, from_id)
        return ended

    def cut_all(self, type_id: str, record_id: str) -> list[tuple[str, str]]:
        """End every association of a record; returns the (type, id) of what hung on it."""
        ended = [
            (to_type, other)
            for from_type, to_type in self._schema.pairs(type_id)
            for other in list(self.of(from_type, to_type, record_id))
        ]
        for to_type, other in ended:
            self.cut(type_id, record_id, to_type, other)
        return ended

    def restore(self, from_type: str, to_type: str, from_id: str, others: dict[str, tuple[int, ...]]) -> None:
        """Take one record's associations in from a state file, in this direction only."""
        self._by_pair.setdefault((from_type, to_type), {})[from_id] = others

    def _set(self, from_type: str, from_id: str, to_type: str, to_id: str, type_ids: tuple[int, ...]) -> None:
        self._by_pair.setdefault((from_type, to_type), {}).setdefault(from_id, {})[to_id] = type_ids
        if self.touched is not None:
            self.touched.add((from_type, to_type, from_id))

    def _drop(self, from_type: str, from_id: str, to_type: str, to_id: str) -> bool:
        others = self._by_pair.get((from_type, to_type), {}).get(from_id)
        if others is None or to_id not in others:
            return False
        del others[to_id]
        if self.touched is not None:
            self.touched.add((from_type, to_type, from_id))
        return True
