"""`python -m storm.bugs`: faults planted one at a time, to see that the storm finds each, with which seed and check.

Nothing of credsync knows of this: each fault is put in from here while a seed runs, and taken out again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import update

from credsync.core import decide
from credsync.core.forms.check import CheckedForm
from credsync.core.observations import NotSeen
from credsync.core.plan import SyncRequest
from credsync.core.portal import ByLabel
from credsync.core.reasons import Reason
from credsync.core.verdicts import Outcome
from credsync.hubspot.pacing import Pacing
from credsync.reconcile import apply, turn
from credsync.reconcile import round as one_round
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.sweep import Sweep
from credsync.store import intake, leases, rounds
from credsync.store.database import now_plus
from credsync.store.tables import leases as lease_rows
from credsync.store.tables import therapists
from storm import callers
from storm.seeds import listen, on_sqlite, storm

Planted = Callable[[], Any]
BUGS: dict[str, Planted] = {}


def _bug(plant: Planted) -> Planted:
    BUGS[plant.__name__] = plant
    return plant


@_bug
def drop_the_lease() -> Any:
    """Take the portal whoever holds it."""
    real = leases.acquire

    def acquire(connection: Any, name: str, owner: str, seconds: float) -> Any:
        connection.execute(update(lease_rows).values(expires_at=now_plus(connection, -1)))
        return real(connection, name, owner, seconds)

    return patch.object(leases, "acquire", acquire)


@_bug
def forget_the_guard() -> Any:
    """Send on after the lease has run out."""
    return patch.object(LeaseHolder, "require", lambda _: None)


@_bug
def never_renew() -> Any:
    """Think the lease renewed without asking the database."""

    async def renew(self: Any, _lease: Any, *, abandon: bool = False) -> None:  # noqa: ARG001
        self._renewed = self._clock()

    return patch.object(LeaseHolder, "renew", renew)


@_bug
def forget_the_fence() -> Any:
    """Record whatever the lease says."""
    return patch.object(rounds, "fence", lambda *_: None)


def _verdicts(change: Callable[[Any], Any]) -> Any:
    real = apply.update_records

    async def told(*args: Any, **more: Any) -> Any:
        return {key: change(verdict) for key, verdict in (await real(*args, **more)).items()}

    return patch.object(apply, "update_records", told)


def _written_where(*outcomes: Outcome) -> Any:
    return _verdicts(lambda v: replace(v, outcome=Outcome.WRITTEN, faults=()) if v.outcome in outcomes else v)


@_bug
def ignore_what_a_batch_says_of_single_records() -> Any:
    """What HubSpot does not find, or refuses, in a batch counts as written."""
    return _written_where(Outcome.MISSING, Outcome.REFUSED, Outcome.PARTIAL)


@_bug
def take_silence_for_success() -> Any:
    """A lost answer means written."""
    return _written_where(Outcome.UNKNOWN)


@_bug
def take_what_never_left_for_sent() -> Any:
    """A refused connection means written."""
    return _written_where(Outcome.NOT_SENT)


@_bug
def skip_the_read_back() -> Any:
    """What is doubtful is believed to be there."""
    return patch.object(apply, "is_there", lambda *_: True)


@_bug
def refuse_a_whole_batch_for_one_value() -> Any:
    """Who is beside a refused value is refused, too."""
    real = apply.update_records

    async def told(*args: Any, **more: Any) -> Any:
        verdicts = await real(*args, **more)
        refused = [v for v in verdicts.values() if v.outcome in (Outcome.REFUSED, Outcome.PARTIAL)]
        return dict.fromkeys(verdicts, refused[0]) if refused else verdicts

    return patch.object(apply, "update_records", told)


@_bug
def send_twice() -> Any:
    """Each batch goes out two times."""
    real = apply.update_records

    async def twice(*args: Any, **more: Any) -> Any:
        await real(*args, **more)
        return await real(*args, **more)

    return patch.object(apply, "update_records", twice)


@_bug
def leave_null_alone() -> Any:
    """What is cleared is not sent."""
    real = apply.RecordInput

    def without_null(record_id: str, properties: Mapping[str, str | None], *rest: Any, **more: Any) -> Any:
        return real(record_id, {n: v for n, v in properties.items() if v is not None}, *rest, **more)

    return patch.object(apply, "RecordInput", without_null)


@_bug
def trust_a_stored_id() -> Any:
    """Whoever has a link is not looked at."""
    real, gate = one_round.types_to_look_at, decide._gate

    def types(portal: Any, case: Any, *rest: Any) -> Any:
        known = case.links and all(link.record_id for link in case.links.values())
        return set() if known else real(portal, case, *rest)

    def gated(portal: Any, case: Any, write: Any, links: Any, _seen: Any, *rest: Any) -> Any:
        return gate(portal, case, write, links, set(links), *rest)

    return _both(patch.object(one_round, "types_to_look_at", types), patch.object(decide, "_gate", gated))


@_bug
def take_the_first_of_two() -> Any:
    """Two records in a slot: one of them will do."""
    real = decide.holders
    return patch.object(
        decide, "holders", lambda *given: {slot: found[:1] for slot, found in real(*given).items()}
    )


@_bug
def skip_the_label() -> Any:
    """Any record of the type will do."""
    real = decide.holders

    def any_of_the_type(rule: Any, candidates: Any, known: Any) -> Any:
        if isinstance(rule.marker, ByLabel):
            return {rule.key: list(candidates)[:1]}
        return real(rule, candidates, known)

    return patch.object(decide, "holders", any_of_the_type)


@_bug
def forget_retry_after() -> Any:
    """What HubSpot says of waiting after a 429 goes unheard."""
    return patch.object(Pacing, "pause", lambda *_: None)


@_bug
def take_any_parent() -> Any:
    """What hangs on any Credentialing is written."""
    return patch.object(decide, "under_definitive", lambda *given: given[4])


def _reason_is_none(reason: Reason) -> Any:
    real = decide._waits_for

    def waits_for(*given: Any) -> Reason:
        found = real(*given)
        return Reason.NONE if found is reason else found

    return patch.object(decide, "_waits_for", waits_for)


@_bug
def send_what_is_held() -> Any:
    """What is older than the sign-up goes to the record that came after it."""
    return _reason_is_none(Reason.OLDER_THAN_SIGN_UP)


@_bug
def ignore_settling() -> Any:
    """Write at once after an Extended Sign Up."""
    return _reason_is_none(Reason.SETTLING)


@_bug
def take_silence_for_absence() -> Any:
    """A look that was not answered has seen nothing."""
    real = one_round.observe

    async def observe(*given: Any, **more: Any) -> Any:
        sights = await real(*given, **more)
        return {
            t: {k: () if isinstance(s, NotSeen) else s for k, s in seen.items()} for t, seen in sights.items()
        }

    return patch.object(one_round, "observe", observe)


@_bug
def mix_up_therapists() -> Any:
    """In a round of several, each gets what was seen of the next."""
    real = one_round.observe

    async def observe(*given: Any, **more: Any) -> Any:
        sights = await real(*given, **more)
        names = sorted(sights)
        return {name: sights[names[n - 1]] for n, name in enumerate(names)}

    return patch.object(one_round, "observe", observe)


@_bug
def look_once() -> Any:
    """The system before this one: who missed is not looked at again, nor is anybody swept."""
    return _both(patch.object(turn, "next_due", lambda *_: None), _nobody_swept())


@_bug
def clear_due_at_unconditionally() -> Any:
    """A fact that came in the middle of a round is overlooked, and nobody swept."""
    real = rounds._finish

    def finish(connection: Any, turns: Sequence[Any], now: Any) -> None:
        real(connection, turns, now)
        for each in turns:
            if each.finish is not None:
                row = update(therapists).where(therapists.c.id == each.before.therapist_id)
                connection.execute(row.values(due_at=each.finish.due_at))

    return _both(patch.object(rounds, "_finish", finish), _nobody_swept())


def _nobody_swept() -> Any:
    """The sweep finds what a round forgot within a day: a second guard, which is taken away, too."""

    async def turn(_self: Any, _lease: Any) -> None:
        return None

    return patch.object(Sweep, "turn", turn)


@_bug
def let_the_later_arrival_win() -> Any:
    """What arrives later counts as newer."""
    real = intake.accept_submission

    def accept(connection: Any, door: Any, who: Any, form: Any, _at: Any, *rest: Any) -> Any:
        return real(connection, door, who, form, door.now, *rest)

    return patch.object(intake, "accept_submission", accept)


@_bug
def answer_before_the_commit() -> Any:
    """Now and then a 202 goes out and the commit fails."""
    real = callers.Callers._stored

    def stored(self: Any, path: str, body: Any) -> Any:
        with ExitStack() as stack:
            if path.endswith("submissions") and self.chance.random() < 0.3:
                stack.enter_context(patch.object(self.database, "write", _rolled_back(self.database)))
            return real(self, path, body)

    return patch.object(callers.Callers, "_stored", stored)


def _rolled_back(database: Any) -> Any:
    @contextmanager
    def write() -> Iterator[Any]:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    return write


@_bug
def send_everything_with_each_fact() -> Any:
    """A section completed writes, as if Sync now had been pressed."""
    everything = (SyncRequest(0, False),)
    return patch.object(one_round, "pending_syncs", lambda _, ids: dict.fromkeys(ids, everything))


@_bug
def keep_what_is_sensitive() -> Any:
    """The door checks nothing and keeps everything."""
    return patch.object(callers, "check_form", lambda _form, data, _custom: CheckedForm(dict(data)))


@contextmanager
def _both(*plants: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for each in plants:
            stack.enter_context(each)
        yield


def found_by(name: str, seeds: Sequence[int]) -> tuple[int, str] | None:
    """The first of these seeds that a planted bug does not survive, and the check that found it."""
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        fresh = on_sqlite(Path(folder))
        for seed in seeds:
            with BUGS[name]():
                try:
                    wrongs = storm(seed, fresh).wrongs
                except Exception as error:  # noqa: BLE001 - a bug may break the scene itself, which is found, too
                    wrongs = [f"{type(error).__name__}: {error}"]
            if wrongs:
                return seed, wrongs[0]
    return None


def _hunt(asked: tuple[str, int]) -> tuple[str, tuple[int, str] | None]:
    listen()
    return asked[0], found_by(asked[0], range(1, asked[1] + 1))


def main() -> int:
    """The command; 1 if a bug was not found."""
    parser = argparse.ArgumentParser(prog="python -m storm.bugs", description=__doc__)
    parser.add_argument("names", nargs="*", help="which; else all")
    parser.add_argument("--seeds", type=int, default=60, help="at most so many each")
    options = parser.parse_args()
    missed = []
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for name, found in pool.map(_hunt, [(n, options.seeds) for n in options.names or BUGS]):
            print(
                f"{name}: " + ("not found" if found is None else f"seed {found[0]}: {found[1]}"), flush=True
            )
            missed += [] if found else [name]
    print(f"{len(options.names or BUGS) - len(missed)} of {len(options.names or BUGS)} found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
