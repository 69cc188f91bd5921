"""import: therapists from before, a verdict per row of a CSV file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credsync.cli.opening import actor, open_whole, settings_of
from credsync.cli.output import Json, in_parts, progress, say, say_json, say_table
from credsync.cli.refusals import Code, Refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from credsync.app import App
    from credsync.core.forms import Fault
    from credsync.core.import_file import ImportRow
    from credsync.store.therapists import Door

_MOST_SHOWN = 50
"""Rows of a table that shows every one; of a longer file only the refused are shown, and the rest counted."""
_MOST_BYTES = 256 * 1024 * 1024


def import_(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="UTF-8; columns id, portal, contact_id, name, email, moving, occurred_at.",
        ),
    ],
    portal: Annotated[
        str | None, typer.Option(metavar="NAME", help="The portal of rows that name none.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would become of each row.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in therapists from before: each is looked at in the backfill lane. Importing a file again changes nothing.

    Exit code 3 if some rows were refused, 1 if all were.
    """
    from credsync.core.import_file import ImportFileError, read_rows

    with open_whole(settings_of(ctx)) as app:
        if portal is not None and portal not in app.portals:
            known = ", ".join(app.portals)
            raise typer.BadParameter(f"{portal!r} is none of {known}.", param_hint="--portal")
        only = next(iter(app.portals)) if len(app.portals) == 1 else None
        try:
            rows = list(read_rows(_bytes_of(file), portal or only))
        except ImportFileError as error:
            raise Refusal(f"{file}: {error}") from None
        told: list[dict[str, Any]] = []
        for some in progress(in_parts(rows), "importing"):
            told += _import(app, some, dry_run)
    _say(told, dry_run, as_json)


def _bytes_of(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise Refusal(f"{file} is larger than 256 MiB: split it.")
        return file.read_bytes()
    except PermissionError:
        raise
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from None


class _Undone(Exception):
    """Ends the transaction of a dry run."""


def _import(app: App, rows: Sequence[ImportRow], dry_run: bool) -> list[dict[str, Any]]:
    """One transaction. On PostgreSQL a call that makes one of them at this very moment makes it run again."""
    from sqlalchemy.exc import IntegrityError

    from credsync.store.acts import imported
    from credsync.store.therapists import Door

    door = Door(app.database.clock.now(), app.settings.coalesce, backfill=True)
    told: list[dict[str, Any]] = []

    def work() -> None:
        told.clear()
        with app.database.write() as connection:
            told.extend(_verdict(connection, app, door, row) for row in rows)
            done = [each["id"] for each in told if each["verdict"] in ("new", "changed")]
            imported(connection, actor(), done, door.now)
            if dry_run:
                raise _Undone

    with suppress(_Undone):
        try:
            work()
        except IntegrityError:
            work()
    return told


def _verdict(connection: Connection, app: App, door: Door, row: ImportRow) -> dict[str, Any]:
    from credsync.core.forms import Fault
    from credsync.store.imports import ImportVerdict, import_therapist
    from credsync.store.therapists import ContactTaken, PortalDiffers, Who
    from credsync.web.api.addresses import UUID_EXPECTED, is_uuid
    from credsync.web.api.bodies import TherapistBody, read

    body, faults = read(TherapistBody, row.given)
    faults = [*row.faults, *faults]
    if row.id and not is_uuid(row.id):
        faults.append(Fault("id", "invalid_uuid", UUID_EXPECTED))
    if body is not None and body.portal not in app.portals:
        faults.append(Fault("portal", "unknown_portal", f"is none of {', '.join(app.portals)}"))
    verdict = ImportVerdict.REFUSED
    if body is not None and not faults:
        who = Who(row.id, body.portal, body.contact_id, body.name, body.email)
        try:
            verdict = import_therapist(connection, door, who, body.moving, body.occurred_at)
        except ContactTaken as taken:
            faults.append(Fault("contact_id", "contact_taken", f"belongs to therapist {taken.therapist_id}"))
        except PortalDiffers as differs:
            message = f"must be {differs.portal}, where this therapist lives"
            faults.append(Fault("portal", "portal_differs", message))
    return {
        "line": row.line,
        "id": row.id or None,
        "contact_id": body.contact_id if body is not None else None,
        "verdict": verdict.value,
        "errors": [_error(fault) for fault in faults],
    }


def _error(fault: Fault) -> dict[str, str]:
    return {"path": fault.path, "code": fault.code, "message": fault.message}


def _say(told: Sequence[dict[str, Any]], dry_run: bool, as_json: bool) -> None:
    counts = Counter(each["verdict"] for each in told)
    refused = counts["refused"]
    if as_json:
        say_json({"dry_run": dry_run, "counts": dict(counts), "rows": list(told)})
    else:
        shown = told if len(told) <= _MOST_SHOWN else [each for each in told if each["errors"]]
        if shown:
            head = ("line", "therapist", "contact", "verdict", "why")
            say_table(head, [(e["line"], e["id"], e["contact_id"], e["verdict"], _why(e)) for e in shown])
            say()
        would = "would be " if dry_run else ""
        parts = [f"{counts[name]:,} {would}{name}" for name in ("new", "changed", "unchanged", "refused")]
        say(f"{len(told):,} rows: {', '.join(parts)}.")
        if refused:
            say(
                "Correct the refused rows and import the file again: what was taken in already stays as it is."
            )
        elif not dry_run and counts["new"] + counts["changed"]:
            say("They are looked at behind everything else. How they stand: credsync list --state waiting")
    if refused:
        raise typer.Exit(Code.PARTLY if refused < len(told) else Code.FAILED)


def _why(each: dict[str, Any]) -> str:
    return "\n".join(f"{e['path']} {e['message']}".strip() for e in each["errors"])
