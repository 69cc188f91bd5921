"""Every call that acts leaves one line in the audit, in the act's own transaction; a call that reports a fact leaves none."""

from __future__ import annotations

from uuid import uuid4

import pytest

from credsync.store import audit
from credsync.store.database import insert_row
from credsync.store.tables import alerts
from credsync.store.tokens import Scope
from credsync.web.api.call import Call
from credsync.web.api.calls import CALLS
from tests.api.service import Service, contact
from tests.api.test_alerts import row_of
from tests.api.test_choosing import SLOT, ambiguous

ACTS = [call for call in CALLS if call.method != "GET" and call.scope in (Scope.SYNC, Scope.ADMIN)]
FACTS = [call for call in CALLS if call.scope is Scope.INTAKE]


def lines(service: Service) -> list[audit.Entry]:
    """Every line, oldest first; the chain holds."""
    with service.read() as connection:
        assert audit.verify(connection).broken is None
        return [row.entry for row in reversed(audit.page(connection, limit=1_000))]


def ready(service: Service, call: Call) -> tuple[str, dict[str, object]]:
    """The address and body of a call that changes something."""
    body = dict(call.example or {})
    if "{uuid}" in call.path:
        address = service.therapist(contact_id=contact())
        if "{slot}" in call.path:
            ambiguous(service, address, "801", "802")
            body["record_id"] = "802"
        return call.path.replace("/v1/therapists/{uuid}", address).replace("{slot}", SLOT), body
    if "{name}" in call.path:
        service.post(f"/v1/portals/beta/{'resume' if call.handler == 'pause' else 'pause'}", {"reason": "x"})
        return call.path.replace("{name}", "beta"), body
    with service.database.write() as connection:
        alert = insert_row(
            connection, alerts, **row_of(service.clock.now(), portal="beta", slot=str(uuid4()))
        )
    return call.path.replace("{id}", str(alert)), body


@pytest.mark.parametrize("call", ACTS, ids=lambda c: c.path)
def test_each_act_leaves_one_line_with_who_and_why(on_each: Service, call: Call) -> None:
    """Repeated with its key it is the same act; refused it is none."""
    address, body = ready(on_each, call)
    before = len(lines(on_each))
    key = str(uuid4())
    for _ in range(2):
        answer = on_each.post(address, body, Idempotency_Key=key)
        assert answer.status_code in (200, 202), answer.text
    [line] = lines(on_each)[before:]
    assert line.who == "token:admin-token"
    assert line.whom in address
    if "reason" in body:
        assert line.why == body["reason"]
    for wrong in ({"unknown": 1}, []):
        assert on_each.post(address, wrong).status_code >= 400
    assert len(lines(on_each)) == before + 1


@pytest.mark.parametrize("call", FACTS, ids=lambda c: f"{c.method} {c.path}")
def test_a_fact_leaves_no_line(service: Service, call: Call) -> None:
    """Intake is as fast as it was."""
    address = service.therapist(contact_id=contact())
    before = len(lines(service))
    of_therapist = {"portal", "contact_id"}
    body = {name: value for name, value in (call.example or {}).items() if name not in of_therapist}
    path = call.path.replace("/v1/therapists/{uuid}", address)
    answer = (
        service.put(path, body | {"portal": "alpha"}) if call.method == "PUT" else service.post(path, body)
    )
    assert answer.status_code in (200, 202), answer.text
    assert len(lines(service)) == before


def test_what_changes_nothing_is_no_act(on_each: Service) -> None:
    """Pausing what is paused, choosing what is chosen."""
    on_each.post("/v1/portals/alpha/pause", {"reason": "once"})
    before = len(lines(on_each))
    on_each.post("/v1/portals/alpha/pause", {"reason": "twice"})
    assert len(lines(on_each)) == before
    on_each.post("/v1/portals/alpha/resume", {})
    last = lines(on_each)[-1]
    assert (last.act, last.whom) == ("portal.resumed", "alpha")
    assert last.before is not None
    assert last.before != last.after
