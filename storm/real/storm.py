"""One storm over real processes: so many blows under load, then calm, rest and judgement."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from credsync.store.database import Database
from credsync.store.schema import upgrade
from storm.real.keeping import keep
from storm.real.load import Load
from storm.real.stage import ALL_IN_ONE, SPREAD, Stage
from storm.real.trouble import Trouble, kill, restart_of, stop
from tests.databases import Cluster, own_server
from tests.oracle import judge

CALM_WITHIN = 240.0
"""Seconds in which everything accepted is written once nothing is amiss any more."""
REST = 2.0
"""Seconds at rest in which nothing is written."""


@dataclass
class Ended:
    """What a storm came to. `lost` and `wrong` are what the oracle found, and who was not in sync in the end."""

    blows: int
    told: int = 0
    therapists: int = 0
    calls: int = 0
    writes: int = 0
    seconds: float = 0.0
    wrongs: list[str] = field(default_factory=list)
    kept: Path | None = None
    """Where all that its cause can be found by is, if anything was lost or wrong or somebody asked for it."""


def kills_on_sqlite(seed: int, blows: int, *, always: bool = False) -> Ended:
    """The whole service on a SQLite file, killed and started again."""
    with tempfile.TemporaryDirectory(prefix="storm-real-") as folder:
        return _run(Path(folder), f"sqlite:///{folder}/credsync.db", ALL_IN_ONE, kill, seed, blows, always)


def kills_on_postgres(seed: int, blows: int, *, always: bool = False) -> Ended:
    """An API and two workers on PostgreSQL, one of them killed and started again."""
    return _on_postgres(lambda _: kill, seed, blows, always)


def stops(seed: int, blows: int, *, always: bool = False) -> Ended:
    """Two workers on PostgreSQL, one of them stopped for a while."""
    return _on_postgres(lambda _: stop, seed, blows, always)


def restarts(seed: int, blows: int, *, always: bool = False) -> Ended:
    """PostgreSQL itself, beneath an API and two workers."""
    return _on_postgres(restart_of, seed, blows, always)


def everything(seed: int, blows: int, *, always: bool = False) -> Ended:
    """Kills, stops and restarts by turns, beneath an API and two workers on PostgreSQL."""

    def by_turns(cluster: Cluster) -> Trouble:
        each = itertools.cycle((kill, stop, restart_of(cluster)))
        return lambda stage, chance: next(each)(stage, chance)

    return _on_postgres(by_turns, seed, blows, always)


STORMS: dict[str, Callable[..., Ended]] = {
    "kills-sqlite": kills_on_sqlite,
    "kills-postgres": kills_on_postgres,
    "stops": stops,
    "restarts": restarts,
    "everything": everything,
}


def _on_postgres(trouble: Callable[..., Trouble], seed: int, blows: int, always: bool) -> Ended:
    with own_server() as server, tempfile.TemporaryDirectory(prefix="storm-real-") as folder:
        assert server.cluster is not None
        url = server.url(server.create_database())
        told = [server.cluster.home / "log"]
        return _run(Path(folder), url, SPREAD, trouble(server.cluster), seed, blows, always, told)


def _run(
    folder: Path,
    url: str,
    layout: dict[str, tuple[str, ...]],
    trouble: Trouble,
    seed: int,
    blows: int,
    always: bool,
    logs: Sequence[Path] = (),
) -> Ended:
    """One storm. What breaks it off is raised, with the folder of what was kept of it as a note."""
    database = Database(url)
    upgrade(database)
    database.close()
    began = time.monotonic()
    stage = Stage(folder, url, layout)
    try:
        load, chance = Load(stage, seed, most=max(8, min(60, blows // 2))), Random(f"trouble {seed}")
        load.start()
        try:
            for _ in range(blows):
                trouble(stage, chance)
            stage.wait_ready()
        finally:
            load.end()
        ended = Ended(blows, therapists=len(load.therapists))
        ended.wrongs = _calm(stage, load.therapists)
        evidence = stage.evidence()
        ended.wrongs += sorted(str(wrong) for wrong in judge(evidence))
        if ended.wrongs or always:
            ended.kept = keep(stage, url, evidence, ended.wrongs, logs)
        ended.told, ended.calls = len(evidence.told), len(evidence.requests)
        ended.writes = sum(1 for change in evidence.journal if change["action"] == "write")
    except BaseException as error:
        error.add_note(f"what was found is kept in {keep(stage, url, None, [repr(error)], logs)}")
        raise
    finally:
        stage.close()
    ended.seconds = time.monotonic() - began
    return ended


def _calm(stage: Stage, therapists: list[str]) -> list[str]:
    """Wait until all is written; who is not, and what is written at rest."""
    ends = time.monotonic() + CALM_WITHIN
    waiting = list(therapists)
    while waiting and time.monotonic() < ends:
        waiting = [each for each in waiting if stage.status(each)["state"] != "in_sync"]
        threading.Event().wait(0.2)
    stage.check_alive()
    before = stage.history()[0]
    threading.Event().wait(REST)
    after = stage.history()[0]
    left = [f"{each} is not in sync {CALM_WITHIN:.0f} s after the storm" for each in waiting]
    return left + (
        ["at rest, and yet something was written"] if len(after) != len(before) and not left else []
    )
