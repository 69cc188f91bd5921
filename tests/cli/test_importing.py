"""import on the command line: a verdict per row, nothing half taken, and a second time nothing new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from credsync.store.database import Database
from credsync.store.tables import therapists
from tests.cli.conftest import Run

ANN, BEA, CY = (f"{n}1111111-1111-4111-8111-111111111111" for n in (1, 2, 3))
HEADER = "id,contact_id,name,email,moving,occurred_at\n"


@pytest.fixture
def file(home: Path) -> Path:
    return home / "old.csv"


def known(database: Database) -> list[tuple[Any, ...]]:
    columns = (therapists.c.id, therapists.c.portal, therapists.c.contact_id, therapists.c.name)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(therapists.c.id))]


def test_therapists_from_before_are_taken_in_with_a_verdict_per_row(
    run: Run, database: Database, file: Path
) -> None:
    """Import tells a verdict per row; importing again changes nothing."""
    file.write_text(f"{HEADER}{ANN},237058,Ann Madeup,,,\n{BEA},237059,,,true,2025-11-02T00:00:00Z\n")
    rehearsed = run("import", str(file), "--dry-run")
    assert rehearsed.code == 0
    assert "2 would be new" in rehearsed.out
    assert known(database) == []

    done = run("import", str(file))
    assert done.code == 0, done.err
    assert "2 rows: 2 new, 0 changed, 0 unchanged, 0 refused." in done.out
    assert known(database) == [(ANN, "demo", "237058", "Ann Madeup"), (BEA, "demo", "237059", None)]
    with database.read() as connection:
        rows = connection.execute(select(therapists)).all()
    assert all(row.due_at is None and row.backfill_at is not None for row in rows)

    again = json.loads(run("import", str(file), "--json").out)
    assert again["counts"] == {"unchanged": 2}
    assert [(row["line"], row["verdict"]) for row in again["rows"]] == [(2, "unchanged"), (3, "unchanged")]


def test_every_fault_of_every_row_is_named_and_the_others_are_taken_in(
    run: Run, database: Database, file: Path
) -> None:
    lines = [
        f"{ANN},237058,Ann Madeup,,,",
        "not-a-uuid,12x,,someone,perhaps,yesterday",
        f"{BEA},237058,,,,",
        f"{CY},2.37E+08,,,,",
        f"{CY},237060,=cmd(),,,",
    ]
    file.write_text(HEADER + "\n".join(lines) + "\n")
    done = run("import", str(file), "--json")
    assert done.code == 3
    told = json.loads(done.out)
    assert told["counts"] == {"new": 1, "refused": 4}
    faults = [[(e["path"], e["code"]) for e in row["errors"]] for row in told["rows"]]
    assert faults[0] == []
    assert set(faults[1]) == {
        ("id", "invalid_uuid"),
        ("contact_id", "invalid_id"),
        ("email", "invalid_email"),
        ("moving", "wrong_type"),
        ("occurred_at", "invalid_datetime"),
    }
    assert faults[2] == [("contact_id", "duplicate_row")]
    assert faults[3] == [("contact_id", "invalid_id")]
    assert set(faults[4]) == {("id", "duplicate_row"), ("name", "invalid_characters")}
    assert [row[0] for row in known(database)] == [ANN]


def test_a_contact_that_somebody_has_is_refused_with_whom(run: Run, database: Database, file: Path) -> None:
    file.write_text(f"{HEADER}{ANN},237058,,,,\n")
    run("import", str(file))
    file.write_text(f"{HEADER}{BEA},237058,,,,\n")
    done = run("import", str(file))
    assert done.code == 1
    assert f"belongs to therapist {ANN}" in done.out
    assert [row[0] for row in known(database)] == [ANN]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"uuid,contact_id\n", "no column 'id'"),
        (b"id,name\nx,\xe9\n", "Line 2 is not UTF-8"),
    ],
)
def test_a_file_of_no_use_is_refused_whole(
    run: Run, database: Database, file: Path, content: bytes, says: str
) -> None:
    file.write_bytes(content)
    done = run("import", str(file))
    assert done.code == 1
    assert says in done.err
    assert known(database) == []


def test_a_missing_file_and_an_unknown_portal_are_told(run: Run, database: Database, file: Path) -> None:
    assert "cannot be read" in run("import", str(file)).err
    file.write_text(f"id,portal\n{ANN},elsewhere\n")
    assert "is none of demo" in run("import", str(file)).out
    assert run("import", str(file), "--portal", "elsewhere").code == 2
