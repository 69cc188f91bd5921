"""`/_sandbox/webhooks`: where HubSpot's webhooks go, how they come, and how many did."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.reading import (
    BadRequest,
    answer,
    flag,
    json_body,
    needed,
    seconds,
    share,
    table,
    text,
    words,
)
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.webhooks import Target

_FIELDS = (
    "url",
    "secret",
    "subscriptions",
    "signed_as",
    "drop",
    "shuffled",
    "doubled",
    "late",
    "of_workflows",
)


async def webhooks(sandbox: Sandbox, request: Request) -> Response:
    """POST webhooks `{"url", "secret", "subscriptions"?, "signed_as"?, "drop"?, …}`; GET tells; DELETE ends them."""
    hooks = sandbox.webhooks
    if request.method == "POST":
        hooks.set(_target(table(await json_body(request), "body", _FIELDS)))
    elif request.method == "DELETE":
        hooks.set(None)
    target = hooks.target
    sandbox.settle()
    counts = {"delivered": hooks.delivered, "failed": hooks.failed, "waiting": hooks.waiting}
    return answer({"url": target.url if target else None, **counts})


def _target(body: dict[str, Any]) -> Target:
    for name in ("url", "signed_as"):
        address = needed(body, name) if name == "url" else text(body, name)
        if address is not None and not address.startswith(("http://", "https://")):
            raise BadRequest(f"{name}: must begin with http:// or https://")
    return Target(
        needed(body, "url"),
        needed(body, "secret"),
        frozenset(words(body, "subscriptions")) or None,
        text(body, "signed_as"),
        share(body, "drop"),
        shuffled=flag(body, "shuffled") if "shuffled" in body else None,
        doubled=share(body, "doubled") if "doubled" in body else None,
        late=seconds(body, "late") if "late" in body else None,
        of_workflows=flag(body, "of_workflows") if "of_workflows" in body else None,
    )
