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

    Without `live` HubSpot is never asked. `webhook_secrets` gives a portal's client secrets as they are now, two while
    one is changed; it may read a file.
    """

    database: Database
    portals: Mapping[str, Portal]
    policy: Policy
    wake: Callable[[str, float], None]
    public_url: str | None = None
    live: Live | None = None
    metrics: Metrics = field(default_factory=Metrics)
    webhook_secrets: Callable[[str], Sequence[str]] = lambda _: ()
