"""choose: a person says which of several records holds a therapist's slot."""

from __future__ import annotations

from typing import Annotated

import typer

from credsync.cli.asking import Id, the_one
from credsync.cli.opening import actor, open_whole, settings_of
from credsync.cli.output import say
from credsync.cli.refusals import Refusal


def choose(
    ctx: typer.Context,
    id_: Id,
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="The ambiguous slot, as `show` names it.")],
    record_id: Annotated[
        str,
        typer.Argument(metavar="RECORD", help="The record that is the therapist's, one of its candidates."),
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the choice.")],
) -> None:
    """Choose one of several records in a slot; it is written to from then on, while it keeps the slot."""
    from credsync.operate.portal_standing import standing_of
    from credsync.store.acts import choose as take
    from credsync.store.choices import ChoiceRefused
    from credsync.store.therapists import Door

    if not reason.strip():
        raise typer.BadParameter("says why, in a few words.", param_hint="--reason")
    with open_whole(settings_of(ctx)) as app, app.database.write() as connection:
        door = Door(app.database.clock.now(), app.settings.coalesce)
        therapist = the_one(connection, app, id_)
        try:
            taken = take(connection, door, actor(), therapist, slot, record_id, reason.strip())
        except ChoiceRefused as refusal:
            raise Refusal(f"{refusal} What stands: credsync show {therapist}") from None
        standing = standing_of(connection, app.portals, taken.portal)
    if taken.new:
        say(f"Record {record_id} is chosen for {slot} of therapist {therapist}.")
    else:
        say(f"Record {record_id} was chosen for {slot} of therapist {therapist} already.")
    if standing.message:
        say(standing.message)
    say(f"What came of it: credsync show {therapist}")
