"""Everything that exists in one sandbox, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from credsync_sandbox.portal.portal_file import PortalFile
from credsync_sandbox.portal.schema import ObjectType, Schema
from credsync_sandbox.settings import Settings
from credsync_sandbox.world.clock import Clock
from credsync_sandbox.world.delays import Delay
from credsync_sandbox.world.journal import Journal
from credsync_sandbox.world.links import Links
from credsync_sandbox.world.records import Records
from credsync_sandbox.world.steps import Steps


@dataclass(slots=True)
class World:
    """The portal's content, its time and its pending automations."""

    seed: int
    clock: Clock
    settings: Settings
    portal: PortalFile
    schema: Schema
    delay: Delay
    records: Records
    links: Links
    steps: Steps = field(default_factory=Steps)
    contacts_made: int = 0
    started: float = 0.0
    events: list[dict[str, Any]] | None = None
    """Webhook events not yet sent; None while no webhook is configured."""
    finished: list[tuple[str, str]] | None = None
    """What workflows are done and not yet told of: slot and contact; None while no webhook is configured."""
    journal: Journal | None = None

    @property
    def contact_type(self) -> ObjectType:
        """The contacts' object type."""
        return self.schema.by_key["contact"]


def new_world(
    seed: int, clock: Clock, settings: Settings, portal: PortalFile, schema: Schema, delay: Delay
) -> World:
    """An empty world."""
    return World(
        seed=seed,
        clock=clock,
        settings=settings,
        portal=portal,
        schema=schema,
        delay=delay,
        records=Records(seed),
        links=Links(schema),
        started=clock.wall(),
    )
