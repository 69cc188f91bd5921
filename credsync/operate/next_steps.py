"""What happens next to a therapist and when, in sentences a support colleague can read out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from credsync.core.durations import say_duration
from credsync.core.portal import DEFINITIVE
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, Reason, sentence

Told = Mapping[str, Any]
"""A status, or a link or write of one, as `therapist_status` gives it."""

_FORMS = {"sign_up": "sign-up", "ca": "CA", "af": "AF"}
_UNFINISHED = frozenset({"waiting", "due", "unknown"})
_UNTIL = {
    "awaited": ("its record is there", "each record is there"),
    "given_up": ("its record is there", "each record is there"),
    "ambiguous": ("one record alone holds it", "one record alone holds each"),
    "found": ("its label has settled", "their labels have settled"),
}
"""What a write waits for, by the state of its link: for one slot, for several."""


def next_steps(status: Told, now: datetime) -> list[str]:
    """The sentences for a status as `therapist_status` gives it; one at least."""
    links: Sequence[Told] = status["links"]
    writes: Sequence[Told] = status["writes"]
    unfinished = [write for write in writes if write["state"] in _UNFINISHED]
    looked_at = [link for link in links if link["next_look_at"] is not None]
    said: list[str] = [status["portal_message"]] if status["portal_message"] else []
    if status["portal_state"] == "paused":
        if unfinished:
            forms = dict.fromkeys(say_form(write["form"]) for write in unfinished)
            said.append(f"Until then the submitted {_listed(forms)} data waits.")
    else:
        if status["contact_id"] is None:
            said.append(sentence(Reason.NO_CONTACT))
        said += _looks(looked_at, unfinished, now)
        said += _sends(looked_at, unfinished, status["next_look_at"], now)
    said += _for_a_person(links, writes)
    if said:
        return said
    if not writes:
        return ["Nothing has been submitted yet, and no record is missing. credsync looks when something is."]
    return ["Nothing is left to do: all that was submitted is in HubSpot."]


def say_moment(text: str, now: datetime) -> str:
    """A moment of a status for people, with its day unless that is today's.

    >>> say_moment("2025-08-26T00:13:08.065521Z", datetime.fromisoformat("2025-08-26T09:00:00Z"))
    '00:13:08 UTC'
    """
    at = datetime.fromisoformat(text)
    return at.strftime("%H:%M:%S UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M:%S UTC")


def say_form(form: str) -> str:
    """A form's name for people."""
    return _FORMS.get(form, form)


def _when(text: str, now: datetime) -> str:
    wait = datetime.fromisoformat(text) - now
    if wait.total_seconds() < 1:
        return "within seconds"
    return f"at {say_moment(text, now)}, in {say_duration(wait)}"


def _looks(looked_at: Sequence[Told], unfinished: Sequence[Told], now: datetime) -> Iterable[str]:
    """One sentence for each next look and what it waits for, soonest first."""
    together: dict[tuple[str, str], list[Told]] = {}
    for link in sorted(looked_at, key=lambda link: str(link["next_look_at"])):
        kind = _UNTIL[link["state"]][0]
        together.setdefault((_when(link["next_look_at"], now), kind), []).append(link)
    for (moment, _), links in together.items():
        slots = [link["slot"] for link in links]
        verb = "looks again" if any(link["looks"] for link in links) else "looks"
        pause = "," if moment.startswith("at ") else ""
        text = f"credsync {verb} {moment}{pause} for {_listed(slots)}"
        for_these = [write for write in unfinished if write["slot"] in slots]
        if for_these:
            forms = dict.fromkeys(say_form(write["form"]) for write in for_these)
            to = list(dict.fromkeys(write["slot"] for write in for_these))
            named = "" if set(to) == set(slots) else f" to {_listed(to)}"
            until = _UNTIL[links[0]["state"]][len(to) > 1]
            text += f", and writes the submitted {_listed(forms)} data{named} as soon as {until}"
        yield f"{text}."


def _sends(
    looked_at: Sequence[Told], unfinished: Sequence[Told], next_round: str | None, now: datetime
) -> Iterable[str]:
    """One sentence for every unfinished write that no look explains."""
    explained = {link["slot"] for link in looked_at}
    for write in unfinished:
        if write["slot"] in explained or write["reason"] == Reason.NO_CONTACT.value:
            continue
        again = "" if next_round is None else f" credsync goes on {_when(next_round, now)}."
        yield f"{_data(write)} is not written yet. {write['message']}{again}"


def _for_a_person(links: Iterable[Told], writes: Iterable[Told]) -> Iterable[str]:
    """What a person may or must do: records in doubt, late or given up, data refused or held back."""
    for link in links:
        if link["state"] == "ambiguous":
            ids = [each["record_id"] for each in link["candidates"]]
            yield f"{link['slot']}: {link['message']} The records are {_listed(ids)}."
        elif link["state"] == "given_up":
            yield f"{link['slot']}: {link['message']}"
        elif link["overdue_since"] is not None and link["state"] == "awaited":
            known = link["reason"] in OWED_BY_NO_WORKFLOW
            yield f"{link['slot']}: {link['message'] if known else sentence(Reason.OVERDUE)}"
    for write in (each for each in writes if each["current"]):
        if write["state"] in ("refused", "partial"):
            refused = [f"{p['name']} ({p['code']})" for p in write["properties"] if p["state"] == "refused"]
            named = f" Refused: {_listed(refused)}." if refused else ""
            yield f"{_data(write)} needs a person. {write['message']}{named}"
        elif write["state"] == "held":
            yield f"{_data(write)} is held back. {write['message']}"


def _data(write: Told) -> str:
    slot = "the Credentialing still to be chosen" if write["slot"] == DEFINITIVE else write["slot"]
    return f"The {say_form(write['form'])} data for {slot}"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
