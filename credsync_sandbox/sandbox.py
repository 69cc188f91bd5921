"""One running sandbox: its world, the gate to it, and what keeps it over a restart or tells others of changes."""

from __future__ import annotations

from dataclasses import dataclass

from credsync_sandbox.hubspot.gate import Gate
from credsync_sandbox.state import StateFile
from credsync_sandbox.webhooks import Webhooks
from credsync_sandbox.world.tick import fire_due
from credsync_sandbox.world.world import World


@dataclass(slots=True)
class Sandbox:
    """`state` is None unless `--state` was given."""

    world: World
    gate: Gate
    webhooks: Webhooks
    state: StateFile | None = None

    def settle(self) -> None:
        """Do what is due and keep what changed."""
        fire_due(self.world)
        self.keep()

    def keep(self) -> None:
        """Write what changed to the state file, if there is one."""
        if self.state is not None:
            self.state.save(self.world)
