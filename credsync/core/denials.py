"""What HubSpot denies a portal: the token as a whole, one object type and verb, or every call for today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from credsync.core.reasons import Reason

UNAUTHORIZED: Final = "unauthorized"
"""The code of a call whose token HubSpot did not take."""
FORBIDDEN: Final = frozenset({"forbidden", "missing_scopes"})
"""The codes of a call that its token may not make."""


OVER_FOR_TODAY: Final = "rate_limited_daily"
"""The code of a call that the day's limit forbids."""


class Verb(StrEnum):
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Denied:
    """One object type (a key of the portal file, or `contact`) and verb that HubSpot denied, and the scopes it wants."""

    object: str
    verb: Verb
    scopes: tuple[str, ...] = ()


def objects_denied(denied: Iterable[Denied], verb: Verb) -> frozenset[str]:
    """The object types of one verb."""
    return frozenset(each.object for each in denied if each.verb is verb)


def reason_of_failure(code: str, otherwise: Reason) -> Reason:
    """The machine reason for what a call's failure keeps waiting."""
    if code == UNAUTHORIZED:
        return Reason.PORTAL_UNAUTHORIZED
    if code == OVER_FOR_TODAY:
        return Reason.RATE_LIMITED_DAILY
    return Reason.MISSING_SCOPES if code in FORBIDDEN else otherwise
