"""Somebody who is told: an HTTP server on loopback that keeps what is posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Somebody:
    """`address` is for `notify_urls`; `heard` is what was posted. While `held` is not set nothing is answered."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status = 200
        self.held = threading.Event()
        self.held.set()
        somebody = self

        class Ear(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                somebody.held.wait(20)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if somebody.status == 200:
                    somebody.heard.append(json.loads(body))
                self.send_response(somebody.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        self.address = f"json://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.held.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def somebody() -> Iterator[Somebody]:
    """One while the block runs."""
    made = Somebody()
    try:
        yield made
    finally:
        made.close()
