"""Questions that go to HubSpot while a person waits: asked within their patience, and told as tables."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from credsync.cli.output import moment, say, say_json, say_pairs, say_table
from credsync.cli.refusals import Code, Refusal, tell

if TYPE_CHECKING:
    from credsync.app import App
    from credsync.core.plan import SyncRequest

PATIENCE = 10.0
"""Seconds a command waits for HubSpot."""
LONGEST_VALUE = 48
"""Characters of a value in a table; `--json` has all of it."""

Told = Mapping[str, Any]
_T = TypeVar("_T")


def show_differences(
    app: App, therapist: str, as_json: bool, *, pressed: bool = False, include_held: bool = False
) -> None:
    """Ask for a therapist's differences and print them; seen from Sync now if `pressed`."""
    from credsync.core.plan import SyncRequest
    from credsync.reconcile.rehearsal import diff

    press = SyncRequest(0, include_held) if pressed else None
    policy = app.settings.policy.at_speed(app.speed)
    told = _asked(lambda: diff(app.live(), therapist, policy, PATIENCE, press))
    assert told is not None
    if as_json:
        say_json(told)
    end_of_question(told, None if as_json else say_differences)


def differences_of(app: App, therapist: str, press: SyncRequest) -> dict[str, Any] | None:
    """What this press would write for a therapist, as far as the reserve lets ask; None where it lets nothing."""
    import anyio

    from credsync.operate.live import AskLater
    from credsync.reconcile.rehearsal import diff
    from credsync.settings import SettingsError

    policy = app.settings.policy.at_speed(app.speed)
    try:
        return anyio.run(lambda: diff(app.live(), therapist, policy, PATIENCE, press))
    except (AskLater, SettingsError):
        return None


def ids_now(app: App, therapist: str) -> dict[str, Any]:
    """HubSpot's ids of now beside the stored ones, of a therapist who is known."""
    from credsync.reconcile.live_ids import live_ids

    policy = app.settings.policy.at_speed(app.speed)
    return _asked(lambda: live_ids(app.live(), therapist, policy, PATIENCE))


def unknown_contact(app: App, text: str) -> dict[str, str] | None:
    """What may be a contact that nobody here has: its id by each portal to ask. None for anything known, or no id."""
    from credsync.hubspot.paths import CONTACT_TYPE
    from credsync.operate.record_urls import parse_record_url
    from credsync.operate.search import resolve
    from credsync.store.portals import statuses

    text = text.strip()
    with app.database.read() as connection:
        if resolve(connection, text):
            return None
        accounts = {each.name: each.portal_id for each in statuses(connection)}
    address = parse_record_url(text)
    if address is None:
        return dict.fromkeys(app.portals, text) if re.fullmatch(r"[0-9]{1,32}", text) else None
    if address.type_id != CONTACT_TYPE:
        return None
    theirs = {name: accounts.get(name) or portal.hubspot.portal_id for name, portal in app.portals.items()}
    return {name: address.record_id for name, id_ in theirs.items() if id_ in (None, address.portal_id)}


def show_contact(app: App, contacts: Mapping[str, str], as_json: bool) -> None:
    """Ask each portal for a contact that nobody here has, and print its records by slot."""
    from credsync.reconcile.live_ids import live_ids_of_contact

    found = [
        _asked(lambda n=name, c=contact: live_ids_of_contact(app.live(), n, c, PATIENCE))  # type: ignore[misc]
        for name, contact in contacts.items()
    ]
    if as_json:
        say_json({"known": False, "contacts": found})
    else:
        for told in found:
            _say_contact(told)
    for told in found:
        end_of_question(told, None)
    if not any(each["exists"] for each in found) and all(each["complete"] for each in found):
        raise Refusal("Neither credsync nor HubSpot knows this contact.")


