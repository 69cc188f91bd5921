"""Choosing a slot's record on the command line."""

from __future__ import annotations

from sqlalchemy import select, update

from credsync.store.database import Database
from credsync.store.tables import choices, links
from tests.cli.conftest import Run
from tests.cli.test_asking import ANN, CONTACT, two_therapists

__all__ = ["two_therapists"]
SLOT = "credentialing_active_attested"


def test_a_person_chooses_one_of_the_candidates(run: Run, two_therapists: Database) -> None:
    """Stored with who and why; refused, with the candidates, for any other record."""
    with two_therapists.write() as connection:
        connection.execute(update(links).values(state="ambiguous", record_id=None, candidates=["801", "802"]))
    wrong = run("choose", CONTACT, SLOT, "899", "--reason", "a duplicate")
    assert wrong.code == 1
    assert "choose one of 801, 802" in wrong.err

    done = run("choose", CONTACT, SLOT, "802", "--reason", "a duplicate")
    assert done.code == 0
    assert f"Record 802 is chosen for {SLOT} of therapist {ANN}." in done.out
    assert "already" in run("choose", ANN, SLOT, "802", "--reason", "a duplicate").out
    with two_therapists.read() as connection:
        row = connection.execute(select(choices)).one()
    assert (row.therapist_id, row.record_id, row.reason) == (ANN, "802", "a duplicate")


def test_nothing_is_chosen_where_nothing_is_ambiguous(run: Run, two_therapists: Database) -> None:
    refused = run("choose", ANN, SLOT, "802", "--reason", "a duplicate")
    assert refused.code == 1
    assert "holds it alone" in refused.err
    assert run("choose", ANN, SLOT, "802", "--reason", " ").code == 2
    with two_therapists.read() as connection:
        assert connection.execute(select(choices)).all() == []
