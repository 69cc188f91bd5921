"""How HubSpot signs what it sends: v3 for an app's webhooks, v2 for a workflow's "send a webhook"."""

from __future__ import annotations

import base64
import hashlib
import hmac

_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}


def signature_v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """base64(HMAC-SHA256(secret, METHOD + URI + body + timestamp)), the URI with HubSpot's few characters decoded."""
    text = f"{method}{_as_signed(uri)}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def signature_v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """hex(SHA-256(secret + METHOD + URI + body)), which says nothing of when it was made."""
    return hashlib.sha256(f"{secret}{method}{_as_signed(uri)}".encode() + body).hexdigest()


def _as_signed(uri: str) -> str:
    for code, char in _DECODED.items():
        uri = uri.replace(code, char).replace(code.lower(), char)
    return uri
