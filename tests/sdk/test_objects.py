"""Records read and written by HubSpot's Python client."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hubspot.crm.contacts import SimplePublicObjectInputForCreate  # type: ignore[import-untyped]
from hubspot.crm.objects import (  # type: ignore[import-untyped]
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    SimplePublicObjectBatchInput,
    SimplePublicObjectId,
)

from tests.sandbox.driver import Driver
from tests.sdk.python_client import Client

ACTIVE = "credentialing_active_attested"


def read(client: Client, object_type: str, ids: list[str], properties: list[str], **more: Any) -> Any:
    """A batch read, as the client's own users write it."""
    asked = BatchReadInputSimplePublicObjectId(
        inputs=[SimplePublicObjectId(id=one) for one in ids],
        properties=properties,
        properties_with_history=[],
    )
    return client.hubspot.crm.objects.batch_api.read(object_type, asked, **more)


def update(client: Client, changes: dict[str, dict[str, str]], traces: dict[str, str] | None = None) -> Any:
    """A batch update of Credentialings."""
    inputs = [
        SimplePublicObjectBatchInput(id=one, properties=values, object_write_trace_id=(traces or {}).get(one))
        for one, values in changes.items()
    ]
    batch = BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    return client.hubspot.crm.objects.batch_api.update("credentialing", batch)


def test_contacts_and_custom_objects_are_read_in_batches(sandbox: Driver, client: Client) -> None:
    """Typed times, the properties asked for, null for those without a value."""
    contact = sandbox.contact(properties={"firstname": "Ada"})
    found = read(client, "contacts", [contact["id"]], ["firstname", "phone"])
    assert found.results[0].properties["firstname"] == "Ada"
    assert found.results[0].properties["phone"] is None
    custom = read(client, "credentialing", [contact["planned"][0]["id"]], ["npi"])
    assert custom.results[0].id == contact["planned"][0]["id"]
    assert isinstance(custom.results[0].created_at, datetime)
    assert custom.status == "COMPLETE"
    assert client.judged == 2


def test_an_unknown_id_is_an_error_of_the_batch_and_the_others_are_read(
    sandbox: Driver, client: Client
) -> None:
    """A 207, or folded into the 200: the same fields either way."""
    record = sandbox.contact()["planned"][0]["id"]
    found = read(client, "credentialing", ["7", record, "8"], [])
    assert type(found).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert [one.id for one in found.results] == [record]
    assert found.num_errors == 1
    assert found.errors[0].category == "OBJECT_NOT_FOUND"
    assert found.errors[0].context == {"ids": ["7", "8"]}
    assert statuses(sandbox) == [200 if client.folds else 207]


def test_a_batch_update_is_written_and_names_its_traces(sandbox: Driver, client: Client) -> None:
    """An unknown id among them fails itself alone."""
    contact = sandbox.contact()
    one, two = contact["planned"][0]["id"], contact["planned"][1]["id"]
    done = update(client, {one: {"npi": "1"}, two: {"npi": "2"}}, {one: "a", two: "b"})
    assert {each.id: each.object_write_trace_id for each in done.results} == {one: "a", two: "b"}
    assert {each.properties["npi"] for each in done.results} == {"1", "2"}
    partly = update(client, {one: {"npi": ""}, "7": {"npi": "3"}}, {one: "a", "7": "c"})
    assert partly.results[0].properties["npi"] is None
    assert partly.errors[0].context == {"ids": ["7"], "objectWriteTraceId": ["c"]}
    assert statuses(sandbox) == [200, 200 if client.folds else 207]


def test_one_bad_value_raises_for_the_whole_batch_with_its_code(sandbox: Driver, client: Client) -> None:
    """400 as the client's exception; nothing was written."""
    one, two = (planned["id"] for planned in sandbox.contact()["planned"][:2])
    with pytest.raises(ApiException) as raised:
        update(client, {one: {"npi": "1"}, two: {"medicare": "Maybe"}})
    assert raised.value.status == 400
    assert "INVALID_OPTION" in raised.value.body
    assert raised.value.headers["X-HubSpot-Correlation-Id"] in raised.value.body
    assert read(client, "credentialing", [one], ["npi"]).results[0].properties["npi"] is None