def end_of_question(told: Told, say_it: Callable[[Told], None] | None) -> None:
    """Print an answer; exit 3 where the reserve ran out before its end."""
    if say_it is not None:
        say_it(told)
    if told["ask_again_in_s"] is not None:
        tell(
            "Not everything could be asked: credsync asks HubSpot 4 times in 10 s beside its rounds. "
            f"Ask again in {told['ask_again_in_s']} s."
        )
        raise typer.Exit(Code.PARTLY)


def say_differences(told: Told) -> None:
    """Each slot with its properties: HubSpot's value, the submitted one, what will be written, and why."""
    say_pairs(
        {
            "therapist": told["id"],
            "name": told["name"],
            "contact": told["contact_id"] or "not known yet",
            "portal": f"{told['portal']} ({told['portal_state']})",
            "why": " ".join(filter(None, [told["portal_message"], told["message"]])) or None,
            "asked": moment(told["asked_at"]),
        }
    )
    for record in told["records"]:
        say()
        say(f"{record['slot']}: {record['state']}, {record['record_id'] or 'no record'}")
        for line in filter(None, [record["record_url"], record["message"], _not_read(record)]):
            say(f"  {line}")
        if record["properties"]:
            head = ("  property", "HubSpot now", "submitted", "differs", "will be written", "why")
            say_table(head, [_row(each) for each in record["properties"]])
    verb = "Sync now would write" if told["seen_from"] == "sync_now" else "The next round writes"
    say(f"\n{told['differing']:,} of the values differ. {verb} {told['to_be_written']:,}.")


def say_ids(told: Told) -> None:
    """HubSpot's ids of now beside the stored ones."""
    say(f"\nIn HubSpot at {moment(told['asked_at'])}")
    if told["message"]:
        say(told["message"])
    if told["slots"]:
        say_table(("slot", "stored", "now", "same", "who holds it, or why nobody"), map(_ids, told["slots"]))


def _asked(question: Callable[[], Awaitable[_T]]) -> _T:
    import anyio

    from credsync.operate.live import AskLater

    try:
        return anyio.run(question)
    except AskLater as later:
        raise Refusal(str(later)) from None


def _say_contact(told: Told) -> None:
    exists = {True: "yes", False: "no", None: "HubSpot did not say"}[told["exists"]]
    say_pairs(
        {
            "contact": told["contact_id"],
            "known here": "no",
            "in HubSpot": exists,
            "merged into": told["merged_into"],
            "portal": told["portal"],
            "contact page": told["contact_url"] if told["exists"] else None,
            "why": told["message"] or None,
            "asked": moment(told["asked_at"]),
        }
    )
    if told["exists"]:
        say()
        rows = [(each["slot"], _held_by(each) or _not_read(each)) for each in told["slots"]]
        say_table(("slot", "records"), rows)


def _row(each: Told) -> tuple[object, ...]:
    differs = {True: "yes", False: "no", None: ""}[each["differs"]]
    submitted = "(cleared)" if each["clears"] else _short(each["submitted"])
    written = "yes" if each["will_be_written"] else "no"
    why = f"{each['why']}: {each['message']}" + (f" ({each['code']})" if each["code"] else "")
    return (f"  {each['name']}", _short(each["hubspot"]), submitted, differs, written, why)


def _ids(each: Told) -> tuple[object, ...]:
    same = {True: "yes", False: "no", None: "not known"}[each["agrees"]]
    more = " ".join(filter(None, [each["message"], _held_by(each), _not_read(each)]))
    return (each["slot"], each["stored_record_id"], each["record_id"], same, more)


def _held_by(each: Told) -> str:
    return "\n".join(record["record_url"] or record["record_id"] for record in each["records"])


def _not_read(each: Told) -> str:
    why = each["not_read"]
    return f"Not read: {why['message']} ({why['code']})." if why is not None else ""


def _short(value: str | None) -> str | None:
    if value is None or len(value) <= LONGEST_VALUE:
        return value
    return f"{value[: LONGEST_VALUE - 1]}…"
