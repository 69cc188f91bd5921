"""What the API is given by whoever wires it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.metrics import Metrics
from credsync.operate.live import Live
from credsync.store.database import Database


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The API's world. `wake(portal, seconds)` tells the worker, if it runs in this process, that a round is due.

    Without `live` HubSpot is never asked. `webhook_secrets` are the client secrets by portal, two while one is changed.
    """

    database: Database
    portals: Mapping[str, Portal]
    policy: Policy
    wake: Callable[[str, float], None]
    public_url: str | None = None
    live: Live | None = None
    metrics: Metrics = field(default_factory=Metrics)
    webhook_secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)
