"""What is said of a property that HubSpot refused. No submitted value is in it."""

from __future__ import annotations

from credsync.core.phrases import phrase


def refused(name: str, code: str) -> str:
    """HubSpot named the property."""
    return phrase("HubSpot refused the value of {property}: {code}", property=name, code=code)


def refused_without_reason(name: str, code: str) -> str:
    """HubSpot named none, and it can only be this one."""
    return phrase(
        "HubSpot refused the value of {property} without saying why: {code}", property=name, code=code
    )


def refused_together(name: str, code: str) -> str:
    """HubSpot named none, and it is one of several."""
    return phrase(
        "HubSpot refused {property} together with other properties and does not say which it minds: {code}",
        property=name,
        code=code,
    )
