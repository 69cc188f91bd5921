"""HubSpot's webhooks: hints where to look, taken only from HubSpot, and answered without asking anybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.events import TimelineEvent
from credsync.core.forms import Fault
from credsync.core.hints import hints_of
from credsync.core.portal import Portal
from credsync.core.webhook_events import WebhookEvent, read_events, webhook_path
from credsync.hubspot.signature import FARTHEST_AHEAD, OLDEST, Flaw, Signed, flaw_of
from credsync.store import portals, timeline
from credsync.store.hints import keep_hints
from credsync.store.webhooks import NOBODY, note_received, note_replayed, use_signature
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.limits import parse_json, read_body
from credsync.web.api.problems import Problem, invalid
from credsync.web.api.webhook_refusals import Refusals

_JUDGES = 2
"""Signatures judged at once: strangers may send whole megabytes."""
_V3, _V2 = "x-hubspot-signature-v3", "x-hubspot-signature"
UNKNOWN_PORTAL = "unknown_portal"


class Webhooks:
    """The handlers."""

    def __init__(self, context: ApiContext, writers: CapacityLimiter, refusals: Refusals) -> None:
        self._context = context
        self._writers = writers
        self._judges = CapacityLimiter(_JUDGES)
        self._refusals = refusals

    async def post_webhook(self, request: Request) -> Response:
        """Take what HubSpot tells. Whatever is not HubSpot's is refused in one way, so that nothing can be probed."""
        raw = await read_body(request)
        name = str(request.path_params["portal"])
        signed = self._signed(request, name, raw)
        now = self._context.database.clock.now()
        flaw = await to_thread.run_sync(self._judge, name, signed, now, limiter=self._judges)
        if flaw is None and self._context.public_url is None:
            flaw = Flaw.NO_ADDRESS
        portal = self._context.portals.get(name)
        if portal is None or flaw is not None:
            self._context.metrics.webhook(name if portal else NOBODY, "refused")
            self._refusals.count(
                name if portal else NOBODY, flaw.value if portal and flaw else UNKNOWN_PORTAL
            )
            raise _refused()
        signature = signed.v3 or signed.v2 or ""
        return await to_thread.run_sync(self._take, portal, raw, signature, now, limiter=self._writers)

    def _judge(self, name: str, signed: Signed, now: datetime) -> Flaw | None:
        secrets = self._context.webhook_secrets(name) if name in self._context.portals else ()
        return flaw_of(signed, secrets, now)

    def _signed(self, request: Request, name: str, raw: bytes) -> Signed:
        """The request as HubSpot signed it: at the configured address, whatever the Host header says."""
        asked = request.scope.get("query_string", b"").decode("latin-1")
        uri = (
            (self._context.public_url or "").rstrip("/") + webhook_path(name) + (f"?{asked}" if asked else "")
        )
        version = _only(request, "x-hubspot-signature-version")
        v2 = _only(request, _V2) if version == "v2" else None
        stamp = _only(request, "x-hubspot-request-timestamp")
        return Signed(request.method, uri, raw, stamp, _only(request, _V3), v2)

    def _take(self, portal: Portal, raw: bytes, signature: str, now: datetime) -> Response:
        events, faults = read_events(parse_json(raw))
        if faults:
            raise invalid(faults)
        context = self._context

        def change(connection: Connection) -> tuple[bool, bool, Sequence[TimelineEvent]]:
            until = now + OLDEST + FARTHEST_AHEAD
            if not use_signature(connection, portal.name, signature, now, until):
                note_replayed(connection, portal.name)
                return False, False, ()
            return True, *_keep(connection, context, portal, events, now)

        with context.database.write() as connection:
            new, look, told = change(connection)
        context.metrics.webhook(portal.name, "taken" if new else "replayed")
        timeline.log(told)
        if look:
            context.wake(portal.name, context.policy.hint_coalesce.total_seconds())
        return said({"accepted": True, "new": new, "events": len(events)})


def _keep(
    connection: Connection,
    context: ApiContext,
    portal: Portal,
    events: Sequence[WebhookEvent],
    now: datetime,
) -> tuple[bool, Sequence[TimelineEvent]]:
    """Keep the hints, in the transaction given; whether a round is to look, and what to log."""
    known = portals.status_of(connection, portal.name)
    type_ids: Mapping[str, str] = known.types
    hints = hints_of(portal, type_ids, portal.hubspot.portal_id or known.portal_id, events)
    due = now + context.policy.hint_coalesce
    meant = keep_hints(connection, portal.name, hints.touches, hints.woken, due)
    told = note_received(connection, portal.name, len(events), meant, hints.associated, now)
    return bool(meant or hints.woken), told


def _only(request: Request, name: str) -> str | None:
    """A header that stands there once; one that stands twice is as good as a wrong one."""
    given = request.headers.getlist(name)
    return given[0] if len(given) == 1 else "" if given else None


def _refused() -> Problem:
    message = "is no valid signature of HubSpot for this address"
    fault = Fault("X-HubSpot-Signature-v3", "not_signed", message)
    return Problem(
        "not-signed",
        f"X-HubSpot-Signature-v3 {message}.",
        [fault],
        headers={"WWW-Authenticate": "X-HubSpot-Signature-v3"},
    )
