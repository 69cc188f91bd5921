"""today and mapping: how everything stands, and what a portal looks for and writes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credsync.cli.opening import open_whole, settings_of
from credsync.cli.output import Json, say, say_json, say_table


def today(ctx: typer.Context, as_json: Json = False) -> None:
    """How many are how, each portal with HubSpot's calls of today, what is usual of each slot, open alerts."""
    from credsync.operate.today import today as how_it_stands

    with open_whole(settings_of(ctx)) as app:
        now = app.database.clock.now()
        with app.database.read() as connection:
            told = how_it_stands(connection, app.portals, now, app.settings.policy)
    if as_json:
        say_json(told)
        return
    say_table(("state", "therapists"), [(name, f"{count:,}") for name, count in told["states"].items()])
    say()
    say_table(
        ("portal", "kind", "state", "therapists", "calls today", "share", "association calls", "share"),
        [_portal(each) for each in told["portals"]],
    )
    say()
    say_table(
        ("slot", "portal", "waiting", "what is usual"),
        [(e["slot"], e["portal"], f"{e['waiting']:,}", e["message"]) for e in told["workflows"]],
    )
    say()
    if not told["alerts"]:
        say("No alert is open.")
        return
    say_table(("alert", "portal", "what"), [(e["id"], e["portal"], e["title"]) for e in told["alerts"]])
    if told["alerts_open"] > len(told["alerts"]):
        say(f"{told['alerts_open']:,} alerts are open in all: credsync alerts")


def mapping(
    ctx: typer.Context,
    portal: Annotated[str | None, typer.Argument(metavar="[PORTAL]", help="Of this portal only.")] = None,
    as_json: Json = False,
) -> None:
    """What is looked for under a contact and what is written to it; and what HubSpot lacks of it."""
    from credsync.operate.mapping import mapping_tree

    with open_whole(settings_of(ctx)) as app:
        if portal is not None and portal not in app.portals:
            known = ", ".join(app.portals)
            raise typer.BadParameter(f"{portal!r} is none of {known}.", param_hint="PORTAL")
        now = app.database.clock.now()
        with app.database.read() as connection:
            told = [
                {"portal": name} | mapping_tree(connection, each, now)
                for name, each in app.portals.items()
                if portal in (None, name)
            ]
    if as_json:
        say_json({"mappings": told})
        return
    for each in told:
        rows = [row for found in each["objects"] for slot in found["slots"] for row in _slot(found, slot)]
        say(each["portal"] if each["names_known"] else f"{each['portal']} (HubSpot's names are not read yet)")
        say_table(("object", "slot", "told by", "form", "property", "path", "lacking"), rows)


def _portal(each: dict[str, Any]) -> tuple[str, ...]:
    calls, associations = each["quota"]["calls"], each["quota"]["association_calls"]
    return (
        each["name"],
        each["kind"],
        each["state"],
        f"{each['therapists']:,}",
        f"{calls['used']:,}",
        "not told yet" if calls["ours"] is None else f"{calls['ours']:,}",
        f"{associations['used']:,}",
        f"{associations['ours']:,}",
    )


def _slot(found: dict[str, Any], slot: dict[str, Any]) -> list[tuple[str, ...]]:
    """A line for each property; one for a slot that nothing is written to."""
    head = (found["key"], slot["key"], slot["marker"])
    lacking = "label" if slot["missing"] else ""
    rows: list[tuple[str, ...]] = [
        (*head, write["form"], each["property"], each["path"], "property" if each["missing"] else lacking)
        for write in slot["writes"]
        for each in write["fields"]
    ]
    return rows or [(*head, "", "", "", lacking)]
