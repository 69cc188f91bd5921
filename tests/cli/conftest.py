"""A directory to work in, and two ways to run a command there: in this process, and as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from credsync.cli import main
from credsync.store.database import Database
from tests.conftest import Copies

ROOT = Path(__file__).parents[2]
PORTAL = (ROOT / "portals" / "demo.toml").read_text()


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is the working directory, with one portal file and no setting in the environment."""
    home = tmp_path / "home"
    (home / "portals").mkdir(parents=True)
    (home / "portals" / "demo.toml").write_text(PORTAL)
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith("CREDSYNC_")]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def database(home: Path, copies: Copies, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database at the newest schema, of each kind: SQLite's is the default one of `home`, the other the settings name."""
    with copies(home) as url:
        if url.startswith("sqlite"):
            url = "sqlite:///credsync.db"
        else:
            monkeypatch.setenv("CREDSYNC_DATABASE_URL", url)
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def sqlite_file(home: Path, migrated_sqlite: Path) -> Path:
    """The default database of `home`, at the newest schema, for what a file alone is about."""
    return Path(shutil.copyfile(migrated_sqlite, home / "credsync.db"))


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["credsync", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a command as a process; it is gone when the test ends."""
    with ExitStack() as started:

        def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "credsync", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield start


def end(process: subprocess.Popen[str]) -> Ended:
    """What a process said until it ended."""
    out, err = process.communicate(timeout=15)
    return Ended(process.returncode, out, err)
