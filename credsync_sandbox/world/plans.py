"""What a sign-up sets going: which records, in which slots, when.

A first sign-up makes, unless told otherwise, a record for every slot awaited always and for every slot that
`[definitive]` names (in the four real cases both Credentialing records existed), and one per licence asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from credsync_sandbox.portal.portal_file import CONTACT, SlotEntry
from credsync_sandbox.world import slots
from credsync_sandbox.world.delays import CASES, draw, parse_delay
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.steps import Action, Step
from credsync_sandbox.world.times import iso_us
from credsync_sandbox.world.world import World


class BadPlan(ValueError):
    """Not something this portal's workflows can do; the message says why."""


@dataclass(frozen=True, slots=True)
class SignUp:
    """What is asked of a contact's workflows. Durations are sandbox seconds."""

    slots: tuple[str, ...] | None = None
    """Slot names instead of the default ones."""
    licenses: tuple[str | dict[str, str], ...] = ()
    never: frozenset[str] = frozenset()
    """Slot names, slot keys or object keys whose workflow never fires."""
    delay: object = None
    """None: the sandbox's own; else a delay, or a map from slot name, slot key or object key to one."""
    case: str | None = None
    moving: bool = False
    spread: float = 0.0
    """Each object type comes up to this much later than the contact's delay."""
    link_delay: float = 0.0
    """How much later than the record its association becomes visible."""
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    """Further properties of the records, by slot name."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A record that a workflow will make. `due` is a sandbox moment; None: never."""

    slot: str
    object: str
    type_id: str
    id: str
    due: float | None

    def as_json(self, world: World) -> dict[str, Any]:
        """For `/_sandbox/`; `due_at` is the wall moment expected at the present speed."""
        now = world.clock.now()
        expected = math.inf if self.due is None else world.clock.wall_of(self.due)
        return {
            "slot": self.slot,
            "object": self.object,
            "type_id": self.type_id,
            "id": self.id,
            "due_in_s": None if self.due is None else round(self.due - now, 6),
            "due_at": iso_us(expected) if math.isfinite(expected) else None,
        }


def plan_sign_up(world: World, contact: Record, ordinal: int, order: SignUp, now: float) -> list[Planned]:
    """Schedule a contact's records; delays count from the sandbox moment `now`."""
    names = _names(world, order)
    rank = {key: place for place, key in enumerate(_by_depth(world))}
    planned: list[Planned] = []
    steps: list[Step] = []
    for name in sorted(names, key=lambda each: rank[slot_entry(world, each).object]):
        entry = slot_entry(world, name)
        object_type = world.schema.by_key.get(entry.object)
        if object_type is None:
            continue
        delay = _delay(world, contact.id, ordinal, name, entry, order)
        due = None if delay is None else now + delay
        parent_type, parent_id = world.contact_type.type_id, contact.id
        if object_type.parent != CONTACT:
            parent = _parent(world, contact, object_type.parent or "", planned, moving=order.moving)
            if parent is None:
                raise BadPlan(f"{name}: nothing of type {object_type.parent!r} to hang it on")
            parent_type, parent_id = parent.type_id, parent.id
            due = None if due is None or parent.due is None else max(due, parent.due)
        record_id = world.records.new_id(object_type.type_id, contact.id, name)
        planned.append(Planned(name, entry.object, object_type.type_id, record_id, due))
        if due is None:
            continue
        extra = order.properties.get(name, {})
        step = Step(
            due=due,
            seq=0,
            action="create" if order.link_delay else "make",
            contact=contact.id,
            type_id=object_type.type_id,
            record_id=record_id,
            parent_type=parent_type,
            parent_id=parent_id,
            slot=name,
            properties={**slots.properties_of(entry, name), **extra},
        )
        steps.append(step)
        if order.link_delay:
            steps.append(following(step, order.link_delay, "mark"))
        steps[-1].finishes = True
    schedule(world, steps)
    return planned


