"""What people and programs do to therapists, alerts, portals and tokens: each act with its line in the audit.

Pages, calls and commands come here and not to the rooms that do it, so that nothing is done unseen. What only reports
facts (sign-ups, sections, submissions) is no act and stands in no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from credsync.core.alerts import Alert
from credsync.core.audit import Deed
from credsync.core.events import TimelineEvent
from credsync.store import alerts, audit, portals, restoring, tokens
from credsync.store.audit import Whom
from credsync.store.choices import accept_choice
from credsync.store.intake import accept_sync
from credsync.store.notes import accept_note
from credsync.store.press_limits import may_press
from credsync.store.restoring import Restored
from credsync.store.resyncs import Choosing, request_resync
from credsync.store.tables import links
from credsync.store.therapists import Door, Taken


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `by` as timelines and pages name them, `who` as the audit does, where a token is no person."""

    by: str
    who: str

    @classmethod
    def person(cls, email: str) -> Actor:
        """Somebody who has signed in."""
        return cls(email, audit.by_person(email))

    @classmethod
    def token(cls, name: str) -> Actor:
        """The holder of an API token."""
        return cls(name, audit.by_token(name))

    @classmethod
    def shell(cls, name: str) -> Actor:
        """Somebody at the command line, who is named `cli:…` everywhere."""
        return cls(name, name)


def sync_now(
    connection: Connection, door: Door, actor: Actor, therapist_id: str, reason: str, include_held: bool
) -> Taken:
    """Sync now, see `accept_sync`. A press that finds another waiting is a line of its own."""
    [taken] = sync_all_now(connection, door, actor, [therapist_id], reason, include_held)
    return taken


def sync_all_now(
    connection: Connection,
    door: Door,
    actor: Actor,
    therapist_ids: Sequence[str],
    reason: str,
    include_held: bool,
) -> list[Taken]:
    """Sync now for several; their rows are taken in one order, and before the audit's. Raises `PressedTooOften`."""
    may_press(connection, actor.by, therapist_ids, door.now)
    done = [
        accept_sync(connection, door, each, reason, include_held, actor.by) for each in sorted(therapist_ids)
    ]
    for taken in done:
        whom = Whom("therapist", taken.therapist_id)
        after = {"include_held": include_held}
        audit.append(connection, door.now, actor.who, Deed.SYNC, whom, why=reason, after=after)
    return done


def choose(
    connection: Connection,
    door: Door,
    actor: Actor,
    therapist_id: str,
    slot: str,
    record_id: str,
    reason: str,
) -> Taken:
    """A choice among candidates, see `accept_choice`; the same again is no act."""
    mine = (links.c.therapist_id == therapist_id, links.c.slot == slot)
    before = connection.execute(select(links.c.chosen_record_id).where(*mine)).scalar_one_or_none()
    taken = accept_choice(connection, door, therapist_id, slot, record_id, reason, actor.by)
    if taken.new:
        audit.append(
            connection,
            door.now,
            actor.who,
            Deed.CHOICE,
            Whom("therapist", taken.therapist_id),
            why=reason,
            before={"slot": slot, "record_id": before},
            after={"slot": slot, "record_id": record_id},
        )
    return taken


def note(connection: Connection, door: Door, actor: Actor, therapist_id: str, text: str) -> Taken:
    """A note on the timeline; what it says stands there alone."""
    taken = accept_note(connection, door, therapist_id, text, actor.by)
    whom = Whom("therapist", taken.therapist_id)
    audit.append(connection, door.now, actor.who, Deed.NOTE, whom, after={"note": text})
    return taken


def acknowledge(
    connection: Connection, actor: Actor, alert_id: int, said: str | None, now: datetime
) -> tuple[Alert, TimelineEvent] | None:
    """Somebody takes an alert; gives it and the event to log, or None for one that nobody knows."""
    taken = alerts.acknowledge(connection, alert_id, actor.by, said, now)
    if taken is not None:
        audit.append(connection, now, actor.who, Deed.ACKNOWLEDGED, Whom("alert", str(alert_id)), why=said)
    return taken


def pause(connection: Connection, actor: Actor, name: str, reason: str, now: datetime) -> list[TimelineEvent]:
    """Stop a portal's rounds; gives the events to log. Pausing what is paused is no act."""
    before = _switch(connection, name)
    events = portals.pause(connection, name, actor.by, reason, now)
    if events:
        after = _switch(connection, name)
        whom = Whom("portal", name)
        audit.append(connection, now, actor.who, Deed.PAUSED, whom, why=reason, before=before, after=after)
    return events


def resume(
    connection: Connection, actor: Actor, name: str, now: datetime, reason: str | None = None
) -> list[TimelineEvent]:
    """Let a portal's rounds go on; gives the events to log."""
    before = _switch(connection, name)
    events = portals.resume(connection, name, actor.by, now)
    if events:
        after = _switch(connection, name)
        whom = Whom("portal", name)
        audit.append(connection, now, actor.who, Deed.RESUMED, whom, why=reason, before=before, after=after)
    return events


def take_up_backup(connection: Connection, actor: Actor, name: str, now: datetime) -> Restored:
    """After a backup was restored, see `restoring.take_up_backup`."""
    found = restoring.take_up_backup(connection, name, now)
    audit.append(connection, now, actor.who, Deed.RESTORED, Whom("portal", name), after=asdict(found))
    return found


def resync(
    connection: Connection,
    door: Door,
    actor: Actor,
    therapist_ids: Sequence[str],
    by: Choosing,
    reason: str,
    include_held: bool,
) -> int:
    """A re-sync of as many as go into one transaction, see `request_resync`; one line for all of them."""
    new = request_resync(connection, door, therapist_ids, by, reason, include_held, actor.by)
    if new:
        after = {"therapists": list(therapist_ids), "include_held": include_held}
        whom = Whom("therapists", str(new))
        audit.append(connection, door.now, actor.who, Deed.RESYNC, whom, why=reason, after=after)
    return new


def imported(connection: Connection, actor: Actor, therapist_ids: Sequence[str], now: datetime) -> None:
    """These were made or changed by an import; one line for what went into one transaction, none for nobody."""
    if therapist_ids:
        whom = Whom("therapists", str(len(therapist_ids)))
        after = {"therapists": list(therapist_ids)}
        audit.append(connection, now, actor.who, Deed.IMPORT, whom, after=after)


def create_token(
    connection: Connection, actor: Actor, name: str, scopes: Iterable[tokens.Scope], now: datetime
) -> str:
    """A token for the API, see `tokens.create_token`."""
    wanted = sorted(set(scopes))
    made = tokens.create_token(connection, name, wanted, now)
    after = {"scopes": wanted}
    audit.append(connection, now, actor.who, Deed.TOKEN_MADE, Whom("token", name), after=after)
    return made


def revoke_token(connection: Connection, actor: Actor, name: str, now: datetime) -> bool:
    """Forget a token; false if there was none of that name."""
    revoked = tokens.revoke_token(connection, name)
    if revoked:
        audit.append(connection, now, actor.who, Deed.TOKEN_REVOKED, Whom("token", name))
    return revoked


def _switch(connection: Connection, name: str) -> dict[str, object]:
    status = portals.status_of(connection, name)
    return {"paused_by": status.paused_by, "reason": status.paused_reason}
