"""`python -m storm.real`: the storms over real processes, all or one of them."""

from __future__ import annotations

import argparse
import sys

from storm.real.storm import STORMS

BLOWS = {"kills-sqlite": 150, "kills-postgres": 150, "stops": 100, "restarts": 50, "everything": 60}


def main() -> int:
    """The command; 1 if anything was lost or wrong."""
    parser = argparse.ArgumentParser(prog="python -m storm.real", description=__doc__)
    parser.add_argument("storms", nargs="*", choices=[*STORMS, []], help="which; all by default")
    parser.add_argument("--blows", type=int, help="how many of each, instead of its own number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the evidence of a clean run, too")
    options = parser.parse_args()
    failed = False
    for name in options.storms or STORMS:
        ended = STORMS[name](options.seed, options.blows or BLOWS[name], always=options.keep)
        failed = failed or bool(ended.wrongs)
        print(
            f"{name}: {ended.blows} blows in {ended.seconds:.0f} s, {ended.told} facts told of {ended.therapists} "
            f"therapists, {ended.calls} calls, {ended.writes} writes; {len(ended.wrongs)} lost or wrong",
            *ended.wrongs[:20],
            *([] if ended.kept is None else [f"the evidence is kept in {ended.kept}"]),
            sep="\n  ",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
