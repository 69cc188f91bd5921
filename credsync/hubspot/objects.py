"""Writing and reading records in batches of 100: one verdict, one record, for each input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import anyio

from credsync.core.refusal_words import refused
from credsync.core.verdicts import Effect, Outcome, PropertyFault, Stamp, Verdict
from credsync.hubspot import translate, wire
from credsync.hubspot.client import Answer, HubSpotClient
from credsync.hubspot.errors import ErrorItem, HubSpotError, Invalid, NotFound

_T = TypeVar("_T")

MOST_INPUTS = 100
AT_ONCE = 16
"""Calls under way for one object type: 19 a second, which is the limit, at 0.8 s each."""
UNKNOWN_ID = "OBJECT_NOT_FOUND"

_OUTCOMES = {
    Effect.NOT_SENT: Outcome.NOT_SENT,
    Effect.REFUSED: Outcome.REFUSED,
    Effect.UNKNOWN: Outcome.UNKNOWN,
}
_LATER = frozenset(
    {"RATE_LIMIT", "RATE_LIMITS", "MIGRATION_IN_PROGRESS", "INVALID_AUTHENTICATION", "MISSING_SCOPES"}
)
_IN_DOUBT = frozenset({"INTERNAL_ERROR", "UNKNOWN", "TIMEOUT"})


@dataclass(frozen=True, slots=True)
class RecordInput:
    """What to put on one record. None clears a property; an empty `trace_id` stands for the id.

    `stamp` says how the one among the properties that is a stamp changes when others are left out.
    """

    id: str
    properties: Mapping[str, str | None]
    trace_id: str = ""
    stamp: Stamp | None = None

    @property
    def trace(self) -> str:
        return self.trace_id or self.id


@dataclass(frozen=True, slots=True)
class Record:
    """A record as HubSpot has it now."""

    id: str
    properties: Mapping[str, str | None]
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """HubSpot knows no record with this id: deleted, or merged into another."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """HubSpot did not answer for this id: nothing may be concluded."""

    code: str
    message: str
    effect: Effect = Effect.NOT_SENT
    retry_after: float | None = None
    scopes: tuple[str, ...] = ()


Reading = Record | Missing | NotRead


async def batch_update(
    client: HubSpotClient, type_id: str, inputs: Sequence[RecordInput]
) -> dict[str, Verdict]:
    """One call; a verdict for every input, whatever happened. Raises no HubSpotError."""
    sent = await send_batch(client, type_id, inputs)
    if isinstance(sent, Invalid):
        verdict = refused_whole(sent)
        return {each.id: verdict for each in inputs}
    return sent


async def send_batch(
    client: HubSpotClient, type_id: str, inputs: Sequence[RecordInput]
) -> dict[str, Verdict] | Invalid:
    """One call. A refusal of the whole batch is given as it came, for whoever can find its cause."""
    ids = {each.id for each in inputs}
    assert 0 < len(inputs) <= MOST_INPUTS, "a batch holds 1 to 100 inputs"
    assert len(ids) == len(inputs), "a batch holds each record once"
    body = {"inputs": [_as_json(each) for each in inputs]}
    try:
        answer = await client.call(client.routes.batch_update(type_id), body, inputs=len(inputs))
    except Invalid as refusal:
        return refusal
    except NotFound as error:
        return _not_found(error, inputs)
    except HubSpotError as error:
        verdict = failed(error)
        return {each.id: verdict for each in inputs}
    return _verdicts(answer, inputs)


async def batch_read(
    client: HubSpotClient, type_id: str, ids: Sequence[str], properties: Sequence[str]
) -> dict[str, Reading]:
    """Read these records, 100 a call, up to `AT_ONCE` of them at once. Raises no HubSpotError."""
    readings: dict[str, Reading] = {}
    seats = anyio.Semaphore(AT_ONCE)

    async def read(chunk: Sequence[str]) -> None:
        async with seats:
            readings.update(await _read_chunk(client, type_id, chunk, properties))

    async with anyio.create_task_group() as tasks:
        for chunk in chunks(list(dict.fromkeys(ids))):
            tasks.start_soon(read, chunk)
    return readings


async def single_read(client: HubSpotClient, type_id: str, record_id: str) -> Reading:
    """Read one record. Raises no HubSpotError.

    Only here does the id of a merged record lead to what it became: the answer's id is then another (HubSpot,
    merging records).
    """
    try:
        answer = await client.call(client.routes.single_read(type_id, record_id))
    except NotFound:
        return Missing()
    except HubSpotError as error:
        return NotRead(error.code, error.message, error.effect, error.retry_after, error.scopes)
    found = wire.record_id(answer.body.get("id"))
    if found is None:
        return NotRead("unanswered", "HubSpot's answer does not mention this record")
    return Missing() if answer.body.get("archived") is True else _record(found, answer.body)


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """In hundreds."""
    return (items[start : start + MOST_INPUTS] for start in range(0, len(items), MOST_INPUTS))


def failed(error: HubSpotError) -> Verdict:
    """A call that failed, as the verdict of each of its inputs."""
    return Verdict(
        _OUTCOMES[error.effect],
        error.code,
        error.message,
        correlation_ids=error.correlation_ids,
        retry_after=error.retry_after,
        scopes=error.scopes,
    )


def refused_whole(refusal: Invalid) -> Verdict:
    """A refusal of the whole batch, as the verdict of each of its inputs."""
    faults = property_faults(refusal.items)
    code = faults[0].code if faults else refusal.category or refusal.code
    return Verdict(Outcome.REFUSED, code, refusal.message, faults, refusal.correlation_ids)


def property_faults(items: Sequence[ErrorItem]) -> tuple[PropertyFault, ...]:
    """Every property the items name, once, with a message of ours."""
    faults: dict[str, PropertyFault] = {}
    for item in items:
        code = item.code or item.category or "REFUSED"
        for name in item.properties:
            faults.setdefault(name, PropertyFault(name, code, refused(name, code)))
    return tuple(faults.values())


def _as_json(record: RecordInput) -> dict[str, Any]:
    values = {name: "" if value is None else value for name, value in record.properties.items()}
    return {"id": record.id, "properties": values, "objectWriteTraceId": record.trace}


def _not_found(error: NotFound, inputs: Sequence[RecordInput]) -> dict[str, Verdict]:
    """A 404: of the records it names, or of the only one there is; else of the call, and no record's fault."""
    missing = {each for item in error.items for each in item.ids}
    if len(inputs) == 1 and UNKNOWN_ID in (error.category, error.sub_category.rpartition(".")[2]):
        missing.add(inputs[0].id)
    other = Verdict(Outcome.NOT_SENT, error.code, error.message, (), error.correlation_ids)
    return {each.id: _gone(error.correlation_ids) if each.id in missing else other for each in inputs}


