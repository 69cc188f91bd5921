"""The form of a log line, and that a log which cannot be written stops nothing."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from credsync.logs import configure_logs


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error, in which both kinds of lines end."""
    before = structlog.get_config(), list(logging.getLogger().handlers)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logs("json")
    yield written
    structlog.configure(**before[0])
    logging.getLogger().handlers[:] = before[1]


def test_our_lines_and_a_librarys_have_one_form(output: io.StringIO) -> None:
    """One JSON object a line: what happened, how loud, when; ours with its own fields."""
    structlog.get_logger("credsync").warning("lease.lost", portal="alpha")
    logging.getLogger("a.library").warning("it is %s", "late")
    ours, theirs = (json.loads(line) for line in output.getvalue().splitlines())
    assert {name: ours[name] for name in ("event", "level", "portal")} == {
        "event": "lease.lost",
        "level": "warning",
        "portal": "alpha",
    }
    assert (theirs["event"], theirs["level"]) == ("it is late", "warning")
    assert ours["at"][:4] == theirs["at"][:4]
    structlog.get_logger("credsync").debug("too.quiet")
    assert len(output.getvalue().splitlines()) == 2


def test_a_log_that_cannot_be_written_stops_nothing(output: io.StringIO) -> None:
    """Its disk is full, or whoever read it is gone: what was to be told of goes on."""
    output.close()
    structlog.get_logger("credsync").info("link.found", portal="alpha")
