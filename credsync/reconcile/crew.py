"""The workers of one process: a loop for each portal, ears that wake them, and their share among other processes."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import anyio

from credsync.reconcile.hearing import Hearing
from credsync.reconcile.spread import Spread
from credsync.reconcile.worker import PortalWorker, run_workers
from credsync.store import leases
from credsync.store.database import Database
from credsync.store.one_worker import only_worker

POLL = 30.0
"""Seconds between a portal's own looks at the database: the ears look for all portals, and far more often."""
_ROUND_ENDS_WITHIN = 3.0
"""Seconds a round under way may take to its end when the process is to stop."""


class Crew:
    """One process's; `name` is what its leases are held by, and is unique to the process and its start.

    On a SQLite file it is the only one; on PostgreSQL `spread` shares portals out among several.
    """

    def __init__(self, database: Database, lease_for: timedelta, *, listens: bool = True) -> None:
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.spread = None if database.is_sqlite else Spread(database, self.name, lease_for)
        self._database = database
        self._listens = listens

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold what only one may have. Raises `SecondWorker` where another process's worker runs on the SQLite file.

        Whoever has that place need not wait for the leases of the one before, who is dead.
        """
        if self._database.is_sqlite:
            with only_worker(self._database.url, self._database.clock):
                with self._database.write() as connection:
                    leases.end_all(connection)
                yield
        else:
            yield

    def run(self, workers: Mapping[str, PortalWorker], stop: threading.Event) -> None:
        """Run every portal's loop until stopped; rounds under way may end."""
        hearing = Hearing(
            self._database,
            self.name,
            {name: each.wake.set for name, each in workers.items()},
            listens=self._listens,
        )
        threading.Thread(target=hearing.run, args=(stop,), name="credsync-hearing", daemon=True).start()
        anyio.run(self._work, workers, stop, backend_options={"use_uvloop": True})

    async def _work(self, workers: Mapping[str, PortalWorker], stop: threading.Event) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_them, workers, stop, tasks.cancel_scope)
            if self.spread is not None:
                self.spread.portals = workers
                tasks.start_soon(self.spread.beat)
            await run_workers(list(workers.values()))
            tasks.cancel_scope.cancel()


async def _stop_them(
    workers: Mapping[str, PortalWorker], stop: threading.Event, everything: anyio.CancelScope
) -> None:
    """Let rounds under way end; what takes too long is cut off, and read back at the next start."""
    while not stop.is_set():  # noqa: ASYNC110 - another thread sets it
        await anyio.sleep(0.1)
    for worker in workers.values():
        worker.stop()
    await anyio.sleep(_ROUND_ENDS_WITHIN)
    everything.cancel()
