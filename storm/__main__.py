"""`python -m storm`: many seeds, or one of them again."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from storm.loop import run
from storm.scene import Outcome, Scene


def storm(seed: int, template: Path, folder: Path) -> Outcome:
    """One seed on SQLite."""
    path = folder / f"{seed}.db"
    shutil.copyfile(template, path)
    scene = Scene(seed, f"sqlite:///{path}")
    return run(scene.time, scene.run)


def main() -> int:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--loud", action="store_true", help="show the service's log")
    options = parser.parse_args()
    if not options.loud:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    met: Counter[str] = Counter()
    failed = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = folder / "template.db"
        from credsync.store.database import Database
        from credsync.store.schema import upgrade

        database = Database(f"sqlite:///{template}")
        upgrade(database)
        database.close()
        for seed in range(options.first, options.first + options.seeds):
            outcome = storm(seed, template, folder)
            met += outcome.met
            if outcome.wrongs:
                failed.append(seed)
                print(f"seed {seed}:", *outcome.wrongs, sep="\n  ")
    took = time.monotonic() - began
    print(f"{options.seeds} seeds in {took:.1f} s, {len(failed)} failed {failed[:20]}")
    print(dict(sorted(met.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
