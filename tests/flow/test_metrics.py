"""The figures of a running service tell what it did, as its sandbox's log has it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.flow.forms import ca
from tests.flow.world import World, someone, until


def test_calls_rounds_and_records_are_counted_as_they_happened(here: World) -> None:
    therapist, contact = someone(), here.contact()
    here.sign_up(therapist, contact)
    here.submit(therapist, ca())
    here.until_state(therapist, "in_sync")

    def total(name: str, **having: str) -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(here.api.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and having.items() <= sample.labels.items()
        )

    written = sum(record["writes"] for record in here.records(contact).values())
    until(
        lambda: total("credsync_round_records_total") == written > 0,
        10,
        "every record that was sent is counted",
    )
    asked = here.hubspot.get("/_sandbox/requests", params={"kind": "associations"}).json()["requests"]
    assert total("credsync_hubspot_calls_total", bucket="associations") == len(asked) > 0
    assert total("credsync_round_seconds_count") >= 1
    assert total("credsync_therapists", state="in_sync") == 1
