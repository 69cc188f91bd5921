"""What every page shows around its own content: the way to the others, and which portals this is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from credsync.core.people import Act
from credsync.core.portal import Kind, Mode
from credsync.web.console.context import ConsoleContext

WAYS: Final = (
    ("/", "Today", Act.LOOK),
    ("/therapists", "Therapists", Act.LOOK),
    ("/workflows", "Workflows", Act.LOOK),
    ("/alerts", "Alerts", Act.LOOK),
    ("/settings", "Settings", Act.LOOK),
    ("/people", "People", Act.PEOPLE),
    ("/tokens", "Tokens", Act.TOKENS),
    ("/audit", "Audit", Act.AUDIT),
)
"""The pages named on every page of whoever may open them: address, word, act."""


def frame_of(context: ConsoleContext) -> Mapping[str, Any]:
    """The names that `base.html` needs."""
    return {
        "ways": WAYS,
        "portals": [
            {
                "name": name,
                "observing": portal.hubspot.mode is Mode.OBSERVE,
                "kind": portal.hubspot.kind,
            }
            for name, portal in sorted(context.portals.items())
        ],
        "production": any(portal.hubspot.kind is Kind.PRODUCTION for portal in context.portals.values()),
    }
