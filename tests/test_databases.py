"""The databases the other tests stand on."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import databases
from tests.databases import NoPostgresError, PostgresServer, find_programs, postgres_server


@pytest.mark.parametrize("attempt", [1, 2])
def test_each_test_has_a_database_of_its_own(empty_database_url: str, attempt: int) -> None:
    """The same table is made twice: it would be there already if two tests shared a database."""
    if empty_database_url.startswith("sqlite:////"):
        connection = sqlite3.connect(empty_database_url.removeprefix("sqlite:///"))
        connection.execute("CREATE TABLE mine (id INTEGER)")
        connection.close()
    else:
        with psycopg.connect(empty_database_url) as postgres:
            postgres.execute("CREATE TABLE mine (id INTEGER)")


def test_postgresql_wants_the_password(postgres: PostgresServer) -> None:
    """A server on loopback is open to every user of the machine but for its password."""
    wrong = postgres.url("postgres").replace(postgres.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_database_is_dropped_though_somebody_is_connected(postgres: PostgresServer) -> None:
    """A test that leaves a connection open does not break the next one."""
    name = postgres.create_database()
    with psycopg.connect(postgres.url(name), autocommit=True) as left_open:
        postgres.drop_database(name)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")


def test_without_postgresql_the_tests_fail_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never skipped: a suite that quietly leaves out a database proves nothing about it."""

    def nowhere() -> Iterator[Path]:
        return iter(())

    monkeypatch.setattr(databases, "find_programs", nowhere)
    with pytest.raises(NoPostgresError, match="make test"), postgres_server():
        pass


def test_programs_that_do_not_run_fail_with_what_they_said(tmp_path: Path) -> None:
    """The remedy alone would not tell a broken installation from a missing one."""
    programs = tmp_path / "pginstall" / "bin"
    programs.mkdir(parents=True)
    for name in ("pg_ctl", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho no locale here >&2; [ $1 = --version ]\n")
        (programs / name).chmod(0o755)
    with (
        pytest.raises(NoPostgresError, match=r"(?s)make test.*no locale here"),
        postgres_server(programs),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL itself")
def test_root_may_keep_the_clone_where_nobody_else_may_look(tmp_path: Path) -> None:
    """A clone in root's home works: the programs are copied to where `nobody` may run them."""
    original = next(find_programs())
    package = original.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    with postgres_server(closed / package.name / original.parent.name / "bin") as server:
        place = server.admin.execute("SHOW data_directory").fetchone()
        assert place
        assert (Path(place[0]).parent / "wheel").is_dir()
    assert not Path(place[0]).parent.exists()


def test_the_server_stops_when_the_tests_are_killed() -> None:
    """kill -9 on the test process leaves no server and no files behind."""
    script = (
        "from tests.databases import postgres_server\n"
        "with postgres_server() as server:\n"
        "    place = server.admin.execute('SHOW data_directory').fetchone()[0]\n"
        "    print(server.admin.info.backend_pid, place, flush=True)\n"
        "    input()\n"
    )
    root = Path(__file__).parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert child.stdin
    assert child.stdout
    with child.stdin, child.stdout:
        told = re.fullmatch(r"(\d+) (.+)/data\n", child.stdout.readline())
        assert told
        home = Path(told[2])
        assert home.is_dir()
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=30)
    _until_gone(home)


def _until_gone(path: Path) -> None:
    """Watch from a program of the system's own, for at most 30 s."""
    loop = 'n=0; while [ -e "$1" ]; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done'
    subprocess.run(["sh", "-c", loop, "sh", str(path)], check=True)
