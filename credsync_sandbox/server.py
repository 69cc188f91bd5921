"""Serving a sandbox over HTTP: in the foreground until a signal, or in a thread of another program."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import uvicorn
from starlette.types import ASGIApp

Application = TypeVar("Application", bound=ASGIApp)

STARTED_WITHIN = 10.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: ASGIApp) -> uvicorn.Server:
    """A quiet server; a connection that a fault keeps hanging does not hold it up when it stops."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    return uvicorn.Server(config)


def serve(app: ASGIApp, sock: socket.socket) -> None:
    """Say where, then serve until SIGINT or SIGTERM, however early it comes; returns when all is kept."""
    server = server_of(app)

    def end(*_: object) -> None:
        server.should_exit = True

    usual = {sig: signal.signal(sig, end) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        sys.stdout.write(f"sandbox listening on {url_of(sock)}\n")
        sys.stdout.flush()
        server.run(sockets=[sock])
    finally:
        for sig, handler in usual.items():
            signal.signal(sig, handler)
        sock.close()


@dataclass(frozen=True, slots=True)
class Running(Generic[Application]):
    """An application that is served by a thread."""

    app: Application
    url: str


@contextlib.contextmanager
def in_thread(app: Application, host: str = "127.0.0.1", port: int = 0) -> Iterator[Running[Application]]:
    """Serve while the block runs."""
    sock = listen(host, port)
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="sandbox", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            thread.join(0.005)
        if not server.started:
            raise RuntimeError("the sandbox did not start")
        yield Running(app, url_of(sock))
    finally:
        server.should_exit = True
        thread.join(STARTED_WITHIN)
        sock.close()
