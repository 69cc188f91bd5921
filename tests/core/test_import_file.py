"""A CSV file of therapists from before: what is read of it, and every fault told with its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.import_file import COLUMNS, ImportFileError, ImportRow, read_rows

ANN, BEA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def rows(text: str, portal: str | None = None) -> list[ImportRow]:
    return list(read_rows(text.encode(), portal))


def faults(row: ImportRow) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in row.faults]


def test_a_row_is_what_the_call_that_makes_a_therapist_is_given() -> None:
    text = f"id,portal,contact_id,name,email,moving,occurred_at\n{ANN.upper()},alpha,237058,Ann Madeup,ann@example.org,TRUE,2026-01-02T00:00:00Z\n"
    (row,) = rows(text)
    assert (row.line, row.id, row.faults) == (2, ANN, ())
    assert row.given == {
        "portal": "alpha",
        "contact_id": "237058",
        "name": "Ann Madeup",
        "email": "ann@example.org",
        "moving": True,
        "occurred_at": "2026-01-02T00:00:00Z",
    }


def test_what_a_cell_leaves_empty_is_not_said() -> None:
    (row,) = rows(f"name,id,contact_id\n ,{ANN},\n", "alpha")
    assert row.given == {"portal": "alpha"}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_as_spreadsheets_write_it(newline: str, mark: str, delimiter: str) -> None:
    lines = [delimiter.join(("id", "contact_id", "name")), delimiter.join((ANN, "7", '"Made, up; Ann"'))]
    (row,) = rows(mark + newline.join(lines) + newline)
    assert row.given == {"contact_id": "7", "name": "Made, up; Ann"}


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """A quoted cell may hold line ends, and empty lines are no rows."""
    found = rows(f'id,name\n\n{ANN},"two\nlines"\n\n{BEA},Bea\n')
    assert [row.line for row in found] == [3, 6]


def test_two_rows_of_one_therapist_or_of_one_contact_are_told() -> None:
    found = rows(
        f"id,portal,contact_id\n{ANN},alpha,1\n{ANN.upper()},alpha,2\n{BEA},alpha,1\n{BEA[:-1]}3,beta,1\n"
    )
    assert [faults(row) for row in found] == [
        [],
        [("id", "duplicate_row")],
        [("contact_id", "duplicate_row")],
        [],
    ]
    assert "line 2" in found[1].faults[0].message


def test_the_portal_of_the_whole_file_counts_for_contacts_too() -> None:
    found = rows(f"id,portal,contact_id\n{ANN},,1\n{BEA},alpha,1\n", "alpha")
    assert faults(found[1]) == [("contact_id", "duplicate_row")]


def test_a_row_with_other_cells_than_the_header_is_told_and_the_next_is_read() -> None:
    found = rows(f"id,name\n{ANN}\n{BEA},Bea,more\n{ANN[:-1]}2,Cy\n")
    assert [faults(row) for row in found] == [[("", "wrong_length")], [("", "wrong_length")], []]


def test_a_quote_left_open_is_told() -> None:
    (row,) = rows(f'id,name\n{ANN},"Ann\n')
    assert faults(row) == [("", "not_csv")]


def test_a_row_without_its_therapist_is_told() -> None:
    assert faults(rows("id,name\n,Ann\n")[0]) == [("id", "missing")]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "The file is empty"),
        (b"name\nAnn\n", "no column 'id'"),
        (b"id,nmae\n", "did you mean 'name'?"),
        (b"id,id\n", "column 'id' twice"),
        (b"id,credentialing_id\n", "unknown column 'credentialing_id'"),
        (b"id,name\nA,\xff\n", "Line 2 is not UTF-8"),
        ("id,name\n".encode("utf-16"), "not UTF-8"),
        (b"id\n\x00\n", "NUL"),
    ],
)
def test_a_file_of_no_use_is_refused_whole_with_what_to_do(raw: bytes, says: str) -> None:
    with pytest.raises(ImportFileError) as refused:
        read_rows(raw)
    assert says in str(refused.value)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=30)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS)), max_size=5))
def test_whatever_a_spreadsheet_writes_is_read_back_cell_by_cell(table: list[dict[str, str]]) -> None:
    """Nothing is lost, merged or shifted, whatever stands in the cells."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(COLUMNS), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(table)
    found = rows(out.getvalue())
    said = [row for row in table if any(cell.strip() for cell in row.values())]
    assert len(found) == len(said)
    for row, told in zip(found, said, strict=True):
        assert row.id == told["id"].strip().lower()
        assert row.given.get("name", "") == told["name"].strip()
        assert row.given.get("contact_id", "") == told["contact_id"].strip()
