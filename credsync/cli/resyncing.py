"""resync: everything submitted is written again for many therapists, after a look at whom and what it would change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credsync.cli.live import differences_of, say_differences
from credsync.cli.opening import actor, open_whole, settings_of
from credsync.cli.output import Json, in_parts, progress, say, say_json, say_table
from credsync.cli.refusals import Refusal

if TYPE_CHECKING:
    from credsync.app import App
    from credsync.store.resyncs import Choosing, Standing

_SAMPLE = 3
"""Therapists whose differences are asked for: each takes HubSpot calls out of a small reserve."""


def resync(
    ctx: typer.Context,
    form: Annotated[
        str | None, typer.Option(metavar="F", help="What this form submitted: sign_up, ca or af.")
    ] = None,
    slot: Annotated[
        str | None, typer.Option(metavar="S", help="To this slot; license stands for all licences.")
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option(
            metavar="C",
            help="Whose write stands so, by state or reason: refused, partial, held, observe_only …",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Submitted since: 7d, 12h, or 2026-11-01T00:00:00Z.")
    ] = None,
    portal: Annotated[str | None, typer.Option(metavar="NAME", help="Of this portal only.")] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; kept with each request.")
    ] = "asked for on the command line",
    include_held: Annotated[
        bool, typer.Option("--include-held", help="Also what is held, submitted before the latest sign-up.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only counts and differences.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    as_json: Json = False,
) -> None:
    """Write everything submitted again for many, in the backfill lane: behind all that is due, a few at a time."""
    from credsync.core.plan import SyncRequest
    from credsync.store.resyncs import Choosing, chosen, standings

    if not reason.strip():
        raise typer.BadParameter("says why, in a few words.", param_hint="--reason")
    with open_whole(settings_of(ctx)) as app:
        _require_known(app, portal, form, slot, cause, include_held)
        by = Choosing(portal, form, slot, cause, _moment(app, since))  # type: ignore[arg-type]
        with app.database.read() as connection:
            therapists = chosen(connection, by)
            found = standings(connection, by)
        press = SyncRequest(0, include_held, by.form, by.slot)
        shown = therapists[:_SAMPLE] if dry_run or sys.stdin.isatty() else []
        differing = [told for each in shown if (told := differences_of(app, each, press)) is not None]
        told = {
            "therapists": len(therapists),
            "writes": [asdict(each) for each in found],
            "differences": differing,
            "requested": 0,
        }
        if not as_json:
            _say_counts(len(therapists), found)
            _say_sample(len(shown), differing)
        if therapists and not dry_run:
            _require_writing(app, portal)
            _confirm(len(therapists), yes)
            told["requested"] = _request(app, therapists, by, reason.strip(), include_held)
    _say_end(told, dry_run, as_json)


def _require_known(
    app: App, portal: str | None, form: str | None, slot: str | None, cause: str | None, include_held: bool
) -> None:
    """A misspelt filter is refused: nobody chosen would read as nothing to do."""
    from credsync.core.reasons import Reason
    from credsync.core.writes import WriteState

    portals = [each for name, each in app.portals.items() if portal in (None, name)]
    slots = list(dict.fromkeys(key for each in portals for key in each.slots))
    superseded = WriteState.SUPERSEDED
    causes = [each.value for each in WriteState if each is not superseded]
    causes += [each.value for each in Reason if each is not Reason.NONE]
    for given, option, known in (
        (portal, "--portal", list(app.portals)),
        (form, "--form", ["sign_up", "ca", "af"]),
        (cause, "--cause", causes),
    ):
        if given is not None and given not in known:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}.", param_hint=option)
    if slot is not None and all(each.slot_rule(slot) is None for each in portals):
        raise typer.BadParameter(f"{slot!r} is no slot: there are {', '.join(slots)}.", param_hint="--slot")
    if cause == Reason.OLDER_THAN_SIGN_UP and not include_held:
        raise typer.BadParameter(
            f"what is held as {cause} is only sent with --include-held.", param_hint="--cause"
        )


def _require_writing(app: App, portal: str | None) -> None:
    """What only observes queues nothing: a re-sync asked for there would be forgotten."""
    from credsync.core.portal import Mode

    asked = [each for name, each in app.portals.items() if portal in (None, name)]
    observing = [each.name for each in asked if each.hubspot.mode is Mode.OBSERVE]
    if observing:
        raise Refusal(
            f"Nothing was asked for: {', '.join(observing)} only observes, and what is asked for meanwhile is not kept. "
            'Set mode = "write" in its portal file first, or name another with --portal.'
        )


def _moment(app: App, since: str | None) -> datetime | None:
    from credsync.core.durations import parse_duration

    if since is None:
        return None
    try:
        return app.database.clock.now() - parse_duration(since)
    except ValueError:
        pass
    except OverflowError:
        raise typer.BadParameter("lies before the calendar begins.", param_hint="--since") from None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            "is a span such as 7d or 12h, or a moment with its zone such as 2026-11-01T00:00:00Z.",
            param_hint="--since",
        )
    return moment.astimezone(UTC)


def _confirm(therapists: int, sure: bool) -> None:
    """Ask whoever is at a terminal; a script that runs it has decided."""
    if sure or not sys.stdin.isatty():
        return
    if not typer.confirm(f"Write everything again for {therapists:,} therapists?"):
        raise Refusal("Nothing was asked for.")


def _request(app: App, therapists: Sequence[str], by: Choosing, reason: str, include_held: bool) -> int:
    from credsync.store.acts import resync as ask
    from credsync.store.therapists import Door

    requested = 0
    for part in progress(in_parts(therapists), "asking"):
        with app.database.write() as connection:
            door = Door(app.database.clock.now(), app.settings.coalesce, backfill=True)
            requested += ask(connection, door, actor(), part, by, reason, include_held)
    return requested


def _say_counts(therapists: int, found: Sequence[Standing]) -> None:
    if not therapists:
        say("Nobody is chosen.")
        return
    say(f"{therapists:,} therapists are chosen.")
    if found:
        head = ("portal", "form", "slot", "therapists", "state", "reason")
        say_table(head, [(e.portal, e.form, e.slot, e.therapists, e.state, e.reason) for e in found])


def _say_sample(shown: int, differing: Sequence[dict[str, Any]]) -> None:
    if not shown:
        return
    say(f"\nHubSpot now, for the first {shown}:")
    for told in differing:
        say()
        say_differences(told)
    if len(differing) < shown:
        say("HubSpot could not be asked about all of them now; the counts above stand.")


def _say_end(told: dict[str, Any], dry_run: bool, as_json: bool) -> None:
    if as_json:
        say_json({"dry_run": dry_run, **told})
    elif dry_run and told["therapists"]:
        say("\nNothing was asked for: this was a dry run.")
    elif told["therapists"]:
        again = told["therapists"] - told["requested"]
        more = f"; {again:,} were asked for already" if again else ""
        say(
            f"\nAsked for {told['requested']:,}{more}. They are written behind everything else, a few hundred a round."
        )
