"""The databases the other tests stand on."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.databases import PostgresServer, free_port, own_server, postgres_server
from tests.postgres_programs import Machine, NoPostgresError, find_programs, wheels_programs

A_TEST_ON_BOTH = "test_each_test_has_a_database_of_its_own"


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
    if postgres.cluster is None:
        pytest.skip("a server that is given has rules of its own")
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


def without_postgres(folder: Path, *programs: str, **more: Any) -> Machine:
    """A machine that has `programs`, and no PostgreSQL."""
    on_path = folder / "path"
    on_path.mkdir()
    for name in programs:
        (on_path / name).write_text("#!/bin/sh\n")
        (on_path / name).chmod(0o755)
    nothing: Callable[[], Iterator[Path]] = lambda: iter(())  # noqa: E731
    return Machine(**{"debian": folder / "debian", "path": str(on_path), "wheel": nothing, **more})


def installed_in(folder: Path) -> Path:
    """What Debian's package leaves there."""
    programs = folder / "debian" / "15" / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "pg_ctl"):
        (programs / name).touch()
    return programs


def test_without_postgresql_the_tests_fail_with_the_remedy(tmp_path: Path) -> None:
    """Never skipped: a suite that quietly leaves out a database proves nothing about it."""
    with pytest.raises(NoPostgresError, match=r"make test(?s:.*)no apt-get"):
        find_programs(without_postgres(tmp_path))


def test_an_installed_postgresql_comes_before_anything_else(tmp_path: Path) -> None:
    """Nothing is installed where it is there already."""
    programs = installed_in(tmp_path)
    assert find_programs(without_postgres(tmp_path, "apt-get", run=pytest.fail)) == programs


@pytest.mark.parametrize(
    ("is_root", "there", "called_as"), [(True, ["apt-get"], []), (False, ["apt-get", "sudo"], ["sudo", "-n"])]
)
def test_debians_package_is_installed_by_root_or_sudo(
    tmp_path: Path, is_root: bool, there: list[str], called_as: list[str]
) -> None:
    """Without a question, and without a server of the machine's own."""
    calls: list[list[str]] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if "install" in command:
            installed_in(tmp_path)
        return subprocess.CompletedProcess(command, 0, "", "")

    machine = without_postgres(tmp_path, *there, is_root=is_root, lock=tmp_path / "lock", run=run)
    assert find_programs(machine) == tmp_path / "debian" / "15" / "bin"
    assert [call[: len(called_as)] for call in calls] == [called_as] * 2
    assert calls[-1][-1] == "postgresql"


@pytest.mark.parametrize("there", [[], ["apt-get"], ["apt-get", "sudo"]])
def test_the_wheel_comes_last(tmp_path: Path, there: list[str]) -> None:
    """Where nothing is installed and nothing can be."""

    def refused(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "a password is required")

    lock = tmp_path / "lock"
    machine = without_postgres(
        tmp_path, *there, is_root=False, lock=lock, run=refused, wheel=lambda: iter([Path("wheel")])
    )
    assert find_programs(machine) == Path("wheel")


def test_what_apt_says_is_told(tmp_path: Path) -> None:
    """A machine without a network to its packages."""

    def refused(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 100, "", "E: Unable to locate package postgresql")

    machine = without_postgres(tmp_path, "apt-get", is_root=True, lock=tmp_path / "lock", run=refused)
    with pytest.raises(NoPostgresError, match="Unable to locate package"):
        find_programs(machine)


def test_a_server_that_is_given_is_used_and_left_clean(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Databases with names of their own, all dropped at the end."""
    monkeypatch.setenv("CREDSYNC_TEST_POSTGRES", postgres.url("postgres"))
    with postgres_server() as given:
        assert given.cluster is None
        name = given.create_database()
        with psycopg.connect(given.url(name)) as there:
            there.execute("SELECT 1")
    left = postgres.admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert left is None


def test_a_server_that_is_given_and_does_not_answer_is_not_replaced_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever names a server wants that one."""
    monkeypatch.setenv("CREDSYNC_TEST_POSTGRES", f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    with pytest.raises(NoPostgresError, match="names a server that cannot be used"), postgres_server():
        pass


@pytest.mark.parametrize("ending", ["fast", "immediate"])
def test_a_server_of_our_own_can_be_restarted(ending: str) -> None:
    """For tests of what a restart does; its databases are there again."""
    with own_server() as server:
        name = server.create_database()
        assert server.cluster is not None
        server.cluster.stop(ending)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url(name))
        server.cluster.start()
        with psycopg.connect(server.url(name)) as there:
            assert there.execute("SELECT 1").fetchone() == (1,)


def test_a_person_may_leave_postgresql_out_and_the_run_says_so() -> None:
    """The tests on it count as skipped, and a sentence stands at the end."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{__file__}::{A_TEST_ON_BOTH}"],
        env={**os.environ, "CREDSYNC_TEST_POSTGRES": "none"},
        cwd=Path(__file__).parents[1],
        text=True,
        capture_output=True,
        check=True,
    )
    assert "2 passed, 2 skipped" in ended.stdout
    assert "nothing was run on PostgreSQL" in ended.stdout


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
    """A clone in root's home works: the wheel's programs are copied to where `nobody` may run them."""
    original = next(wheels_programs())
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
        "from tests.databases import own_server\n"
        "with own_server() as server:\n"
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
