"""What cannot be done is said in a sentence with the remedy, under the right exit code, and never as a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credsync.cli.commands import hoisted
from credsync.cli.refusals import Code, refusal_of
from tests.cli.conftest import PORTAL, Run
from tests.databases import free_port


def test_an_unknown_setting_stops_every_command_with_its_name(run: Run, home: Path) -> None:
    """In the file as in the environment, with the name that was perhaps meant."""
    (home / "credsync.toml").write_text('log_formt = "json"\n')
    ended = run("list")
    assert ended.code == 4
    assert "log_formt in credsync.toml is no setting: did you mean log_format?" in ended.err


def test_an_unknown_variable_stops_every_command_with_its_name(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable would otherwise be a default that nobody chose."""
    monkeypatch.setenv("CREDSYNC_PORTLAS", "x")
    ended = run("db", "upgrade")
    assert ended.code == 4
    assert "CREDSYNC_PORTLAS" in ended.err
    assert "did you mean CREDSYNC_PORTALS?" in ended.err


@pytest.mark.parametrize("command", [("list",), ("show", "1"), ("serve",)])
def test_an_unusable_portal_file_is_told_whole(
    run: Run, home: Path, database: object, command: list[str]
) -> None:
    """Each fault of each file, with its key and what to do about it."""
    broken = PORTAL.replace('"npi_and_caqh.npi"', '"npi_and_caqh.npy"').replace(
        'mode = "write"', 'mood = "write"'
    )
    (home / "portals" / "alpha.toml").write_text(broken)
    (home / "portals" / "beta.toml").write_text(PORTAL.replace('each = "license_state"', 'eech = "x"'))
    ended = run(*command)
    assert ended.code == 4
    assert "Portal file alpha.toml cannot be used" in ended.err
    assert (
        "hubspot.mood: is not a key of a portal file (did you mean 'mode'?); remove or rename it" in ended.err
    )
    assert "Portal file beta.toml cannot be used" in ended.err
    assert "slots.license.eech" in ended.err
    assert "Traceback" not in ended.err


def test_no_portal_file_at_all_is_said(run: Run, home: Path, database: object) -> None:
    """With the pattern that was looked for."""
    (home / "portals" / "demo.toml").unlink()
    ended = run("list")
    assert ended.code == 4
    assert "portals/*.toml" in ended.err


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@host:port/x", "mysql://u:hunter2@host/x", "hunter2", "sqlite://"]
)
def test_a_database_url_of_no_use_is_never_repeated(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """It may hold a password; what to write instead is said."""
    monkeypatch.setenv("CREDSYNC_DATABASE_URL", url)
    ended = run("list")
    assert ended.code == 4
    assert "database_url" in ended.err
    assert "hunter2" not in ended.err


def test_a_database_that_does_not_answer_is_said_without_the_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1: the settings may be right and the machine down."""
    monkeypatch.setenv("CREDSYNC_DATABASE_URL", f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x")
    ended = run("list")
    assert ended.code == 1
    assert "The database cannot be used" in ended.err
    assert "refused" in ended.err
    assert "hunter2" not in ended.err


def test_a_file_that_is_no_database_is_said(run: Run, home: Path) -> None:
    """Exit 1, with what SQLite says of it."""
    (home / "credsync.db").write_text("no database" * 100)
    ended = run("list")
    assert ended.code == 1
    assert "file is not a database" in ended.err


def test_config_is_taken_before_and_after_the_command(run: Run, home: Path) -> None:
    """A file that is named must be there."""
    (home / "other.toml").write_text('database_url = "sqlite:///other.db"\n')
    assert run("--config", "other.toml", "db", "upgrade").code == 0
    assert run("db", "upgrade", "--config=other.toml").code == 0
    assert (home / "other.db").exists()
    assert not (home / "credsync.db").exists()
    ended = run("db", "upgrade", "--config", "none.toml")
    assert ended.code == 4
    assert "none.toml" in ended.err
    assert hoisted(["list", "--", "--config", "x"]) == ["list", "--", "--config", "x"]


@pytest.mark.parametrize("arguments", [["lst"], ["list", "--stat"], ["show"], ["serve", "--speed", "0"]])
def test_wrong_usage_is_exit_2(run: Run, arguments: list[str]) -> None:
    """With how to use it, on standard error."""
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: credsync" in ended.err


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    """A bug is not dressed up as somebody's mistake; a permission is exit 5."""
    assert refusal_of(KeyError("x")) is None
    refusal = refusal_of(PermissionError(13, os.strerror(13), "/some/file"))
    assert refusal is not None
    assert refusal.code is Code.NOT_ALLOWED
    assert "/some/file" in str(refusal)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--portal", "portals/demo.toml", "--delay", "soon"], 2, "--delay"),
        (["--portal", "portals/demo.toml", "--latency", "soon"], 2, "--latency"),
        (["--portal", "portals/demo.toml", "--faults", "none.json"], 4, "none.json"),
        (["--portal", "portals/none.toml"], 4, "portals/none.toml"),
        (["--portal", "portals/demo.toml", "--port", "70000"], 2, "--port"),
        ([], 2, "--portal"),
    ],
)
def test_the_sandbox_says_what_it_cannot_start_with(
    run: Run, arguments: list[str], code: int, said: str
) -> None:
    """The option or the file."""
    ended = run("sandbox", *arguments)
    assert ended.code == code
    assert said in ended.err


def test_an_error_tracker_that_cannot_be_is_told_at_the_start(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDSYNC_SENTRY_DSN", "elsewhere")
    ended = run("serve")
    assert ended.code == 4
    assert "sentry_dsn is no DSN: write https://key@host/project" in ended.err
    assert "elsewhere" not in ended.err
