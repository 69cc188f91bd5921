"""The settings: where the service listens, and what people outside need to reach it."""

from __future__ import annotations

from urllib.parse import urlsplit

from credsync.operate.findings import Finding, advice, ok
from credsync.settings import Settings


def examine_settings(settings: Settings) -> list[Finding]:
    """Settings that were read; those that could not be are the caller's finding."""
    return [ok("settings", "The settings can be used."), _bind(settings), *_public_url(settings)]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _bind(settings: Settings) -> Finding:
    host, _ = settings.address
    if is_loopback(host):
        return ok("bind", f"The service listens on {settings.bind}, for this machine alone.")
    return advice(
        "bind",
        f"The service listens on {settings.bind}, where other machines reach it without encryption.",
        "set `bind` to 127.0.0.1 behind a reverse proxy with TLS, or see that only such a proxy reaches it",
    )


def _public_url(settings: Settings) -> list[Finding]:
    if settings.public_url is None:
        return []
    parts = urlsplit(settings.public_url)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return [ok("public_url", f"People reach it at {settings.public_url}.")]
    return [
        advice(
            "public_url",
            f"People reach it at {settings.public_url}, without encryption.",
            "serve it by https, and set `public_url` to that address",
        )
    ]
