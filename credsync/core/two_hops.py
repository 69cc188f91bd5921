"""Records that hang on another record, not on the contact: judged under the definitive one alone, and looked for again
when that one has changed (domain.md, rules: definitive, ESU).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from credsync.core.links import Link, LinkState
from credsync.core.portal import CONTACT, Portal
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy, next_look
from credsync.core.slots import ParentAwaited, TypeSight


def under_definitive(
    portal: Portal,
    definitive: str | None,
    links: Mapping[str, Link],
    object_key: str,
    sight: TypeSight | None,
) -> TypeSight | None:
    """A two-hop type is judged under the definitive record alone, if its parent's type keeps that slot."""
    parent = portal.objects[object_key].parent
    if parent == CONTACT or not _ruled(portal, parent) or not isinstance(sight, tuple):
        return sight
    rule = portal.slots.get(definitive or "")
    if rule is not None and rule.object != parent:
        return sight
    holder = links.get(rule.key) if rule is not None else None
    if holder is None or holder.record_id is None:
        return ParentAwaited()
    return tuple(c for c in sight if c.parent_id == holder.record_id)


def left_behind(
    portal: Portal,
    definitive: str | None,
    before: Mapping[str, Link],
    links: Mapping[str, Link],
    seen: Collection[str],
    now: datetime,
    policy: Policy,
) -> dict[str, Link]:
    """The links below a definitive slot that another record took in this look, and that were not found under it.

    What hung on the old record may follow some time later, or may not have been looked at: they are doubtful until
    the labels have settled, so that rounds go on looking for them, awaited or not.
    """
    rule = portal.slots.get(definitive or "")
    if rule is None:
        return {}
    old, new = before.get(rule.key), links.get(rule.key)
    if new is None or new.record_id is None or (old is not None and old.record_id == new.record_id):
        return {}
    below = {key for key, each in portal.objects.items() if each.parent == rule.object}
    doubtful: dict[str, Link] = {}
    for slot, link in links.items():
        own = portal.slot_rule(slot)
        found = link.state is LinkState.FOUND
        if own is None or own.object not in below or link.open or (found and slot in seen):
            continue
        doubtful[slot] = replace(
            link,
            reason=Reason.SETTLING if found else link.reason,
            awaited_since=now,
            doubtful_since=now,
            next_look_at=next_look(now, now, policy),
        )
    return doubtful


def _ruled(portal: Portal, object_key: str) -> bool:
    slots = {rule.slot for rules in portal.definitive.values() for rule in rules}
    return any(portal.slots[slot].object == object_key for slot in slots)
