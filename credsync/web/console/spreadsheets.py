"""Tables as CSV files that no spreadsheet runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from starlette.responses import Response

from credsync.web.console.render import file_to_keep

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The rows as a file to keep."""
    text = StringIO()
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows([cell(value) for value in row] for row in rows)
    return file_to_keep(text.getvalue(), "text/csv; charset=utf-8", name)


def cell(value: object) -> str:
    """A cell's text; one that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection).

    >>> cell('=HYPERLINK("x")')
    '\\'=HYPERLINK("x")'
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
