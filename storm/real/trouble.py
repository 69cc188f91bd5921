"""What befalls the processes, drawn from a seed: kill -9, SIGSTOP and SIGCONT, restarts of PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from storm.real.stage import Stage
from tests.databases import Cluster

Trouble = Callable[[Stage, Random], None]
"""One blow, at a random moment after the last."""


def kill(stage: Stage, chance: Random) -> None:
    """kill -9 of a process, some time after all have come up: in the middle of what they do."""
    stage.wait_ready()
    _wait(chance.uniform(0, 1.2))
    stage.kill(chance.choice(sorted(stage.layout)))


def stop(stage: Stage, chance: Random) -> None:
    """SIGSTOP of a worker for less or for longer than its lease, while the other may take over; then SIGCONT."""
    _wait(chance.uniform(0.1, 0.8))
    name = chance.choice([each for each in sorted(stage.layout) if each.startswith("worker")])
    since = stage.freeze(name)
    _wait(chance.choice((chance.uniform(0.05, 1.0), chance.uniform(1.0, 3.0))))
    stage.thaw(name, since)


def restart_of(cluster: Cluster) -> Trouble:
    """PostgreSQL goes, as in a crash or in order, and comes again."""

    def restart(stage: Stage, chance: Random) -> None:
        _wait(chance.uniform(0.5, 2.0))
        since = datetime.now(UTC)
        cluster.stop(chance.choice(("immediate", "fast")))
        gone = datetime.now(UTC)
        _wait(chance.uniform(0, 1.5))
        cluster.start()
        back = datetime.now(UTC)
        stage.interrupted += [since, since + (gone - since) / 2, gone, back]

    return restart


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
