"""What people ask of one therapist or of all: show, list, packet, diff; and the one thing they tell it: sync."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credsync.cli.live import (
    PATIENCE,
    end_of_question,
    ids_now,
    say_ids,
    show_contact,
    show_differences,
    unknown_contact,
)
from credsync.cli.opening import actor, open_whole, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_table, say_text
from credsync.cli.refusals import Refusal
from credsync.cli.therapist import say_status

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from credsync.app import App
    from credsync.core.wanted import Wanted

Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="Therapist UUID, contact id, record id or a HubSpot record's address."),
]


class Format(StrEnum):
    """How a packet is written."""

    MD = "md"
    JSON = "json"


def show(
    ctx: typer.Context,
    id_: Id,
    live: Annotated[
        bool, typer.Option("--live", help="Also HubSpot's ids of now; for a contact nobody here has, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """How a therapist stands: each slot, each write, what happens next and when."""
    from credsync.operate.status import therapist_status

    with open_whole(settings_of(ctx)) as app:
        if live and (unknown := unknown_contact(app, id_)) is not None:
            show_contact(app, unknown, as_json)
            return
        with app.database.read() as connection:
            now = app.database.clock.now()
            status = therapist_status(connection, app.portals, the_one(connection, app, id_), now)
        assert status is not None
        told = ids_now(app, status["id"]) if live else None
    if as_json:
        say_json(status if told is None else {**status, "live": told})
    else:
        say_status(status, now)
    if told is not None:
        end_of_question(told, None if as_json else say_ids)


def list_(
    ctx: typer.Context,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE", help="refused, ambiguous, held, partial, given_up, overdue, waiting or in_sync."
        ),
    ] = None,
    portal: Annotated[str | None, typer.Option(metavar="NAME", help="Of this portal only.")] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="WORD", help="For this reason, as --json names it.")
    ] = None,
    slot: Annotated[str | None, typer.Option(metavar="SLOT", help="Who waits for this slot.")] = None,
    longer_than: Annotated[
        str | None, typer.Option(metavar="SPAN", help="In this state for longer than so long: 6h, 7d.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option("-q", "--query", metavar="TEXT", help="An id, a record's address, or a part of a name."),
    ] = None,
    counts: Annotated[
        bool,
        typer.Option("--counts", help="Instead, how many there are by each of these, within the others."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Who waits, since when and why; the longest first."""
    with open_whole(settings_of(ctx)) as app:
        wanted = _wanted(
            app, state=state, reason=reason, slot=slot, portal=portal, longer_than=longer_than, q=query
        )
        now = app.database.clock.now()
        counted = _counted(app, wanted, now) if counts else None
        found = _everybody(app, now, wanted)
    found.sort(key=lambda entry: str(entry["state_since"]))
    if as_json:
        say_json({"therapists": found} if counted is None else {"therapists": found, "counts": counted})
    elif counted is not None:
        _say_counts(counted)
    elif found:
        _say_list(found)
    else:
        say("Nobody.")


def packet(
    ctx: typer.Context,
    id_: Id,
    format_: Annotated[
        Format, typer.Option("--format", help="md to read, paste or send; json for machines.")
    ] = Format.MD,
) -> None:
    """The help-desk report on a therapist: everything an engineer asks for, in one text."""
    import anyio

    from credsync.operate.creation_times import ask_creation_times
    from credsync.operate.packet import packet as report
    from credsync.operate.packet import packet_markdown

    with open_whole(settings_of(ctx)) as app:
        with app.database.read() as connection:
            therapist = the_one(connection, app, id_)
        anyio.run(ask_creation_times, app.live(), therapist, PATIENCE)
        with app.database.read() as connection:
            made = report(connection, app.portals, therapist, app.database.clock.now())
    assert made is not None
    if format_ is Format.JSON:
        say_json(made)
    else:
        say_text(packet_markdown(made))


