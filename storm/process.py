"""One process of the service: the real worker over its own database connections, killed or frozen at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import anyio
import anyio.lowlevel
import httpx2
from sqlalchemy import Connection, Engine, select

from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import Pacing
from credsync.reconcile.owner import POLL
from credsync.reconcile.watch import Watch
from credsync.reconcile.worker import PortalWorker
from credsync.store.database import Database, Rehearsal
from credsync.store.tables import leases
from storm.loop import FROZEN_UNTIL, SkewedClock, VirtualTime
from storm.network import Network, Weather

LEASE = timedelta(seconds=12)
LONG_LEASE = timedelta(minutes=10)
"""Once it is calm and one process is left, it need not say so every few seconds."""
RARELY = 0.01
"""How fast the causes of alerts are looked for in a process that is not `watchful`: they cost most and teach least."""


class Killed(BaseException):
    """The process is gone: nothing of it tidies up."""


@dataclass
class Fate:
    """What will happen to a process: at which durable step it dies, before or after the commit, or at which write to
    HubSpot, before or after it got there; at which of them it is frozen, for so many seconds.
    """

    dies_at_step: int | None = None
    after_commit: bool = False
    dies_at_write: int | None = None
    after_write: bool = False
    freezes_at_write: int | None = None
    frozen_for: float = 0.0
    ahead: timedelta = field(default_factory=timedelta)


_KEPT: dict[str, Engine] = {}


def statements_kept(engine: Engine) -> Engine:
    """The engine with all storms' compiled statements: each would else be compiled anew by every process of a seed.

    They belong to a dialect, which only the engine that it was made with teaches its server's ways, as it connects first.
    """
    first = _KEPT.setdefault(engine.dialect.name, engine)
    if first is engine:
        engine.connect().close()
    else:
        options = engine.get_execution_options()
        engine = Engine(
            engine.pool, first.dialect, engine.url, hide_parameters=True, execution_options=options
        )
        engine._compiled_cache = first._compiled_cache
    return engine


OWNER = select(leases.c.owner, leases.c.expires_at)


class MortalDatabase(Database):
    """A process's way to the database: counts its durable steps, and ends with the process."""

    def __init__(self, url: str, time: VirtualTime, fate: Fate, process: Process) -> None:
        super().__init__(url, SkewedClock(time, fate.ahead), rehearsal=Rehearsal(time, process.turn))
        self.engine = statements_kept(self.engine)
        self.steps = 0
        self._fate = fate
        self._process = process

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A durable step, unless this is where the process dies."""
        self._process.alive()
        self.steps += 1
        dies = self.steps == self._fate.dies_at_step
        with super().write() as connection, self._held(connection):
            yield connection
            if dies and not self._fate.after_commit:
                self._process.kill()
        if dies:
            self._process.kill()

    @contextmanager
    def _held(self, connection: Connection) -> Iterator[None]:
        """What a process changes, it changes while nobody else has the lease. Only SQLite counts changes."""
        if not self.is_sqlite:
            yield
            return
        name = self._process.name
        before, held = self._changes(connection), self._owner(connection) == name
        yield
        if self._changes(connection) > before and not held and self._owner(connection) != name:
            self._process.wrong(f"{name} recorded something under another's lease")

    def _owner(self, connection: Connection) -> str | None:
        row = connection.execute(OWNER).one_or_none()
        return None if row is None else str(row.owner)

    def _changes(self, connection: Connection) -> int:
        return int(getattr(connection.connection.dbapi_connection, "total_changes", 0))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look, while the process lives."""
        self._process.alive()
        with super().read() as connection:
            yield connection


class Process:
    """`run` ends when the process is killed, or stopped. In a `calm` nobody else may take over."""

    def __init__(
        self,
        name: str,
        url: str,
        portal: Portal,
        app: httpx2.ASGITransport,
        time: VirtualTime,
        weather: Weather,
        policy: Policy,
        fate: Fate,
        seed: int,
        calm: bool = False,
        watchful: bool = False,
    ) -> None:
        self.name = name
        self.killed = False
        self.died = False
        """By its fate, not at the storm's end."""
        self.ended: list[datetime] = []
        """When it was killed, however that was."""
        self.wrong: Callable[[str], None] = lambda _: None
        """Takes what is wrong with what it records."""
        self._time = time
        self._frozen_until = 0.0
        self.frozen: list[tuple[datetime, datetime]] = []
        """Since and until when it stood still."""
        self.database = MortalDatabase(url, time, fate, self)
        self.network = Network(app, weather, time, self.alive, self.turn)
        self._fate = fate
        self._writes = 0
        self.network.on_write, self.network.on_written = self._before_write, self._after_write
        client = HubSpotClient(
            portal.hubspot.base_url,
            "a-token",
            portal.hubspot.api_version,
            Pacing(clock=time.monotonic),
            http=httpx2.AsyncClient(transport=self.network),
            clock=time.monotonic,
            now=time.now,
            rng=Random(seed),
        )
        self.worker = PortalWorker(
            self.database,
            Edge(portal, client),
            policy,
            name,
            LONG_LEASE if calm else LEASE * (1 + seed % 3),
            clock=time.monotonic,
            poll=LONG_LEASE.total_seconds() if calm else POLL * (1 + 3 * (seed % 2)),
            watch=None if watchful else Watch(self.database, portal, RARELY, clock=time.monotonic),
        )

    async def run(self) -> None:
        """The process's life."""
        FROZEN_UNTIL.set(lambda: self._frozen_until)
        try:
            await self.worker.run()
        except BaseExceptionGroup as group:
            rest = group.split(Killed)[1]
            if rest is not None:
                raise rest from None
        except Killed:
            pass
        finally:
            self.database.close()

    def kill(self) -> None:
        """kill -9, here."""
        self.killed = self.died = True
        self.ended.append(self._time.now())
        raise Killed

    def _before_write(self) -> None:
        self._writes += 1
        if self._writes == self._fate.dies_at_write and not self._fate.after_write:
            self.kill()
        if self._writes == self._fate.freezes_at_write:
            self.freeze(self._fate.frozen_for)

    def _after_write(self) -> None:
        if self._fate.dies_at_write is not None and self._writes >= self._fate.dies_at_write:
            self.kill()

    def kill_quietly(self) -> None:
        """kill -9, from outside: it ends at its next step."""
        self.killed = True
        self.ended.append(self._time.now())

    def alive(self) -> None:
        """Raises `Killed` in whatever is still under way of a dead process."""
        if self.killed:
            raise Killed

    def freeze(self, seconds: float) -> None:
        """SIGSTOP now, SIGCONT then."""
        self._frozen_until = self._time.seconds + seconds
        self.frozen.append((self._time.now(), self._time.now() + timedelta(seconds=seconds)))

    async def turn(self) -> None:
        """Where a process gives way: a frozen one stays there."""
        await anyio.lowlevel.checkpoint()
        while self._time.seconds < self._frozen_until:  # noqa: ASYNC110 (its time is virtual)
            await anyio.sleep(self._frozen_until - self._time.seconds)
