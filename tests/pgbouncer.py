"""A real PgBouncer in transaction mode before the tests' PostgreSQL; Debian's package, installed where that may be done."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.flow.processes import until

MISSING = (
    "PgBouncer is not on this machine and could not be installed: install it to test behind it "
    "(Debian, Ubuntu: apt-get install pgbouncer)."
)
_CONFIG = """
[databases]
* = host=127.0.0.1 port={server} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
min_pool_size = 2
max_client_conn = 200
"""


def find_pgbouncer() -> str | None:
    """Its program: installed, else from Debian's package, where root or sudo without a password may install it."""
    found = _installed()
    apt = shutil.which("apt-get")
    if found is not None or apt is None:
        return found
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and shutil.which("sudo") is None:
        return None
    with Path(tempfile.gettempdir(), f"credsync-apt-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        quietly = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", apt]
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "pgbouncer"],
        ):
            if _installed() is None:
                subprocess.run([*quietly, *command], stdin=subprocess.DEVNULL, capture_output=True)
    return _installed()


def _installed() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pgbouncer(program: str, url: str) -> Iterator[str]:
    """The address of the same database behind a PgBouncer, which ends with this."""
    direct = make_url(url)
    runs_as: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="credsync-pgbouncer-") as folder:
        home = Path(folder)
        config = home / "pgbouncer.ini"
        port = _free_port()
        told = {"server": direct.port, "user": direct.username, "password": direct.password, "port": port}
        config.write_text(_CONFIG.format(**told))
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            runs_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (home, config):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with (home / "log").open("w") as log:
            running = subprocess.Popen(
                [program, str(config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", **runs_as
            )
        try:
            behind = direct.set(port=port).render_as_string(hide_password=False)
            _wait_for(behind, running, home / "log")
            yield behind
        finally:
            running.kill()
            running.wait()


def _wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        assert running.poll() is None, log.read_text()
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    until(answers, 15, "PgBouncer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
