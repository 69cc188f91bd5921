"""Clients that cost next to nothing: calls written out before the clock starts, one connection each, one loop for all.

They share the machine's processors with the service; what they burn would be measured as the service's slowness.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.processes import BenchFailed

_UNANSWERED_WITHIN = 60.0


@dataclass(slots=True)
class Sent:
    """What came of the calls: the seconds each answer took, and how long all took together."""

    answers: list[float] = field(default_factory=list)
    seconds: float = 0.0


def request(url: str, path: str, token: str, body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(url: str, shares: Sequence[Sequence[bytes]], seconds: float) -> Sent:
    """Each share's calls one after another on a connection of its own, until the time is up or all are answered.

    Raises `BenchFailed` for an answer that is not 202.
    """
    return uvloop.run(_send(url, shares, seconds))


async def _send(url: str, shares: Sequence[Sequence[bytes]], seconds: float) -> Sent:
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    sent = Sent()
    began = time.monotonic()
    clients = [_Client(iter(share), began + seconds, sent.answers) for share in shares]
    connections = [
        (await loop.create_connection(lambda client=client: client, address.hostname, address.port))[0]  # type: ignore[misc]
        for client in clients
    ]
    try:
        async with asyncio.timeout(seconds + _UNANSWERED_WITHIN):
            await asyncio.gather(*(client.done for client in clients))
    except TimeoutError:
        raise BenchFailed(f"no answer within {_UNANSWERED_WITHIN:g} s") from None
    finally:
        for connection in connections:
            connection.close()
    sent.seconds = time.monotonic() - began
    return sent


class _Client(asyncio.Protocol):
    """One connection, one call under way at a time."""

    def __init__(self, calls: Iterator[bytes], until: float, answers: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls, self._until, self._answers = calls, until, answers
        self._transport: asyncio.WriteTransport | None = None
        self._began = 0.0
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if _whole(self._read):
            self._answers.append(time.monotonic() - self._began)
            if self._read.startswith(b"HTTP/1.1 202 "):
                self._next()
            else:
                self._fail(f"a call was answered {self._read[:700]!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the service closed the connection: {exc}")

    def _next(self) -> None:
        assert self._transport is not None
        self._read = b""
        self._began = time.monotonic()
        call = next(self._calls, None) if self._began < self._until else None
        if call is not None:
            self._transport.write(call)
        elif not self.done.done():
            self.done.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(BenchFailed(why))


def _whole(answer: bytes) -> bool:
    """Whether an answer with a `Content-Length` has come to its end."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length)


def shared_out(calls: Iterable[bytes], clients: int) -> list[list[bytes]]:
    """The calls dealt out among so many clients.

    >>> shared_out([b"a", b"b", b"c"], 2)
    [[b'a', b'c'], [b'b']]
    """
    dealt = list(calls)
    return [dealt[number::clients] for number in range(clients)]
