"""Whether HubSpot signed a request: v3 for an app's webhooks, v2 for a workflow's "send a webhook". Pure.

v3 is base64(HMAC-SHA256(secret, METHOD + URI + body + timestamp)); v2 is hex(SHA-256(secret + METHOD + URI + body)),
which says nothing of when it was made. The URI is the address as HubSpot called it, with a few characters decoded
(HubSpot, validating requests). Signatures are compared as they are spelt, in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

OLDEST = timedelta(minutes=5)
"""A request made longer ago is stale (HubSpot)."""
FARTHEST_AHEAD = timedelta(minutes=1)
"""Clocks may differ by so much."""
MOST_SECRETS = 2
"""While a secret is changed, HubSpot may sign with either."""

_DECODED = dict(
    zip(("3A", "2F", "3F", "40", "21", "24", "27", "28", "29", "2A", "2C", "3B"), ":/?@!$'()*,;", strict=True)
)
_ENCODED = re.compile(f"%({'|'.join(_DECODED)})", re.IGNORECASE)
_TIMESTAMP = re.compile(r"[0-9]{1,14}")


class Flaw(StrEnum):
    """Why a request is not taken for HubSpot's. Only the operator is told."""

    UNSET = "no_secret"
    NO_ADDRESS = "no_public_url"
    NOT_SIGNED = "not_signed"
    WRONG_TIME = "wrong_time"
    WRONG_SIGNATURE = "wrong_signature"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request and what it says of its own origin. `uri` is the configured address, `v2` only where it is v2."""

    method: str
    uri: str
    body: bytes
    timestamp: str | None = None
    v3: str | None = None
    v2: str | None = None


def signature_v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """The signature of an app's webhook; the timestamp is in milliseconds since 1970."""
    text = f"{method}{_as_signed(uri)}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def signature_v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """The signature of a workflow's webhook."""
    return hashlib.sha256(f"{secret}{method}{_as_signed(uri)}".encode() + body).hexdigest()


def flaw_of(request: Signed, secrets: Sequence[str], now: datetime) -> Flaw | None:
    """What is wrong with a request; None for one that HubSpot signed with one of these secrets.

    Every secret is tried, and as much is computed where there is none, so that the time taken tells nothing. A v3
    signature is judged by itself, whatever else is there: nobody chooses the weaker one.
    """
    tried = (*secrets, *[""] * MOST_SECRETS)[: max(MOST_SECRETS, len(secrets))]
    if request.v3 is not None:
        given, timestamp = request.v3, request.timestamp or ""
        expected = [signature_v3(s, request.method, request.uri, request.body, timestamp) for s in tried]
    else:
        given, timestamp = request.v2 or "", None
        expected = [signature_v2(s, request.method, request.uri, request.body) for s in tried]
    same = [hmac.compare_digest(given.encode(), each.encode()) for each in expected]
    if not secrets:
        return Flaw.UNSET
    if request.v3 is None and request.v2 is None:
        return Flaw.NOT_SIGNED
    if timestamp is not None and not _in_time(timestamp, now):
        return Flaw.WRONG_TIME
    return None if any(same[: len(secrets)]) else Flaw.WRONG_SIGNATURE


def _as_signed(uri: str) -> str:
    return _ENCODED.sub(lambda found: _DECODED[found[1].upper()], uri)


def _in_time(timestamp: str, now: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    made = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(timestamp))
    return now - OLDEST <= made <= now + FARTHEST_AHEAD