def _gone(seen: tuple[str, ...]) -> Verdict:
    return Verdict(Outcome.MISSING, UNKNOWN_ID, "HubSpot knows no record with this id", (), seen)


def _verdicts(answer: Answer, inputs: Sequence[RecordInput]) -> dict[str, Verdict]:
    """Read a 200, a 207 or a 200 with errors folded in; an error about a record outweighs a result of it.

    Errors that name no record are those of the inputs left without a verdict, where there are as many of them.
    """
    seen = (answer.correlation_id,) if answer.correlation_id else ()
    known = {each.id for each in inputs}
    traces = {each.trace: each.id for each in inputs}
    results = wire.listing(answer.body.get("results"))
    items = translate.error_items(answer.body)
    if not results and not items:
        verdict = Verdict(
            Outcome.UNKNOWN, "empty_answer", "HubSpot's answer holds neither results nor errors", (), seen
        )
        return dict.fromkeys(known, verdict)
    verdicts: dict[str, Verdict] = {}
    for result in map(wire.mapping, results):
        record = wire.record_id(result.get("id"))
        if record not in known:
            record = traces.get(wire.word(result.get("objectWriteTraceId")))
        if record is not None and result.get("archived") is True:
            verdicts[record] = _gone(seen)
        elif record is not None:
            created = wire.moment(result.get("createdAt"))
            verdicts[record] = Verdict(Outcome.WRITTEN, correlation_ids=seen, created_at=created)
    hit: dict[str, list[ErrorItem]] = {}
    for item in items:
        named = {each for each in item.ids if each in known}
        for record in named | {traces[each] for each in item.trace_ids if each in traces}:
            hit.setdefault(record, []).append(item)
    verdicts.update({record: _of_items(those, seen) for record, those in hit.items()})
    left = [each.id for each in inputs if each.id not in verdicts]
    nobodys = [each for each in items if not each.ids and not each.trace_ids]
    if nobodys and len(left) == 1:
        verdicts[left[0]] = _of_items(nobodys, seen)
    elif nobodys and len(left) == translate.count_nobodys(answer.body):
        blank = _of_items([replace(each, code="", properties=()) for each in nobodys], seen)
        verdicts.update(dict.fromkeys(left, blank))
    silence = Verdict(
        Outcome.UNKNOWN, "no_verdict", "HubSpot's answer does not mention this record", (), seen
    )
    return {each.id: verdicts.get(each.id, silence) for each in inputs}


