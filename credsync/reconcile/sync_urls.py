"""Puts the link to the therapist's page on each contact, once: the one value written without a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from credsync.core.events import EventName, TimelineEvent
from credsync.core.portal import CONTACT, Mode
from credsync.core.verdicts import Outcome, Verdict
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.isolate import update_records
from credsync.hubspot.objects import MOST_INPUTS, RecordInput
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.reconcile.denials import Learnt
from credsync.store import in_thread, timeline
from credsync.store.contacts import lacking_sync_url, record_sync_urls
from credsync.store.database import Database
from credsync.store.leases import Lease, fence

_log = structlog.get_logger("credsync")

COMPANY = timedelta(seconds=60)
"""How long a contact may wait for others: a call costs the same for 1 and for 100."""
_AGAIN = timedelta(minutes=1)
_REFUSED_AGAIN = timedelta(days=1)
_PAUSE = timedelta(minutes=15)
"""How long all of them rest when none of a batch could be written."""

_Contact = tuple[str, str]
"""(therapist id, contact id)"""


def therapist_page(public_url: str, therapist_id: str) -> str:
    """The address of a therapist's page.

    >>> therapist_page("https://credsync.example/", "5f0c")
    'https://credsync.example/therapists/5f0c'
    """
    return f"{public_url.rstrip('/')}/therapists/{therapist_id}"


@dataclass(slots=True)
class SyncUrls:
    """One portal's links to therapists' pages. Nothing happens without `sync_url` in its file and `public_url`."""

    database: Database
    edge: Edge
    public_url: str | None
    speed: float = 1.0
    _rest_until: datetime | None = None

    async def due(self, now: datetime) -> list[_Contact]:
        """Whose contact is to get its link now; at most one batch."""
        portal = self.edge.portal
        observing = portal.hubspot.mode is Mode.OBSERVE
        if portal.sync_url is None or self.public_url is None or observing:
            return []
        if self._rest_until is not None and now < self._rest_until:
            return []
        company = COMPANY / self.speed
        return await in_thread.read(self.database, lacking_sync_url, portal.name, now, company, MOST_INPUTS)

    async def write(self, contacts: Sequence[_Contact], names: Names, lease: Lease) -> Learnt:
        """Write one batch and store what became of it; gives what that said of the token. Raises `LeaseLost`."""
        learnt = Learnt()
        portal, url = self.edge.portal, self.public_url
        assert portal.sync_url is not None, "asked only where the portal file has it"
        assert url is not None, "asked only where it is set"
        if portal.sync_url not in (names.schema.contact or {}):
            self._rest(portal.sync_url, "HubSpot shows no such contact property")
            return learnt
        inputs = [
            RecordInput(contact, {portal.sync_url: therapist_page(url, therapist)})
            for therapist, contact in contacts
        ]
        verdicts = await update_records(self.edge.client, CONTACT_TYPE, inputs)
        now = self.database.clock.now()
        told = {each: self._again(verdicts[each[1]], now) for each in contacts}
        events = [event for each in contacts if (event := _refusal(portal.name, each, verdicts, now))]

        def store(connection: Connection) -> None:
            fence(connection, lease)
            record_sync_urls(connection, told)
            timeline.append(connection, events)

        await in_thread.write(self.database, store)
        await in_thread.aside(self.database, lambda: timeline.log(events))
        learnt.from_verdicts({(CONTACT, contact): verdict for contact, verdict in verdicts.items()})
        outcomes = {verdict.outcome for verdict in verdicts.values()}
        if not learnt and not outcomes & {Outcome.WRITTEN, Outcome.MISSING}:
            self._rest(portal.sync_url, next(iter(verdicts.values())).message)
        return learnt

    def _again(self, verdict: Verdict, now: datetime) -> datetime | None:
        match verdict.outcome:
            case Outcome.WRITTEN:
                return None
            case Outcome.UNKNOWN | Outcome.NOT_SENT:
                return now + _AGAIN / self.speed
            case _:
                return now + _REFUSED_AGAIN / self.speed

    def _rest(self, name: str, why: str) -> None:
        self._rest_until = self.database.clock.now() + _PAUSE / self.speed
        _log.warning(
            "sync_url.put_off",
            portal=self.edge.portal.name,
            property=name,
            why=why,
            remedy="none of the contacts could get its link; run `credsync doctor`. It is tried again by itself",
        )


def _refusal(
    portal: str, contact: _Contact, verdicts: Mapping[str, Verdict], now: datetime
) -> TimelineEvent | None:
    """What the timeline says of a contact that HubSpot does not have, or whose link it refused."""
    therapist_id, contact_id = contact
    verdict = verdicts[contact_id]
    if verdict.outcome not in (Outcome.MISSING, Outcome.REFUSED, Outcome.PARTIAL):
        return None
    details = {"code": verdict.code, "correlation_ids": list(verdict.correlation_ids)}
    return TimelineEvent(EventName.SYNC_URL_REFUSED, portal, therapist_id, contact_id, now, details=details)
