"""user: who may sign in to the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credsync.cli.opening import open_database, person, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_table
from credsync.cli.refusals import Refusal, tell

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from credsync.core.people import Role
    from credsync.settings import Settings
    from credsync.store.people import Person

user = typer.Typer(no_args_is_help=True, help="People who may sign in to the console.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address.")]
RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help="viewer, success or admin.")]


@user.command("add")
def add(ctx: typer.Context, email: Email, role: RoleName, as_json: Json = False) -> None:
    """Let somebody in, and print the link with which they choose a password: once, for 15 minutes."""
    from credsync.store import people, set_up_links

    wanted = _role(role)
    settings = settings_of(ctx)
    with _changing(settings) as (connection, now):
        try:
            made = people.add_person(connection, email, wanted, person(), now)
        except people.BadEmail as bad:
            raise typer.BadParameter(f"{bad}.", param_hint="EMAIL") from None
        except people.EmailTaken as taken:
            raise Refusal(
                f"{taken} is known already: `credsync user link {taken}` makes a new link, "
                f"`credsync user role {taken} --role {role}` changes what they may."
            ) from None
        secret = set_up_links.make_link(connection, made, person(), now)
    _say_link(settings, made, secret, as_json)


@user.command("link")
def link(ctx: typer.Context, email: Email, as_json: Json = False) -> None:
    """Print a new link with which a person chooses a password; those before it hold no more."""
    from credsync.store import set_up_links

    settings = settings_of(ctx)
    with _changing(settings) as (connection, now):
        known = _known(connection, email)
        if known.disabled_at is not None:
            raise Refusal(f"{known.email} is disabled: first run `credsync user enable {known.email}`.")
        if known.issuer is not None:
            raise Refusal(f"{known.email} signs in at {known.issuer}, which keeps the password.")
        secret = set_up_links.make_link(connection, known, person(), now)
    _say_link(settings, known, secret, as_json)


@user.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """Everybody who was ever let in."""
    from credsync.store import people, sessions

    with open_database(settings_of(ctx)) as database, database.read() as connection:
        everybody = people.everybody(connection)
        held = [each.person_id for each in sessions.open_sessions(connection, database.clock.now())]
    told = [{**_shown(each), "sessions": held.count(each.id)} for each in everybody]
    if as_json:
        say_json({"people": told})
    elif not told:
        say("Nobody is let in yet: credsync user add EMAIL --role admin")
    else:
        head = ("e-mail", "role", "sessions", "since", "stands")
        say_table(
            head, [(e["email"], e["role"], e["sessions"], moment(e["created_at"]), e["state"]) for e in told]
        )


@user.command("role")
def role(ctx: typer.Context, email: Email, role: RoleName) -> None:
    """Give a person another role; it holds from their next click on."""
    from credsync.store import people

    wanted = _role(role)
    with _changing(settings_of(ctx)) as (connection, now):
        known = _known(connection, email)
        try:
            changed = people.set_role(connection, known, wanted, person(), now)
        except people.LastAdmin:
            raise Refusal(
                f"{known.email} is the last admin who has signed in: first let another in, "
                "`credsync user add EMAIL --role admin`."
            ) from None
    say(f"{known.email} {'is' if changed else 'was already'} {wanted.value}.")


@user.command("disable")
def disable(ctx: typer.Context, email: Email) -> None:
    """Let a person in no more; their sessions end now."""
    from credsync.store import people

    with _changing(settings_of(ctx)) as (connection, now):
        known = _known(connection, email)
        done = people.disable(connection, known, person(), now, anyway=True)
    say(f"{known.email} {'is' if done else 'was already'} disabled.")


@user.command("enable")
def enable(ctx: typer.Context, email: Email) -> None:
    """Let a person in again."""
    from credsync.store import people

    with _changing(settings_of(ctx)) as (connection, now):
        known = _known(connection, email)
        done = people.enable(connection, known, person(), now)
    say(f"{known.email} {'may sign in again' if done else 'was not disabled'}.")


@contextmanager
def _changing(settings: Settings) -> Iterator[tuple[Connection, datetime]]:
    with open_database(settings) as database, database.write() as connection:
        yield connection, database.clock.now()


def _role(text: str) -> Role:
    from credsync.core.people import Role

    try:
        return Role(text)
    except ValueError:
        known = ", ".join(Role)
        raise typer.BadParameter(f"{text!r} is none of {known}.", param_hint="--role") from None


def _known(connection: Connection, email: str) -> Person:
    """Raises `Refusal` for an address nobody here has."""
    from credsync.store import people

    try:
        found = people.person_of(connection, people.email_of(email))
    except people.BadEmail as bad:
        raise typer.BadParameter(f"{bad}.", param_hint="EMAIL") from None
    if found is None:
        raise Refusal(f"Nobody here has the address {email}: `credsync user list` names everybody.")
    return found


def _say_link(settings: Settings, known: Person, secret: str, as_json: bool) -> None:
    """The link alone on standard output, so that a script can send it."""
    from credsync.store.set_up_links import address

    link = address(settings.public_url or f"http://{settings.bind}", secret)
    if as_json:
        say_json({**_shown(known), "link": link})
        return
    say(link)
    if sys.stdout.isatty():
        tell(f"Send it to {known.email}: it is good for 15 minutes and one use, and not shown again.")


def _shown(known: Person) -> dict[str, Any]:
    from credsync.store.clock import say_time

    state = "disabled" if known.disabled_at else "may sign in" if known.set_up else "has no password yet"
    return {
        "email": known.email,
        "role": known.role.value,
        "state": state,
        "created_at": say_time(known.created_at),
        "issuer": known.issuer,
    }
