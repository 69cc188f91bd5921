"""What an error tracker is told: that something failed and where; never an id, a value or a message of an exception."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import structlog

from credsync.error_tracker import AGAIN_AFTER, BadDsn, ErrorTracker
from credsync.logs import configure_logs

SECRET = "1 Elm Street, submitted"


class Tracker:
    """A tracker's own side: a real HTTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        told = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    raw = gzip.decompress(raw)
                told.append(raw.decode())
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.dsn = f"http://key@127.0.0.1:{self.server.server_address[1]}/7"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of all envelopes."""
        lines = (
            json.loads(line) for body in self.bodies for line in body.splitlines() if line.startswith("{")
        )
        return [line for line in lines if "message" in line]


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    made = Tracker()
    before = structlog.get_config(), logging.getLogger().handlers[:]
    yield made
    made.server.shutdown()
    made.server.server_close()
    structlog.configure(**before[0])
    logging.getLogger().handlers[:] = before[1]


def fail(number: str) -> None:
    street = SECRET
    raise ValueError(f"{street} {number}")


def test_a_failure_is_told_by_event_type_and_place_and_nothing_else(tracker: Tracker) -> None:
    client = ErrorTracker(tracker.dsn, "1.2.3")
    configure_logs("json", [client.processor()])
    log = structlog.get_logger("credsync")
    try:
        fail("forty-two")
    except ValueError:
        log.exception(
            "turn.failed", portal="alpha", therapist_id="6c1f8c1e", contact_id="237058", note=SECRET
        )
    log.warning("lease.lost", portal="alpha")
    client.close()

    (event,) = tracker.events
    assert event["message"] == "turn.failed: ValueError"
    assert event["tags"] == {"event": "turn.failed", "portal": "alpha"}
    assert event["release"] == "credsync@1.2.3"
    assert event["extra"]["passed"][-1].endswith(" fail")
    said = "".join(tracker.bodies)
    assert not [
        each
        for each in (SECRET, "Elm", "6c1f8c1e", "237058", "forty-two")
        if each
        in said.replace(event["event_id"], "")
        .replace(event["timestamp"], "")
        .replace(str(tracker.server.server_address[1]), "")
    ]


def test_a_fault_that_repeats_does_not_fill_the_tracker(tracker: Tracker) -> None:
    now = 0.0
    client = ErrorTracker(tracker.dsn, "1", clock=lambda: now)
    tell = client.processor()
    for _ in range(50):
        tell(None, "error", {"level": "error", "event": "database.failed", "portal": "alpha"})
    tell(None, "error", {"level": "error", "event": "database.failed", "portal": "beta"})
    now = AGAIN_AFTER
    tell(None, "error", {"level": "error", "event": "database.failed", "portal": "alpha"})
    client.close()
    assert [event["tags"]["portal"] for event in tracker.events] == ["alpha", "beta", "alpha"]


def test_a_tracker_that_is_away_keeps_nobody_waiting_long() -> None:
    client = ErrorTracker("http://key@127.0.0.1:9/7", "1")
    tell = client.processor()
    line = {"level": "error", "event": "database.failed"}
    assert tell(None, "error", dict(line)) == line
    client.close()


def test_a_setting_that_is_no_dsn_is_told() -> None:
    with pytest.raises(BadDsn, match="https://key@host/project"):
        ErrorTracker("elsewhere", "1")
