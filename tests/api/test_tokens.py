"""No token, no answer; a token does what its scopes say and no more; nothing is kept in plain text."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest

from credsync.core.schedule import Policy
from credsync.store.database import Database
from credsync.store.tokens import Scope as TokenScope
from credsync.store.tokens import create_token, revoke_token
from credsync.web.api.app import build_api
from credsync.web.api.calls import CALLS
from credsync.web.api.context import ApiContext
from tests.api.service import AT, Service, new_address

SIGNED = "/v1/webhooks/hubspot/{portal}"
"""HubSpot has no token: it signs (tests/api/test_webhooks.py)."""
OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", SIGNED}
SCOPES = {
    ("PUT", "/v1/therapists/{uuid}"): "intake",
    ("POST", "/v1/therapists/{uuid}/sign-ups"): "intake",
    ("POST", "/v1/therapists/{uuid}/sections"): "intake",
    ("POST", "/v1/therapists/{uuid}/submissions"): "intake",
    ("POST", "/v1/therapists/{uuid}/sync"): "sync",
    ("GET", "/v1/therapists/{uuid}"): "read",
    ("POST", "/v1/therapists/{uuid}/links/{slot}"): "sync",
    ("GET", "/v1/therapists"): "read",
    ("GET", "/v1/therapists/{uuid}/timeline"): "read",
    ("GET", "/v1/therapists/{uuid}/packet"): "read",
    ("GET", "/v1/therapists/{uuid}/diff"): "read",
    ("GET", "/v1/events"): "read",
    ("GET", "/v1/delays"): "read",
    ("GET", "/v1/today"): "read",
    ("GET", "/v1/portals/{name}/mapping"): "read",
    ("GET", "/v1/alerts"): "read",
    ("GET", "/v1/alerts/{id}/therapists"): "read",
    ("POST", "/v1/alerts/{id}/acknowledge"): "sync",
    ("POST", "/v1/portals/{name}/pause"): "admin",
    ("POST", "/v1/portals/{name}/resume"): "admin",
}


def routes() -> list[tuple[str, str]]:
    """Method and address of everything the application answers, asked of the application itself."""
    app = build_api(ApiContext(Database("sqlite:///routes.db"), {}, Policy(), lambda name, after: None))
    found = [(m, r.path) for r in app.routes for m in r.methods if m != "HEAD"]  # type: ignore[attr-defined]
    return sorted(found)


def filled(path: str) -> str:
    return (
        path.replace("{uuid}", new_address().rpartition("/")[2])
        .replace("{name}", "beta")
        .replace("{slot}", "license.NY")
        .replace("{id}", "1")
    )


def test_every_route_is_known_here() -> None:
    """A route that is added is added to these tests, too."""
    assert {r for r in routes() if r[1] not in OPEN} == set(SCOPES)
    assert {path for _, path in routes()} >= OPEN
    assert {(c.method, c.path) for c in CALLS} == set(routes())


@pytest.mark.parametrize(("method", "path"), [r for r in routes() if r[1] not in OPEN])
def test_without_a_token_there_is_no_answer(service: Service, method: str, path: str) -> None:
    """401 with a challenge, whatever else is wrong with the call."""
    answers = [
        service.as_(None).request(method, filled(path), content=b"{", headers=headers)
        for headers in (
            {},
            {"Authorization": "Bearer credsync_nobody"},
            {"Authorization": "Bearer"},
            {"Authorization": service.tokens["admin"]},
            {"Authorization": f"Basic {service.tokens['admin']}"},
            {"Authorization": f"Bearer {service.tokens['admin']}x"},
        )
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    assert answers[0].headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), sorted(SCOPES))
def test_another_scope_is_403_naming_the_one_needed(service: Service, method: str, path: str) -> None:
    """Each scope opens its own calls; admin opens all."""
    needed = SCOPES[method, path]
    for scope in ("intake", "read", "sync", "admin"):
        answer = service.as_(scope).request(method, filled(path), content=b"{")
        if scope in (needed, "admin"):
            assert answer.status_code not in (401, 403), scope
        else:
            assert answer.status_code == 403, scope
            assert f"scope {needed}" in answer.json()["detail"]
            assert f'scope="{needed}"' in answer.headers["www-authenticate"]


def test_two_tokens_at_once_are_none(service: Service) -> None:
    """Which of two would count is nobody's guess."""
    token = f"Bearer {service.tokens['admin']}"
    headers = [("Authorization", token), ("Authorization", "Bearer other")]
    with httpx2.Client(base_url=service.url) as client:
        assert client.get("/v1/events", headers=headers).status_code == 401


@pytest.mark.parametrize("path", sorted(OPEN - {SIGNED}))
def test_health_and_docs_need_no_token(service: Service, path: str) -> None:
    """A load balancer has no token."""
    assert service.as_(None).get(path).status_code == 200


def test_a_revoked_token_ends_within_five_seconds(service: Service) -> None:
    """A look-up is remembered for a moment, and no longer."""
    with service.database.write() as connection:
        token = create_token(connection, "leaver", [TokenScope.READ], service.clock.now())
    headers = {"Authorization": f"Bearer {token}"}

    def status() -> int:
        return service.as_(None).get("/v1/events", headers=headers).status_code

    assert status() == 200
    with service.database.write() as connection:
        revoke_token(connection, "leaver")
    service.clock.ahead += timedelta(seconds=5)
    assert status() == 401


def test_a_new_token_works_at_once(service: Service) -> None:
    """That somebody was unknown is not remembered."""
    headers = {"Authorization": "Bearer credsync_soon"}
    assert service.as_(None).get("/v1/events", headers=headers).status_code == 401
    with service.database.write() as connection:
        token = create_token(connection, "newcomer", [TokenScope.READ], service.clock.now())
    assert (
        service.as_(None).get("/v1/events", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    )


def test_a_refusal_happens_before_the_body_is_looked_at(service: Service) -> None:
    """Without a token nobody learns what a call takes, nor makes the service read a large body."""
    body = {"form": "ca", "occurred_at": AT, "data": {}, "x": "y" * 2**21}
    assert service.as_(None).post(f"{new_address()}/submissions", json=body).status_code == 401
