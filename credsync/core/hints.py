"""What HubSpot's webhooks mean for a portal: at whom, and at which object types, it is worth looking soon.

A hint is never the truth: it says where to look, and changes nothing else (domain.md, triggers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from credsync.core.portal import CONTACT, Portal
from credsync.core.slots import properties_needed
from credsync.core.webhook_events import CONTACT_TYPE_ID, Happening, WebhookEvent


@dataclass(frozen=True, slots=True)
class Touch:
    """Something happened to these records, contacts or others: look at `objects` of whoever has one of them.

    `contact` among the objects means that the contact itself may be another, or gone. `waiting_only` is for what can
    only matter to somebody who waits.
    """

    ids: tuple[str, ...]
    objects: frozenset[str]
    waiting_only: bool = False


@dataclass(slots=True)
class Hints:
    """What a body of events asks for."""

    touches: list[Touch] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)
    """Object types of which a record may have come that nobody can tell whose it is: whoever waits for one is woken."""
    associated: set[str] = field(default_factory=set)
    """Object types whose associations HubSpot tells of: hints about them can be relied on while they come."""


def hints_of(
    portal: Portal, type_ids: Mapping[str, str], portal_id: str | None, events: Iterable[WebhookEvent]
) -> Hints:
    """What events ask for. `type_ids` are HubSpot's by our keys; an object type that is not among them is not ours.

    Events of another account (`portal_id` differs) ask for nothing, nor does what cannot change where a record hangs.
    """
    keys = {type_id: key for key, type_id in type_ids.items()}
    hints = Hints()
    for event in events:
        if portal_id is None or event.portal_id in (None, portal_id):
            _add(hints, portal, keys, event)
    return hints


def looked_at_together(portal: Portal, hinted: Iterable[str]) -> set[str]:
    """The object types to look at for these: a type below another is seen under it, so both are looked at."""
    wanted = {key for key in hinted if key in portal.objects}
    used = {rule.object for rule in portal.slots.values()}
    wanted |= {key for key in used if portal.objects[key].parent in wanted}
    return wanted | {portal.objects[key].parent for key in wanted} - {CONTACT}


def _add(hints: Hints, portal: Portal, keys: Mapping[str, str], event: WebhookEvent) -> None:
    everything = frozenset(rule.object for rule in portal.slots.values())
    others = event.type_ids - {CONTACT_TYPE_ID}
    ours = frozenset(keys[each] for each in others if each in keys)
    if others and not ours and keys:
        return
    if event.happening is Happening.ASSOCIATED:
        hints.touches.append(Touch(event.ids, ours or everything))
        hints.associated |= ours
    elif event.happening is Happening.ENROLLED:
        hints.touches.append(Touch(event.ids, ours or everything))
    elif event.about_contact:
        _add_contact(hints, portal, everything, event)
    elif event.happening in (Happening.CREATED, Happening.RESTORED):
        hints.woken |= ours or everything
    elif event.happening is not Happening.CHANGED:
        hints.touches.append(Touch(event.ids, ours or everything))
    else:
        telling = {key for key in ours or everything if event.property_name in properties_needed(portal, key)}
        if telling:
            hints.touches.append(Touch(event.ids, frozenset(telling)))
            hints.woken |= telling


def _add_contact(hints: Hints, portal: Portal, everything: frozenset[str], event: WebhookEvent) -> None:
    """A contact's own properties matter to whoever waits: a workflow may have said that it is done."""
    if event.happening is Happening.CHANGED:
        if event.property_name != portal.sync_url:
            hints.touches.append(Touch(event.ids, everything, waiting_only=True))
    elif event.happening is not Happening.CREATED:
        hints.touches.append(Touch(event.ids, everything | {CONTACT}))
