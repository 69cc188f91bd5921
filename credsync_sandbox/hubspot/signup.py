"""A contact made by a call starts the portal's workflows, as one made under `/_sandbox/` does."""

from __future__ import annotations

from credsync_sandbox.world.plans import BadPlan, Planned, SignUp, plan_sign_up
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World


def contact_created(world: World, record: Record, order: SignUp | None = None) -> list[Planned]:
    """Schedule a new contact's records; for any other record nothing happens."""
    if record.type_id != world.contact_type.type_id:
        return []
    ordinal = world.contacts_made
    world.contacts_made += 1
    try:
        return plan_sign_up(world, record, ordinal, order or SignUp(), record.created_sandbox)
    except BadPlan:
        if order is not None:
            raise
        return []
