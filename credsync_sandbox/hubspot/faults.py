"""Faults set through `/_sandbox/faults`: which calls they meet and what comes instead of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from credsync_sandbox.hubspot.refusals import (
    BAD_CREDENTIALS,
    Refusal,
    missing_scopes,
    rate_limited,
    unauthenticated,
)

Shape = Literal[
    "status",
    "html",
    "garbage",
    "empty",
    "no_verdicts",
    "hang",
    "close",
    "revoked_token",
    "missing_scopes",
    "slow",
]
SHAPES: tuple[str, ...] = (
    "html",
    "garbage",
    "empty",
    "no_verdicts",
    "hang",
    "close",
    "revoked_token",
    "missing_scopes",
    "slow",
)
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
GARBAGE = b'{"status": "COMPLETE", "results": [{"id": "33'


@dataclass(slots=True)
class Fault:
    """`times` None: until it is removed. `skip`: so many matching calls pass first."""

    id: int
    shape: Shape
    method: str | None = None
    path: re.Pattern[str] | None = None
    kind: str | None = None
    contains: str | None = None
    """Only calls whose body holds this text, such as a record id."""
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    policy: str | None = None
    scopes: list[str] | None = None
    after_effect: bool = False
    """The call takes effect, then its answer is lost."""
    latency: float = 0.0
    """Wall seconds to wait before answering."""
    share: float = 1.0
    """The share of matching calls that it meets, evenly: 0.1 is every tenth."""
    until: float | None = None
    """The sandbox moment at which it ends by itself."""
    given: dict[str, Any] = field(default_factory=dict)
    """As it was posted."""
    owed: float = 0.0
    hits: int = 0


class Faults:
    """The faults that are set, the oldest first; the first that matches is the one that happens."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._last = 0

    def next_id(self) -> int:
        """A number for a new fault."""
        self._last += 1
        return self._last

    def meet(self, method: str, path: str, kind: str, body: bytes, now: float) -> Fault | None:
        """The fault this call meets, used up by one, at this sandbox moment."""
        self.active = [fault for fault in self.active if fault.until is None or now < fault.until]
        for fault in self.active:
            if not _matches(fault, method, path, kind, body):
                continue
            fault.owed += fault.share
            if fault.owed < 1:
                continue
            fault.owed -= 1
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None and fault.hits >= fault.times:
                self.active.remove(fault)
            return fault
        return None

    def clear(self, fault_id: int | None = None) -> int:
        """Remove one fault, or all; returns how many."""
        kept = [fault for fault in self.active if fault_id is not None and fault.id != fault_id]
        removed = len(self.active) - len(kept)
        self.active = kept
        return removed


def _matches(fault: Fault, method: str, path: str, kind: str, body: bytes) -> bool:
    return (
        (fault.method is None or fault.method == method)
        and (fault.kind is None or fault.kind == kind)
        and (fault.path is None or fault.path.search(path) is not None)
        and (fault.contains is None or fault.contains.encode() in body)
    )


def refusal_of(fault: Fault, required: frozenset[str]) -> Refusal:
    """The JSON error a fault answers with; `required` are the scopes of the call it met."""
    if fault.shape == "revoked_token":
        return unauthenticated(BAD_CREDENTIALS)
    if fault.shape == "missing_scopes":
        return missing_scopes(fault.scopes or required)
    if fault.status == 429:
        refusal = rate_limited(fault.policy or "TEN_SECONDLY_ROLLING")
    else:
        refusal = Refusal(fault.status or 500, _error(fault.status or 500))
    if isinstance(fault.body, dict):
        refusal = Refusal(refusal.status, dict(fault.body))
    refusal.headers = refusal.headers | fault.headers
    return refusal


def _error(status: int) -> dict[str, Any]:
    if status == 401:
        return unauthenticated(BAD_CREDENTIALS).body
    if status == 404:
        return {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"}
    if status == 409:
        return {"status": "error", "message": "conflict", "category": "CONFLICT"}
    if status == 423:
        return {
            "status": "error",
            "message": "The resource is locked. Try again later.",
            "category": "LOCKED",
        }
    return {"status": "error", "message": "There was a problem with the request."}
