"""The one place where foreign answers and exceptions become ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2

from credsync.core.verdicts import Effect
from credsync.hubspot import wire
from credsync.hubspot.errors import (
    Conflict,
    ErrorItem,
    Forbidden,
    HubSpotError,
    Invalid,
    MissingScopes,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)

CORRELATION_HEADER = "x-hubspot-correlation-id"
PAUSE_WITHOUT_A_WORD = 10.0
LOCKED_FOR = 2.0

_REFUSALS: dict[int, type[HubSpotError]] = {
    400: Invalid,
    413: Invalid,
    422: Invalid,
    404: NotFound,
    409: Conflict,
}


def of_exception(fault: Exception, *, writes: bool) -> HubSpotError:
    """What a call that got no answer means. Its text is ours: httpx's may hold more than a log should."""
    if isinstance(fault, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Unavailable("HubSpot could not be reached in time", effect=Effect.NOT_SENT, code="unreachable")
    if isinstance(fault, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol):
        return Unavailable("HubSpot could not be reached", effect=Effect.NOT_SENT, code="unreachable")
    effect = in_doubt(writes)
    if isinstance(fault, httpx2.TimeoutException | TimeoutError):
        return Unavailable("HubSpot did not answer in time", effect=effect, code="timeout")
    if isinstance(fault, httpx2.DecodingError):
        return Unavailable("HubSpot's answer could not be unpacked", effect=effect, code="garbled_answer")
    return Unavailable("the connection to HubSpot broke", effect=effect, code="disconnected")


def of_answer(
    status: int, headers: Mapping[str, str], body: dict[str, Any] | None, *, writes: bool
) -> HubSpotError:
    """What an answer other than a good 2xx means; `body` is None when it was no JSON object."""
    content = body or {}
    context = wire.mapping(content.get("context"))
    items = error_items(content)
    category = wire.word(content.get("category")) or wire.word(content.get("errorType"))
    details: dict[str, Any] = {
        "status": status,
        "category": category,
        "sub_category": wire.word(content.get("subCategory")),
        "correlation_id": correlation_id(headers, content),
        "items": items,
        "retry_after": retry_after(headers),
    }
    if status == 401:
        return Unauthorized("HubSpot does not accept the token (401)", effect=Effect.NOT_SENT, **details)
    if status == 403:
        return _forbidden(content, context, details)
    if status == 429:
        return _rate_limited(headers, content, details)
    if status in (423, 477):
        return _busy(status, details)
    if status in _REFUSALS or (400 <= status < 500 and status != 408):
        return _refusal(status, details, ours=body is not None)
    if 300 <= status < 400:
        return Unavailable(
            f"HubSpot answered with a redirect ({status}), which is not followed",
            effect=Effect.NOT_SENT,
            code="redirected",
            **details,
        )
    code = "timeout" if status == 408 else "server_error"
    return Unavailable(f"HubSpot failed ({status})", effect=in_doubt(writes), code=code, **details)


def of_nonsense(
    status: int, headers: Mapping[str, str], code: str, *, writes: bool, what: str
) -> HubSpotError:
    """A 2xx that says nothing one could use: `empty_answer`, `garbled_answer`, `too_large`."""
    return Unavailable(
        f"HubSpot's answer ({status}) {what}",
        effect=in_doubt(writes),
        code=code,
        status=status,
        correlation_id=correlation_id(headers, {}),
    )


def in_doubt(writes: bool) -> Effect:
    """A read that failed changed nothing; a write may have been carried out."""
    return Effect.UNKNOWN if writes else Effect.NOT_SENT


def correlation_id(headers: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """The id HubSpot's support asks for: in a header, or in the body of an error."""
    return wire.word(headers.get(CORRELATION_HEADER)) or wire.word(body.get("correlationId"))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds; HubSpot writes numbers, never dates."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10_000_000 else None


def error_items(body: Mapping[str, Any]) -> tuple[ErrorItem, ...]:
    """Every fault the body tells of: the entries of `errors`, and the fuller list that hides in `message`.

    In a partly failed batch each entry is a refusal of its own, with such a list of faults for its record.
    """
    found = [item for entry in wire.listing(body.get("errors")) for item in _items(wire.mapping(entry))]
    hidden = [_item(wire.mapping(entry)) for entry in _hidden_in(wire.text(body.get("message")))]
    known = {(item.code, item.properties, item.evidence) for item in found if not item.values}
    found += [item for item in hidden if (item.code, item.properties, item.evidence) not in known]
    return tuple(item for item in found if item != ErrorItem())


def count_nobodys(body: Mapping[str, Any]) -> int:
    """How many entries of `errors` say neither an id nor a trace id."""
    found = (_item(wire.mapping(entry)) for entry in wire.listing(body.get("errors")))
    return sum(1 for item in found if not item.ids and not item.trace_ids)


def _items(entry: Mapping[str, Any]) -> list[ErrorItem]:
    own = _item(entry)
    within = [_item(wire.mapping(each)) for each in wire.listing(entry.get("errors"))]
    told = {(item.code, item.properties) for item in within}
    hidden = (_item(wire.mapping(each)) for each in _hidden_in(wire.text(entry.get("message"))))
    within += [item for item in hidden if (item.code, item.properties) not in told]
    if own.properties or not within:
        return [own]
    return [
        replace(
            each,
            category=each.category or own.category,
            sub_category=each.sub_category or own.sub_category,
            ids=own.ids,
            trace_ids=own.trace_ids,
        )
        for each in within
    ]


def _item(entry: Mapping[str, Any]) -> ErrorItem:
    context = wire.mapping(entry.get("context"))
    named = wire.words(
        context.get("propertyName"), context.get("name"), entry.get("name"), entry.get("propertyName")
    )
    return ErrorItem(
        code=wire.word(entry.get("code"))
        or wire.word(entry.get("error"))
        or wire.word(entry.get("errorType")),
        category=wire.word(entry.get("category")),
        sub_category=wire.word(entry.get("subCategory")),
        properties=named,
        ids=wire.record_ids(
            *(context.get(key) for key in ("ids", "id", "objectId", "fromObjectId", "fromObjectIds"))
        ),
        trace_ids=wire.words(context.get("objectWriteTraceId"), entry.get("objectWriteTraceId")),
        evidence=wire.text(entry.get("message")),
        values=wire.texts(
            *(each.get(key) for each in (context, entry) for key in ("propertyValue", "value"))
        ),
    )


def _hidden_in(message: str) -> list[Any]:
    """The JSON array inside `Property values were not valid: [{…}]`."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return []
    return wire.listing(found)


def _forbidden(content: dict[str, Any], context: dict[str, Any], details: dict[str, Any]) -> HubSpotError:
    contexts = [
        context,
        *(wire.mapping(wire.mapping(each).get("context")) for each in wire.listing(content.get("errors"))),
    ]
    scopes = wire.words(
        *(each.get(key) for each in contexts for key in ("requiredGranularScopes", "requiredScopes"))
    )
    if scopes or details["category"] == "MISSING_SCOPES":
        named = ", ".join(scopes) or "HubSpot does not say which"
        message = f"the token lacks a scope (403): {named}"
        return MissingScopes(message, effect=Effect.NOT_SENT, scopes=scopes, **details)
    return Forbidden("HubSpot does not allow this call (403)", effect=Effect.NOT_SENT, **details)


def _rate_limited(
    headers: Mapping[str, str], content: dict[str, Any], details: dict[str, Any]
) -> HubSpotError:
    policy = wire.word(content.get("policyName"))
    said = f"{policy} {wire.text(content.get('message'))}".lower()
    daily = "daily" in said or headers.get("x-hubspot-ratelimit-daily-remaining", "").strip() == "0"
    if details["retry_after"] is None and not daily:
        details["retry_after"] = PAUSE_WITHOUT_A_WORD
    code = "rate_limited_daily" if daily else "rate_limited"
    message = "HubSpot's daily limit is used up (429)" if daily else "HubSpot's rate limit was met (429)"
    error = RateLimited(message, effect=Effect.NOT_SENT, code=code, **details)
    error.policy, error.daily = policy, daily
    return error


def _busy(status: int, details: dict[str, Any]) -> HubSpotError:
    if details["retry_after"] is None:
        details["retry_after"] = LOCKED_FOR
    code, what = (
        ("locked", "a record is locked") if status == 423 else ("migrating", "the account is being moved")
    )
    return Unavailable(f"HubSpot is busy: {what} ({status})", effect=Effect.NOT_SENT, code=code, **details)


def _refusal(status: int, details: dict[str, Any], *, ours: bool) -> HubSpotError:
    kind = _REFUSALS.get(status, Rejected)
    if ours:
        return kind(f"HubSpot refused the call ({status}{_named(details)})", effect=Effect.REFUSED, **details)
    if kind is NotFound:
        return NotFound("there is no such path at HubSpot (404)", effect=Effect.NOT_SENT, **details)
    message = f"something that does not speak like HubSpot refused the call ({status})"
    return Unavailable(message, effect=Effect.NOT_SENT, code="garbled_answer", **details)


def _named(details: dict[str, Any]) -> str:
    """The category, codes and property names of a refusal: all of it words, none of it values."""
    items: tuple[ErrorItem, ...] = details["items"]
    faults = dict.fromkeys(" ".join(filter(None, (*item.properties, item.code))) for item in items)
    said = [details["category"], *faults]
    return "".join(f"; {each}" for each in list(filter(None, said))[:12])
