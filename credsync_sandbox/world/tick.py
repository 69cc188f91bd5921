"""Doing what fell due. Called before every answer, so no background task's precision matters."""

from __future__ import annotations

from credsync_sandbox.world import changes, slots
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.steps import Step
from credsync_sandbox.world.world import World


def fire_due(world: World) -> int:
    """Do every step that is due, each stamped with the wall moment at which it fell due; returns how many."""
    now = world.clock.now()
    done = 0
    while (step := world.steps.pop_due(now)) is not None:
        if not _do(world, step, max(world.clock.wall_of(step.due), step.planned)):
            world.steps.skipped += 1
        elif step.finishes and step.slot and world.finished is not None:
            world.finished.append((step.slot, step.contact))
        done += 1
    return done


def _do(world: World, step: Step, at: float) -> bool:
    """False when there was nothing left to do it to."""
    parent = world.records.resolve(step.parent_type, step.parent_id)
    if parent is None:
        return False
    if step.action in ("make", "create"):
        if world.records.find(step.type_id, step.record_id) is not None:
            return False
        record = changes.create(
            world,
            step.type_id,
            step.properties,
            at,
            record_id=step.record_id,
            slot=step.slot,
            contact=step.contact,
            sandbox_at=step.due,
        )
        if step.action == "make":
            slots.mark(world, step.slot, parent, record, at)
        return True
    found = world.records.resolve(step.type_id, step.record_id)
    if found is None:
        return False
    if step.action == "mark":
        slots.mark(world, step.slot, parent, found, at)
    elif step.action == "unmark" and step.slot:
        for holder in slots.holders(world, step.slot, parent):
            if holder.id != found.id:
                slots.unmark(world, step.slot, parent, holder, at)
    elif step.action == "adopt":
        _adopt(world, parent, found, set(step.properties), at)
    return True


def _adopt(world: World, parent: Record, record: Record, former: set[str], at: float) -> None:
    """What hangs on the former records (none named: on all siblings under this parent) hangs on this one now."""
    mine = world.schema.types[record.type_id].key
    children = [entry.type_id for entry in world.schema.types.values() if entry.parent == mine]
    for sibling_id in list(world.links.of(parent.type_id, record.type_id, parent.id)):
        sibling = world.records.find(record.type_id, sibling_id)
        if sibling is None or sibling.id == record.id or (former and sibling.id not in former):
            continue
        for child_type in children:
            for child_id, held in list(world.links.of(sibling.type_id, child_type, sibling.id).items()):
                child = world.records.find(child_type, child_id)
                if child is not None:
                    changes.unlink(world, sibling, child, at)
                    changes.link(world, record, child, set(held), at)
