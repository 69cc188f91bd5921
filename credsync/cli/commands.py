"""Every command by name, and what stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from credsync.cli import (
    alerts,
    asking,
    auditing,
    choosing,
    delays,
    doctor,
    importing,
    overview,
    people,
    resyncing,
    sandbox,
    schema,
    serve,
    upkeep,
)
from credsync.cli.opening import Options

commands = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Waits for a therapist's HubSpot records to exist, then writes what was submitted.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 settings, 5 not allowed.",
)


@commands.callback()
def before_the_command(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The settings; without it credsync.toml, if it is there."),
    ] = None,
) -> None:
    """Keep what stands before the command's name."""
    ctx.obj = Options(config)


commands.command()(serve.serve)
commands.command()(sandbox.sandbox)
commands.command()(doctor.doctor)
commands.command()(asking.show)
commands.command("list")(asking.list_)
commands.command()(alerts.alerts)
commands.command()(asking.packet)
commands.command()(asking.diff)
commands.command()(asking.sync)
commands.command()(choosing.choose)
commands.command()(delays.delays)
commands.command()(overview.today)
commands.command()(overview.mapping)
commands.command("import")(importing.import_)
commands.command()(resyncing.resync)
commands.add_typer(schema.schema, name="schema")
commands.add_typer(upkeep.db, name="db")
commands.add_typer(upkeep.token, name="token")
commands.add_typer(upkeep.portal, name="portal")
commands.add_typer(people.user, name="user")
commands.add_typer(auditing.audit, name="audit")
commands.command()(upkeep.version)
commands.command(
    hidden=True,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(sandbox.demo)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The arguments with `--config FILE` before the command's name, wherever it stood.

    >>> hoisted(["list", "--config", "a.toml", "--json"])
    ['--config', 'a.toml', 'list', '--json']
    """
    first: list[str] = []
    rest: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            rest += [argument, *given]
        elif argument == "--config":
            first += [argument, *[value for value in [next(given, None)] if value is not None]]
        elif argument.startswith("--config="):
            first.append(argument)
        else:
            rest.append(argument)
    return [*first, *rest]
