"""What happens next to a therapist and when, in sentences a support colleague can read out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from credsync.core.phrases import Joined, phrase
from credsync.core.portal import DEFINITIVE
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, Reason, sentence

Told = Mapping[str, Any]
"""A status, or a link or write of one, as `therapist_status` gives it."""

_FORMS = {"sign_up": phrase("sign-up"), "ca": "CA", "af": "AF"}
_UNFINISHED = frozenset({"waiting", "due", "unknown"})
_RECORD_THERE = (phrase("its record is there"), phrase("each record is there"))
_UNTIL = {
    "awaited": _RECORD_THERE,
    "given_up": _RECORD_THERE,
    "ambiguous": (phrase("one record alone holds it"), phrase("one record alone holds each")),
    "found": (phrase("its label has settled"), phrase("their labels have settled")),
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
            said.append(phrase("Until then the submitted {forms} data waits.", forms=_forms(unfinished)))
    else:
        if status["contact_id"] is None:
            said.append(sentence(Reason.NO_CONTACT))
        said += _looks(looked_at, unfinished, now)
        said += _sends(looked_at, unfinished, status["next_look_at"], now)
    said += _for_a_person(links, writes)
    if said:
        return said
    if not writes:
        return [
            phrase(
                "Nothing has been submitted yet, and no record is missing. credsync looks when something is."
            )
        ]
    return [phrase("Nothing is left to do: all that was submitted is in HubSpot.")]


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


def _is_soon(text: str, now: datetime) -> bool:
    return (datetime.fromisoformat(text) - now).total_seconds() < 1


def _at(text: str, now: datetime) -> dict[str, object]:
    """A moment that is not soon, and how long until then."""
    return {"moment": say_moment(text, now), "span": datetime.fromisoformat(text) - now}


def _looks(looked_at: Sequence[Told], unfinished: Sequence[Told], now: datetime) -> Iterable[str]:
    """One sentence for each next look and what it waits for, soonest first."""
    together: dict[tuple[str, str], list[Told]] = {}
    for link in sorted(looked_at, key=lambda link: str(link["next_look_at"])):
        at = "" if _is_soon(link["next_look_at"], now) else say_moment(link["next_look_at"], now)
        together.setdefault((at, _UNTIL[link["state"]][0]), []).append(link)
    for links in together.values():
        slots = [link["slot"] for link in links]
        look = _look(links, slots, now)
        for_these = [write for write in unfinished if write["slot"] in slots]
        if not for_these:
            yield phrase("{look}.", look=look)
            continue
        forms, to = _forms(for_these), list(dict.fromkeys(write["slot"] for write in for_these))
        until = _UNTIL[links[0]["state"]][len(to) > 1]
        if set(to) == set(slots):
            yield phrase(
                "{look}, and writes the submitted {forms} data as soon as {until}.",
                look=look,
                forms=forms,
                until=until,
            )
        else:
            yield phrase(
                "{look}, and writes the submitted {forms} data to {slots} as soon as {until}.",
                look=look,
                forms=forms,
                slots=to,
                until=until,
            )


def _look(links: Sequence[Told], slots: list[str], now: datetime) -> str:
    next_look, again = links[0]["next_look_at"], any(link["looks"] for link in links)
    if _is_soon(next_look, now):
        if again:
            return phrase("credsync looks again within seconds for {slots}", slots=slots)
        return phrase("credsync looks within seconds for {slots}", slots=slots)
    at = _at(next_look, now)
    if again:
        return phrase("credsync looks again at {moment}, in {span}, for {slots}", slots=slots, **at)
    return phrase("credsync looks at {moment}, in {span}, for {slots}", slots=slots, **at)


def _sends(
    looked_at: Sequence[Told], unfinished: Sequence[Told], next_round: str | None, now: datetime
) -> Iterable[str]:
    """One sentence for every unfinished write that no look explains."""
    explained = {link["slot"] for link in looked_at}
    for write in unfinished:
        if write["slot"] in explained or write["reason"] == Reason.NO_CONTACT.value:
            continue
        again = "" if next_round is None else _goes_on(next_round, now)
        yield Joined([phrase("{data} is not written yet.", data=_data(write)), write["message"], again])


def _goes_on(next_round: str, now: datetime) -> str:
    if _is_soon(next_round, now):
        return phrase("credsync goes on within seconds.")
    return phrase("credsync goes on at {moment}, in {span}.", **_at(next_round, now))


def _for_a_person(links: Iterable[Told], writes: Iterable[Told]) -> Iterable[str]:
    """What a person may or must do: records in doubt, late or given up, data refused or held back."""
    for link in links:
        of_slot = f"{link['slot']}:"
        if link["state"] == "ambiguous":
            ids = [each["record_id"] for each in link["candidates"]]
            yield Joined([of_slot, link["message"], phrase("The records are {ids}.", ids=ids)])
        elif link["state"] == "given_up":
            yield Joined([of_slot, link["message"]])
        elif link["overdue_since"] is not None and link["state"] == "awaited":
            known = link["reason"] in OWED_BY_NO_WORKFLOW
            yield Joined([of_slot, link["message"] if known else sentence(Reason.OVERDUE)])
    for write in (each for each in writes if each["current"]):
        if write["state"] in ("refused", "partial"):
            refused = [f"{p['name']} ({p['code']})" for p in write["properties"] if p["state"] == "refused"]
            named = phrase("Refused: {properties}.", properties=refused) if refused else ""
            yield Joined([phrase("{data} needs a person.", data=_data(write)), write["message"], named])
        elif write["state"] == "held":
            yield Joined([phrase("{data} is held back.", data=_data(write)), write["message"]])


def _data(write: Told) -> str:
    undecided = write["slot"] == DEFINITIVE
    slot = phrase("the Credentialing still to be chosen") if undecided else write["slot"]
    return phrase("The {form} data for {slot}", form=say_form(write["form"]), slot=slot)


def _forms(writes: Iterable[Told]) -> list[str]:
    """The writes' forms for people, each once."""
    return list(dict.fromkeys(say_form(write["form"]) for write in writes))
