"""What the console is given by whoever wires it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.operate.live import Live
from credsync.store.database import Database
from credsync.web.console.provider import Oidc


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The console's world. `wake(portal, seconds)` tells the worker, if it runs in this process, that a round is due.

    `public_url` is the address people reach the service by; None for one on loopback alone. `hasher` is argon2id at the
    cost that RFC 9106 recommends where memory is scarce. With `oidc` people may sign in at that provider.
    """

    database: Database
    portals: Mapping[str, Portal]
    policy: Policy
    wake: Callable[[str, float], None]
    public_url: str | None = None
    live: Live | None = None
    oidc: Oidc | None = None
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
