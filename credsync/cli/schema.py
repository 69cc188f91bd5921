"""`credsync schema export`: what a portal consists of, for a sandbox that plays it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credsync.cli.opening import settings_of
from credsync.cli.output import say_json
from credsync.cli.refusals import Code, Refusal, tell

if TYPE_CHECKING:
    from credsync.core.portal import Portal
    from credsync.settings import Settings

schema = typer.Typer(no_args_is_help=True, help="A portal's make-up: object types, properties, labels.")


@schema.callback()
def _group() -> None:
    """A portal's make-up: object types, properties, labels."""


@schema.command()
def export(
    ctx: typer.Context,
    portal: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The portal file's name without .toml, if there are several."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write here instead of standard output."),
    ] = None,
) -> None:
    """Read types, options and labels from HubSpot, and no record: for `credsync sandbox --schema FILE`."""
    import anyio

    from credsync.app import edge_to
    from credsync.hubspot.edge import PortalUnusable
    from credsync.hubspot.errors import HubSpotError
    from credsync.operate.schema_export import export_schema

    chosen = _chosen(settings_of(ctx), portal)
    try:
        made = anyio.run(export_schema, chosen, edge_to(chosen))
    except PortalUnusable as error:
        raise Refusal(f"Portal {chosen.name}: {error}.") from None
    except HubSpotError as error:
        raise Refusal(
            f"HubSpot cannot be asked for portal {chosen.name}: {error.message}. `credsync doctor` looks at the token "
            "and the way to HubSpot."
        ) from None
    if output is None:
        say_json(made.content)
    else:
        _write(output, json.dumps(made.content, indent=2, ensure_ascii=False) + "\n")
        tell(f"{output} holds {len(made.content['objects'])} object types and no record.")
    for each in made.missing:
        tell(f"Left out: {each}.")
    if made.missing:
        raise typer.Exit(Code.PARTLY)


def _chosen(settings: Settings, name: str | None) -> Portal:
    from credsync.app import load_portals

    portals = load_portals(settings.portals)
    if name is None and len(portals) == 1:
        return next(iter(portals.values()))
    if name is None:
        raise typer.BadParameter(f"there are several portals: {', '.join(portals)}.", param_hint="--portal")
    if name not in portals:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(portals)}.", param_hint="--portal")
    return portals[name]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except PermissionError:
        raise
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror or error}.") from None
