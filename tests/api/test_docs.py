"""The API describes itself: OpenAPI 3.1 for machines, a page for people that needs no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from credsync.web.api.page import docs_page
from credsync.web.api.problems import KINDS
from tests.api.service import Service, new_address


@pytest.fixture(scope="module")
def document(shared_service: Service) -> dict[str, Any]:
    """The document as served."""
    found: dict[str, Any] = shared_service.as_(None).get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, path, op) for path, methods in document["paths"].items() for m, op in methods.items()]


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for each in value.values() for ref in references(each)]
    return [ref for each in value for ref in references(each)] if isinstance(value, list) else []


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    """Version, a bearer scheme, and nothing that points nowhere."""
    assert document["openapi"].startswith("3.1.")
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_operation_is_complete(document: dict[str, Any]) -> None:
    """Summary, answers with a shape, who may, what may go wrong, and its path parameters."""
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(document):
        assert operation["summary"], path
        answers = operation["responses"]
        assert any(status.startswith("2") and answers[status]["content"] for status in answers), path
        if path.startswith("/v1/"):
            assert operation["security"], path
            admission = {"401"} if operation["security"] == [{"hubspot": []}] else {"401", "403"}
            assert {*admission, "500", "503"} <= set(answers), path
        if method in ("put", "post"):
            assert "application/json" in operation["requestBody"]["content"]
            assert {"400", "413", "415", "422"} <= set(answers), path
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        keyed = method == "post" and "/webhooks/" not in path
        assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"]) == keyed


def test_the_examples_are_accepted(service: Service, document: dict[str, Any]) -> None:
    """What the docs show works as it stands."""
    address = service.therapist()
    for method, path, operation in operations(document):
        others = path.startswith(("/v1/portals", "/v1/alerts", "/v1/webhooks")) or "{slot}" in path
        if "requestBody" in operation and not others:
            example = operation["requestBody"]["content"]["application/json"]["example"]
            target = path.replace("/v1/therapists/{uuid}", address)
            answer = service.as_("admin").request(method.upper(), target, json=example)
            assert answer.status_code in (200, 202), (path, answer.text)


class Links(HTMLParser):
    """Collects what a page loads, links to and names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "action") or (tag == "link" and name == "href"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")


def test_the_page_needs_no_network(service: Service, document: dict[str, Any]) -> None:
    """It loads nothing, runs nothing, names every call and every kind of problem."""
    answer = service.as_(None).get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src ")
    page = Links(answer.text)
    assert page.loads == []
    assert "script" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert set(KINDS) <= set(page.ids)
    for _, path, operation in operations(document):
        assert path in answer.text
        assert operation["operationId"] in page.ids


def test_a_problems_type_is_on_the_page(service: Service) -> None:
    """Following `type` leads to its description."""
    kind = service.as_(None).get(new_address()).json()["type"]
    path, _, fragment = kind.partition("#")
    assert path == "/docs"
    assert f'id="{fragment}"' in service.as_(None).get("/docs").text


def test_the_page_escapes_everything(document: dict[str, Any]) -> None:
    """A text with markup stays a text."""
    hostile = "<script>alert('x')</script>\""
    info = {**document["info"], "title": hostile, "description": hostile}
    paths = {
        f"/{hostile}": {
            "get": {
                **document["paths"]["/healthz"]["get"],
                "summary": hostile,
                "description": f"`{hostile}`",
                "operationId": hostile,
                "parameters": [{"name": hostile, "in": "query", "schema": {"type": hostile}}],
            }
        }
    }
    assert "<script" not in docs_page({**document, "info": info, "paths": paths})
