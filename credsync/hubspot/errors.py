"""What can go wrong between us and HubSpot.

    HubSpotError
    ├── Unauthorized        401: the token is not (or no longer) good                    not_sent
    ├── Forbidden           403: somebody on the way said no                             not_sent
    │   └── MissingScopes   403 MISSING_SCOPES: `scopes` names what the token lacks      not_sent
    ├── RateLimited         429: `policy`, `daily`, `retry_after`                        not_sent
    ├── NotFound            404: no such path, object type or record                     refused
    ├── Conflict            409                                                          refused
    ├── Invalid             400, 413, 422: `items` name properties and codes             refused
    ├── Rejected            any other 4xx                                                refused
    └── Unavailable         network, 3xx, 423, 477, 5xx, HTML, garbage, nothing, too much

`effect` says what the failure means for HubSpot's data. A read changes nothing, so it is never `unknown`; of a
write, `Unavailable` is `not_sent` when it surely never reached HubSpot's hands and `unknown` otherwise.

HubSpot's own messages repeat submitted values. So every text here is ours, made of status, codes and property
names; what HubSpot wrote is kept only in `ErrorItem.evidence` and `ErrorItem.values`, which no `repr` shows and no
caller outside this package reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from credsync.core.verdicts import Effect


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One entry of HubSpot's `errors`, every field of which is optional."""

    code: str = ""
    category: str = ""
    sub_category: str = ""
    properties: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] = ()
    evidence: str = field(default="", repr=False)
    """HubSpot's own words. They hold submitted values: to compare with, never to show."""
    values: tuple[str, ...] = field(default=(), repr=False)
    """The offending values where HubSpot tells them apart: to compare with, never to show."""


class HubSpotError(Exception):
    """Anything that kept a call from being answered with what was asked."""

    code = "hubspot_error"

    def __init__(
        self,
        message: str,
        *,
        effect: Effect,
        code: str | None = None,
        status: int | None = None,
        category: str = "",
        sub_category: str = "",
        correlation_id: str = "",
        items: tuple[ErrorItem, ...] = (),
        retry_after: float | None = None,
        scopes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.effect = effect
        if code is not None:
            self.code = code
        self.status = status
        self.category = category
        self.sub_category = sub_category
        self.correlation_id = correlation_id
        self.items = items
        self.retry_after = retry_after
        """Seconds of HubSpot's time to wait, where it said so or where its rules do."""
        self.scopes = scopes
        self.attempts = 1

    @property
    def correlation_ids(self) -> tuple[str, ...]:
        """The correlation id as a tuple: empty where HubSpot gave none."""
        return (self.correlation_id,) if self.correlation_id else ()


class Unauthorized(HubSpotError):
    code = "unauthorized"


class Forbidden(HubSpotError):
    code = "forbidden"


class MissingScopes(Forbidden):
    code = "missing_scopes"


class NotFound(HubSpotError):
    code = "not_found"


class Conflict(HubSpotError):
    code = "conflict"


class Invalid(HubSpotError):
    code = "invalid"


class Rejected(HubSpotError):
    code = "rejected"


class RateLimited(HubSpotError):
    code = "rate_limited"
    policy = ""
    daily = False
    """The day's allowance is gone: `retry_after` leads to its reset, and the code is `rate_limited_daily`."""


class Unavailable(HubSpotError):
    """Codes: unreachable, timeout, disconnected, locked, migrating, server_error, redirected, empty_answer,
    garbled_answer, too_large."""

    code = "unavailable"
