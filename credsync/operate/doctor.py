"""The examination: settings, database, and every portal as HubSpot has it. Reads only; one failure hides no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import anyio.to_thread

from credsync.core.portal import Portal
from credsync.hubspot.edge import Edge
from credsync.operate.doctor_database import examine_database
from credsync.operate.doctor_portal import examine_portal
from credsync.operate.doctor_settings import examine_settings, missing_public_url
from credsync.operate.doctor_webhooks import examine_webhooks
from credsync.operate.findings import Finding, Level, failing, ok
from credsync.settings import Settings, SettingsError
from credsync.store.clock import Clock, SystemClock

__all__ = ["Finding", "Level", "examine", "worst"]

EdgeOf = Callable[[Portal], Edge]
"""Gives a portal's edge to HubSpot. Raises `SettingsError` when there is no token."""


async def examine(
    settings: Settings | SettingsError,
    portals: Mapping[str, Portal] | SettingsError,
    edge_of: EdgeOf,
    clock: Clock | None = None,
) -> list[Finding]:
    """Every finding, in the order a person mends them. What could not be loaded comes as its error.

    The edges are closed here. Raises nothing for what is wrong with the patient.
    """
    clock = clock or SystemClock()
    findings: list[Finding] = []
    if isinstance(settings, SettingsError):
        findings.append(
            _unusable(
                "settings", settings, "correct what is named; docs/configuration.md lists every setting"
            )
        )
    else:
        readable = settings
        findings += examine_settings(readable)
        findings += await _guarded(
            "database", lambda: anyio.to_thread.run_sync(examine_database, readable.database_url, clock)
        )
    if isinstance(portals, SettingsError):
        findings.append(
            _unusable("portals", portals, "correct what is named; docs/configuration.md shows a whole file")
        )
        return findings
    findings.append(ok("portals", f"The portal files can be used: {', '.join(sorted(portals))}."))
    if isinstance(settings, Settings):
        findings += missing_public_url(settings, portals.values())
        findings += examine_webhooks(settings, portals.values())
    for name in sorted(portals):
        findings += await _guarded(f"portal {name}", _examination(portals[name], edge_of, clock))
    return findings


def worst(findings: list[Finding]) -> Level:
    """The worst level among them."""
    found = {each.level for each in findings}
    return next((level for level in (Level.FAILING, Level.ADVICE) if level in found), Level.OK)


def _unusable(name: str, error: SettingsError, remedy: str) -> Finding:
    return failing(name, str(error), remedy)


def _examination(portal: Portal, edge_of: EdgeOf, clock: Clock) -> Callable[[], Awaitable[list[Finding]]]:
    return lambda: examine_portal(portal, edge_of, clock)


async def _guarded(name: str, examination: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    """An examination that itself breaks is a finding, so that the rest still takes place."""
    try:
        return await examination()
    except Exception as error:  # noqa: BLE001 - becomes a finding
        message = f"This could not be examined: {type(error).__name__}."
        return [failing(name, message, "report this with the version of credsync; the other findings stand")]