def schedule(world: World, steps: list[Step]) -> None:
    """Steps that are to happen from now on."""
    at = world.clock.wall()
    for step in steps:
        step.planned = at
        world.steps.add(step)


def following(step: Step, after: float, action: Action, slot: str | None = None) -> Step:
    """The same record\'s next step, `after` seconds later."""
    return Step(
        due=step.due + after,
        seq=0,
        action=action,
        contact=step.contact,
        type_id=step.type_id,
        record_id=step.record_id,
        parent_type=step.parent_type,
        parent_id=step.parent_id,
        slot=slot or step.slot,
    )


def slot_entry(world: World, name: str) -> SlotEntry:
    """The portal file\'s entry for a slot\'s name; BadPlan for a name that cannot be."""
    entry = slots.entry_of(world, name)
    values = name.split(".")[1:]
    if entry is None or (name not in world.portal.slots and len(values) != len(entry.each)):
        raise BadPlan(f"no slot {name!r}; there are {', '.join(sorted(world.portal.slots))}")
    if entry.each and len(values) != len(entry.each):
        raise BadPlan(f"{name!r} needs a value for {' and '.join(entry.each)}, for example {entry.key}.NY")
    return entry


def _names(world: World, order: SignUp) -> list[str]:
    if order.slots is None:
        named = {rule.slot for rule in world.portal.definitive}
        chosen = [
            slot.key
            for slot in world.portal.slots.values()
            if not slot.each and (slot.awaited == "always" or slot.key in named)
        ]
    else:
        chosen = list(order.slots)
    each = [slot for slot in world.portal.slots.values() if slot.each]
    if order.licenses and not each:
        raise BadPlan("licenses: the portal file has no slot with `each`")
    if each:
        entry = next((slot for slot in each if slot.key == "license"), each[0])
        chosen += [_license_name(entry, given) for given in order.licenses]
    return list(dict.fromkeys(chosen))


def _license_name(entry: SlotEntry, given: str | dict[str, str]) -> str:
    if isinstance(given, str):
        return f"{entry.key}.{given}"
    words = list(given.values())
    values = [given.get(name) or given.get(name.rsplit("_", 1)[-1]) for name in entry.each]
    return ".".join((entry.key, *(value or words[place] for place, value in enumerate(values))))


def _by_depth(world: World) -> list[str]:
    def depth(key: str) -> int:
        parent = world.portal.objects[key].parent
        return 0 if parent == CONTACT else 1 + depth(parent)

    return sorted(world.portal.objects, key=depth)


def _delay(
    world: World, contact_id: str, ordinal: int, name: str, entry: SlotEntry, order: SignUp
) -> float | None:
    if {name, entry.key, entry.object} & order.never:
        return None
    given = order.delay
    if isinstance(given, dict):
        given = next((given[key] for key in (name, entry.key, entry.object) if key in given), None)
    if given is not None:
        base = parse_delay(given, world.seed).seconds(contact_id, ordinal)
    elif order.case is not None:
        base = CASES[order.case]
    else:
        base = world.delay.seconds(contact_id, ordinal)
    if base is None:
        return None
    return base + (draw(world.seed, "spread", contact_id, entry.object).random() * order.spread)


def _parent(
    world: World, contact: Record, key: str, planned: list[Planned], *, moving: bool
) -> Planned | None:
    """The record a child hangs on: the definitive one, among those planned or there already."""
    rules = [rule.slot for rule in world.portal.definitive if rule.when is None or moving]
    here = [made for made in planned if made.object == key]
    parent = world.schema.by_key.get(key)
    if parent is not None:
        for record_id in world.links.of(contact.type_id, parent.type_id, contact.id):
            record = world.records.find(parent.type_id, record_id)
            held = slots.slots_of(world, record) if record else []
            here += [
                Planned(name, key, parent.type_id, record_id, world.clock.now()) for name in held or [""]
            ]
    ranked = sorted(here, key=lambda made: rules.index(made.slot) if made.slot in rules else len(rules))
    return ranked[0] if ranked else None
