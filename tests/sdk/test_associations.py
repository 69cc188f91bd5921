"""Associations and their labels, read by HubSpot's Python client."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot.crm.associations.v4 import (  # type: ignore[import-untyped]
    ApiException,
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)

from tests.sandbox.driver import Driver
from tests.sdk.python_client import Client


def look(client: Client, *inputs: tuple[str, str | None], to: str = "credentialing") -> Any:
    """A batch read from contacts: ids, each with the cursor of its page."""
    asked = [PublicFetchAssociationsBatchRequest(id=one, after=after) for one, after in inputs]
    batch = BatchInputPublicFetchAssociationsBatchRequest(inputs=asked)
    return client.hubspot.crm.associations.v4.batch_api.get_page("0-1", to, batch)


def test_associations_are_read_with_their_labels(sandbox: Driver, client: Client) -> None:
    """`from.id` is text, `toObjectId` a number; the unlabelled type and the labels come together."""
    contact = sandbox.contact()
    found = look(client, (contact["id"], None)).results[0]
    assert found._from.id == contact["id"]
    labels = {kind.label for one in found.to for kind in one.association_types}
    assert labels == {None, "Active Attested", "Processing for Move"}
    wanted = {one["id"] for one in contact["planned"] if one["object"] == "credentialing"}
    assert {str(one.to_object_id) for one in found.to} == wanted


def test_who_has_nothing_and_who_is_nobody_are_error_items_alike(sandbox: Driver, client: Client) -> None:
    """NO_ASSOCIATIONS_FOUND with `context.fromObjectId`, beside the results of the others."""
    there, empty = sandbox.contact()["id"], sandbox.contact(slots=[])["id"]
    found = look(client, (empty, None), (there, None), ("7", None))
    assert [one._from.id for one in found.results] == [there]
    assert found.num_errors == 2
    for error, whom in zip(found.errors, (empty, "7"), strict=True):
        assert error.sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
        assert error.context["fromObjectId"] == [whom]
    [asked] = sandbox.do("/requests", method="GET")["requests"]
    assert asked["status"] == (200 if client.folds else 207)


def test_pages_are_read_by_each_inputs_own_cursor(sandbox: Driver, client: Client) -> None:
    """One input is at its second page while another is at its first."""
    sandbox.do("/settings", {"association_page_size": 1}, method="PUT")
    one, two = sandbox.contact()["id"], sandbox.contact()["id"]
    first = look(client, (one, None)).results[0]
    both = look(client, (one, first.paging.next.after), (two, None))
    second = {each._from.id: each for each in both.results}
    assert second[one].to[0].to_object_id != first.to[0].to_object_id
    assert second[one].paging is None
    assert second[two].paging.next.after


def test_a_thousand_contacts_are_asked_for_at_once_and_not_one_more(client: Client) -> None:
    """HubSpot's limit on inputs."""
    ids = [(str(number), None) for number in range(1, 1002)]
    assert look(client, *ids[:1000]).num_errors == 1000
    with pytest.raises(ApiException, match="1000"):
        look(client, *ids)


def test_labels_are_listed_per_direction(client: Client) -> None:
    """Each with its type id and category, the unlabelled type too."""
    api = client.hubspot.crm.associations.v4.schema.definitions_api
    there = api.get_all("0-1", "credentialing").results
    back = api.get_all("credentialing", "0-1").results
    assert {one.label for one in there} == {None, "Active Attested", "Processing for Move"}
    assert not {one.type_id for one in there} & {one.type_id for one in back}


def test_a_limited_label_is_listed_with_its_limit(sandbox: Driver, client: Client) -> None:
    """In the direction an administrator limited, and nothing where there is none."""
    api = client.hubspot.crm.associations.v4.schema.definition_configurations_api
    assert api.get_all_between_two_object_types("0-1", "credentialing").results == []
    change = {"object": "credentialing", "label": "Primary", "maxToObjectIds": 1}
    sandbox.do("/schema", change, method="PUT")
    [limited] = api.get_all_between_two_object_types("0-1", "credentialing").results
    assert (limited.label, limited.user_enforced_max_to_object_ids) == ("Primary", 1)
    assert api.get_all_between_two_object_types("credentialing", "0-1").results == []


def test_a_label_put_on_an_association_is_seen_by_the_next_look(sandbox: Driver, client: Client) -> None:
    """As the calling backend moves them on an Extended Sign Up."""
    contact = sandbox.contact(slots=["credentialing_active_attested"])
    crm = client.hubspot.crm.associations.v4
    kind = next(
        one
        for one in crm.schema.definitions_api.get_all("0-1", "credentialing").results
        if one.label == "Processing for Move"
    )
    spec = [{"associationCategory": kind.category, "associationTypeId": kind.type_id}]
    record = contact["planned"][0]["id"]
    answer = crm.basic_api.create("contacts", contact["id"], "credentialing", record, spec)
    assert sorted(answer.labels) == ["Active Attested", "Processing for Move"]
    page = crm.basic_api.get_page("contacts", contact["id"], "credentialing")
    assert {kind.label for kind in page.results[0].association_types} == {
        None,
        "Active Attested",
        "Processing for Move",
    }
