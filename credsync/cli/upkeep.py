"""Upkeep: the schema, tokens, portals, the version."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from credsync.cli.opening import actor, open_database, portal_names, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_table
from credsync.cli.refusals import Refusal, tell

db = typer.Typer(no_args_is_help=True, help="The database's schema.")
token = typer.Typer(no_args_is_help=True, help="Tokens of the API.")
portal = typer.Typer(no_args_is_help=True, help="Pause and resume the rounds of a portal.")

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept for whoever asks later.")]
TokenName = Annotated[str, typer.Argument(metavar="NAME", help="Whom the token is for.")]
PortalName = Annotated[str, typer.Argument(metavar="NAME", help="The portal file's name without .toml.")]


def version() -> None:
    """Print the version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        typer.echo(f"credsync {installed('credsync')}")
    except PackageNotFoundError:
        raise Refusal("Run from a source tree that is not installed: `make setup` installs it.") from None


@db.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to this program's schema; makes a SQLite database that does not exist."""
    from credsync.store import schema

    with open_database(settings_of(ctx), create=True, check=False) as database:
        before = schema.version_of(database)
        after = schema.upgrade(database)
    was = f"was on {before}" if before else "was empty"
    changed = "nothing to do" if before == after else was
    typer.echo(f"The database is on schema version {after} ({changed}).")


@db.command()
def restored(ctx: typer.Context) -> None:
    """After a backup was restored, before any service starts: believe no record id, send nothing old by itself."""
    from credsync.store.acts import take_up_backup

    settings = settings_of(ctx)
    names = portal_names(settings)
    with open_database(settings) as database:
        for name in names:
            with database.write() as connection:
                found = take_up_backup(connection, actor(), name, database.clock.now())
            typer.echo(
                f"{name}: {found.therapists} therapists are looked at again, {found.links} links are in doubt, "
                f"{found.held} writes are held until they are compared with HubSpot (credsync list --state held)."
            )


@token.command("create")
def create_token(
    ctx: typer.Context,
    name: TokenName,
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help="intake, read, sync or admin; several: again, or by comma."),
    ],
) -> None:
    """Make a token and print it, once: only its digest is kept."""
    from credsync.store import acts, tokens

    known = [each.value for each in tokens.Scope]
    wanted = [part.strip() for text in scope for part in text.split(",")]
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}.", param_hint="--scope")
    if not name.isprintable() or not 0 < len(name.strip()) <= 100:
        raise typer.BadParameter("is 1 to 100 printable characters.", param_hint="NAME")
    with open_database(settings_of(ctx)) as database, database.write() as connection:
        try:
            made = acts.create_token(
                connection, actor(), name, map(tokens.Scope, wanted), database.clock.now()
            )
        except tokens.TokenNameTaken:
            raise Refusal(
                f"A token named {name} exists already: take another name, "
                f"or first run `credsync token revoke {name}`."
            ) from None
    typer.echo(made)
    if sys.stdout.isatty():
        tell("Keep it now: it is not shown again. Send it as `Authorization: Bearer <token>`.")


@token.command("list")
def list_tokens(ctx: typer.Context, as_json: Json = False) -> None:
    """Every token by name, with what it may do. The tokens themselves are not kept."""
    from credsync.store.clock import say_time
    from credsync.store.tokens import all_tokens

    with open_database(settings_of(ctx)) as database, database.read() as connection:
        kept = all_tokens(connection)
    told = [
        {"name": e.name, "scopes": [s.value for s in e.scopes], "created_at": say_time(e.created_at)}
        for e in kept
    ]
    if as_json:
        say_json({"tokens": told})
    elif told:
        say_table(
            ("name", "scopes", "since"),
            [(e["name"], ", ".join(e["scopes"]), moment(str(e["created_at"]))) for e in told],
        )
    else:
        say("There is no token: credsync token create NAME --scope SCOPE makes one.")


@token.command("revoke")
def revoke_token(ctx: typer.Context, name: TokenName) -> None:
    """Forget a token; calls with it are refused within 5 seconds."""
    from credsync.store import acts

    with open_database(settings_of(ctx)) as database, database.write() as connection:
        if not acts.revoke_token(connection, actor(), name, database.clock.now()):
            raise Refusal(f"There is no token named {name}: nothing was revoked.")
    typer.echo(f"Token {name} is revoked.")


@portal.command()
def pause(ctx: typer.Context, name: PortalName, reason: Reason = "asked for on the command line") -> None:
    """Stop a portal's rounds: facts are still taken in, and all goes on where it stopped once resumed."""
    from credsync.store import acts, portals

    if not reason.strip():
        raise typer.BadParameter("says why, in a few words.", param_hint="--reason")
    settings = settings_of(ctx)
    _require_portal(name, portal_names(settings))
    with open_database(settings) as database, database.write() as connection:
        done = acts.pause(connection, actor(), name, reason.strip(), database.clock.now())
        status = portals.status_of(connection, name)
    if done:
        typer.echo(f"Portal {name} is paused. To go on: credsync portal resume {name}")
    else:
        typer.echo(f"Portal {name} was paused already, by {status.paused_by}: {status.paused_reason}")


@portal.command()
def resume(ctx: typer.Context, name: PortalName) -> None:
    """Let a portal's rounds run again."""
    from credsync.store import acts

    settings = settings_of(ctx)
    _require_portal(name, portal_names(settings))
    with open_database(settings) as database, database.write() as connection:
        done = acts.resume(connection, actor(), name, database.clock.now())
    typer.echo(f"Portal {name} {'goes on' if done else 'was not paused'}.")


def _require_portal(name: str, known: list[str]) -> None:
    if name not in known:
        raise Refusal(f"There is no portal {name}: `portals` names {', '.join(known) or 'no file at all'}.")
