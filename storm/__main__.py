"""`python -m storm`: many seeds, or one of them again."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from storm.scene import Outcome
from storm.seeds import Fresh, listen, on_postgres, on_sqlite, storm
from tests.databases import postgres_server

_here: list[Fresh] = []
_open = ExitStack()


def _begin(on: str) -> None:
    listen()
    if on == "postgres":
        _here.append(on_postgres(_open.enter_context(postgres_server())))
    else:
        _here.append(on_sqlite(Path(_open.enter_context(tempfile.TemporaryDirectory(prefix="storm-")))))


def _one(seed: int) -> Outcome:
    return storm(seed, _here[0])


def _all(seeds: Iterable[int], on: str, workers: int) -> Iterator[Outcome]:
    if workers == 1:
        with _open:
            _begin(on)
            yield from map(_one, seeds)
    else:
        with ProcessPoolExecutor(workers, initializer=_begin, initargs=(on,)) as pool:
            yield from pool.map(_one, seeds)


def main() -> int:
    """The command; 1 if a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--on", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    options = parser.parse_args()
    faults: Counter[str] = Counter()
    in_seeds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    failed: list[int] = []
    began = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    workers = min(options.workers, len(seeds))
    for done, outcome in enumerate(_all(seeds, options.on, workers), 1):
        faults += outcome.met
        in_seeds.update(kind for kind, n in outcome.met.items() if n)
        sizes += Counter(calls=outcome.calls, told=outcome.told, writes=outcome.writes)
        if outcome.wrongs:
            failed.append(outcome.seed)
            again = f"python -m storm --first {outcome.seed} --seeds 1 --on {options.on}"
            print(f"seed {outcome.seed} failed; again: {again}", *outcome.wrongs, sep="\n  ", flush=True)
        if done % 20 == 0 or done == len(seeds):
            print(
                f"{done} of {len(seeds)} seeds, {len(failed)} failed, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    print(
        f"\n{len(seeds)} seeds on {options.on} in {time.monotonic() - began:.0f} s, {len(failed)} failed",
        *failed[:20],
    )
    print("in all:", ", ".join(f"{n} {kind}" for kind, n in sorted(sizes.items())))
    print(
        "what they met:", ", ".join(f"{n} {kind} in {in_seeds[kind]}" for kind, n in sorted(faults.items()))
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
