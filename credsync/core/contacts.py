"""When a look makes it doubtful that the contact is still there: deleted, or merged into another (domain.md, Loss)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from credsync.core.decide import Case
from credsync.core.links import Link
from credsync.core.observations import NotSeen
from credsync.core.portal import CONTACT, Portal
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import TypeSight, properties_needed


def witness(portal: Portal, case: Case, wanted: Collection[str]) -> str | None:
    """An object type to look at beside the wanted ones, because a record of it is known under the contact; or None.

    Somebody who waits for one type alone shows nothing, whether the contact lives or not; a record that was there and
    no longer is tells at that very look. One type costs a call for 1,000 contacts, where asking for the contacts
    themselves costs ten; a type that properties tell apart costs as much, so it is no witness.
    """
    direct = {key for key, each in portal.objects.items() if each.parent == CONTACT}
    known = {
        rule.object
        for link in case.links.values()
        if link.record_id is not None and (rule := portal.slot_rule(link.slot)) is not None
    }
    if not direct & set(wanted) or direct & set(wanted) & known:
        return None
    cheap = (key for key in sorted(direct & known) if not properties_needed(portal, key))
    return next(cheap, None)


def contact_doubtful(
    portal: Portal,
    case: Case,
    sights: Mapping[str, TypeSight],
    now: datetime,
    policy: Policy,
    *,
    fact_came: bool = False,
    told: bool = False,
) -> bool:
    """Whether HubSpot should be asked if the contact still lives.

    Associations of an unknown contact look like those of one with nothing yet (HubSpot, associations). So it is asked
    when nothing hangs on the contact any more where something did (`witness` sees to it that this is looked at), when
    a record becomes overdue, again whenever its wait has doubled since, when a fact came in for a contact that was
    gone, and when HubSpot `told` that the contact itself is another, or gone.
    """
    direct = {key for key, each in portal.objects.items() if each.parent == CONTACT}
    seen = [sights[key] for key in direct if key in sights and not isinstance(sights[key], NotSeen)]
    if not seen or any(sight != () for sight in seen):
        return False
    links = [
        link
        for link in case.links.values()
        if (rule := portal.slot_rule(link.slot)) is not None and rule.object in direct & sights.keys()
    ]
    if told or any(link.record_id is not None or link.candidates for link in links):
        return True
    if fact_came and any(link.reason is Reason.CONTACT_GONE for link in links):
        return True
    return any(
        link.awaited and link.looks > 0 and _waits_long(link, now, _overdue_after(portal, link.slot, policy))
        for link in links
    )


def _waits_long(link: Link, now: datetime, overdue_after: timedelta) -> bool:
    """Whether a wait became overdue, or since the last look became twice, four times, … as long as that."""
    waited = now - link.awaited_since
    if waited < overdue_after:
        return False
    before = (link.last_looked_at or link.awaited_since) - link.awaited_since
    return link.overdue_since is None or _doublings(waited, overdue_after) > _doublings(before, overdue_after)


def _doublings(waited: timedelta, overdue_after: timedelta) -> int:
    return int(waited / overdue_after).bit_length()


def _overdue_after(portal: Portal, slot: str, policy: Policy) -> timedelta:
    rule = portal.slot_rule(slot)
    return policy.overdue_after if rule is None else policy.overdue_of(rule.key, rule.overdue_after)
