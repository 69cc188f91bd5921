"""A real PostgreSQL for the tests, on any machine, and a fresh database for each test.

`CREDSYNC_TEST_POSTGRES` may name a server to use; else one is started in a temporary folder by somebody without rights
(`tests/postgres_programs.py` says from where). It lives as long as the process that asked for it: a small shell holds
the other end of a pipe, and stops the server and removes its files when the pipe closes, even after kill -9.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tests.postgres_programs import NoPostgresError, find_programs, unprivileged, within_reach

GIVEN = "CREDSYNC_TEST_POSTGRES"
LEFT_OUT = "none"

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 80
shared_buffers = 64MB
autovacuum = off
"""

_STOP_WHEN_THE_PIPE_CLOSES = 'read -r _; "$1/pg_ctl" -D "$2/data" -m immediate -w stop; rm -rf "$2"'


@dataclass(frozen=True)
class Cluster:
    """A server of our own: its programs, its folder, who runs it, its port."""

    programs: Path
    home: Path
    runs_as: dict[str, Any]
    port: int

    def start(self) -> None:
        """Start it; raises `NoPostgresError` with what it said."""
        log = self.home / "log"
        try:
            self._control("-l", log, "-o", f"-p {self.port}", "start")
        except NoPostgresError as error:
            raise NoPostgresError(log.read_text() if log.exists() else str(error)) from error

    def stop(self, how: str = "fast") -> None:
        """End it: `fast` throws out whoever is connected, `immediate` is a crash."""
        self._control("-m", how, "stop")

    def _control(self, *arguments: Any) -> None:
        command = [self.programs / "pg_ctl", "-D", self.home / "data", "-w", *arguments]
        _run(command, self.home, self.runs_as)


@dataclass
class PostgresServer:
    """A running server: makes databases and drops them. `cluster` is None for one that was given."""

    address: URL
    cluster: Cluster | None = None
    _prefix: str = field(default_factory=lambda: f"credsync_test_{secrets.token_hex(4)}")
    _names: Iterator[int] = field(default_factory=lambda: count(1))
    _admin: psycopg.Connection[Any] | None = None

    @property
    def admin(self) -> psycopg.Connection[Any]:
        """A connection outside every test's database, made anew after the server was gone."""
        if self._admin is not None:
            try:
                self._admin.execute("SELECT 1")
            except psycopg.OperationalError:
                self.close()
        if self._admin is None:
            self._admin = psycopg.connect(_text(self.address), autocommit=True)
        return self._admin

    @property
    def password(self) -> str:
        return str(self.address.password)

    def url(self, database: str) -> str:
        return _text(self.address.set(database=database))

    def create_database(self, template: str = "template1", name: str = "") -> str:
        name = name or f"{self._prefix}_{next(self._names)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.admin.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop it, and throw out whoever is still connected."""
        self.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def drop_all(self) -> None:
        """What a test session left on a server that lives on."""
        left = self.admin.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{self._prefix}_%"]
        )
        for (name,) in left.fetchall():
            self.drop_database(name)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None


@contextmanager
def postgres_server(programs: Path | None = None) -> Iterator[PostgresServer]:
    """The server that `CREDSYNC_TEST_POSTGRES` names, else one of our own.

    `programs` is the directory of `initdb` and `pg_ctl`; where it is said, the server is our own.
    """
    given = os.environ.get(GIVEN)
    if given == LEFT_OUT:
        raise NoPostgresError(f"{GIVEN}={LEFT_OUT} leaves it out.")
    if given and programs is None:
        yield from _given(given)
    else:
        with own_server(programs) as server:
            yield server


def _given(text: str) -> Iterator[PostgresServer]:
    try:
        server = PostgresServer(make_url(text).set(drivername="postgresql"))
        server.admin.execute("SELECT 1")
    except (psycopg.Error, ArgumentError) as error:
        raise NoPostgresError(f"{GIVEN} names a server that cannot be used: {error}") from None
    try:
        yield server
    finally:
        server.drop_all()
        server.close()


@contextmanager
def own_server(programs: Path | None = None) -> Iterator[PostgresServer]:
    """A server with its own cluster on a free loopback port, gone with its files at the end."""
    programs = programs or find_programs()
    home = Path(tempfile.mkdtemp(prefix="credsync-pg-"))
    runs_as = unprivileged()
    if runs_as:
        os.chown(home, runs_as["user"], runs_as["group"])
    try:
        programs = within_reach(programs, home, runs_as)
        password = _init(programs, home, runs_as)
        cluster = _start(programs, home, runs_as)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    watcher = subprocess.Popen(
        ["sh", "-c", _STOP_WHEN_THE_PIPE_CLOSES, "sh", str(programs), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        **runs_as,
    )
    address = URL.create("postgresql", "credsync", password, "127.0.0.1", cluster.port, "postgres")
    server = PostgresServer(address, cluster)
    try:
        yield server
    finally:
        with suppress(psycopg.Error):
            server.close()
        watcher.communicate(timeout=30)


def _init(programs: Path, home: Path, runs_as: dict[str, Any]) -> str:
    """Make the cluster's files; gives the password of its user `credsync`."""
    password = secrets.token_hex(16)
    secret = home / "password"
    secret.write_text(password)
    secret.chmod(0o644)
    data = home / "data"
    made = ["--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8", "--auth=scram-sha-256"]
    _run([programs / "initdb", "-D", data, "-U", "credsync", f"--pwfile={secret}", *made], home, runs_as)
    secret.unlink()
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(_SETTINGS)
    return password


def _start(programs: Path, home: Path, runs_as: dict[str, Any]) -> Cluster:
    """Start it on a free port; somebody else may take that meanwhile."""
    tries = 3
    while True:
        cluster = Cluster(programs, home, runs_as, free_port())
        try:
            cluster.start()
        except NoPostgresError:
            tries -= 1
            if not tries:
                raise
        else:
            return cluster


def _run(command: list[Any], home: Path, runs_as: dict[str, Any]) -> None:
    output = home / "output"
    try:
        with output.open("w") as out:
            subprocess.run(
                command, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home, **runs_as
            )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoPostgresError(f"{error}\n{output.read_text()}") from error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _text(address: URL) -> str:
    return address.render_as_string(hide_password=False)