def sync(
    ctx: typer.Context,
    id_: Id,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; kept with the request.")
    ] = "asked for on the command line",
    include_held: Annotated[
        bool, typer.Option("--include-held", help="Also what is held, submitted before the latest sign-up.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what it would write, against HubSpot's values of now."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: JSON instead of text.")] = False,
) -> None:
    """Look now, and send again everything that was submitted. Pressing twice is one."""
    from credsync.operate.portal_standing import standing_of
    from credsync.store.acts import sync_now
    from credsync.store.press_limits import PressedTooOften
    from credsync.store.therapists import Door

    if not reason.strip():
        raise typer.BadParameter("says why, in a few words.", param_hint="--reason")
    if as_json and not dry_run:
        raise typer.BadParameter("goes with --dry-run.", param_hint="--json")
    if dry_run:
        with open_whole(settings_of(ctx)) as app:
            with app.database.read() as connection:
                therapist = the_one(connection, app, id_)
            show_differences(app, therapist, as_json, pressed=True, include_held=include_held)
        return
    with open_whole(settings_of(ctx)) as app, app.database.write() as connection:
        door = Door(app.database.clock.now(), app.settings.coalesce)
        therapist = the_one(connection, app, id_)
        try:
            taken = sync_now(connection, door, actor(), therapist, reason.strip(), include_held)
        except PressedTooOften as refused:
            raise Refusal(str(refused)) from None
        standing = standing_of(connection, app.portals, taken.portal)
    if taken.new:
        say(f"Sync now of therapist {therapist} is taken; the service does it within seconds of seeing it.")
    else:
        say(f"Sync now of therapist {therapist} was asked for already and is still to come.")
    if standing.message:
        say(standing.message)
    say(f"What came of it: credsync show {therapist}")


def diff(ctx: typer.Context, id_: Id, as_json: Json = False) -> None:
    """HubSpot's values of now against what would be written, property by property. Changes nothing."""
    with open_whole(settings_of(ctx)) as app:
        with app.database.read() as connection:
            therapist = the_one(connection, app, id_)
        show_differences(app, therapist, as_json)


def the_one(connection: Connection, app: App, text: str) -> str:
    """The therapist an ID means. Raises `Refusal`: with how to search for none, with the list for several."""
    from credsync.core.wanted import Wanted
    from credsync.operate.find import find_therapists
    from credsync.operate.search import resolve

    found = resolve(connection, text)
    if not found:
        raise Refusal(
            f"No therapist is known by {text!r} (UUID, contact id, record id or a record's address). "
            f"To search by name: credsync list -q NAME"
        )
    if len(found) > 1:
        now = app.database.clock.now()
        listed = find_therapists(connection, app.portals, Wanted(q=text), limit=20, now=now)["therapists"]
        lines = [f"  {each['id']}  {each['portal']}  contact {each['contact_id'] or '-'}" for each in listed]
        raise Refusal(
            "\n".join([f"{text!r} means several therapists; name one of them by its UUID:", *lines])
        )
    return found[0]


def _everybody(app: App, now: datetime, wanted: Wanted) -> list[dict[str, Any]]:
    from credsync.operate.find import MOST, find_therapists

    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        with app.database.read() as connection:
            page = find_therapists(connection, app.portals, wanted, cursor=cursor, limit=MOST, now=now)
        found += page["therapists"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _counted(app: App, wanted: Wanted, now: datetime) -> dict[str, Any]:
    from credsync.operate.choices import choices

    with app.database.read() as connection:
        return choices(connection, app.portals, wanted, now).as_json()


def _wanted(app: App, *, longer_than: str | None, **texts: str | None) -> Wanted:
    """What the options say. A misspelt one is refused: an empty list would read as "nobody waits"."""
    from credsync.core.durations import parse_duration
    from credsync.core.reasons import Reason
    from credsync.core.states import TherapistState
    from credsync.core.wanted import Wanted

    slots = list(dict.fromkeys(key for each in app.portals.values() for key in each.slots))
    known = {
        "state": [each.value for each in TherapistState],
        "reason": [each.value for each in Reason if each],
        "portal": list(app.portals),
    }
    for name, words in known.items():
        if texts[name] is not None and texts[name] not in words:
            raise typer.BadParameter(
                f"{texts[name]!r} is none of {', '.join(words)}.", param_hint=f"--{name}"
            )
    slot = texts["slot"]
    if slot is not None and all(each.slot_rule(slot) is None for each in app.portals.values()):
        raise typer.BadParameter(f"{slot!r} is no slot: there are {', '.join(slots)}.", param_hint="--slot")
    try:
        span = None if longer_than is None else parse_duration(longer_than)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="--longer-than") from None
    return Wanted(**texts, longer_than=span)


def _say_counts(counted: dict[str, Any]) -> None:
    rows = [["all of these", "", _number(counted["total"])]]
    for name, each in counted.items():
        if name != "total":
            rows += [[name.replace("_", " "), one["value"], _number(one)] for one in each]
    say_table(["by", "value", "therapists"], rows)


def _number(count: dict[str, Any]) -> str:
    return f"{count['count']:,}{'+' if count['more'] else ''}"


def _say_list(found: list[dict[str, Any]]) -> None:
    several = len({entry["portal"] for entry in found}) > 1
    head = [
        "state",
        "since",
        "therapist",
        "contact",
        *(["portal"] if several else []),
        "name",
        "waits for",
        "next look",
        "why",
    ]
    rows = [
        [
            entry["state"],
            moment(entry["state_since"]),
            entry["id"],
            entry["contact_id"],
            *([entry["portal"]] if several else []),
            entry["name"],
            ", ".join(entry["awaited_slots"]),
            moment(entry["next_look_at"]),
            entry["message"],
        ]
        for entry in found
    ]
    say_table(head, rows)