def _of_items(items: Sequence[ErrorItem], seen: tuple[str, ...]) -> Verdict:
    faults = property_faults(items)
    words = {
        each for item in items for each in (item.category, item.code, item.sub_category.rpartition(".")[2])
    }
    code = faults[0].code if faults else items[0].code or items[0].category or "refused"
    if UNKNOWN_ID in words:
        return _gone(seen)
    if words & _LATER:
        return Verdict(Outcome.NOT_SENT, code, f"HubSpot put this record off: {code}", (), seen)
    if words & _IN_DOUBT:
        return Verdict(Outcome.UNKNOWN, code, f"HubSpot failed at this record: {code}", (), seen)
    return Verdict(Outcome.REFUSED, code, f"HubSpot refused this record: {code}", faults, seen)


async def _read_chunk(
    client: HubSpotClient, type_id: str, ids: Sequence[str], properties: Sequence[str]
) -> dict[str, Reading]:
    body = {"inputs": [{"id": each} for each in ids], "properties": list(properties)}
    try:
        answer = await client.call(client.routes.batch_read(type_id), body, inputs=len(ids))
    except HubSpotError as error:
        return dict.fromkeys(
            ids, NotRead(error.code, error.message, error.effect, error.retry_after, error.scopes)
        )
    found: dict[str, Reading] = {}
    for item in translate.error_items(answer.body):
        missing = UNKNOWN_ID in (item.category, item.code, item.sub_category.rpartition(".")[2])
        code = item.code or item.category or "refused"
        fault = NotRead(code.lower(), f"HubSpot refused to read this record: {code}", Effect.REFUSED)
        found.update(dict.fromkeys(item.ids, Missing() if missing else fault))
    for result in map(wire.mapping, wire.listing(answer.body.get("results"))):
        record = wire.record_id(result.get("id"))
        if record is not None:
            found[record] = Missing() if result.get("archived") is True else _record(record, result)
    unanswered = NotRead("unanswered", "HubSpot's answer does not mention this record")
    return {each: found.get(each, unanswered) for each in ids}


def _record(record: str, result: Mapping[str, Any]) -> Record:
    values = wire.mapping(result.get("properties"))
    kept = {name: value for name, value in values.items() if value is None or isinstance(value, str)}
    created = wire.moment(result.get("createdAt")) or wire.moment(kept.get("hs_createdate"))
    return Record(record, kept, created)
