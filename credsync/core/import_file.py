"""A CSV file of therapists from before: its header and rows, each as the call that makes a therapist would be given it.

Pure. What a cell may hold is for whoever takes the rows; here is only what a file can get wrong: its encoding, its
header, its quoting, a row's length, and what two of its rows say of one therapist or one contact.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from credsync.core.forms import Fault, nearest

ID = "id"
COLUMNS: Mapping[str, str] = {
    ID: "the backend's UUID of the therapist; needed",
    "portal": "the name of a portal file; may be left out where there is one, or with --portal",
    "contact_id": "HubSpot's contact id, digits",
    "name": "for people to search by",
    "email": "",
    "moving": "true or false",
    "occurred_at": "since when `moving` is so, RFC 3339",
}
"""The columns a file may have, in any order. Record ids are no column: HubSpot is asked for them."""
_TRUTH = {"true": True, "false": False}
_LONGEST_CELL = 10_000
csv.field_size_limit(1_000_000)


class ImportFileError(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row. `line` is where it begins in the file, 1 the header's. `given` holds only cells that say something."""

    line: int
    id: str
    given: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()


def read_rows(raw: bytes, portal: str | None = None) -> Iterator[ImportRow]:
    """The rows of a CSV file in UTF-8, with commas or semicolons; `portal` is that of a row which names none.

    Raises `ImportFileError`, before the first row.
    """
    text = _text(raw)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header = _header(reader)
    return _rows(reader, header, portal)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportFileError(
            f"Line {line} is not UTF-8: save the file as CSV in UTF-8 and import it again."
        ) from None
    if "\x00" in text:
        raise ImportFileError("The file holds NUL characters, so it is no CSV text: save it as CSV in UTF-8.")
    return text


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _header(reader: Any) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise ImportFileError(
            f"The file is empty: its first line names the columns ({', '.join(COLUMNS)})."
        ) from None
    except csv.Error as error:
        raise ImportFileError(f"The header cannot be read as CSV ({error}).") from None
    faults = [f"no column {ID!r}"] if ID not in header else []
    faults += [f"column {name!r} twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    for name in header:
        if name not in COLUMNS:
            guess = nearest(name, list(COLUMNS))
            faults.append(f"unknown column {name[:60]!r}" + (f" (did you mean {guess!r}?)" if guess else ""))
    if faults:
        raise ImportFileError(f"The header has {'; '.join(faults)}. Columns: {', '.join(COLUMNS)}.")
    return header


def _rows(reader: Any, header: list[str], portal: str | None) -> Iterator[ImportRow]:
    therapists: dict[str, int] = {}
    contacts: dict[tuple[str, str], int] = {}
    line = reader.line_num + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield ImportRow(line, "", {}, (Fault("", "not_csv", f"cannot be read as CSV: {error}"),))
            line = reader.line_num + 1
            continue
        if any(cell.strip() for cell in cells):
            yield _row(line, header, cells, portal, therapists, contacts)
        line = reader.line_num + 1


def _row(
    line: int,
    header: list[str],
    cells: list[str],
    portal: str | None,
    therapists: dict[str, int],
    contacts: dict[tuple[str, str], int],
) -> ImportRow:
    faults: list[Fault] = []
    if len(cells) != len(header):
        faults.append(Fault("", "wrong_length", f"has {len(cells)} cells where the header has {len(header)}"))
    given: dict[str, Any] = {
        name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()
    }
    faults += [
        Fault(name, "too_long", "has too many characters")
        for name in given
        if len(given[name]) > _LONGEST_CELL
    ]
    id_ = given.pop(ID, "").lower()
    if portal is not None:
        given.setdefault("portal", portal)
    if "moving" in given:
        given["moving"] = _TRUTH.get(given["moving"].lower(), given["moving"])
    if not id_:
        faults.append(Fault(ID, "missing", "is required"))
    elif (before := therapists.setdefault(id_, line)) != line:
        faults.append(Fault(ID, "duplicate_row", f"is the therapist of line {before} already"))
    contact = (given.get("portal", ""), given.get("contact_id", ""))
    if contact[1] and (before := contacts.setdefault(contact, line)) != line:
        faults.append(Fault("contact_id", "duplicate_row", f"is the contact of line {before} already"))
    return ImportRow(line, id_, given, tuple(faults))
