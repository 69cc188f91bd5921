"""The help-desk report as Markdown. Whatever comes from outside is escaped, so that no name can change the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from credsync.operate.next_steps import say_form

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@])")
_MARKUP = re.compile(r"[\\`*\[\]<>#|~&]|(?<![^\W_])_|_(?![^\W_])")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\u0085\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def packet_markdown(packet: Mapping[str, Any]) -> str:
    """The report of `packet.packet` as Markdown."""
    parts = [
        _head(packet),
        _section("What happens next", (f"- {plain(each)}" for each in packet["next"])),
        _section("Records", (_link(each) for each in packet["links"]), "No record is looked for yet."),
        _section("Writes", (_write(each) for each in packet["writes"]), "Nothing was submitted yet."),
        _section(
            "Refused properties",
            (
                f"- {code(each['name'])} of {code(each['slot'])} ({say_form(each['form'])}): {code(each['code'])}. "
                f"{plain(each['message'])}"
                for each in packet["refused_properties"]
            ),
            "None.",
        ),
        _section(
            "For HubSpot support: correlation ids",
            (f"- {code(each)}" for each in packet["correlation_ids"]),
            "None.",
        ),
        _section("Timeline", (_event(each) for each in packet["timeline"]), "Nothing happened yet."),
    ]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Text that Markdown takes as it is: one line, no markup, no tag, no entity."""
    return _SPECIAL.sub(r"\\\1", _BLANK.sub(" ", text).strip())


def plain(text: str) -> str:
    """A sentence of ours that may quote what is not ours: markup is disarmed, names such as `license_ny` stay readable."""
    return _MARKUP.sub(r"\\\g<0>", _BLANK.sub(" ", text).strip())


def code(text: str | None) -> str:
    """A word as code; it cannot end the code early."""
    kept = _BLANK.sub(" ", text or "").replace("`", "'").strip()
    return f"`{kept}`" if kept else "none"


def _head(packet: Mapping[str, Any]) -> str:
    name = escaped(packet["name"]) if packet["name"] else "name not known"
    contact = (
        _linked(packet["contact_id"], packet["contact_url"]) if packet["contact_id"] else "not known yet"
    )
    lines = [
        f"# Therapist {name}",
        "",
        f"Made {_moment(packet['made_at'])}.",
        "",
        f"- Therapist: {code(packet['id'])}",
        f"- HubSpot contact: {contact}",
        f"- Portal: {code(packet['portal'])} ({packet['portal_state'].replace('_', ' ')})",
        f"- State: **{packet['state'].replace('_', ' ')}** since {_moment(packet['state_since'])}",
    ]
    if packet["message"]:
        lines.append(f"- Why: {plain(packet['message'])}")
    lines.append(f"- Every awaited record is there: {_yes(packet['complete'])}")
    return "\n".join([*lines, ""])


def _section(title: str, lines: Iterable[str], nothing: str = "") -> str:
    body = list(lines) or [nothing]
    return "\n".join([f"## {title}", "", *body, ""])


def _link(link: Mapping[str, Any]) -> str:
    lines = [f"- {code(link['slot'])}: **{_yes(link['outcome'])}**, {link['state'].replace('_', ' ')}"]
    if link["record_id"]:
        lines.append(f"  - Record: {_linked(link['record_id'], link['record_url'])}")
    lines += [
        f"  - Candidate: {_linked(each['record_id'], each['record_url'])}" for each in link["candidates"]
    ]
    if link["message"]:
        lines.append(f"  - {plain(link['message'])}")
    told = [
        ("Awaited since", link["awaited_since"] if link["awaited"] else None),
        ("First looked and missed", link["first_missed_at"]),
        ("Record created", link["record_created_at"]),
        ("Record found", link["found_at"]),
        ("Last looked", link["last_looked_at"]),
        ("Looks again", link["next_look_at"]),
    ]
    lines += [f"  - {what}: {_moment(at)}" for what, at in told if at is not None]
    if link["shows_submission"] is not None:
        lines.append(f"  - Shows: {code(link['shows_submission'])}")
    lines.append(f"  - Lateness: {plain(link['lateness'])}. Looks so far: {link['looks']}")
    for past in link["history"]:
        lines.append(
            f"  - Before: {_linked(past['record_id'], past['record_url'])} until {_moment(past['lost_at'])}. "
            f"{plain(past['message'])}"
        )
    return "\n".join(lines)


def _write(write: Mapping[str, Any]) -> str:
    lines = [
        f"- {say_form(write['form'])} to {code(write['slot'])}: **{write['state']}**",
        f"  - Submitted: {_moment(write['submitted_at'])}",
    ]
    if write["record_id"]:
        lines.append(f"  - Record: {_linked(write['record_id'], write['record_url'])}")
    if write["message"]:
        lines.append(f"  - {plain(write['message'])}")
    if write["sent_at"]:
        lines.append(f"  - Last sent: {_moment(write['sent_at'])}, attempt {write['attempts']}")
    if write["written_at"]:
        lines.append(f"  - Written: {_moment(write['written_at'])}")
    taken = [code(each["name"]) for each in write["properties"] if each["state"] == "written"]
    if taken:
        lines.append(f"  - Properties written: {', '.join(taken)}")
    untaken = [code(each["name"]) for each in write["properties"] if each["state"] == "held"]
    if untaken:
        lines.append(f"  - Properties that would be written: {', '.join(untaken)}")
    if write["correlation_ids"]:
        lines.append(f"  - Correlation ids: {', '.join(map(code, write['correlation_ids']))}")
    return "\n".join(lines)


def _event(event: Mapping[str, Any]) -> str:
    words = [_moment(event["at"]), code(event["event"])]
    words += [code(event["slot"])] if event["slot"] else []
    words += [f"record {code(event['record_id'])}"] if event["record_id"] else []
    details = [f"{key} {_detail(value)}" for key, value in event["details"].items()]
    line = f"- {' '.join(words)}"
    return f"{line} ({plain(', '.join(details))})" if details else line


def _detail(value: object) -> str:
    return " ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _linked(record_id: str, url: str | None) -> str:
    return f"[{escaped(record_id)}](<{url}>)" if url else code(record_id)


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
