"""What HubSpot's webhooks say, and what is refused of them."""

from __future__ import annotations

from typing import Any

import pytest

from credsync.core.webhook_events import MOST_EVENTS, Happening, WebhookEvent, read_events

EVENT = {
    "eventId": 1,
    "subscriptionId": 2,
    "appId": 3,
    "occurredAt": 4,
    "attemptNumber": 0,
    "changeSource": "CRM",
}


def told(kind: str, **more: Any) -> dict[str, Any]:
    return {**EVENT, "portalId": 62515, "subscriptionType": kind, **more}


@pytest.mark.parametrize(
    ("event", "read"),
    [
        (told("object.creation", objectId=801, objectTypeId="2-1"), (Happening.CREATED, ("801",), {"2-1"})),
        (told("object.restore", objectId="801", objectTypeId="2-1"), (Happening.RESTORED, ("801",), {"2-1"})),
        (
            told("object.deletion", objectId=10**31, objectTypeId="2-1"),
            (Happening.DELETED, (str(10**31),), {"2-1"}),
        ),
        (told("contact.deletion", objectId=7), (Happening.DELETED, ("7",), {"0-1"})),
        (told("contact.privacyDeletion", objectId=7), (Happening.DELETED, ("7",), {"0-1"})),
        (
            told(
                "object.associationChange",
                fromObjectId=7,
                toObjectId=801,
                objectTypeId="0-1",
                associationRemoved=True,
            ),
            (Happening.ASSOCIATED, ("7", "801"), {"0-1"}),
        ),
        (
            told(
                "object.associationChange",
                fromObjectId=7,
                toObjectId=801,
                fromObjectTypeId="0-1",
                toObjectTypeId="2-1",
            ),
            (Happening.ASSOCIATED, ("7", "801"), {"0-1", "2-1"}),
        ),
        (
            told(
                "object.merge", primaryObjectId=1, mergedObjectIds=[2, 3], newObjectId=4, objectTypeId="0-1"
            ),
            (Happening.MERGED, ("1", "4", "2", "3"), {"0-1"}),
        ),
    ],
)
def test_events_name_records_and_types(event: dict[str, Any], read: tuple[Any, ...]) -> None:
    """Both spellings; ids as numbers or texts; either side of an association; all records of a merge."""
    (found,), faults = read_events([event])
    assert (found.happening, found.ids, set(found.type_ids)) == read
    assert found.portal_id == "62515"
    assert faults == []


def test_a_changed_property_is_told_by_name_and_its_value_is_not_kept() -> None:
    """The value never leaves the body."""
    event = told(
        "object.propertyChange", objectId=1, objectTypeId="2-1", propertyName="stage", propertyValue="zebra"
    )
    (found,), _ = read_events([event])
    assert found.property_name == "stage"
    assert "zebra" not in repr(found)


@pytest.mark.parametrize("name", ["hs_object_id", "vid", "objectId", "contact_id"])
def test_a_workflow_names_the_record_that_was_enrolled(name: str) -> None:
    """One object, by the record id or an older name of it."""
    assert read_events({name: "7", "portal-id": 62515, "properties": {"email": {"value": "x"}}}) == (
        [WebhookEvent(Happening.ENROLLED, ("7",), frozenset(), None, "62515")],
        [],
    )


@pytest.mark.parametrize(
    "kind", ["object.newKind", "conversation.creation", "event.completed", "deal.creation", "", "object"]
)
def test_other_kinds_are_let_pass(kind: str) -> None:
    """HubSpot may tell of more than credsync knows; what else such an event holds is not looked at."""
    assert read_events([told(kind, objectId=1.5)]) == ([], [])


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (5, [("", "wrong_type")]),
        (None, [("", "wrong_type")]),
        ("[]", [("", "wrong_type")]),
        ([told("object.creation", objectId=1)] * (MOST_EVENTS + 1), [("", "too_many")]),
        ([5, None], [("[0]", "wrong_type"), ("[1]", "wrong_type")]),
        ([{}], [("[0].subscriptionType", "missing"), ("[0].portalId", "missing")]),
        ([told("object.creation")], [("[0].objectId", "missing")]),
        ([told("object.creation", objectId=801.0)], [("[0].objectId", "wrong_type")]),
        ([told("object.creation", objectId=True)], [("[0].objectId", "wrong_type")]),
        ([told("object.creation", objectId=-1)], [("[0].objectId", "invalid_id")]),
        ([told("object.creation", objectId=10**32)], [("[0].objectId", "invalid_id")]),
        ([told("object.creation", objectId="٣")], [("[0].objectId", "invalid_id")]),
        ([told("object.creation", objectId=[1])], [("[0].objectId", "wrong_type")]),
        ([told("object.creation", objectId=1, objectTypeId=2)], [("[0].objectTypeId", "invalid_id")]),
        ([told("object.creation", objectId=1, objectTypeId="x" * 99)], [("[0].objectTypeId", "invalid_id")]),
        ([told("object.associationChange", toObjectId=1)], [("[0].fromObjectId", "missing")]),
        ([told("object.propertyChange", objectId=1)], [("[0].propertyName", "missing")]),
        ([told("object.propertyChange", objectId=1, propertyName=5)], [("[0].propertyName", "wrong_type")]),
        ([told("object.merge", mergedObjectIds=5)], [("[0].mergedObjectIds", "wrong_type")]),
        ([told("object.merge", mergedObjectIds=[1.5])], [("[0].mergedObjectIds[0]", "wrong_type")]),
        ([told("object.merge", mergedObjectIds=[1] * 101)], [("[0].mergedObjectIds", "too_many")]),
        ([{**told("object.creation", objectId=1), "portalId": 1.0}], [("[0].portalId", "wrong_type")]),
        ([told("object.creation", objectId=1), told("object.creation")], [("[1].objectId", "missing")]),
        ({}, [("hs_object_id", "missing")]),
        ({"hs_object_id": 1.0}, [("hs_object_id", "wrong_type")]),
        ({"vid": 1, "objectTypeId": 5}, [("objectTypeId", "invalid_id")]),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_every_fault(
    body: Any, faults: list[tuple[str, str]]
) -> None:
    """Every fault with its place; a fault in one event leaves none out."""
    assert [(fault.path, fault.code) for fault in read_events(body)[1]] == faults


def test_an_empty_list_is_no_fault() -> None:
    """Nothing happened."""
    assert read_events([]) == ([], [])
