"""How long HubSpot's workflows take, and the contacts to enrol in one again."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credsync.cli.opening import open_whole, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_table, say_text

if TYPE_CHECKING:
    from credsync.core.portal import Portal

_COLUMNS = ("contact_id", "contact_url", "therapist_id", "slot", "waiting_since", "state")


def delays(
    ctx: typer.Context,
    portal: Annotated[str | None, typer.Option(metavar="NAME", help="Of this portal only.")] = None,
    slot: Annotated[str | None, typer.Option(metavar="SLOT", help="Of this slot only.")] = None,
    weeks: Annotated[int, typer.Option(min=1, max=13, help="So many weeks, with the current one.")] = 4,
    reenrol: Annotated[
        str | None,
        typer.Option(
            metavar="SLOT",
            help="As CSV, the contacts whose record of this slot is overdue: enrol them again.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """How long records take to come, by slot and week; when a wait is overdue, and whose word that is."""
    from credsync.operate.delays import delays_report

    with open_whole(settings_of(ctx)) as app:
        asked = [each for name, each in app.portals.items() if portal in (None, name)]
        if not asked:
            raise typer.BadParameter(f"is one of: {', '.join(sorted(app.portals))}.", param_hint="--portal")
        for named, option in ((slot, "--slot"), (reenrol, "--reenrol")):
            _require_slot(asked, named, option)
        now, policy = app.database.clock.now(), app.settings.policy
        with app.database.read() as connection:
            if reenrol is not None:
                from credsync.operate.workflows import enrol_again

                who = [
                    {"portal": each.name} | row
                    for each in asked
                    if reenrol in each.slots
                    for row in enrol_again(connection, each, reenrol)
                ]
                _say_contacts(who, as_json)
                return
            report = delays_report(connection, asked, now, policy, slot=slot, weeks=weeks)
    if as_json:
        say_json(report)
    else:
        _say_delays(report["delays"], several=len(asked) > 1)


def _require_slot(portals: list[Portal], slot: str | None, option: str) -> None:
    slots = sorted({key for portal in portals for key in portal.slots})
    if slot is not None and slot not in slots:
        raise typer.BadParameter(f"is one of: {', '.join(slots)}.", param_hint=option)


def _say_contacts(who: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        say_json({"contacts": who})
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, ["portal", *_COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(who)
    say_text(text.getvalue())


def _say_delays(told: list[dict[str, Any]], *, several: bool) -> None:
    for place, each in enumerate(told):
        if place:
            say()
        waiting = f"{each['waiting']:,} wait" if each["waiting"] != 1 else "1 waits"
        if each["waiting"]:
            waiting += f", the longest since {moment(each['longest_waiting_since'])}"
        say(f"{each['portal']} {each['slot']}" if several else each["slot"])
        say(f"  {each['message']}; {waiting}")
        rows = [
            ("  " + week["week"], until, *(_cell(week[key][name]) for name in _HEAD))
            for week in each["weeks"]
            for key, until in (("found", "id"), ("created", "creation"))
            if week[key]["count"]
        ]
        if rows:
            say_table(("  week", "until", "count", "half", "95 %", "99 %"), rows)


_HEAD = ("count", "p50_s", "p95_s", "p99_s")


def _cell(value: float) -> str:
    """A count, or seconds as people read them."""
    from datetime import timedelta

    from credsync.core.durations import say_duration

    return f"{value:,}" if isinstance(value, int) else say_duration(timedelta(seconds=value))
