"""audit: who did what to whom, and whether nobody has touched it."""

from __future__ import annotations

from typing import Annotated

import typer

from credsync.cli.opening import open_database, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_table
from credsync.cli.refusals import Code, tell

audit = typer.Typer(no_args_is_help=True, help="Who did what to whom, append-only.")


@audit.command("verify")
def verify(
    ctx: typer.Context,
    expect: Annotated[
        str | None,
        typer.Option(
            metavar="LINE:HASH", help="A line as it was noted elsewhere: it must stand there still."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Go through the whole chain. Exit code 1 names the first broken line."""
    from credsync.core.audit import Broken
    from credsync.store import audit as store

    noted = _noted(expect)
    with open_database(settings_of(ctx)) as database, database.read() as connection:
        judged = store.verify(connection)
        broken = judged.broken
        if broken is None and noted is not None and store.hash_of(connection, noted[0]) != noted[1]:
            broken = Broken(noted[0], "it is not the line that was noted elsewhere")
    if as_json:
        said = {"line": broken.seq, "why": broken.why} if broken is not None else None
        say_json({"ok": broken is None, "lines": judged.entries, "head": judged.head, "broken": said})
    elif broken is None:
        say(f"All {judged.entries:,} lines hold. To note elsewhere: {judged.entries}:{judged.head}")
    if broken is not None:
        if not as_json:
            tell(
                f"The audit breaks at line {broken.seq}: {broken.why}. Somebody changed it past the database's guard: "
                "keep a copy of the database as it is, and compare with a backup."
            )
        raise typer.Exit(Code.FAILED)


@audit.command("list")
def list_(
    ctx: typer.Context,
    whom: Annotated[
        str | None,
        typer.Option(metavar="KIND:NAME", help="Only of one, such as therapist:UUID or portal:demo."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many lines.")] = 50,
    as_json: Json = False,
) -> None:
    """What was done, newest first."""
    from credsync.operate.audit_lines import audit_line
    from credsync.store import audit as store

    kind, colon, name = (whom or "").partition(":")
    if whom is not None and not (kind and colon and name):
        raise typer.BadParameter("is KIND:NAME, such as portal:demo.", param_hint="--whom")
    of = store.Whom(kind, name) if whom is not None else None
    with open_database(settings_of(ctx)) as database, database.read() as connection:
        rows = [audit_line(row) for row in store.page(connection, limit=limit, whom=of)]
    if as_json:
        say_json({"lines": rows})
    elif not rows:
        say("Nothing was done yet.")
    else:
        head = ("line", "when", "who", "what", "to whom", "why")
        say_table(
            head,
            [
                (r["line"], moment(r["at"]), r["who"], r["act"], f"{r['kind']} {r['whom']}", r["why"])
                for r in rows
            ],
        )


def _noted(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    line, _, digest = text.partition(":")
    if not (line.isascii() and line.isdigit() and len(line) < 19 and len(digest) == 64):
        raise typer.BadParameter("is LINE:HASH, as `audit verify` prints them.", param_hint="--expect")
    return int(line), digest
