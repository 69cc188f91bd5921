"""A database that fails under a running service, each way for real, until the block ends."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.databases import PostgresServer
from tests.flow.world import World

Break = Callable[[World], AbstractContextManager[None]]
_ROOM = 64 * 1024
"""Bytes a file may have on a full disk: some facts go in before it is."""
_FULL = """
CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$
"""
_WRITTEN_TO = ("therapists", "submissions", "links", "writes", "events")


@dataclass(frozen=True)
class BrokenPostgres:
    """Ways in which the database `name` of a server of our own fails."""

    server: PostgresServer
    name: str

    @contextmanager
    def busy(self, _here: World) -> Iterator[None]:
        """Somebody else holds the tables for longer than the service waits (`lock_timeout`)."""
        with psycopg.connect(self.server.url(self.name)) as other:
            other.execute("LOCK TABLE therapists, leases IN ACCESS EXCLUSIVE MODE")
            yield

    @contextmanager
    def full(self, _here: World) -> Iterator[None]:
        """No row finds room."""
        with psycopg.connect(self.server.url(self.name), autocommit=True) as other:
            other.execute(_FULL)
            for table in _WRITTEN_TO:
                other.execute(
                    f"CREATE TRIGGER full_now BEFORE INSERT OR UPDATE ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION disk_is_full()"
                )
            try:
                yield
            finally:
                for table in _WRITTEN_TO:
                    other.execute(f"DROP TRIGGER full_now ON {table}")

    @contextmanager
    def read_only(self, _here: World) -> Iterator[None]:
        """As after a failover to a standby."""
        self._alter("SET default_transaction_read_only = on")
        try:
            yield
        finally:
            self._alter("RESET default_transaction_read_only")

    @contextmanager
    def restarted(self, _here: World) -> Iterator[None]:
        """The server crashes, and is started again."""
        assert self.server.cluster is not None
        self.server.cluster.stop("immediate")
        try:
            yield
        finally:
            self.server.cluster.start()

    def _alter(self, how: str) -> None:
        """Change it, for connections that begin now; those that stand are ended."""
        self.server.admin.execute(f"ALTER DATABASE {self.name} {how}")
        self.server.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
        )


@dataclass(frozen=True)
class BrokenSqlite:
    """Ways in which the database of this file fails."""

    path: Path

    @contextmanager
    def busy(self, _here: World) -> Iterator[None]:
        """Another process has the lock for longer than the service waits (`?timeout=`)."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    @contextmanager
    def full(self, here: World) -> Iterator[None]:
        """The operating system lets no file of the service grow."""
        before = resource.prlimit(here.service.id, resource.RLIMIT_FSIZE)
        resource.prlimit(here.service.id, resource.RLIMIT_FSIZE, (_ROOM, before[1]))
        try:
            yield
        finally:
            resource.prlimit(here.service.id, resource.RLIMIT_FSIZE, before)
