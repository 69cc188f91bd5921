"""The way of every HubSpot call: what is due happens, then token, limits, faults, scopes, the handler, the log.

Written on ASGI itself: this is the hot path, and a fault must be able to close the connection without a word.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from credsync_sandbox.hubspot import faults as fault_shapes
from credsync_sandbox.hubspot import paths
from credsync_sandbox.hubspot.calls import Answer, Call
from credsync_sandbox.hubspot.faults import Fault, Faults, refusal_of
from credsync_sandbox.hubspot.limits import Limits
from credsync_sandbox.hubspot.refusals import (
    BAD_CREDENTIALS,
    NO_CREDENTIALS,
    Refusal,
    bad_json,
    missing_scopes,
    not_found,
    rate_limited,
    unauthenticated,
)
from credsync_sandbox.hubspot.request_log import Entry, RequestLog
from credsync_sandbox.world.tick import fire_due
from credsync_sandbox.world.world import World

_JSON = "application/json;charset=utf-8"
LONGEST_HANG = 3600.0


class Gate:
    """An ASGI application for HubSpot's paths. `after_change` runs after every call that was answered."""

    def __init__(self, world: World, after_change: Callable[[], None]) -> None:
        self.world = world
        self.limits = Limits(world.settings)
        self.faults = Faults()
        self.log = RequestLog()
        self._after_change = after_change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = self.world.clock.seconds()
        raw = await _body(receive)
        world = self.world
        fire_due(world)
        at = world.clock.wall()
        method, path = scope["method"], scope["path"]
        found = paths.find(method, path)
        correlation_id = str(uuid4())
        headers = {"X-HubSpot-Correlation-Id": correlation_id}
        kind = found.route.kind if found else _kind(path)
        fault: Fault | None = None
        body: Any = None
        try:
            self._authenticate(scope)
            self._limit(kind, found, headers)
            fault = self.faults.meet(method, path, kind, raw, world.clock.now())
            body = _parse(raw, method)
            if fault is not None and not fault.after_effect and fault.shape != "slow":
                answer = None
            else:
                answer = self._answer(scope, found, body, at, correlation_id)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body, refusal.headers)
        self._after_change()
        status, payload, content_type = self._render(answer, fault, found, headers, correlation_id)
        await _wait(world.settings.latency, fault)
        silent = fault is not None and fault.shape in ("hang", "close")
        self.log.seq += 1
        self.log.add(
            Entry(
                seq=self.log.seq,
                at=at,
                sandbox_at=world.clock.now(),
                method=method,
                path=path,
                call=found.route.call if found else "unknown",
                kind=kind,
                inputs=_count(body),
                status=0 if silent else status,
                bytes_in=len(raw),
                bytes_out=0 if silent else len(payload),
                correlation_id=correlation_id,
                ms=(world.clock.seconds() - started) * 1000,
                fault=fault.id if fault else None,
                text=_text(scope, raw) if world.settings.journal else None,
            )
        )
        if fault is not None and silent:
            await _fall_silent(fault, receive, send)
            return
        await _send(send, status, payload, content_type, headers)

    def _authenticate(self, scope: Scope) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode(
            "latin-1"
        )
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthenticated(NO_CREDENTIALS)
        accepted = self.world.settings.tokens
        if accepted is not None and token.strip() not in accepted:
            raise unauthenticated(BAD_CREDENTIALS)

    def _limit(self, kind: str, found: paths.Found | None, headers: dict[str, str]) -> None:
        search = found is not None and found.route.pattern[-1:] == ("search",)
        taken = self.limits.take(kind, self.world.clock.now(), search=search)
        headers.update(taken.headers)
        if taken.policy is not None:
            wait = int(taken.wait) + 1 if self.world.settings.retry_after else None
            raise rate_limited(taken.policy, wait)

    def _answer(
        self, scope: Scope, found: paths.Found | None, body: Any, at: float, correlation_id: str
    ) -> Answer:
        if found is None:
            raise not_found(
                f"No such path: {scope['method']} {scope['path']}. See docs/sandbox.md for what is done."
            )
        granted = self.world.settings.scopes
        if granted is not None:
            required = found.route.scopes(self.world, found.words)
            if not required <= set(granted):
                raise missing_scopes(required - set(granted))
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        call = Call(scope["method"], found.version, found.words, query, body, at)
        if self.world.journal is None:
            return found.route.handler(self.world, call)
        with self.world.journal.during(correlation_id):
            return found.route.handler(self.world, call)

    def _render(
        self,
        answer: Answer | None,
        fault: Fault | None,
        found: paths.Found | None,
        headers: dict[str, str],
        correlation_id: str,
    ) -> tuple[int, bytes, str]:
        """Status, body and content type; a fault replaces whatever the handler said."""
        if fault is not None and fault.shape != "slow":
            if fault.shape == "html":
                return fault.status or 502, fault_shapes.HTML, "text/html; charset=utf-8"
            if fault.shape == "garbage":
                return fault.status or 200, fault_shapes.GARBAGE, _JSON
            if fault.shape == "empty":
                return fault.status or 200, b"", _JSON
            if fault.shape == "no_verdicts":
                return fault.status or 200, b'{"status":"COMPLETE","results":[]}', _JSON
            if isinstance(fault.body, str):
                headers.update(fault.headers)
                return fault.status or 500, fault.body.encode(), "text/plain; charset=utf-8"
            required = found.route.scopes(self.world, found.words) if found else frozenset[str]()
            refusal = refusal_of(fault, required)
            answer = Answer(refusal.status, refusal.body, refusal.headers)
        if answer is None:
            return 500, b"", _JSON
        headers.update(answer.headers)
        if answer.body is None:
            return answer.status, b"", _JSON
        if answer.status >= 400:
            answer.body.setdefault("correlationId", correlation_id)
        return answer.status, json.dumps(answer.body, separators=(",", ":")).encode(), _JSON


def _text(scope: Scope, raw: bytes) -> str:
    query: bytes = scope["query_string"]
    return (query + b"\n" + raw).decode("utf-8", "replace")


def _kind(path: str) -> str:
    placed = paths.area_of(path)
    area = placed[0] if placed else "unknown"
    return {
        "schemas": "schema",
        "properties": "schema",
        "property-validations": "schema",
        "account-info": "account",
    }.get(area, area)


def _parse(raw: bytes, method: str) -> Any:
    if not raw:
        return None if method in ("GET", "DELETE", "PUT") else {}
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad_json(str(error)) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _count(body: Any) -> int:
    inputs = body.get("inputs") if isinstance(body, dict) else None
    return len(inputs) if isinstance(inputs, list) else 1


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _wait(latency: float, fault: Fault | None) -> None:
    seconds = max(latency, fault.latency if fault else 0.0)
    if seconds > 0:
        await asyncio.sleep(seconds)


async def _fall_silent(fault: Fault, receive: Receive, send: Send) -> None:
    """Answer nothing: keep the caller waiting until it goes, or close the connection at once."""
    if fault.shape == "hang":
        try:
            async with asyncio.timeout(LONGEST_HANG):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            pass
        return
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("a fault closed the connection")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, status: int, payload: bytes, content_type: str, headers: dict[str, str]) -> None:
    listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if status != 204:
        listed.append((b"content-type", content_type.encode()))
        listed.append((b"content-length", str(len(payload)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": b"" if status == 204 else payload})