def test_one_bad_value_may_fail_its_own_input_by_its_trace(sandbox: Driver, client: Client) -> None:
    """Where the sandbox is set to it: `context.objectWriteTraceId` names the input."""
    sandbox.do("/settings", {"trace_errors": True}, method="PUT")
    one, two = (planned["id"] for planned in sandbox.contact()["planned"][:2])
    done = update(client, {one: {"npi": "1"}, two: {"medicare": "Maybe"}}, {one: "a", two: "b"})
    assert [each.id for each in done.results] == [one]
    assert done.errors[0].context == {"objectWriteTraceId": ["b"]}
    assert done.errors[0].errors[0].code == "INVALID_OPTION"


def test_batches_end_at_a_hundred(sandbox: Driver, client: Client) -> None:
    """One more is refused whole."""
    ids = [str(number) for number in range(1, 102)]
    assert read(client, "credentialing", ids[:100], []).num_errors == 1
    with pytest.raises(ApiException, match="100"):
        read(client, "credentialing", ids, [])
    with pytest.raises(ApiException, match="100"):
        update(client, {one: {"npi": "1"} for one in ids})


def test_one_record_is_read_with_what_hangs_on_it(sandbox: Driver, client: Client) -> None:
    """Properties, history and associations, asked for as repeated parameters."""
    contact = sandbox.contact(properties={"firstname": "Ada"})
    found = client.hubspot.crm.objects.basic_api.get_by_id(
        "contacts",
        contact["id"],
        properties=["firstname", "phone"],
        properties_with_history=["firstname"],
        associations=["credentialing"],
    )
    assert (found.id, found.archived) == (contact["id"], False)
    assert found.properties["firstname"] == "Ada"
    assert found.properties_with_history["firstname"][0].value == "Ada"
    hanging = {one.id for one in found.associations["credentialings"].results}
    assert hanging == {one["id"] for one in contact["planned"] if one["object"] == "credentialing"}
    with pytest.raises(ApiException, match="404"):
        client.hubspot.crm.objects.basic_api.get_by_id("contacts", "7")


def test_a_merged_contact_has_a_new_id_that_old_ids_lead_to_in_single_reads_alone(
    sandbox: Driver, client: Client
) -> None:
    """`hs_merged_object_ids` lists the old ones; a batch knows none of them."""
    api = client.hubspot.crm.contacts.basic_api
    made = [
        api.create(SimplePublicObjectInputForCreate(properties={"email": f"{number}@example.com"})).id
        for number in range(2)
    ]
    merged = api.merge({"primaryObjectId": made[0], "objectIdToMerge": made[1]})
    assert merged.id not in made
    for old in made:
        found = client.hubspot.crm.objects.basic_api.get_by_id(
            "0-1", old, properties=["hs_merged_object_ids"]
        )
        assert found.id == merged.id
        assert found.properties["hs_merged_object_ids"] == ";".join(made)
    batch = read(client, "0-1", [*made, merged.id], [])
    assert [one.id for one in batch.results] == [merged.id]
    assert batch.errors[0].context["ids"] == made


def test_an_archived_record_is_gone_but_for_who_asks_for_archived_ones(
    sandbox: Driver, client: Client
) -> None:
    """404 by itself, missing in a batch."""
    record = sandbox.contact()["planned"][0]["id"]
    one = BatchInputSimplePublicObjectId(inputs=[SimplePublicObjectId(id=record)])
    client.hubspot.crm.objects.batch_api.archive("credentialing", one)
    with pytest.raises(ApiException, match="404"):
        client.hubspot.crm.objects.basic_api.get_by_id("credentialing", record)
    assert read(client, "credentialing", [record], []).errors[0].context["ids"] == [record]
    archived = read(client, "credentialing", [record], [], archived=True).results[0]
    assert (archived.id, archived.archived) == (record, True)
    assert archived.archived_at is not None


def test_records_are_listed_page_by_page(sandbox: Driver, client: Client) -> None:
    """Until no `paging.next.after` is left."""
    sandbox.do("/contacts", {"count": 5, "quiet": True})
    api = client.hubspot.crm.objects.basic_api
    first = api.get_page("contacts", limit=3)
    second = api.get_page("contacts", limit=3, after=first.paging.next.after)
    assert len({one.id for one in [*first.results, *second.results]}) == 5
    assert second.paging is None


def statuses(sandbox: Driver) -> list[int]:
    """What HubSpot's calls were answered with so far."""
    return [one["status"] for one in sandbox.do("/requests", method="GET")["requests"]]
