"""What is handed to a person once is kept as its digest alone."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits, as they can stand in an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of it. Looked up by it, so that timing tells nothing about a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
