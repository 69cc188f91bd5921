"""HubSpot's limits in plain words: what differs from the portal file, and what is used up for today."""

from __future__ import annotations

from credsync.core.phrases import Joined, phrase
from credsync.core.portal import Portal
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.daily import Stopped
from credsync.hubspot.pacing import LimitDiffers
from credsync.hubspot.paths import Bucket
from credsync.operate.findings import Finding, advice, ok

_CALLS = {Bucket.OBJECTS: phrase("calls"), Bucket.ASSOCIATIONS: phrase("association calls")}
_KEYS = {Bucket.OBJECTS: "calls_per_10s", Bucket.ASSOCIATIONS: "association_calls_per_10s"}


def say_stopped(stopped: Stopped, zone: str) -> str:
    """Whose limit it was and when it goes on, without a time of day: the same as long as it lasts."""
    calls, share = _CALLS[stopped.bucket], f"{stopped.share or 0:g}"
    if stopped.daily is None:
        used = phrase("HubSpot's {calls} for today are used up by all apps of the account", calls=calls)
    else:
        used = phrase(
            "HubSpot's {number} {calls} for today are used up by all apps of the account",
            number=stopped.daily,
            calls=calls,
        )
    if stopped.share is not None and stopped.daily is not None:
        used = phrase(
            "daily_share ({share}) of HubSpot's {number} {calls} for today is used up by credsync",
            share=share,
            number=stopped.daily,
            calls=calls,
        )
    elif stopped.share is not None:
        used = phrase(
            "daily_share ({share}) of HubSpot's {calls} for today is used up by credsync",
            share=share,
            calls=calls,
        )
    meanwhile = phrase(
        "what comes in is kept, and goes on by itself after midnight in {zone} at the latest", zone=zone
    )
    return Joined([used, meanwhile], "; ")


def say_differing(differs: LimitDiffers) -> tuple[str, str]:
    """What differs, and the remedy."""
    calls, key = _CALLS[differs.bucket], _KEYS[differs.bucket]
    told = f"HubSpot allows {differs.told} {calls} in {differs.interval:g} s"
    here = int(differs.told * 10 / differs.interval)
    if here < differs.configured:
        return (
            f"{told}, the portal file says {differs.configured} in 10 s: HubSpot's figure is kept to.",
            f"set {key} = {here} under [hubspot]",
        )
    return (
        f"{told}, the portal file says {differs.configured} in 10 s: the file's figure is kept to.",
        f"set {key} = {here} under [hubspot] to use them all, or leave it so that other apps have the rest",
    )


def examine_limits(portal: Portal, client: HubSpotClient) -> list[Finding]:
    """What the answers to an examination told of the limits; no finding where they told nothing."""
    name = f"portal {portal.name}: limits"
    differing = client.pacing.differing()
    findings = [advice(name, *say_differing(each)) for each in differing]
    stopped = client.daily.stopped_anywhere()
    if stopped is not None:
        remedy = "let other apps make fewer calls, or raise daily_share; nothing is lost meanwhile"
        zone = str(client.daily.zone)
        findings.append(advice(name, f"{_sentence(say_stopped(stopped, zone))}", remedy))
    daily = client.daily.allowed_by_hubspot(Bucket.OBJECTS)
    if not findings and daily is not None:
        told = f"HubSpot's limits are as the portal file says; the account may make {daily:,} calls a day."
        findings.append(ok(name, told))
    return findings


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
