"""Gets a claimed therapist ready for a turn: plans links and writes anew where a fact came in since the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from credsync.core.decide import Case
from credsync.core.facts import Facts
from credsync.core.mapping import definitive_slot, submitted_slots
from credsync.core.plan import (
    Choice,
    SyncRequest,
    awaited_slots,
    plan_links,
    plan_writes,
    rows_as_planned,
    settled_slots,
)
from credsync.core.portal import DEFINITIVE, Portal
from credsync.core.reasons import Reason
from credsync.core.writes import Write
from credsync.store.cases import Claimed
from credsync.store.contacts import ContactMerged
from credsync.store.rounds import Planned


@dataclass(frozen=True, slots=True)
class Prepared:
    """A therapist ready for a look. `case` is as planned; `claimed.case` as stored."""

    claimed: Claimed
    case: Case
    facts: Facts | None = None
    planned: Planned | None = None
    look_at_all: bool = False
    """Look at every type, whether something is open or not."""
    look_failed: bool = False
    """HubSpot did not answer all of this round's look."""
    contact: ContactMerged | None = None
    """What the contact turned out to have become."""

    @property
    def contact_taken(self) -> bool:
        """The contact was merged into another therapist's: nothing can be seen or written until a person says whose."""
        merged = self.claimed.merged_contact_id is not None or (
            self.contact is not None and self.contact.taken
        )
        return merged and bool(self.case.contact_shared_with)


def prepare(
    portal: Portal,
    claimed: Claimed,
    facts: Facts | None,
    syncs: Sequence[SyncRequest],
    now: datetime,
    choices: Sequence[Choice] = (),
) -> Prepared:
    """Plan a therapist's turn. Without `facts` nothing came in, and what is stored stands."""
    if facts is None:
        return Prepared(claimed, claimed.case)
    case = claimed.case
    writes = rows_as_planned(
        case.writes, plan_writes(portal, facts, case.writes, syncs, claimed.planned_submission)
    )
    awaited = awaited_slots(portal, facts, writes, submitted_slots(portal, facts))
    links = plan_links(portal, facts, case.links, awaited, now, asked=bool(syncs), choices=choices)
    links = {
        slot: replace(link, reason=Reason.RECORD_AWAITED) if link.reason is Reason.CONTACT_GONE else link
        for slot, link in links.items()
    }
    latest = facts.latest_extended
    planned = Planned(
        portal.digest,
        facts.enrolment,
        latest.occurred_at if latest else None,
        _definitive(portal, facts, writes),
        max((s.id for s in facts.submissions), default=0),
        tuple(sync.id for sync in syncs),
        tuple(choice.id for choice in choices),
        claimed.generation,
    )
    case = replace(
        case,
        links=links,
        writes=tuple(writes),
        definitive=planned.definitive,
        enrolment=planned.enrolment,
        enrolment_since=planned.enrolment_since,
    )
    look_at_all = claimed.look_at_all or bool(syncs or choices)
    return Prepared(claimed, case, facts, planned, look_at_all)


def _definitive(portal: Portal, facts: Facts, writes: Sequence[Write]) -> str | None:
    """The slot of the newest submission, as sent or as judged now; before any, what ca's rules give with what is known."""
    newest = next((s for s in reversed(facts.submissions) if portal.rules(s.form)), None)
    if newest is not None:
        slot, _ = settled_slots(writes).get(newest.id) or definitive_slot(portal, facts, newest)
        return None if slot == DEFINITIVE else slot
    for rule in portal.rules("ca"):
        if rule.when is None or facts.moving_now:
            return rule.slot
    return None
