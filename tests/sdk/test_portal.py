"""What a portal consists of, read by HubSpot's Python client: object types, properties, the account."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import Driver
from tests.sdk.python_client import Client


def test_schemas_are_read_with_their_names_and_properties(client: Client) -> None:
    """All custom types, one by its name, one by its id."""
    api = client.hubspot.crm.schemas.core_api
    schemas = api.get_all().results
    assert {one.name for one in schemas} == {"credentialing", "license", "therapist_address"}
    assert schemas[0].fully_qualified_name == "p1234567_credentialing"
    one = api.get_by_id("credentialing")
    assert one.object_type_id == schemas[0].object_type_id
    assert {each.name for each in one.properties} > {"npi", "hs_createdate"}
    assert api.get_by_id(one.object_type_id).name == "credentialing"
    assert api.get_all(archived=True).results == []
    with pytest.raises(Exception, match="404"):
        api.get_by_id("nothing")


def test_properties_are_read_with_types_options_and_what_is_read_only(client: Client) -> None:
    """Of a custom type and of contacts."""
    api = client.hubspot.crm.properties.core_api
    found = {each.name: each for each in api.get_all("credentialing").results}
    assert [option.value for option in found["medicare"].options] == ["Yes", "No"]
    assert (found["specialties"].type, found["specialties"].field_type) == ("enumeration", "checkbox")
    assert found["submitted_on"].type == "date"
    assert found["hs_createdate"].modification_metadata.read_only_value is True
    assert found["npi"].modification_metadata.read_only_value is False
    assert api.get_by_name("contacts", "credsync_url").type == "string"
    with pytest.raises(Exception, match="404"):
        api.get_by_name("contacts", "nothing")


def test_the_account_tells_whose_token_it_is(client: Client) -> None:
    """A number, a time zone, the address of its pages."""
    told = client.account()
    assert told["portalId"] == 1234567
    assert told["timeZone"] == "America/New_York"
    assert told["uiDomain"] == "app.hubspot.com"


def test_a_portal_that_changes_is_read_changed(sandbox: Driver, client: Client) -> None:
    """A property that is gone, a label that is new."""
    sandbox.do("/schema", {"object": "credentialing", "property": "npi"}, method="DELETE")
    sandbox.do("/schema", {"object": "credentialing", "label": "Archived"}, method="PUT")
    names = {each.name for each in client.hubspot.crm.properties.core_api.get_all("credentialing").results}
    assert "npi" not in names
    labels = client.hubspot.crm.associations.v4.schema.definitions_api.get_all("0-1", "credentialing").results
    assert "Archived" in {one.label for one in labels}
