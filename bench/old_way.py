"""The way before this one, and polling per contact: a client that really calls, and models of what each leaves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import httpx2

from bench.portal import OBJECTS, SLOTS, Applicant
from bench.processes import BenchFailed

LOOKS_AFTER = 60.0
"""Seconds after sign-up of its one look."""
POLLS_EVERY = 5.0


class OldClient:
    """One contact at a time: an association read per object type, then one update per record found."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": "Bearer an-old-token"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def sync(self, contact_id: str, records: Mapping[str, Mapping[str, str]]) -> int:
        """One contact's only look, and the writes it allows; gives how many records were written."""
        found = {slot: self._look(contact_id, OBJECTS[slot]) for slot in SLOTS}
        written = 0
        for slot, properties in records.items():
            for record_id in found[slot][:1]:
                path = f"/crm/v3/objects/{OBJECTS[slot]}/{record_id}"
                self._checked(self._http.patch(path, json={"properties": dict(properties)}))
                written += 1
        return written

    def sync_all(self, people: Iterable[tuple[Applicant, str]], writes: int) -> int:
        """Everybody, one after another; gives how many records were written."""
        return sum(self.sync(contact, applicant.expected(writes)) for applicant, contact in people)

    def _look(self, contact_id: str, object_name: str) -> Sequence[str]:
        body = {"inputs": [{"id": contact_id}]}
        path = f"/crm/v4/associations/contact/{object_name}/batch/read"
        results = self._checked(self._http.post(path, json=body)).json()["results"]
        return [str(each["toObjectId"]) for result in results for each in result["to"]]

    def _checked(self, answer: httpx2.Response) -> httpx2.Response:
        if not answer.is_success:
            raise BenchFailed(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
        return answer


def lost_by_one_look(lateness: Iterable[float]) -> float:
    """The share of records that one look after 60 s never sees.

    >>> lost_by_one_look([10, 59, 60, 61, 300])
    0.4
    """
    late = list(lateness)
    return sum(1 for each in late if each > LOOKS_AFTER) / len(late)


def calls_of_polling(lateness: float, writes: int, types: int = len(SLOTS)) -> int:
    """What polling one contact alone costs: every 5 s a look per object type until all is there, then its updates.

    >>> calls_of_polling(12.0, writes=2), calls_of_polling(0.0, writes=2)
    (11, 5)
    """
    looks = max(1, math.ceil(lateness / POLLS_EVERY))
    return looks * types + writes


def lag_of_polling(lateness: float) -> float:
    """How long after a record came polling sees it.

    >>> lag_of_polling(12.0)
    3.0
    """
    return max(1, math.ceil(lateness / POLLS_EVERY)) * POLLS_EVERY - lateness
