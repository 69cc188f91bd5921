"""Figures of this process for Prometheus: calls to HubSpot, rounds, requests; and what the database says when asked.

No label holds an id or a value: portals, calls by their template, states and codes only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from credsync.hubspot.client import CallRecord

MEDIA_TYPE = CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class PortalFigures:
    """How the therapists of one portal stand. `oldest_due` is since how many seconds somebody is due."""

    portal: str
    by_state: dict[str, int]
    due: int
    oldest_due: float
    backfill: int
    usable: bool
    paused: bool


class Metrics:
    """One process's figures. Counting is safe from any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._calls = self._counter(
            "credsync_hubspot_calls", "Calls to HubSpot, every attempt; outcome is ok or the error's code.",
            "portal", "bucket", "call", "outcome",
        )  # fmt: skip
        self._call_seconds = self._histogram(
            "credsync_hubspot_call_seconds", "How long HubSpot took to answer.", "portal", "call"
        )
        self._inputs = self._counter(
            "credsync_hubspot_inputs", "Contacts or records that calls were about.", "portal", "call"
        )
        self._rounds = self._histogram("credsync_round_seconds", "How long a round took.", "portal")
        self._seen = self._counter("credsync_round_therapists", "Therapists taken into rounds.", "portal")
        self._sent = self._counter("credsync_round_records", "Records sent to HubSpot by rounds.", "portal")
        self._requests = self._counter(
            "credsync_http_requests", "Requests to this service.", "method", "route", "status"
        )
        self._request_seconds = self._histogram(
            "credsync_http_request_seconds", "How long this service took to answer.", "route"
        )
        self._webhooks = self._counter(
            "credsync_webhooks", "Webhooks; outcome is taken, replayed or refused.", "portal", "outcome"
        )
        self._therapists = self._gauge("credsync_therapists", "Therapists by their state.", "portal", "state")
        self._due = self._gauge("credsync_therapists_due", "Therapists a round should take now.", "portal")
        self._oldest = self._gauge(
            "credsync_oldest_due_seconds", "Since when the first of them is due.", "portal"
        )
        self._backfill = self._gauge(
            "credsync_therapists_backfill", "Therapists in the backfill lane.", "portal"
        )
        self._usable = self._gauge(
            "credsync_portal_usable", "1 while nothing keeps rounds from running.", "portal"
        )
        self._paused = self._gauge("credsync_portal_paused", "1 while the portal is paused.", "portal")

    def call(self, portal: str, record: CallRecord) -> None:
        """One attempt of a call to HubSpot ended."""
        call = f"{record.method} {record.template}"
        self._calls.labels(portal, record.bucket.value, call, record.code or "ok").inc()
        self._call_seconds.labels(portal, call).observe(record.seconds)
        self._inputs.labels(portal, call).inc(record.inputs)

    def round(self, portal: str, therapists: int, records: int, seconds: float) -> None:
        """A round ended."""
        self._rounds.labels(portal).observe(seconds)
        self._seen.labels(portal).inc(therapists)
        self._sent.labels(portal).inc(records)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request to this service was answered. `route` is the address as the list of calls has it."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def webhook(self, portal: str, outcome: str) -> None:
        """A webhook came. The portal is empty for one that nobody has."""
        self._webhooks.labels(portal, outcome).inc()

    def text(self, figures: Iterable[PortalFigures]) -> bytes:
        """Everything in Prometheus' text form, with the database's figures of now."""
        self._therapists.clear()
        for each in figures:
            for state, count in each.by_state.items():
                self._therapists.labels(each.portal, state).set(count)
            self._due.labels(each.portal).set(each.due)
            self._oldest.labels(each.portal).set(each.oldest_due)
            self._backfill.labels(each.portal).set(each.backfill)
            self._usable.labels(each.portal).set(each.usable)
            self._paused.labels(each.portal).set(each.paused)
        return generate_latest(self._registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self._registry)

    def _histogram(self, name: str, says: str, *labels: str) -> Histogram:
        return Histogram(name, says, labels, registry=self._registry, buckets=_SECONDS)
