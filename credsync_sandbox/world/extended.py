"""What an Extended Sign Up sets going: a second record, and labels that move to it step by step.

In the portal neither a workflow nor credsync does this, but the calling backend, in several calls.
"""

from __future__ import annotations

from dataclasses import dataclass

from credsync_sandbox.portal.portal_file import CONTACT
from credsync_sandbox.world import slots
from credsync_sandbox.world.plans import BadPlan, Planned, following, schedule, slot_entry
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.steps import Action, Step
from credsync_sandbox.world.world import World


@dataclass(frozen=True, slots=True)
class ExtendedSignUp:
    """A second record of the slots' object, which takes their labels step by step, `pause` seconds apart."""

    slots: tuple[str, ...] = ()
    delay: float = 0.0
    pause: float = 5.0
    overlap: bool = False
    """True: the new record gets the label before the old one loses it (two holders for a while, not none)."""
    adopt: bool = True
    """At last, what hangs on the old records (licences) moves to the new one."""


def plan_extended(
    world: World, contact: Record, order: ExtendedSignUp
) -> tuple[Planned, list[dict[str, object]]]:
    """Schedule an Extended Sign Up's steps; returns the new record and the steps."""
    names = order.slots or _first_slot(world)
    entries = [slot_entry(world, name) for name in names]
    if len({entry.object for entry in entries}) != 1:
        raise BadPlan("slots: an Extended Sign Up makes one record, so all slots must be of one object")
    object_type = world.schema.by_key.get(entries[0].object)
    if object_type is None or object_type.parent != CONTACT:
        raise BadPlan(f"slots: {entries[0].object!r} does not hang on the contact")
    due = world.clock.now() + order.delay
    count = len(world.links.of(contact.type_id, object_type.type_id, contact.id))
    record_id = world.records.new_id(object_type.type_id, contact.id, "extended", str(count))
    first = Step(due, 0, "make", contact.id, object_type.type_id, record_id, contact.type_id, contact.id)
    steps = [first]
    after = 0.0
    for name in names:
        moves: tuple[Action, Action] = ("mark", "unmark") if order.overlap else ("unmark", "mark")
        for action in moves:
            after += order.pause
            steps.append(following(first, after, action, name))
    if order.adopt and any(entry.parent == object_type.key for entry in world.schema.types.values()):
        last = following(first, after + order.pause, "adopt")
        old = {holder.id for name in names for holder in slots.holders(world, name, contact)}
        last.properties = dict.fromkeys(sorted(old), "")
        steps.append(last)
    schedule(world, steps)
    told: list[dict[str, object]] = [
        {"action": step.action, "slot": step.slot, "due_in_s": round(step.due - world.clock.now(), 6)}
        for step in steps
    ]
    return Planned(names[0], object_type.key, object_type.type_id, record_id, due), told


def _first_slot(world: World) -> tuple[str, ...]:
    named = [rule.slot for rule in world.portal.definitive if rule.when is None]
    labelled = [slot.key for slot in world.portal.slots.values() if not slot.each]
    first = (named or labelled)[:1]
    if not first:
        raise BadPlan("slots: the portal file has no slot an Extended Sign Up could move")
    return tuple(first)
