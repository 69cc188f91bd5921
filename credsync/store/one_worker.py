"""A SQLite file serves one worker: whoever runs it holds an operating system's lock on a file beside the database.

The lock ends with its process, however that ends; what is left of the file is no obstacle.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from credsync.store.clock import Clock, say_time


class SecondWorker(Exception):
    """Another process's worker runs on this SQLite file; the message says whose it is and what to do."""


@contextmanager
def only_worker(url: URL, clock: Clock) -> Iterator[None]:
    """Hold a SQLite file's one place for a worker meanwhile. Raises `SecondWorker` where it is taken."""
    assert url.database is not None
    database = Path(url.database).resolve()
    path = database.with_name(f"{database.name}.worker")
    with path.open("a+", encoding="utf-8") as place:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            place.seek(0)
            raise SecondWorker(
                f"A worker runs on {url.database} already: {_holder(place.read())}. A SQLite file serves one worker. Stop "
                "that one first, start this one with `--only api`, or move to PostgreSQL, which serves many."
            ) from None
        place.truncate(0)
        holder = {"process": os.getpid(), "host": socket.gethostname(), "since": say_time(clock.now())}
        place.write(json.dumps(holder) + "\n")
        place.flush()
        yield


def _holder(said: str) -> str:
    try:
        told = json.loads(said)
        return f"process {told['process']} on {told['host']}, since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "it has just started"
