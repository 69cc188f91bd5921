"""One therapist's turn: what a decision changes, what goes out, and what came of it. No effects; `round` has those."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from credsync.core.decide import Decision
from credsync.core.delays import Delay, creation_delay, found_delays
from credsync.core.events import EventName, TimelineEvent
from credsync.core.facts import Facts
from credsync.core.links import LinkState
from credsync.core.outgoing import Outgoing, compose
from credsync.core.portal import Portal
from credsync.core.properties import Property
from credsync.core.quarantine import Place, Quarantined, after_verdict, followed
from credsync.core.reasons import Reason
from credsync.core.restored import inputs_of, uncompared, unlike
from credsync.core.schedule import Policy
from credsync.core.stamps import stamp_of
from credsync.core.states import condition, next_due
from credsync.core.verdicts import Outcome, Verdict
from credsync.core.writes import Write, WriteState
from credsync.hubspot.objects import Reading, Record
from credsync.reconcile.apply import RecordKey
from credsync.reconcile.prepare import Prepared
from credsync.reconcile.verdict import Ended, end_of
from credsync.store.rounds import Finish, Planned, Turn, Verified

_NONE: Final[Mapping[Place, Quarantined]] = MappingProxyType({})
_LOOK_AGAIN = 15
"""Shortest looks until a look at everything that was not answered is made again."""


def _planned(prepared: Prepared) -> Planned | None:
    """What planning settled; a look at everything that was not answered is still to be made."""
    planned = prepared.planned
    if planned is not None and prepared.look_at_all and prepared.look_failed:
        return replace(planned, portal_digest=None)
    return planned


class TurnInProgress:
    """A turn from its decision to its end. `turn` is what is to be recorded next; `outgoing` is what must be sent."""

    def __init__(
        self,
        portal: Portal,
        prepared: Prepared,
        decision: Decision,
        now: datetime,
        policy: Policy,
        weighed: Collection[str] = (),
    ) -> None:
        self.prepared = prepared
        self.outgoing: list[Outgoing] = []
        self.refused = False
        """Whether anything is refused here already, by what HubSpot calls things."""
        self.to_compare: list[Outgoing] = []
        """What a restored backup holds back, to be compared with its record before the turn is recorded."""
        self.doubtful: set[int] = set()
        """Places of the writes that may be on their record already: read back first."""
        links, delays = found_delays(prepared.case.links, decision.links, now, policy)
        self.turn = Turn(
            before=prepared.claimed.case,
            links=links,
            delays=delays,
            writes=list(decision.writes),
            lost=decision.lost,
            planned=_planned(prepared),
            contact=prepared.contact,
            shared_with=decision.shared_with,
            weighed=weighed,
        )
        self._portal = portal
        self._policy = policy
        self._known: Mapping[str, Mapping[str, Property]] = {}
        self._quarantined: Mapping[Place, Quarantined] = {}
        self._facts = Facts()
        self._tell_contact(now)
        for event in decision.events:
            self._tell(event.name, now, event.slot, event.record_id, event.details)

    def _tell_contact(self, now: datetime) -> None:
        contact, case = self.prepared.contact, self.prepared.case
        if contact is not None:
            details = {"old": contact.old, "new": contact.new}
            others = {"shared_with": sorted(case.contact_shared_with)} if contact.taken else {}
            self._tell(EventName.CONTACT_MERGED, now, None, None, {**details, **others})
        known = self.prepared.claimed.case.links.values()
        if case.contact_gone and not any(link.reason is Reason.CONTACT_GONE for link in known):
            self._tell(EventName.CONTACT_GONE, now, None, None, {})

    def begin(
        self,
        facts: Facts | None,
        known: Mapping[str, Mapping[str, Property]],
        now: datetime,
        quarantined: Mapping[Place, Quarantined] = _NONE,
    ) -> None:
        """Compose what goes out. Its writes are recorded as `unknown` until their verdict; without any, the turn ends."""
        self._known, self._quarantined = known, quarantined
        self._facts = facts or self._facts
        if facts is not None:
            for outgoing in compose(self._portal, facts, self.turn.writes, known, quarantined):
                self._send_or_end(outgoing, now)
                self._follow_lost(outgoing)
            self._ask_of_backup(facts, now)
        if not self.outgoing:
            self._finish(now)

    def stamp(self) -> None:
        """Put the stamps on what goes out, once its writes are recorded: a stamp tells one stored write from another."""
        for place, each in enumerate(self.outgoing):
            known = self._known.get(each.object_key, {})
            stamp = stamp_of(self._portal, self._facts, self.turn.writes, each, known)
            if stamp is not None:
                self.outgoing[place] = replace(each, stamp=stamp)

    def end(self, verdicts: Mapping[RecordKey, Verdict], now: datetime) -> None:
        """Take the verdicts in: a second turn to record, on top of the first."""
        first = self.turn
        before = replace(first.before, links=dict(first.links), writes=tuple(first.writes))
        self.turn = Turn(before=before, links=dict(first.links), writes=list(first.writes))
        for outgoing in self.outgoing:
            verdict = verdicts[(outgoing.object_key, outgoing.record_id)]
            self._quarantine(outgoing, verdict, now)
            for carried in outgoing.carried:
                if carried.names:
                    write = self.turn.writes[carried.index]
                    ended = end_of(write, carried, verdict, now, self._policy, outgoing.stamp)
                    self._keep(carried.index, ended, now)
            self.turn.delays = [*self.turn.delays, *self._created(outgoing.record_id, verdict.created_at)]
        self._finish(now)

    def _ask_of_backup(self, facts: Facts, now: datetime) -> None:
        """Name what is to be compared; what a newer submission has replaced altogether needs no comparing."""
        writes, links = self.turn.writes, self.turn.links
        which = uncompared(writes, links, again=self.prepared.facts is not None)
        for outgoing in inputs_of(self._portal, facts, writes, links, which, self._known) if which else ():
            for carried in outgoing.carried:
                if not carried.names and not carried.faults:
                    self._supersede(carried.index, writes[carried.index], Reason.NEWER_SUBMISSION, now)
            if outgoing.properties or any(carried.faults for carried in outgoing.carried):
                self.to_compare.append(outgoing)

    def compare(self, read: Mapping[RecordKey, Reading], now: datetime) -> None:
        """Take in what HubSpot has of `to_compare`: what is there was sent, what differs stays held, and says so."""
        for outgoing in self.to_compare:
            reading = read[(outgoing.object_key, outgoing.record_id)]
            if isinstance(reading, Record):
                self._settle_held(outgoing, reading, now)
                made = self._created(outgoing.record_id, reading.created_at)
                self.turn.delays = [*self.turn.delays, *made]
        if not self.outgoing:
            self._finish(now)

    def _settle_held(self, outgoing: Outgoing, reading: Record, now: datetime) -> None:
        known = self._known.get(outgoing.object_key, {})
        for carried in outgoing.carried:
            write = replace(self.turn.writes[carried.index], record_id=outgoing.record_id)
            differs = unlike(outgoing, carried, reading.properties, known)
            if not differs and carried.names:
                verdict = Verdict(Outcome.WRITTEN, created_at=reading.created_at)
                self._keep(carried.index, end_of(write, carried, verdict, now, self._policy), now)
            elif differs and write.reason is Reason.RESTORED:
                kept = replace(write, record_id=None, reason=Reason.RESTORED_DIFFERS)
                self.turn.writes[carried.index] = kept
                details = {"form": kept.form, "reason": kept.reason.value, "differs": sorted(differs)}
                self._tell(EventName.WRITE_HELD, now, kept.slot, outgoing.record_id, details)

    def _follow_lost(self, outgoing: Outgoing) -> None:
        """What is quarantined of a lost record is its successor's, and nothing of it stays once all are there."""
        key, links = outgoing.object_key, self.turn.links
        of_type = [
            link for slot, link in links.items() if (r := self._portal.slot_rule(slot)) and r.object == key
        ]
        held = {link.record_id for link in of_type}
        lost = {place[1] for place in self._quarantined if place[0] == key} - held - {outgoing.record_id}
        faults = {fault.name: fault for carried in outgoing.carried for fault in carried.faults}
        kept = [((key, outgoing.record_id, name), fault) for name, fault in faults.items()]
        moved, over = followed(self._quarantined, lost, kept)
        self.turn.quarantined += moved
        if not any(link.open for link in of_type):
            self.turn.released += over

    def _quarantine(self, outgoing: Outgoing, verdict: Verdict, now: datetime) -> None:
        if not verdict.faults and not self._quarantined:
            return
        places = {name: (outgoing.object_key, outgoing.record_id, name) for name in outgoing.properties}
        known = self._known.get(outgoing.object_key, {})
        made, over = after_verdict(places, outgoing.properties, verdict, known, self._quarantined, now)
        self.turn.quarantined += made
        self.turn.released += over

    def _send_or_end(self, outgoing: Outgoing, now: datetime) -> None:
        for carried in outgoing.carried:
            self.refused = self.refused or bool(carried.faults)
            write = self.turn.writes[carried.index]
            if carried.names:
                self._send(carried.index, write, len(carried.names), now)
            elif carried.faults:
                self._keep(
                    carried.index, end_of(write, carried, Verdict(Outcome.WRITTEN), now, self._policy), now
                )
            else:
                self._supersede(carried.index, write, Reason.NEWER_SUBMISSION, now)
        if outgoing.properties:
            self.outgoing.append(outgoing)

    def _send(self, index: int, write: Write, properties: int, now: datetime) -> None:
        if write.reason is Reason.NO_VERDICT:
            self.doubtful.add(index)
        attempt = write.attempts + 1
        self.turn.writes[index] = replace(
            write,
            state=WriteState.UNKNOWN,
            reason=Reason.NO_VERDICT,
            attempts=attempt,
            sent_at=now,
            not_before=None,
        )
        details = {"form": write.form, "properties": properties, "attempt": attempt}
        self._tell(EventName.WRITE_SENT, now, write.slot, write.record_id, details)

    def _supersede(self, index: int, write: Write, why: Reason, now: datetime) -> None:
        superseded = replace(write, state=WriteState.SUPERSEDED, reason=why)
        self._keep(index, Ended(superseded, Verified(), EventName.WRITE_SUPERSEDED), now)

    def _keep(self, index: int, ended: Ended, now: datetime) -> None:
        write, verified = ended.write, ended.verified
        self.turn.writes[index] = write
        self.turn.verified[index] = verified
        if write.state is WriteState.WRITTEN:
            self._supersede_held(write, now)
        if ended.event is None:
            return
        details: dict[str, object] = {"form": write.form}
        if write.reason is not Reason.NONE:
            details["reason"] = write.reason.value
        if verified.correlation_ids:
            details["correlation_ids"] = list(verified.correlation_ids)
        refused = [f"{p['name']}: {p['code']}" for p in verified.properties if p["code"]]
        if refused:
            details["refused"] = refused
        self._tell(ended.event, now, write.slot, write.record_id, details)

    def _supersede_held(self, written: Write, now: datetime) -> None:
        """What an older enrolment held for this form and slot is answered by the newer write."""
        for index, write in enumerate(self.turn.writes):
            same = (write.form, write.slot) == (written.form, written.slot)
            older = write.enrolment != written.enrolment and write.submitted_at <= written.submitted_at
            if write.state is WriteState.HELD and same and older:
                self._supersede(index, write, Reason.NEWER_SIGN_UP, now)

    def _created(self, record_id: str, created_at: datetime | None) -> list[Delay]:
        """Take in when a record was created; gives the delays that end with it."""
        delays: list[Delay] = []
        for slot, link in self.turn.links.items():
            if created_at is not None and link.record_id == record_id and link.record_created_at is None:
                delay = creation_delay(link, created_at)
                delays += [delay] if delay is not None else []
                self.turn.links[slot] = replace(link, record_created_at=created_at, measured_from=None)
        return delays

    def _finish(self, now: datetime) -> None:
        links, case = self.turn.links.values(), self.prepared.case
        looked_under = None if self.prepared.contact_taken else case.contact_id
        due = next_due(looked_under, links, self.turn.writes, now)
        if self.prepared.look_at_all and self.prepared.look_failed and looked_under is not None:
            again = now + _LOOK_AGAIN * self._policy.look_again_min
            due = again if due is None else min(due, again)
        if any(w.reason is Reason.RESTORED for w in self.turn.writes) and looked_under is not None:
            due = self._compare_again(due, now)
        rides = any(
            link.open and link.state is not LinkState.GIVEN_UP and link.next_look_at == due for link in links
        )
        shared = bool(case.contact_shared_with)
        state = condition(case.contact_id, links, self.turn.writes, contact_shared=shared)
        self.turn.finish = Finish(self.prepared.claimed.generation, state, due, rides)

    def _compare_again(self, due: datetime | None, now: datetime) -> datetime | None:
        """What could be compared and was not read: HubSpot did not answer, or the record went a moment ago."""
        if not uncompared(self.turn.writes, self.turn.links, again=False):
            return due
        again = now + _LOOK_AGAIN * self._policy.look_again_min
        return again if due is None else min(due, again)

    def _tell(
        self,
        name: EventName,
        at: datetime,
        slot: str | None,
        record_id: str | None,
        details: Mapping[str, object],
    ) -> None:
        case = self.prepared.case
        self.turn.events.append(
            TimelineEvent(
                name, self._portal.name, case.therapist_id, case.contact_id, at, slot, record_id, details
            )
        )
