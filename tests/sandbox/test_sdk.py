"""Judged by HubSpot's own Python client, which knows nothing of this sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.crm.associations.v4 import (  # type: ignore[import-untyped]
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)
from hubspot.crm.contacts import SimplePublicObjectInputForCreate  # type: ignore[import-untyped]
from hubspot.crm.objects import (  # type: ignore[import-untyped]
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    SimplePublicObjectBatchInput,
    SimplePublicObjectId,
)
from hubspot.discovery.discovery_base import DiscoveryBase  # type: ignore[import-untyped]

from tests.sandbox.driver import Driver


@pytest.fixture
def hubspot(sandbox: Driver) -> Iterator[Any]:
    """HubSpot's client, pointed at the sandbox; its idle connections are closed at the end."""
    made: list[Any] = []

    def factory(*asked: Any) -> Any:
        made.append(DiscoveryBase._default_api_factory(*asked))
        return made[-1]

    yield HubSpot(access_token="pat-na1-test", host=sandbox.url, api_factory=factory)
    for api in made:
        api.api_client.rest_client.pool_manager.clear()


def read(hubspot: Any, object_type: str, ids: list[str], properties: list[str]) -> Any:
    """A batch read, as the client's own users write it."""
    asked = BatchReadInputSimplePublicObjectId(
        inputs=[SimplePublicObjectId(id=one) for one in ids],
        properties=properties,
        properties_with_history=[],
    )
    return hubspot.crm.objects.batch_api.read(object_type, asked)


def test_contacts_and_custom_objects_are_read_in_batches(sandbox: Driver, hubspot: Any) -> None:
    """Typed times, properties asked for."""
    contact = sandbox.contact(properties={"firstname": "Ada"})
    found = read(hubspot, "contacts", [contact["id"]], ["firstname"])
    assert found.results[0].properties["firstname"] == "Ada"
    custom = read(hubspot, "credentialing", [contact["planned"][0]["id"]], ["npi"])
    assert custom.results[0].id == contact["planned"][0]["id"]
    assert isinstance(custom.results[0].created_at, datetime)
    assert custom.status == "COMPLETE"


def test_an_unknown_id_is_an_error_of_the_batch(hubspot: Any) -> None:
    """The client's own model for a 207."""
    found = read(hubspot, "credentialing", ["7"], [])
    assert type(found).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert found.num_errors == 1
    assert found.errors[0].category == "OBJECT_NOT_FOUND"
    assert found.errors[0].context == {"ids": ["7"]}


def test_a_batch_update_is_written_and_a_bad_one_raises_with_the_code(sandbox: Driver, hubspot: Any) -> None:
    """400 as the client's exception."""
    record = sandbox.contact()["planned"][0]["id"]

    def update(**properties: str) -> Any:
        one = SimplePublicObjectBatchInput(id=record, properties=properties)
        return hubspot.crm.objects.batch_api.update(
            "credentialing", BatchInputSimplePublicObjectBatchInput(inputs=[one])
        )

    assert update(npi="1").results[0].properties["npi"] == "1"
    with pytest.raises(ApiException) as raised:
        update(medicare="Maybe")
    assert raised.value.status == 400
    assert "INVALID_OPTION" in raised.value.body


def test_associations_are_read_with_their_labels(sandbox: Driver, hubspot: Any) -> None:
    """And who has none is an error item."""
    contact = sandbox.contact()["id"]
    asked = BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[PublicFetchAssociationsBatchRequest(id=one) for one in (contact, "7")]
    )
    found = hubspot.crm.associations.v4.batch_api.get_page("contacts", "credentialing", asked)
    assert found.results[0]._from.id == contact
    labels = {kind.label for one in found.results[0].to for kind in one.association_types}
    assert labels == {None, "Active Attested", "Processing for Move"}
    assert found.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    page = hubspot.crm.associations.v4.basic_api.get_page("contacts", contact, "credentialing")
    assert len(page.results) == 2


def test_labels_are_put_on_an_association(sandbox: Driver, hubspot: Any) -> None:
    """Definitions, then a labelled PUT."""
    contact = sandbox.contact(slots=["credentialing_active_attested"])
    definitions = hubspot.crm.associations.v4.schema.definitions_api.get_all(
        "contacts", "credentialing"
    ).results
    kind = next(one for one in definitions if one.label == "Processing for Move")
    spec = [{"associationCategory": kind.category, "associationTypeId": kind.type_id}]
    record = contact["planned"][0]["id"]
    answer = hubspot.crm.associations.v4.basic_api.create(
        "contacts", contact["id"], "credentialing", record, spec
    )
    assert sorted(answer.labels) == ["Active Attested", "Processing for Move"]


def test_schemas_and_properties_are_read(hubspot: Any) -> None:
    """Every required field of the client's models is there."""
    schemas = hubspot.crm.schemas.core_api.get_all().results
    assert {one.name for one in schemas} == {"credentialing", "license", "therapist_address"}
    assert schemas[0].fully_qualified_name == "p1234567_credentialing"
    one = hubspot.crm.schemas.core_api.get_by_id("credentialing")
    assert one.object_type_id == schemas[0].object_type_id
    properties = {
        each.name: each for each in hubspot.crm.properties.core_api.get_all("credentialing").results
    }
    assert [option.value for option in properties["medicare"].options] == ["Yes", "No"]
    assert properties["hs_createdate"].modification_metadata.read_only_value is True
    assert properties["npi"].modification_metadata.read_only_value is False
    assert hubspot.crm.properties.core_api.get_by_name("contacts", "credsync_url").type == "string"


def test_a_contact_is_created_merged_and_archived(hubspot: Any) -> None:
    """The single calls."""
    api = hubspot.crm.contacts.basic_api
    made = [
        api.create(SimplePublicObjectInputForCreate(properties={"email": f"{number}@example.com"})).id
        for number in range(2)
    ]
    merged = api.merge({"primaryObjectId": made[0], "objectIdToMerge": made[1]})
    assert api.get_by_id(made[1]).id == merged.id
    api.archive(merged.id)
    with pytest.raises(Exception, match="404"):
        api.get_by_id(merged.id)
