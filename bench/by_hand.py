"""Two other ways to write many records: one call each, as before this service, and HubSpot's own Python client.

Both are given the record ids, as columns filled earlier would hold them, so that only the writing is compared. Each
does what its author would have written on a good day, and no more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from hubspot import HubSpot  # type: ignore[import-untyped]
from hubspot.crm.objects import (  # type: ignore[import-untyped]
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    SimplePublicObjectBatchInput,
    SimplePublicObjectInput,
)

MOST = 100
TRIES = 3
PAUSE = 10.0
"""HubSpot seconds before the next try of a call that met the limit: its window, and its documentation's advice."""


@dataclass(frozen=True, slots=True)
class Update:
    """One record's values."""

    object: str
    record_id: str
    properties: Mapping[str, str]


@dataclass(slots=True)
class Said:
    """What a way knows in the end: records it was told are bad or gone. All else it takes for written, or lost."""

    named: set[str] = field(default_factory=set)


TakeApart = Callable[[Any, str, Sequence[Update], Said, float], None]
"""What is done about a refused batch."""


def one_by_one(url: str, updates: Sequence[Update], speed: float) -> Said:  # noqa: ARG001 - it never waits
    """The old way: a call per record; whatever goes wrong is an error in the tracker, and nothing tries again."""
    said = Said()
    headers = {"Authorization": "Bearer an-old-token"}
    with httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
        for each in updates:
            path = f"/crm/v3/objects/{each.object}/{each.record_id}"
            answer = http.patch(path, json={"properties": dict(each.properties)})
            if answer.status_code in (400, 404):
                said.named.add(each.record_id)
    return said


def record_ids(url: str, contacts: Sequence[str], objects: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The record of each slot by contact, as HubSpot's client reads it; `objects` are the slots' object types."""
    read = HubSpot(access_token="a-token", host=url, base_url=url).crm.associations.v4.batch_api.get_page
    found: dict[str, dict[str, str]] = {}
    for slot, kind in objects.items():
        for start in range(0, len(contacts), 1_000):
            inputs = [{"id": contact} for contact in contacts[start : start + 1_000]]
            for each in read("0-1", kind, {"inputs": inputs}).results:
                found.setdefault(each._from.id, {})[slot] = str(each.to[0].to_object_id)
    return found


def sdk_in_batches(url: str, updates: Sequence[Update], speed: float, *, halve: bool = False) -> Said:
    """HubSpot's client, a hundred a call: a met limit is waited for, up to three tries.

    A refused batch goes one by one, as most write it; or it is halved, down to the property, as the patient do.
    """
    take_apart = _in_halves if halve else _one_by_one
    api = HubSpot(access_token="a-token-of-the-sandbox", host=url).crm.objects
    said = Said()
    by_object: dict[str, list[Update]] = {}
    for each in updates:
        by_object.setdefault(each.object, []).append(each)
    for kind, those in by_object.items():
        for start in range(0, len(those), MOST):
            _batch(api, kind, those[start : start + MOST], said, speed, take_apart)
    return said


def _batch(
    api: Any, kind: str, updates: Sequence[Update], said: Said, speed: float, take_apart: TakeApart
) -> None:
    inputs = [SimplePublicObjectBatchInput(id=u.record_id, properties=dict(u.properties)) for u in updates]
    body = BatchInputSimplePublicObjectBatchInput(inputs=inputs)

    def send() -> Any:
        return api.batch_api.update(kind, batch_input_simple_public_object_batch_input=body)

    try:
        answer = _patiently(send, speed)
    except ApiException as error:
        if error.status == 400:
            take_apart(api, kind, updates, said, speed)
        return
    for fault in getattr(answer, "errors", None) or []:
        said.named |= set(fault.context.get("ids", []))


def _one_by_one(api: Any, kind: str, updates: Sequence[Update], said: Said, speed: float) -> None:
    for each in updates:
        _alone(api, kind, each, said, speed)


def _in_halves(api: Any, kind: str, updates: Sequence[Update], said: Said, speed: float) -> None:
    """Halves of a batch; of a single record its properties, of which the last one left is the bad one."""
    if len(updates) > 1:
        middle = len(updates) // 2
        parts = [updates[:middle], updates[middle:]]
    elif len(updates[0].properties) > 1:
        parts = [
            [replace(updates[0], properties={name: value})] for name, value in updates[0].properties.items()
        ]
    else:
        said.named.add(updates[0].record_id)
        return
    for part in parts:
        _batch(api, kind, part, said, speed, _in_halves)


def _alone(api: Any, kind: str, update: Update, said: Said, speed: float) -> None:
    values = SimplePublicObjectInput(properties=dict(update.properties))

    def send() -> Any:
        return api.basic_api.update(kind, update.record_id, simple_public_object_input=values)

    try:
        _patiently(send, speed)
    except ApiException as error:
        if error.status in (400, 404):
            said.named.add(update.record_id)


def _patiently(send: Any, speed: float) -> Any:
    for left in reversed(range(TRIES)):
        try:
            return send()
        except ApiException as error:
            if error.status != 429 or not left:
                raise
            time.sleep(_asked(error) / speed)
    raise AssertionError("the last try returns or raises")


def _asked(error: ApiException) -> float:
    asked = (error.headers or {}).get("Retry-After")
    return float(json.loads(asked)) if asked else PAUSE
