"""What hangs on which parent: up to 1,000 parents a call, and a Sight for every one of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from credsync.core.observations import Association, NotSeen, Seen, Sight
from credsync.core.verdicts import Effect
from credsync.hubspot import translate, wire
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import ErrorItem, HubSpotError

MOST_INPUTS = 1000
MOST_PAGES = 1000
NOTHING_THERE = "NO_ASSOCIATIONS_FOUND"
STOPS_THE_REST = frozenset({"unauthorized", "forbidden", "missing_scopes", "rate_limited_daily"})


async def read_associations(
    client: HubSpotClient, from_type: str, to_type: str, ids: Sequence[str]
) -> dict[str, Sight]:
    """Look under each of these parents. Raises no HubSpotError: what went wrong is the Sight of those it hit.

    Pages of different parents travel together; a parent is Seen only when its last page is in. Once the token or
    the day's allowance is gone, the rest is not asked.
    """
    looks = {each: _Look(each) for each in ids}
    waiting = deque(looks.values())
    route = client.routes.associations(from_type, to_type)
    while waiting:
        batch = [waiting.popleft() for _ in range(min(MOST_INPUTS, len(waiting)))]
        try:
            answer = await client.call(
                route, {"inputs": [look.as_input() for look in batch]}, inputs=len(batch)
            )
        except HubSpotError as error:
            fault = not_seen(error)
            for look in batch:
                look.fault = fault
            if error.code in STOPS_THE_REST:
                for look in waiting:
                    look.fault = fault
                break
            continue
        _read(answer.body, {look.parent: look for look in batch})
        waiting.extend(look for look in batch if look.fault is None and look.after is not None)
    return {look.parent: look.sight() for look in looks.values()}


def not_seen(error: HubSpotError) -> NotSeen:
    """A failed call as a value."""
    return NotSeen(error.code, error.message, error.effect, error.retry_after, error.scopes)


@dataclass(slots=True)
class _Look:
    """What is known of one parent so far."""

    parent: str
    found: dict[str, set[str]] = field(default_factory=dict)
    cursors: set[str] = field(default_factory=set)
    after: str | None = None
    fault: NotSeen | None = None

    def as_input(self) -> dict[str, str]:
        return {"id": self.parent} if self.after is None else {"id": self.parent, "after": self.after}

    def sight(self) -> Sight:
        if self.fault is not None:
            return self.fault
        return Seen(tuple(Association(record, frozenset(types)) for record, types in self.found.items()))

    def take(self, result: Mapping[str, Any]) -> str | None:
        """Take in one result; gives the cursor of its next page."""
        targets = result.get("to")
        if not isinstance(targets, list):
            raise _GarbledError
        for target in map(wire.mapping, targets):
            record = wire.record_id(target.get("toObjectId"))
            types = target.get("associationTypes")
            if record is None or not isinstance(types, list):
                raise _GarbledError
            keys = [
                wire.type_key(each.get("category"), each.get("typeId")) for each in map(wire.mapping, types)
            ]
            known = [key for key in keys if key is not None]
            if len(known) < len(keys):
                raise _GarbledError
            self.found.setdefault(record, set()).update(known)
        return wire.next_page(dict(result))

    def turn(self, cursor: str | None) -> None:
        """Go to the next page; a cursor that comes again would lead round in a circle."""
        if cursor is not None and (cursor in self.cursors or len(self.cursors) >= MOST_PAGES):
            raise _GarbledError
        if cursor is not None:
            self.cursors.add(cursor)
        self.after = cursor


class _GarbledError(Exception):
    """This parent's part of the answer cannot be read."""


_GARBLED = NotSeen("garbled", "HubSpot's answer for this parent cannot be read", Effect.NOT_SENT)
_UNANSWERED = NotSeen("unanswered", "HubSpot's answer does not mention this parent", Effect.NOT_SENT)


def _read(body: Mapping[str, Any], looks: Mapping[str, _Look]) -> None:
    """Give each parent of this call its part of the answer, or the reason why there is none."""
    answered: dict[str, list[Mapping[str, Any]]] = {}
    for result in map(wire.mapping, wire.listing(body.get("results"))):
        parent = wire.record_id(wire.mapping(result.get("from")).get("id"))
        if parent is not None and parent in looks:
            answered.setdefault(parent, []).append(result)
    items = translate.error_items(body)
    told = {
        parent: item for item in sorted(items, key=_says_nothing_there, reverse=True) for parent in item.ids
    }
    for parent, look in looks.items():
        item = told.get(parent)
        nothing = item is not None and _says_nothing_there(item) and look.after is None
        if item is not None and not _says_nothing_there(item):
            look.fault = _refused(item)
        elif parent in answered:
            _take_all(look, answered[parent])
        elif not nothing:
            look.fault = _unanswered(items)
        else:
            look.after = None


def _take_all(look: _Look, results: Sequence[Mapping[str, Any]]) -> None:
    try:
        cursors = [look.take(result) for result in results]
        look.turn(next((each for each in cursors if each is not None), None))
    except _GarbledError:
        look.fault = _GARBLED


def _says_nothing_there(item: ErrorItem) -> bool:
    return item.sub_category.rpartition(".")[2] == NOTHING_THERE or item.code == NOTHING_THERE


def _refused(item: ErrorItem) -> NotSeen:
    code = item.code or item.sub_category.rpartition(".")[2] or item.category or "refused"
    return NotSeen(code.lower(), f"HubSpot refused to look under this parent: {code}", Effect.REFUSED)


def _unanswered(items: Sequence[ErrorItem]) -> NotSeen:
    """An error that names no parent may be about any that got no answer: say so, conclude nothing."""
    unplaced = [each for each in items if not each.ids and not _says_nothing_there(each)]
    codes = dict.fromkeys(filter(None, (each.code or each.category for each in unplaced)))
    if not codes:
        return _UNANSWERED
    return NotSeen("unanswered", f"{_UNANSWERED.message}; it speaks of {', '.join(codes)}", Effect.NOT_SENT)
