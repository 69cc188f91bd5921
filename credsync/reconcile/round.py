"""A round: observe, decide, apply, record, for everybody who is due and whoever fits beside them.

claim -> prepare -> observe -> decide -> record what goes out -> apply -> record what came of it
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import anyio
import structlog
from sqlalchemy import Connection

from credsync.core.contacts import contact_doubtful, witness
from credsync.core.decide import Decision, decide
from credsync.core.denials import Denied, Verb, objects_denied
from credsync.core.hints import looked_at_together
from credsync.core.portal import CONTACT
from credsync.core.restored import uncompared
from credsync.core.schedule import Policy
from credsync.core.verdicts import Verdict
from credsync.core.writes import WriteState
from credsync.hubspot.edge import DOUBTED_AFTER, Edge, Names
from credsync.hubspot.lanes import Lane, in_lane
from credsync.hubspot.objects import NotRead
from credsync.reconcile.after_restore import compare_held
from credsync.reconcile.apply import RecordKey, Send, apply
from credsync.reconcile.claims import shared_records, taken_records
from credsync.reconcile.contacts import Fate, MergedInto, fates_of, settle, under_merged
from credsync.reconcile.denials import Learnt, unreadable
from credsync.reconcile.followed_hints import FollowedHints, policy_with_hints
from credsync.reconcile.observe import Sights, observe, types_to_look_at
from credsync.reconcile.prepare import Prepared, prepare
from credsync.reconcile.report import RoundReport, report_of, unanswered
from credsync.reconcile.turn import TurnInProgress
from credsync.store import in_thread, timeline
from credsync.store.cases import NOTHING_TAKEN, Taken, claim_due, facts_of, next_due_at, pending_syncs
from credsync.store.choices import pending_choices
from credsync.store.contacts import owners_of
from credsync.store.database import Database
from credsync.store.denials import deny
from credsync.store.hints import settle_hints
from credsync.store.leases import Lease
from credsync.store.quarantine import quarantined_of
from credsync.store.rounds import put_off, record_turns

_log = structlog.get_logger("credsync")
_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_THERAPISTS = 1_000
"""As many as one association call takes."""
_RECORDED_TOGETHER = 200
"""Therapists in one transaction."""
BELIEVED_FOR = timedelta(minutes=1)
"""Names older than this are read again before they alone refuse what was submitted: somebody may have added an option."""


class Round:
    """One round of one portal, under one lease."""

    def __init__(
        self,
        database: Database,
        edge: Edge,
        names: Names,
        lease: Lease,
        policy: Policy,
        denied: Collection[Denied] = (),
    ) -> None:
        self._database = database
        self._edge = edge
        self._portal = edge.portal
        self._names = names
        self._lease = lease
        self._policy = policy
        self.full = False
        """Whether it took as many as fit in: more may be due."""
        self._now = database.clock.now()
        self._prepared: Sequence[Prepared] = ()
        self._called: Collection[str] = ()
        self._followed = FollowedHints(edge.portal)
        self._objects = {key: rule.object for key, rule in edge.portal.slots.items()}
        self._unreadable = unreadable(denied, policy.look_again_max)
        self._unwritable = objects_denied(denied, Verb.WRITE)
        self._learnt = Learnt()

    async def run(self) -> RoundReport:
        """Claim and go. Raises `LeaseLost` when the portal is no longer ours; what was not recorded by then stays so."""
        await self.claim()
        return await self.go()

    async def claim(self, besides: Taken = NOTHING_TAKEN) -> Taken:
        """Take whoever is due and fits beside them, but nobody of another round in flight; gives what was taken."""
        self._now = self._database.clock.now()
        prepared = [under_merged(p) for p in await self._read(self._claim, besides)]
        called = self._called = self._types_called(prepared)
        self._prepared = [p for p in prepared if self._needed(p) or self._types(p) & called]
        return Taken(frozenset(p.case.therapist_id for p in self._prepared), self._followed.woken)

    async def go(self) -> RoundReport:
        """What follows the claim. Raises as `run` does."""
        if not self._prepared:
            await self._settle_hints({})
            return RoundReport()
        with in_lane(_lane(self._prepared, hinted=bool(self._followed.hints))):
            return await self._go(self._now)

    async def _go(self, now: datetime) -> RoundReport:
        sights = await self._look(self._prepared, self._called)
        self._learnt.from_sights(self._portal, sights, self._unreadable)
        prepared = self._prepared = [
            replace(p, look_failed=unanswered(sights.get(p.case.therapist_id, {})))
            for p in await self._follow_contacts(self._prepared, sights, now)
        ]
        report = report_of(prepared, sights)
        await self._keep_denied(report)
        if any(_pressed_after_a_refusal(p) for p in prepared):
            await self._learn_names(
                now, timedelta(0) if any(p.claimed.fresh for p in prepared) else DOUBTED_AFTER
            )
        turns, failed = await self._read(self._decide, prepared, sights, now)
        if any(t.refused for t in turns) and await self._learn_names(now, BELIEVED_FOR):
            turns, failed = await self._read(self._decide, prepared, sights, now)
        await compare_held(self._edge, self._names, turns, now)
        sending = [t for t in turns if t.outgoing]
        async with anyio.create_task_group() as tasks:
            sending = await self._record(sending, now)
            tasks.start_soon(self._record, [t for t in turns if not t.outgoing], now)
            for turn in sending:
                turn.stamp()
            verdicts = await apply(self._edge, self._names, _sends(sending))
        if failed:
            await self._write(put_off, self._lease, failed, now + self._policy.look_again_max)
        if sending:
            report.sent = sum(len(t.outgoing) for t in sending)
            self._notice_stale_names(verdicts)
            self._learnt.from_verdicts(verdicts)
            await self._keep_denied(report)
            ended = self._database.clock.now()
            for turn in sending:
                turn.end(verdicts, ended)
            await self._record(sending, ended)
        await self._settle_hints(sights, failed)
        return report

    async def _keep_denied(self, report: RoundReport) -> None:
        """Stored before the writes that wait for it, so that none is left waiting for what nobody tries again."""
        report.unauthorized = self._learnt.unauthorized
        denied = tuple(self._learnt.denied.values())
        if denied and denied != report.denied:
            await self._write(deny, self._lease, self._portal.name, denied)
        report.denied = denied

    async def _look(self, prepared: Sequence[Prepared], called: Collection[str]) -> Sights:
        """Look at everybody's types, as far as they are called: for one more contact a call costs nothing."""
        wanted = {p.case.therapist_id: self._types(p) & set(called) for p in prepared if not p.contact_taken}
        cases = [p.case for p in prepared]
        return await observe(self._edge, self._names, cases, wanted, unreadable=self._unreadable)

    def _types(self, prepared: Prepared) -> set[str]:
        case = prepared.case
        types = types_to_look_at(self._portal, case, prepared.claimed.dirty, prepared.look_at_all)
        known = witness(self._portal, case, types)
        return types if known is None else types | {known}

    def _needed(self, prepared: Prepared) -> bool:
        """Whether this round is for a therapist, and not only free for them to ride along."""
        return prepared.claimed.due or prepared.claimed.dirty or bool(prepared.case.hinted)

    def _types_called(self, prepared: Sequence[Prepared]) -> set[str]:
        """The types somebody needs now. Who was only hinted at needs those of the hint; who rides along needs none."""
        called = looked_at_together(self._portal, self._followed.woken)
        for p in prepared:
            if p.claimed.due or p.claimed.dirty:
                called |= self._types(p)
            else:
                called |= looked_at_together(self._portal, p.case.hinted)
        return called

    async def _follow_contacts(
        self, prepared: Sequence[Prepared], sights: Sights, now: datetime
    ) -> Sequence[Prepared]:
        """Ask what became of contacts that show nothing any more, before anything is concluded from that."""
        doubtful = {
            p.case.contact_id
            for p in prepared
            if p.case.contact_id is not None and self._contact_doubtful(p, sights, now)
        }
        if not doubtful:
            return prepared
        fates = await self._fates(doubtful)
        into = {fate.contact_id for fate in fates.values() if isinstance(fate, MergedInto)}
        owners = await self._read(owners_of, self._portal.name, into)
        settled = settle(prepared, sights, fates, owners)
        moved = [p for p in settled if p.contact is not None and p.case.contact_id in into]
        sights.update(await self._look(moved, self._portal.objects))
        return settled

    async def _fates(self, contacts: Collection[str]) -> Mapping[str, Fate]:
        if (unseen := self._unreadable.get(CONTACT)) is not None:
            unread = NotRead(unseen.code, unseen.message, unseen.effect, unseen.retry_after)
            return dict.fromkeys(contacts, unread)
        fates = await fates_of(self._edge, contacts)
        self._learnt.from_fates(fates.values())
        return fates

    def _contact_doubtful(self, prepared: Prepared, sights: Sights, now: datetime) -> bool:
        claimed = prepared.claimed
        seen = sights.get(claimed.case.therapist_id, {})
        told = CONTACT in claimed.case.hinted
        came = claimed.dirty
        return contact_doubtful(
            self._portal, claimed.case, seen, now, self._policy, fact_came=came, told=told
        )

    def _claim(self, connection: Connection, besides: Taken) -> list[Prepared]:
        portal, now = self._portal, self._now
        soonest = next_due_at(connection, portal.name, besides)
        if soonest is None or soonest > now:
            return []
        self._followed.take(connection, besides)
        self._policy = policy_with_hints(connection, portal, self._policy, now)
        claimed = claim_due(
            connection,
            portal.name,
            portal.digest,
            now,
            MOST_THERAPISTS,
            hinted=self._followed.hinted,
            woken=self._followed.woken_slots,
            besides=besides,
        )
        self.full = len(claimed) >= MOST_THERAPISTS
        dirty = [c.case.therapist_id for c in claimed if c.dirty]
        facts, syncs = facts_of(connection, dirty), pending_syncs(connection, dirty)
        choices = pending_choices(connection, dirty)
        prepared = []
        for c in claimed:
            therapist = c.case.therapist_id
            told = facts.get(therapist), syncs.get(therapist, ())
            prepared.append(prepare(portal, c, *told, now, choices.get(therapist, ())))
        return prepared

    async def _settle_hints(self, sights: Sights, failed: Collection[str] = ()) -> None:
        """Forget the hints that were looked after; those that HubSpot did not answer wait a while."""
        looked_at = {p.case.therapist_id for p in self._prepared}
        unseen = {p.case.therapist_id for p in self._prepared if p.look_failed} | set(failed)
        settling = self._followed.settle(
            sights, looked_at, unseen, self._unreadable, self._policy, full=self.full
        )
        for each in settling:
            await self._write(
                settle_hints,
                self._lease,
                self._portal.name,
                each.seen,
                each.put_off,
                soon=self._now + self._policy.hint_coalesce,
                later=self._now + each.after,
            )

    def _decide(
        self, connection: Connection, prepared: Sequence[Prepared], sights: Sights, now: datetime
    ) -> tuple[list[TurnInProgress], dict[str, int]]:
        """Everybody's turn; and who could not get one because of a fault of ours, which must not stop the others.

        Of those who failed, the generation that was claimed.
        """
        everybody = [p.case.therapist_id for p in prepared]
        by_therapist = shared_records(connection, self._portal, everybody, sights)
        taken = taken_records(connection, by_therapist)
        decided: list[tuple[Prepared, Decision]] = []
        failed: dict[str, int] = {}
        for p in prepared:
            therapist = p.case.therapist_id
            seen, shared = sights.get(therapist, {}), by_therapist.get(therapist, {})
            others = taken.get(therapist, ())
            try:
                decision = decide(
                    self._portal, p.case, seen, shared, now, self._policy, self._unwritable, others
                )
                decided.append((p, decision))
            except Exception:  # noqa: BLE001 - one therapist's trouble must not stop the others; it is logged
                self._say_failed(p, failed)
        unread = [
            p.case.therapist_id
            for p, d in decided
            if p.facts is None and (d.to_send or uncompared(d.writes, d.links, again=False))
        ]
        facts = facts_of(connection, unread)
        sending = [p.case.therapist_id for p, d in decided if d.to_send]
        quarantined = quarantined_of(connection, self._portal.name, sending)
        turns = []
        for p, decision in decided:
            try:
                weighed = frozenset[str]().union(*by_therapist.get(p.case.therapist_id, {}).values())
                turn = TurnInProgress(self._portal, p, decision, now, self._policy, weighed)
                known = p.facts or facts.get(p.case.therapist_id)
                turn.begin(known, self._names.properties, now, quarantined.get(p.case.therapist_id, {}))
                turns.append(turn)
            except Exception:  # noqa: BLE001 - as above
                self._say_failed(p, failed)
        return turns, failed

    def _say_failed(self, prepared: Prepared, failed: dict[str, int]) -> None:
        case = prepared.case
        failed[case.therapist_id] = prepared.claimed.generation
        _log.exception(
            "turn.failed",
            portal=self._portal.name,
            therapist_id=case.therapist_id,
            contact_id=case.contact_id,
            remedy="nothing was written for this therapist; it is tried again in an hour. Report this line",
        )

    async def _record(self, turns: Sequence[TurnInProgress], now: datetime) -> list[TurnInProgress]:
        """Whoever sends is recorded first and goes out; those who go on waiting are recorded meanwhile.

        Some at a time, each time fenced: a fact that comes in never waits for the record of a whole round. Gives those
        that are recorded: of whom another round in flight found a record first, nothing is stored, and they stay due.
        """
        weighed = {p.case.therapist_id for p in self._prepared}
        recorded: list[TurnInProgress] = []
        for start in range(0, len(turns), _RECORDED_TOGETHER):
            some = turns[start : start + _RECORDED_TOGETHER]
            left_out = await self._write(
                record_turns,
                self._lease,
                self._portal.name,
                [t.turn for t in some],
                self._objects,
                now,
                weighed,
            )
            kept = [t for t in some if t.turn.before.therapist_id not in left_out]
            events = [event for t in kept for event in t.turn.events]
            await in_thread.aside(self._database, partial(timeline.log, events))
            recorded += kept
        return recorded

    async def _learn_names(self, now: datetime, soonest: timedelta) -> bool:
        """Read again what HubSpot calls things, unless that was done so soon before; whether there is anything new."""
        known, self._names = self._names, await self._edge.names_now(now, self._names, soonest)
        return self._names is not known

    def _notice_stale_names(self, verdicts: Mapping[RecordKey, Verdict]) -> None:
        if any(verdict.faults for verdict in verdicts.values()):
            self._edge.doubt()

    async def _read(
        self, query: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        return await in_thread.read(self._database, query, *args, **kwargs)

    async def _write(
        self, change: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        return await in_thread.write(self._database, change, *args, **kwargs)


def _sends(turns: Sequence[TurnInProgress]) -> list[Send]:
    """Read back first what may be there already, also where something new goes to the same record."""
    return [
        Send(outgoing, any(c.index in turn.doubtful for c in outgoing.carried if c.names))
        for turn in turns
        for outgoing in turn.outgoing
    ]


def _lane(prepared: Sequence[Prepared], *, hinted: bool) -> Lane:
    """The best lane of anybody in the round: a call takes all of them along."""
    due = [p.claimed for p in prepared if p.claimed.due]
    if any(claimed.fresh for claimed in due):
        return Lane.NOW
    return Lane.WAITING if due or hinted else Lane.BACKFILL


def _pressed_after_a_refusal(prepared: Prepared) -> bool:
    """Whether a person may just have mended in HubSpot what a property takes."""
    pressed = prepared.planned is not None and prepared.planned.syncs
    return bool(pressed) and any(
        write.state in (WriteState.PARTIAL, WriteState.REFUSED) for write in prepared.case.writes
    )
