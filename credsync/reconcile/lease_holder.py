"""Holds a portal's lease for this process: takes it when it is free, renews it, and knows when it may be lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import anyio
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from credsync.reconcile.allowance import Allowance
from credsync.store import in_thread, leases
from credsync.store.database import Database
from credsync.store.leases import Lease, LeaseLost


class LeaseHolder:
    """One portal's, in this process. `clock` gives seconds, as the loop's own time does."""

    def __init__(
        self,
        database: Database,
        portal: str,
        owner: str,
        lease_for: timedelta,
        allowance: Allowance,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._portal = portal
        self._owner = owner
        self._seconds = lease_for.total_seconds()
        self._allowance = allowance
        self._clock = clock
        self._renewed = clock()
        self._token: int | None = None

    @property
    def beat(self) -> float:
        """Seconds between two renewals, and between two tries to take it."""
        return self._seconds / 4

    async def take(self) -> Lease | None:
        """The lease, if nobody holds it."""
        asked = self._clock()
        lease = await in_thread.write(
            self._database, leases.acquire, f"portal:{self._portal}", self._owner, self._seconds
        )
        if lease is not None:
            self._renewed, self._token = asked, lease.token
        return lease

    @property
    def holds(self) -> bool:
        """Whether this process has taken the lease and not given it back."""
        return self._token is not None

    def beaten(self, asked: float, token: int) -> None:
        """The process's own beat renewed the lease that has this token; it began at `asked`."""
        if token == self._token:
            self._renewed = max(self._renewed, asked)

    async def give_back(self, lease: Lease) -> None:
        """Let the next process take it at once, even while this one is cut off."""
        self._token = None
        with anyio.CancelScope(shield=True), contextlib.suppress(SQLAlchemyError):
            await in_thread.write(self._database, leases.release, lease)

    async def keep(self, lease: Lease) -> None:
        """Renew at a quarter of the lease; raises `LeaseLost` at two thirds of it when the database does not answer.

        What the process's own beat, or a round, has just renewed is left alone, unless calls are to be counted with it.
        """
        while True:
            await anyio.sleep(self.beat)
            if self._clock() - self._renewed < self.beat and not self._allowance.has_uncounted:
                continue
            with contextlib.suppress(SQLAlchemyError, TimeoutError):
                with anyio.fail_after(self._seconds * 2 / 3 - (self._clock() - self._renewed)):
                    await self.renew(lease, abandon=True)
            self.require()

    def require(self) -> None:
        """Raises `LeaseLost` when it was renewed so long ago that another process may soon have it.

        Asked before every call to HubSpot: what was frozen in the middle of a round must not send what is left of it.
        """
        if self._clock() - self._renewed > self._seconds * 2 / 3:
            raise LeaseLost(self._portal)

    async def renew(self, lease: Lease, *, abandon: bool = False) -> None:
        """Renew the lease and keep the count of calls with it. Raises `LeaseLost`."""
        asked = self._clock()
        with self._allowance.counted() as keep_count:

            def renew(connection: Connection) -> None:
                leases.renew(connection, lease, self._seconds)
                keep_count(connection)

            await in_thread.aside(self._database, partial(self._write, renew), abandon=abandon)
        self._renewed = max(self._renewed, asked)

    def _write(self, change: Callable[[Connection], None]) -> None:
        with self._database.write() as connection:
            change(connection)
