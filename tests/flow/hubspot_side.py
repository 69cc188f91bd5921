"""What happens in HubSpot in a test: workflows, people and the calling backend change it, and the truth about it."""

from __future__ import annotations

from typing import Any

import httpx2


class HubSpotSide:
    """The sandbox as a test moves it and asks it. Calls that go to HubSpot itself count as a person's."""

    def __init__(self, url: str) -> None:
        self.by_people: set[str] = set()
        """Correlation ids of calls that were not credsync's."""
        self.slow: set[int] = set()
        """Faults that delay an answer and do nothing else."""
        hooks = {"response": [self._note_person]}
        self.hubspot = httpx2.Client(base_url=url, timeout=30, event_hooks=hooks)
        self.hubspot.put("/_sandbox/settings", json={"journal": True}).raise_for_status()

    def contact(self, **planned: Any) -> str:
        """Make a contact in HubSpot, whose records its workflows will create; gives its id."""
        answer = self.hubspot.post("/_sandbox/contacts", json=planned)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def advance(self, span: str) -> None:
        """Let sandbox time jump."""
        self.hubspot.post("/_sandbox/time", json={"advance": span}).raise_for_status()

    def fault(self, **fault: Any) -> None:
        """Make HubSpot misbehave."""
        answer = self.hubspot.post("/_sandbox/faults", json=fault)
        assert answer.status_code == 201, answer.text
        if "answer" not in fault:
            self.slow.add(answer.json()["id"])

    def faults_met(self) -> int:
        """How many calls have met a fault that is still set."""
        return sum(fault["hits"] for fault in self.hubspot.get("/_sandbox/faults").json()["faults"])

    def change(self, action: str, **body: Any) -> dict[str, Any]:
        """Somebody changes a record in HubSpot: `delete`, `unlink`, `move`, …; gives what it then is."""
        answer = self.hubspot.post(f"/_sandbox/records/{action}", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def esu(self, contact: str, **order: Any) -> str:
        """The calling backend makes a second Credentialing and moves the labels to it; gives its id."""
        answer = self.hubspot.post("/_sandbox/esu", json={"contact": contact, **order})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["record"]["id"])

    def record(self, contact: str, record_id: str) -> dict[str, Any]:
        """The truth about one record of a contact, in a slot or not."""
        truth = self.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
        found: dict[str, Any] = next(record for record in truth["records"] if record["id"] == record_id)
        return found

    def records(self, contact: str) -> dict[str, dict[str, Any]]:
        """The truth: the contact's records by slot."""
        truth = self.hubspot.get(f"/_sandbox/truth/contacts/{contact}").json()
        return {slot: record for record in truth["records"] for slot in record["slots"]}

    def looks(self, contact: str) -> int:
        """How many looks at this contact HubSpot has answered."""
        return len(
            [
                r
                for r in self.requests()
                if r["call"] == "associations batch/read"
                and f'"{contact}"' in r["text"]
                and r["status"] == 200
            ]
        )

    def tries(self, record_id: str) -> int:
        """How many updates have named this record."""
        updates = (r for r in self.requests() if r["call"] == "objects batch/update")
        return len([r for r in updates if f'"{record_id}"' in r["text"]])

    def requests(self) -> list[dict[str, Any]]:
        """Every call HubSpot got."""
        return list(self.hubspot.get("/_sandbox/requests").json()["requests"])

    def history(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Every change and the truth at their end, read again until nothing happens meanwhile."""
        journal = self._journal()
        while True:
            truth: list[dict[str, Any]] = self.hubspot.get("/_sandbox/truth").json()["contacts"]
            again = self._journal()
            if again["last_seq"] == journal["last_seq"]:
                return again["changes"], truth
            journal = again

    def _journal(self) -> dict[str, Any]:
        told: dict[str, Any] = self.hubspot.get("/_sandbox/journal").json()
        return told

    def _note_person(self, response: httpx2.Response) -> None:
        correlation_id = response.headers.get("X-HubSpot-Correlation-Id")
        if correlation_id:
            self.by_people.add(correlation_id)
