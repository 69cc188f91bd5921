"""The edge end to end, against the sandbox in a process of its own: what both read out of HubSpot's rules agrees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2
import pytest

from credsync.core.observations import Seen
from credsync.core.properties import shape
from credsync.core.verdicts import Outcome
from credsync.hubspot.associations import read_associations
from credsync.hubspot.client import CallRecord, HubSpotClient
from credsync.hubspot.isolate import update_records
from credsync.hubspot.objects import Missing, Record, RecordInput, batch_read
from credsync.hubspot.pacing import Pacing
from credsync.hubspot.schema import WantedObject, account_details, read_schema

pytestmark = pytest.mark.anyio

SPEED = 20.0
CALLS = 15
PORTAL = """
[hubspot]
base_url = "https://api.hubapi.com"
portal_id = "1234567"
[objects.credentialing]
name = "credentialing"
parent = "contact"
[objects.license]
name = "license"
parent = "credentialing"
[slots.active]
object = "credentialing"
label = "Active Attested"
awaited = "always"
[slots.license]
object = "license"
each = "license_state"
awaited = "submitted"
[definitive]
ca = [{ slot = "active" }]
[[writes]]
form = "ca"
to = "definitive"
fields = { npi = "npi_and_caqh.npi", medicare = "npi_and_caqh.medicare_status" }
values.medicare = { enrolled = "Yes", not_enrolled = "No" }
"""
WANTED = [WantedObject("credentialing", "credentialing"), WantedObject("license", "license", "credentialing")]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    portal = tmp_path_factory.mktemp("portals") / "alpha.toml"
    portal.write_text(PORTAL)
    options = ["--port", "0", "--delay", "0s", "--speed", str(SPEED), "--portal", str(portal)]
    command = [sys.executable, "-m", "credsync_sandbox", *options, "--calls-per-10s", str(CALLS)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def a_client(url: str, version: str, told: list[CallRecord]) -> HubSpotClient:
    pacing = Pacing(CALLS, 150, speed=SPEED)
    return HubSpotClient(url, "any-token", version, pacing, speed=SPEED, on_call=told.append)


@pytest.fixture(autouse=True)
async def a_fresh_window() -> None:
    """What an earlier test's client sent counts against this one's limit too."""
    await anyio.sleep(10.5 / SPEED)


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
async def test_looked_up_looked_at_written_and_read_back(sandbox: str, version: str) -> None:
    """150 contacts of whom one never gets a record, two bad values and one deleted record."""
    told: list[CallRecord] = []
    async with httpx2.AsyncClient(base_url=f"{sandbox}/_sandbox", trust_env=False) as control:
        order = {
            "contacts": [{"count": 150, "licenses": ["NY"], "quiet": True}, {"slots": [], "quiet": True}]
        }
        made = (await control.post("/contacts", json=order)).json()["contacts"]
        contacts = [each["id"] for each in made]
        async with a_client(sandbox, version, told) as client:
            account = await account_details(client)
            schema = await read_schema(client, WANTED, contact_properties=True)
            assert (account.portal_id, schema.faults) == ("1234567", ())
            credentialing, license_ = schema.objects["credentialing"], schema.objects["license"]
            label = credentialing.labels["Active Attested"]

            before = len(told)
            sights = await read_associations(client, "0-1", credentialing.type_id, contacts)
            assert len(told) - before == 1
            assert sights.pop(contacts[-1]) == Seen()
            records = [seen.associations[0].record_id for seen in sights.values() if isinstance(seen, Seen)]
            assert all(
                isinstance(seen, Seen) and seen.associations[0].type_ids & label for seen in sights.values()
            )
            hops = await read_associations(client, credentialing.type_id, license_.type_id, records)
            assert all(isinstance(seen, Seen) and len(seen.associations) == 1 for seen in hops.values())

            await control.post("/records/delete", json={"object": "credentialing", "id": records[9]})
            medicare = shape("enrolled", credentialing.properties["medicare"], {"enrolled": "Yes"})
            inputs = [
                RecordInput(each, {"npi": f"10000{n:05}", "medicare": medicare})
                for n, each in enumerate(records)
            ]
            for bad in (3, 4):
                inputs[bad] = RecordInput(records[bad], {"npi": "1", "medicare": f"Perhaps {bad}"})
            before = len(told)
            verdicts = await update_records(client, credentialing.type_id, inputs)
            assert len(told) - before == 4, "two chunks; the refused one in two parts more"
            outcomes = [verdicts[each].outcome for each in records]
            assert outcomes[3] is outcomes[4] is Outcome.PARTIAL
            assert outcomes[9] is Outcome.MISSING
            assert {each for n, each in enumerate(outcomes) if n not in (3, 4, 9)} == {Outcome.WRITTEN}
            assert verdicts[records[3]].faults[0].name == "medicare"
            assert verdicts[records[0]].created_at is not None
            assert all(verdict.correlation_ids for verdict in verdicts.values())

            found = await batch_read(client, credentialing.type_id, records[:10], ["npi", "medicare"])
            first, third = found[records[0]], found[records[3]]
            assert isinstance(first, Record)
            assert (first.properties["npi"], first.properties["medicare"]) == ("1000000000", "Yes")
            assert isinstance(third, Record)
            assert (third.properties["npi"], third.properties.get("medicare")) == ("1", None)
            assert found[records[9]] == Missing()
    assert {each.status for each in told} <= {200, 207, 400, 404}


@pytest.mark.parametrize("version", ["2026-09", "2026-03"])
@pytest.mark.parametrize("traces", [False, True])
@pytest.mark.parametrize("tells", ["all", "names", "nothing"])
async def test_whatever_a_refusal_tells_and_in_which_form_the_bad_value_alone_is_missing(
    sandbox: str, version: str, traces: bool, tells: str
) -> None:
    """400 for all or 207 (200 with errors) for one; told with the value, with the property, or not at all."""
    async with httpx2.AsyncClient(base_url=f"{sandbox}/_sandbox", trust_env=False) as control:
        await control.put("/settings", json={"refusals_tell": tells, "trace_errors": traces})
        made = (await control.post("/contacts", json={"contacts": [{"count": 20, "quiet": True}]})).json()
        contacts = [each["id"] for each in made["contacts"]]
        async with a_client(sandbox, version, []) as client:
            type_id = (await read_schema(client, WANTED)).objects["credentialing"].type_id
            sights = await read_associations(client, "0-1", type_id, contacts)
            records = [seen.associations[0].record_id for seen in sights.values() if isinstance(seen, Seen)]
            good = {"npi": "1", "medicare": "Yes"}
            inputs = [
                RecordInput(each, good | ({"medicare": "Perhaps"} if n == 7 else {}))
                for n, each in enumerate(records)
            ]
            verdicts = await update_records(client, type_id, inputs)
            found = await batch_read(client, type_id, records, list(good))
        await control.put("/settings", json={"refusals_tell": "all", "trace_errors": False})
    bad = verdicts.pop(records[7])
    assert {each.outcome for each in verdicts.values()} == {Outcome.WRITTEN}
    assert (bad.outcome, [each.name for each in bad.faults]) == (Outcome.PARTIAL, ["medicare"])
    assert bad.faults[0].code == ("VALIDATION_ERROR" if tells == "nothing" else "INVALID_OPTION")
    for n, record in enumerate(records):
        reading = found[record]
        assert isinstance(reading, Record)
        assert (reading.properties["npi"], reading.properties["medicare"]) == ("1", None if n == 7 else "Yes")


async def test_a_rush_never_meets_the_limit(sandbox: str) -> None:
    """Five times the limit at once: the sandbox's own log has no 429, and not much time was lost."""
    told: list[CallRecord] = []
    async with a_client(sandbox, "2026-09", told) as client:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                for _ in range(5 * CALLS):
                    tasks.start_soon(client.call, client.routes.schemas())
    assert [each.status for each in told] == [200] * 5 * CALLS
