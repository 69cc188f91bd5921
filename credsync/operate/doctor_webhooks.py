"""Webhooks: whether HubSpot's can be taken, at which address, and what came so far. They are optional."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection

from credsync.core.portal import Portal
from credsync.core.webhook_events import webhook_path
from credsync.operate.doctor_settings import is_loopback
from credsync.operate.findings import Finding, advice, failing, ok
from credsync.settings import Settings, SettingsError, webhook_secrets
from credsync.store.clock import say_time
from credsync.store.webhooks import WebhookStanding, webhook_standing

LATELY = timedelta(days=1)
_HOW = "docs/configuration.md, Webhooks, says how"


def examine_webhooks(settings: Settings, portals: Iterable[Portal]) -> list[Finding]:
    """For each portal: the secret, and the address to give HubSpot."""
    return [_secret(settings, portal.name) for portal in sorted(portals, key=lambda each: each.name)]


def webhooks_that_came(connection: Connection, portals: Iterable[str], now: datetime) -> list[Finding]:
    """For each portal that was ever called: what was taken, and what was refused since."""
    standings = [(name, webhook_standing(connection, name)) for name in sorted(portals)]
    return [
        _came(name, each, now) for name, each in standings if each.received_at or each.refused_at is not None
    ]


def _secret(settings: Settings, portal: str) -> Finding:
    name = f"portal {portal}: webhooks"
    variable = f"CREDSYNC_WEBHOOK_SECRET_{portal.upper().replace('-', '_')}"
    try:
        secrets = webhook_secrets(portal)
    except SettingsError as error:
        return failing(name, str(error), f"correct {variable}; {_HOW}")
    if not secrets:
        return ok(
            name, f"No webhooks are taken: polling alone finds everything. With them it is sooner; {_HOW}."
        )
    if settings.public_url is None:
        message = (
            "There is a client secret, and no `public_url`: no signature can be judged without the address."
        )
        return advice(name, message, "set `public_url` to the address at which HubSpot reaches credsync")
    address = settings.public_url.rstrip("/") + webhook_path(portal)
    parts = urlsplit(address)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        message = f"HubSpot sends webhooks to https alone; theirs would go to {address}."
        return advice(name, message, "serve it by https, and set `public_url` to that address")
    if len(secrets) > 1:
        message = f"HubSpot's webhooks go to {address}, signed with either of two client secrets."
        return advice(
            name, message, f"take the old one out of {variable} once HubSpot signs with the new one"
        )
    return ok(name, f"HubSpot's webhooks go to {address}.")


def _came(portal: str, standing: WebhookStanding, now: datetime) -> Finding:
    name = f"portal {portal}: webhooks received"
    last = f", the last at {say_time(standing.received_at)}" if standing.received_at else ""
    message = f"Calls taken: {standing.calls:,}, with events: {standing.events:,}{last}. Refused: {standing.refused:,}."
    refused = standing.refused_at
    if refused is None or now - refused > LATELY or (standing.received_at or refused) > refused:
        return ok(name, message)
    remedy = _REMEDIES.get(standing.refused_for or "", "none, if these are strangers")
    return advice(name, f"{message} The last was refused ({standing.refused_for}).", remedy)


_REMEDIES = {
    "no_secret": "set the portal's CREDSYNC_WEBHOOK_SECRET, and start the service again",
    "no_public_url": "set `public_url` to the address at which HubSpot reaches credsync",
    "wrong_signature": "compare the client secret, and `public_url` with the address HubSpot calls, to the letter",
    "wrong_time": "let the machine set its clock by NTP",
}
"""By what was wrong; strangers are refused for the same reasons."""
