"""`/_sandbox/requests`, `/journal`, `/time`, `/settings`, `/webhooks`, `/schema`, `/health`."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.reading import (
    BadRequest,
    answer,
    flag,
    json_body,
    needed,
    number,
    seconds,
    share,
    table,
    text,
)
from credsync_sandbox.portal.export import drop_label, export, put_label
from credsync_sandbox.portal.property import property_of
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.settings import Settings
from credsync_sandbox.world.times import iso_ms, iso_us


async def requests(sandbox: Sandbox, request: Request) -> Response:
    """GET requests: after the number `since`, of one `kind`, at most `limit`."""
    query = request.query_params
    since, limit = query.get("since", "0"), query.get("limit")
    if not since.isdigit() or not (limit is None or limit.isdigit()):
        raise BadRequest("since and limit must be whole numbers")
    found = sandbox.gate.log.since(int(since), query.get("kind"), None if limit is None else int(limit))
    return answer({"requests": [entry.as_json() for entry in found], "last_seq": sandbox.gate.log.seq})


async def summary(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """GET requests/summary: counts since the last reset."""
    return answer(sandbox.gate.log.summary())


async def journal(sandbox: Sandbox, request: Request) -> Response:
    """GET journal: every change of a record after the number `since`, while the setting `journal` is on."""
    since = request.query_params.get("since", "0")
    if not since.isdigit():
        raise BadRequest("since must be a whole number")
    kept = sandbox.world.journal
    sandbox.settle()
    return answer({"changes": kept.since(int(since)), "last_seq": kept.seq} if kept else {"changes": []})


async def reset_requests(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """DELETE requests."""
    removed = len(sandbox.gate.log.entries)
    sandbox.gate.log.clear()
    return answer({"removed": removed})


async def time_now(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """GET time"""
    sandbox.settle()
    return answer(_time(sandbox))


async def advance(sandbox: Sandbox, request: Request) -> Response:
    """POST time: `{"advance": "1h"}`, or `{"to_next": true}` to the next step that is due."""
    body = table(await json_body(request), "body", ("advance", "to_next"))
    world = sandbox.world
    if flag(body, "to_next"):
        due = world.steps.next_due()
        world.clock.advance(0.0 if due is None else max(due - world.clock.now(), 0.0))
    else:
        needed({"advance": str(body["advance"]) if "advance" in body else None}, "advance")
        world.clock.advance(seconds(body, "advance"))
    sandbox.settle()
    if sandbox.state is not None:
        sandbox.state.save_time(world)
    return answer(_time(sandbox))


def _time(sandbox: Sandbox) -> dict[str, Any]:
    world = sandbox.world
    now, due = world.clock.now(), world.steps.next_due()
    return {
        "wall": iso_us(world.clock.wall()),
        "sandbox": iso_us(now),
        "ahead_s": round(world.clock.leap(), 6),
        "speed": world.clock.speed,
        "pending": len(world.steps),
        "next_due_in_s": None if due is None else round(due - now, 6),
    }


async def settings(sandbox: Sandbox, request: Request) -> Response:
    """GET settings; PUT settings changes those it names."""
    held = sandbox.world.settings
    if request.method == "PUT":
        body = table(await json_body(request), "body", tuple(each.name for each in fields(Settings)))
        changed = Settings(**{**asdict(held), **body})
        if changed.refusals_tell not in ("all", "names", "nothing"):
            raise BadRequest(f"refusals_tell: {changed.refusals_tell!r}; there are all, names and nothing")
        share(body, "webhooks_doubled")
        for name in body:
            _check_setting(name, getattr(Settings(), name), getattr(changed, name))
        for name in body:
            setattr(held, name, getattr(changed, name))
    return answer(asdict(held))


def _check_setting(name: str, usual: Any, given: Any) -> None:
    right = (
        given is None or (isinstance(given, list) and all(isinstance(one, str) for one in given))
        if name in ("tokens", "scopes")
        else isinstance(given, list)
        if name == "rules"
        else isinstance(given, bool) == isinstance(usual, bool)
        and isinstance(given, int | float if isinstance(usual, int | float) else type(usual))
        and not (isinstance(given, int | float) and given < 0)
    )
    if not right:
        raise BadRequest(f"{name}: {given!r} is not a {type(usual).__name__} that this setting takes")


async def schema(sandbox: Sandbox, request: Request) -> Response:
    """GET schema: in the shape of `--schema`. PUT and DELETE change one property or one label."""
    world = sandbox.world
    if request.method != "GET":
        body = table(await json_body(request), "body", ("object", "property", "label", "maxToObjectIds"))
        found = world.schema.by_key.get(needed(body, "object"))
        if found is None:
            raise BadRequest(f"object: no object {body['object']!r}")
        label = text(body, "label")
        if label is not None:
            if request.method == "PUT":
                put_label(world.schema, found, label, number(body, "maxToObjectIds"))
            else:
                drop_label(world.schema, found, label)
            world.links.forget_json()
        elif request.method == "PUT":
            given = body.get("property")
            if not isinstance(given, dict) or not isinstance(given.get("name"), str):
                raise BadRequest('property: must be an object with a "name"')
            usual = found.properties.get(given["name"])
            found.properties[given["name"]] = property_of({**(usual.definition if usual else {}), **given})
        else:
            found.properties.pop(needed(body, "property"), None)
    held = world.settings
    return answer(export(world.schema, held.time_zone, held.ui_domain, iso_ms(world.started)))


async def health(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """GET health"""
    world = sandbox.world
    return answer(
        {
            "status": "ok",
            "portal_id": str(world.schema.portal_id),
            "speed": world.clock.speed,
            "contacts": len(world.records.of(world.contact_type.type_id)),
            "objects": {found.key: found.type_id for found in world.schema.types.values()},
        }
    )
