"""alerts: what is wrong, one line per cause; one of them with the therapists beneath; that somebody knows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credsync.cli.opening import actor, open_whole, settings_of
from credsync.cli.output import Json, moment, say, say_json, say_pairs, say_table
from credsync.cli.refusals import Refusal

_STATES = {"open": False, "closed": True, "all": None}
_SHOWN = 500


def alerts(
    ctx: typer.Context,
    alert: Annotated[
        str | None, typer.Argument(metavar="[ALERT]", help="One alert's id: it, and whom it hits.")
    ] = None,
    state: Annotated[str, typer.Option(metavar="STATE", help="open, closed or all.")] = "open",
    portal: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this portal.")] = None,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Say that you know; the alert stays until its cause ends.")
    ] = False,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With --acknowledge: what else to say.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What is wrong, one alert per cause: since when, whom it hits, what to do. Alerts close by themselves."""
    if state not in _STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(_STATES)}.", param_hint="--state")
    if alert is None:
        if acknowledge or note is not None:
            raise typer.BadParameter("name the alert that you know of.", param_hint="ALERT")
        _list(ctx, state, portal, as_json)
        return
    if note is not None and not acknowledge:
        raise typer.BadParameter("goes with --acknowledge.", param_hint="--note")
    if not alert.isascii() or not alert.isdigit() or len(alert) > 18:
        raise typer.BadParameter(
            f"{alert!r} is no alert's id: `credsync alerts` lists them.", param_hint="ALERT"
        )
    if acknowledge:
        _acknowledge(ctx, int(alert), note)
    _show(ctx, int(alert), as_json)


def _list(ctx: typer.Context, state: str, portal: str | None, as_json: bool) -> None:
    from credsync.operate.alerts import alerts_list

    found: list[dict[str, Any]] = []
    with open_whole(settings_of(ctx)) as app:
        if portal is not None and portal not in app.portals:
            known = ", ".join(app.portals)
            raise typer.BadParameter(f"{portal!r} is none of {known}.", param_hint="--portal")
        before: int | None = None
        while True:
            with app.database.read() as connection:
                page = alerts_list(
                    connection, closed=_STATES[state], portal=portal, before=before, limit=_SHOWN
                )
            found += page["alerts"]
            if page["next_cursor"] is None:
                break
            before = int(page["next_cursor"])
    if as_json:
        say_json({"alerts": found})
    elif not found:
        say("Nothing is wrong." if state == "open" else "None.")
    else:
        head = ["alert", "portal", "kind", "since", "therapists", "known to", "what"]
        rows = [
            [
                each["id"],
                each["portal"],
                each["kind"],
                moment(each["first_seen_at"]),
                each["therapists"] or None,
                each["acknowledged_by"],
                each["title"] if each["state"] == "open" else f"{each['title']} (closed)",
            ]
            for each in found
        ]
        say_table(head, rows)


def _acknowledge(ctx: typer.Context, alert_id: int, note: str | None) -> None:
    from credsync.store.acts import acknowledge

    if note is not None and not note.strip():
        raise typer.BadParameter("says something, in a few words.", param_hint="--note")
    said = note.strip()[:1_000] if note is not None else None
    with open_whole(settings_of(ctx)) as app, app.database.write() as connection:
        taken = acknowledge(connection, actor(), alert_id, said, app.database.clock.now())
    if taken is None:
        raise _unknown(alert_id)


def _show(ctx: typer.Context, alert_id: int, as_json: bool) -> None:
    from credsync.operate.alerts import therapists_beneath

    hit: list[dict[str, Any]] = []
    with open_whole(settings_of(ctx)) as app:
        cursor: str | None = None
        while True:
            with app.database.read() as connection:
                told = therapists_beneath(
                    connection,
                    app.portals,
                    alert_id,
                    cursor=cursor,
                    limit=_SHOWN,
                    now=app.database.clock.now(),
                )
            if told is None:
                raise _unknown(alert_id)
            hit += told["therapists"]
            cursor = told["next_cursor"]
            if cursor is None:
                break
    if as_json:
        say_json({"alert": told["alert"], "therapists": hit})
        return
    about = told["alert"]
    say_pairs(
        {
            "alert": f"{about['id']} ({about['state']})",
            "what": about["title"],
            "why": about["message"],
            "to do": about["remedy"],
            "portal": about["portal"],
            "since": moment(about["first_seen_at"]),
            "closed": moment(about["closed_at"]) if about["closed_at"] else None,
            "known to": about["acknowledged_by"],
            "note": about["note"],
        }
    )
    if hit:
        say()
        rows = [
            [each["id"], each["contact_id"], moment(each["state_since"]), each["name"], each["message"]]
            for each in hit
        ]
        say_table(["therapist", "contact", "since", "name", "why"], rows)


def _unknown(alert_id: int) -> Refusal:
    return Refusal(f"There is no alert {alert_id}: `credsync alerts --state all` lists them.")
