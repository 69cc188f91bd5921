"""The settings: where the service listens, and what people outside need to reach it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from credsync.core.portal import Portal
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


def missing_public_url(settings: Settings, portals: Iterable[Portal]) -> list[Finding]:
    """Portals whose contacts are to get a link to the therapist's page, without an address to link to."""
    names = sorted(portal.name for portal in portals if portal.sync_url is not None)
    if settings.public_url is not None or not names:
        return []
    return [
        advice(
            "public_url",
            f"The contacts of {', '.join(names)} get no link to their therapist's page: nobody has said where it is.",
            "set `public_url` to the address at which people reach credsync, or take sync_url out of the portal file",
        )
    ]


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
