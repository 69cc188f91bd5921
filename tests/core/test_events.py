"""The event names that backends and log searches build on, and where each comes from."""

from __future__ import annotations

import ast
from pathlib import Path

from credsync.core.events import EventName

SOURCE = Path(__file__).parents[2] / "credsync"
AGREED = (
    "sign_up.completed section.completed form.submitted lookup.missed link.found link.lost link.ambiguous link.chosen "
    "link.overdue link.given_up write.sent write.written write.unknown write.partial write.refused write.held "
    "write.superseded sync.requested webhook.received webhook.refused alert.opened alert.closed portal.paused "
    "portal.resumed note.added"
)
NOT_YET: set[str] = set()


def said() -> set[str]:
    """Every name that some module beside the list of names uses."""
    return {
        EventName[node.attr].value
        for path in SOURCE.rglob("*.py")
        if path.name != "events.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "EventName"
    }


def test_the_agreed_event_names_are_there_and_each_is_told_by_something() -> None:
    """Event names are fixed: each that others rely on is there, and something tells it."""
    names = set(EventName)
    assert names.issuperset(AGREED.split())
    assert names - said() == NOT_YET
