"""What can be set about the sandbox when it starts or, through `/_sandbox/settings`, while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Settings:
    """Limits are HubSpot's own for a Pro or Enterprise account unless set otherwise."""

    calls_per_10s: int = 190
    association_calls_per_10s: int = 150
    daily_calls: int = 625_000
    daily_association_calls: int = 500_000
    searches_per_s: int = 5
    association_page_size: int = 500
    """Associations answered per input before `paging.next.after`."""
    errors_listed: int = 10
    """How many faults `errors[]` holds; the full list is always in `message`."""
    refusals_tell: str = "all"
    """What the refusal of a bad value tells: `all`, its property's name alone (`names`), or `nothing`."""
    trace_errors: bool = False
    """With trace ids on every input, a bad value fails its own input (207), not the whole batch."""
    retry_after: bool = False
    """Send `Retry-After` with a 429."""
    search_lag: float = 10.0
    """Seconds (sandbox time) until search sees a change."""
    latency: float = 0.0
    """Seconds (wall time) each call takes at least."""
    tokens: list[str] | None = None
    """Accepted tokens; None accepts any that is not empty."""
    scopes: list[str] | None = None
    """Granted scopes; None grants all."""
    time_zone: str = "America/New_York"
    ui_domain: str = "app.hubspot.com"
    journal: bool = False
    """Keep each call's text in the request log, and every change of a record in the journal."""
    webhooks_shuffled: bool = False
    """Webhooks come in no order, in bodies of any size, several at once."""
    webhooks_doubled: float = 0.0
    """The share of webhook events that come twice."""
    webhooks_late: float = 0.0
    """Seconds (sandbox time) by which each webhook event is late at most."""
    webhooks_of_workflows: bool = False
    """A workflow that is done with a record says so by a webhook of its own, signed v2."""
    rules: list[dict[str, Any]] = field(default_factory=list)
    """Admin-set rules, enforced on 2026-09 paths: `{object, when: {property: value}, require: [property]}`."""
