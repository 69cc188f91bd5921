"""`/_sandbox/contacts`, `/enrol`, `/esu`: people sign up, and their records come later."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.reading import (
    BadRequest,
    answer,
    convert,
    flag,
    json_body,
    needed,
    number,
    seconds,
    table,
    text,
    words,
)
from credsync_sandbox.hubspot.signup import contact_created
from credsync_sandbox.hubspot.values import check_values
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.world import changes
from credsync_sandbox.world.delays import CASES, parse_delay
from credsync_sandbox.world.extended import ExtendedSignUp, plan_extended
from credsync_sandbox.world.plans import BadPlan, Planned, SignUp, plan_sign_up
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

_ORDER = ("delay", "slots", "licenses", "never", "case", "moving", "spread", "link_delay", "records")
_CONTACT = ("id", "properties", "count", "quiet", *_ORDER)


async def make_contacts(sandbox: Sandbox, request: Request) -> Response:
    """POST contacts: one body, or a list of them, or `{"contacts": […]}`; `count` repeats a body without id."""
    body = await json_body(request)
    world = sandbox.world
    if isinstance(body, dict) and "contacts" in body:
        body = table(body, "body", ("contacts",))["contacts"]
    if not isinstance(body, list):
        one = table(body, "body", _CONTACT)
        if "count" not in one:
            made = _make(world, one)
            sandbox.settle()
            return answer(made, 201)
        body = [one]
    made_all = []
    for entry in body:
        checked = table(entry, "contacts", _CONTACT)
        made_all += [_make(world, checked) for _ in range(number(checked, "count", 1) or 0)]
    sandbox.settle()
    return answer({"contacts": made_all}, 201)


async def enrol(sandbox: Sandbox, request: Request) -> Response:
    """POST enrol: an administrator enrols a contact in its workflows again."""
    body = table(await json_body(request), "body", ("contact", *_ORDER))
    world = sandbox.world
    contact = contact_of(world, needed(body, "contact"))
    try:
        planned = plan_sign_up(world, contact, world.contacts_made, _order(world, body), world.clock.now())
    except BadPlan as error:
        raise BadRequest(str(error)) from error
    sandbox.settle()
    return answer(_told(world, contact, planned), 201)


async def extended_sign_up(sandbox: Sandbox, request: Request) -> Response:
    """POST esu: a second record takes the labels of the first, in several steps with pauses."""
    body = table(await json_body(request), "body", ("contact", "slots", "delay", "pause", "overlap", "adopt"))
    world = sandbox.world
    contact = contact_of(world, needed(body, "contact"))
    order = ExtendedSignUp(
        slots=tuple(words(body, "slots")),
        delay=seconds(body, "delay"),
        pause=seconds(body, "pause", 5.0),
        overlap=flag(body, "overlap"),
        adopt=flag(body, "adopt", default=True),
    )
    try:
        record, steps = plan_extended(world, contact, order)
    except BadPlan as error:
        raise BadRequest(str(error)) from error
    told = {"contact": contact.id, "record": record.as_json(world), "steps": steps}
    sandbox.settle()
    return answer(told, 201)


def contact_of(world: World, contact_id: str) -> Record:
    """The contact, through merges; 404 when there is none."""
    found = world.records.resolve(world.contact_type.type_id, contact_id)
    if found is None:
        raise BadRequest(f"contact: no contact {contact_id}", 404)
    return found


def checked_properties(world: World, key: str, given: Any) -> dict[str, str]:
    """Property values, as HubSpot would take them."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadRequest("properties: must be an object")
    values, bad = check_values(world.schema.by_key[key], given, "properties")
    if bad:
        raise BadRequest("; ".join(f"properties.{one.name}: {one.message}" for one in bad))
    return values


def _make(world: World, body: dict[str, Any]) -> dict[str, Any]:
    order = _order(world, body)
    type_id = world.contact_type.type_id
    contact_id = text(body, "id")
    if contact_id is None:
        contact_id = world.records.new_id(type_id, "contact", str(world.contacts_made))
    elif not contact_id.isascii() or not contact_id.isdigit():
        raise BadRequest(f"id: {contact_id!r} is not digits")
    elif world.records.taken(type_id, contact_id):
        raise BadRequest(f"id: contact {contact_id} exists already", 409)
    values = checked_properties(world, "contact", body.get("properties"))
    email = values.get("email")
    if email and world.records.by_email(email) is not None:
        raise BadRequest(f"properties.email: contact {world.records.by_email(email)} has it", 409)
    moment, sandbox_moment = world.clock.wall(), world.clock.now()
    try:
        planned = contact_created(world, Record(contact_id, type_id, moment, sandbox_moment, moment), order)
    except BadPlan as error:
        raise BadRequest(str(error)) from error
    record = changes.create(world, type_id, values, moment, record_id=contact_id, sandbox_at=sandbox_moment)
    return {"id": record.id} if flag(body, "quiet") else _told(world, record, planned)


def _told(world: World, contact: Record, planned: list[Planned]) -> dict[str, Any]:
    return {"id": contact.id, "planned": [one.as_json(world) for one in planned]}


def _order(world: World, body: dict[str, Any]) -> SignUp:
    delay = body.get("delay")
    for name, given in delay.items() if isinstance(delay, dict) else (("", delay),):
        if given is not None:
            convert(f"delay.{name}".rstrip("."), lambda value: parse_delay(value, world.seed), given)
    case = text(body, "case")
    if case is not None and case not in CASES:
        raise BadRequest(f"case: {case!r}; there are {', '.join(CASES)}")
    records = body.get("records") or {}
    if not isinstance(records, dict) or not all(isinstance(values, dict) for values in records.values()):
        raise BadRequest("records: must be an object of property objects, by slot name")
    licenses = body.get("licenses") or []
    if not isinstance(licenses, list) or not all(isinstance(one, str | dict) and one for one in licenses):
        raise BadRequest('licenses: must be a list such as ["NY", {"state": "CA", "type": "PT"}]')
    return SignUp(
        slots=None if body.get("slots") is None else tuple(words(body, "slots")),
        licenses=tuple(licenses),
        never=frozenset(words(body, "never")),
        delay=delay,
        case=case,
        moving=flag(body, "moving"),
        spread=seconds(body, "spread"),
        link_delay=seconds(body, "link_delay"),
        properties={
            name: {key: str(value) for key, value in values.items()} for name, values in records.items()
        },
    )
