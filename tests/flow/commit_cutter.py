"""A proxy before PostgreSQL that loses connections in the middle of a commit: before it arrives, or its answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_COMMIT = b"COMMIT\0"


@dataclass
class Cut:
    """Lose the connection at the `nth` commit of a transaction that mentions `marker`.

    With `arrives` the commit takes place and only its answer is lost.
    """

    marker: bytes
    nth: int
    arrives: bool
    seen: int = 0
    done: bool = False


@dataclass
class CommitCutter:
    """Passes everything on but for its `cuts`; `port` is where to connect."""

    server: tuple[str, int]
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self, marker: str, nth: int, *, arrives: bool) -> Cut:
        """Arm one."""
        made = Cut(marker.encode(), nth, arrives)
        with self._lock:
            self.cuts.append(made)
        return made

    def falls(self, transaction: bytes) -> Cut | None:
        """Whether this commit is one to cut; every cut counts the commits it sees."""
        falling = None
        with self._lock:
            for cut in self.cuts:
                if not cut.done and cut.marker in transaction:
                    cut.seen += 1
                    if cut.seen == cut.nth:
                        cut.done, falling = True, cut
        return falling

    def serve(self, client: socket.socket) -> None:
        """One connection, to its end."""
        with client, suppress(OSError), socket.create_connection(self.server) as server:
            silent = threading.Event()
            back = threading.Thread(target=_pump, args=(server, client, silent), daemon=True)
            back.start()
            try:
                self._pass_on(client, server, silent, back)
            finally:
                for end in (client, server):  # closing alone would not wake who waits for it
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def _pass_on(
        self, client: socket.socket, server: socket.socket, silent: threading.Event, back: threading.Thread
    ) -> None:
        said = b""
        while data := client.recv(65_536):
            said += data
            if data.endswith(_COMMIT) and (cut := self.falls(said)) is not None:
                if cut.arrives:
                    silent.set()
                    server.sendall(data)
                    back.join(10)  # the answer came, and nobody heard it
                return
            said = b"" if data.endswith((_COMMIT, b"ROLLBACK\0")) else said
            server.sendall(data)


def _pump(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
    """Answers back to the client, until one is to be lost."""
    with suppress(OSError):
        while (data := server.recv(65_536)) and not silent.is_set():
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(host: str, port: int) -> Iterator[CommitCutter]:
    """A proxy on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cutter = CommitCutter((host, port), listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=cutter.serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield cutter
        listener.shutdown(socket.SHUT_RDWR)
