"""resync on the command line: counts first, then asked for once, in the backfill lane."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from credsync.store.database import Database
from credsync.store.tables import syncs, therapists
from tests.cli.conftest import Run
from tests.cli.test_asking import ANN, two_therapists

__all__ = ["two_therapists"]


def asked(database: Database) -> list[tuple[str, str | None, str | None, str]]:
    with database.read() as connection:
        rows = connection.execute(select(syncs)).all()
    return [(row.therapist_id, row.form, row.slot, row.reason) for row in rows]


def test_counts_come_first_and_a_dry_run_asks_for_nothing(run: Run, two_therapists: Database) -> None:
    shown = run("resync", "--form", "ca", "--dry-run")
    assert shown.code == 0, shown.err
    assert "1 therapists are chosen." in shown.out
    assert "Nothing was asked for: this was a dry run." in shown.out
    assert asked(two_therapists) == []


def test_what_is_confirmed_waits_in_the_backfill_lane_once(run: Run, two_therapists: Database) -> None:
    done = run("resync", "--form", "ca", "--reason", "the mapping was wrong", "--yes")
    assert done.code == 0, done.err
    assert "Asked for 1." in done.out
    assert asked(two_therapists) == [(ANN, "ca", None, "the mapping was wrong")]
    with two_therapists.read() as connection:
        row = connection.execute(select(therapists).where(therapists.c.id == ANN)).one()
    assert row.backfill_at is not None

    again = json.loads(run("resync", "--form", "ca", "--yes", "--json").out)
    assert (again["therapists"], again["requested"]) == (1, 0)
    assert len(asked(two_therapists)) == 1


def test_nobody_chosen_is_said(run: Run, two_therapists: Database) -> None:
    assert "Nobody is chosen." in run("resync", "--cause", "refused", "--yes").out
    assert asked(two_therapists) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--form", "cv"), "'cv' is none of sign_up, ca, af"),
        (("--slot", "licence"), "is no slot"),
        (("--cause", "refuse"), "is none of"),
        (("--portal", "prod"), "is none of demo"),
        (("--since", "yesterday"), "is a span such as 7d"),
        (("--since", "2026-11-01"), "with its zone"),
        (("--since", "99999999d"), "--since"),
        (("--reason", " "), "says why"),
        (("--cause", "older_than_sign_up"), "--include-held"),
    ],
)
def test_a_misspelt_choice_is_refused_before_anything_is_asked_for(
    run: Run, two_therapists: Database, arguments: tuple[str, ...], says: str
) -> None:
    done = run("resync", *arguments, "--yes")
    assert done.code == 2
    assert says in " ".join(done.err.split())
    assert asked(two_therapists) == []


def test_nothing_is_asked_for_where_a_portal_only_observes(
    run: Run, two_therapists: Database, home: Path
) -> None:
    """Observe-only does not queue: a re-sync is refused there, while its counts are shown."""
    portal = home / "portals" / "demo.toml"
    portal.write_text(portal.read_text().replace('mode = "write"', 'mode = "observe"'))
    done = run("resync", "--form", "ca", "--yes")
    assert done.code == 1
    assert "demo only observes" in done.err
    assert run("resync", "--form", "ca", "--dry-run").code == 0
    assert asked(two_therapists) == []
