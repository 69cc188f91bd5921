"""`/_sandbox/faults`: set, list and remove faults."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.reading import (
    BadRequest,
    answer,
    flag,
    json_body,
    number,
    seconds,
    table,
    text,
    words,
)
from credsync_sandbox.hubspot.faults import SHAPES, Fault
from credsync_sandbox.sandbox import Sandbox

_ANSWER = ("status", "body", "headers", "policy", "scopes", "shape")
_KINDS = ("objects", "associations", "schema", "account")


async def add(sandbox: Sandbox, request: Request) -> Response:
    """POST faults: one or a list; the answer holds each with its id."""
    body = await json_body(request)
    told = [_told(fault) for fault in set_faults(sandbox, body)]
    return answer(told if isinstance(body, list) else told[0], 201)


def set_faults(sandbox: Sandbox, given: Any) -> list[Fault]:
    """Set one fault, or a list of them. Raises BadRequest, and then sets none."""
    entries = given if isinstance(given, list) else [given]
    now = sandbox.world.clock.now()
    made = [_fault(sandbox.gate.faults.next_id(), entry, now) for entry in entries]
    sandbox.gate.faults.active += made
    return made


async def listed(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """GET faults: those still set."""
    return answer({"faults": [_told(fault) for fault in sandbox.gate.faults.active]})


async def remove(sandbox: Sandbox, request: Request) -> Response:
    """DELETE faults, or one of them by id."""
    given = request.path_params.get("id")
    return answer({"removed": sandbox.gate.faults.clear(None if given is None else int(given))})


def _fault(fault_id: int, given: Any, now: float) -> Fault:
    body = table(
        given, "body", ("match", "times", "skip", "share", "lasts", "answer", "after_effect", "latency")
    )
    match = table(body.get("match") or {}, "match", ("path", "method", "kind", "contains"))
    kind = text(match, "kind")
    if kind is not None and kind not in _KINDS:
        raise BadRequest(f"match.kind: {kind!r}; there are {', '.join(_KINDS)}")
    pattern = text(match, "path")
    try:
        path = None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise BadRequest(f"match.path: not a regular expression: {error}") from error
    method = text(match, "method")
    share, lasts = body.get("share", 1.0), seconds(body, "lasts")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
        raise BadRequest("share: must be above 0 and at most 1")
    fault = Fault(
        id=fault_id,
        shape="status",
        method=None if method is None else method.upper(),
        path=path,
        kind=kind,
        contains=text(match, "contains"),
        times=number(body, "times", 1),
        skip=number(body, "skip", 0) or 0,
        after_effect=flag(body, "after_effect"),
        latency=seconds(body, "latency"),
        share=share,
        until=now + lasts if lasts else None,
        given=body,
    )
    _set_answer(fault, body.get("answer", "slow" if "latency" in body else None))
    if fault.times == 0:
        raise BadRequest("times: must be 1 or more, or null for always")
    return fault


def _set_answer(fault: Fault, given: Any) -> None:
    if isinstance(given, str):
        given = {"shape": given}
    details = table(given, "answer", _ANSWER)
    shape = text(details, "shape", "status")
    if shape != "status" and shape not in SHAPES:
        raise BadRequest(f"answer: {shape!r}; there are {', '.join(SHAPES)} and an object with a status")
    fault.shape = shape  # type: ignore[assignment]
    fault.status = number(details, "status")
    if shape == "status" and (fault.status is None or not 100 <= fault.status <= 599):
        raise BadRequest("answer.status: must be an HTTP status")
    fault.body = details.get("body")
    if fault.body is not None and not isinstance(fault.body, str | dict):
        raise BadRequest("answer.body: must be an object, or a string to send as it is")
    headers = details.get("headers") or {}
    if not isinstance(headers, dict):
        raise BadRequest("answer.headers: must be an object")
    fault.headers = {str(name): str(value) for name, value in headers.items()}
    fault.policy = text(details, "policy")
    fault.scopes = words(details, "scopes") or None


def _told(fault: Fault) -> dict[str, Any]:
    left = None if fault.times is None else fault.times - fault.hits
    return {"id": fault.id, "hits": fault.hits, "left": left, **fault.given}
