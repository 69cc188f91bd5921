"""When a look makes it doubtful that the contact is still there: deleted, or merged into another (domain.md, Loss)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from credsync.core.decide import Case
from credsync.core.observations import NotSeen
from credsync.core.portal import CONTACT, Portal
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import TypeSight


def contact_doubtful(
    portal: Portal,
    case: Case,
    sights: Mapping[str, TypeSight],
    now: datetime,
    policy: Policy,
    *,
    fact_came: bool = False,
) -> bool:
    """Whether HubSpot should be asked if the contact still lives.

    Associations of an unknown contact look like those of one with nothing yet (HubSpot, associations). So it is asked
    when nothing hangs on the contact any more where something did, once when a record becomes overdue, and when a
    fact came in for a contact that was gone.
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
    if any(link.record_id is not None or link.candidates for link in links):
        return True
    if fact_came and any(link.reason is Reason.CONTACT_GONE for link in links):
        return True
    return any(
        link.awaited
        and link.overdue_since is None
        and link.looks > 0
        and now - link.awaited_since >= _overdue_after(portal, link.slot, policy)
        for link in links
    )


def _overdue_after(portal: Portal, slot: str, policy: Policy) -> timedelta:
    rule = portal.slot_rule(slot)
    return policy.overdue_after if rule is None else policy.overdue_of(rule.key, rule.overdue_after)
