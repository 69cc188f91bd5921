"""Whatever comes, the API answers it, with a problem or a fact, and never fails."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credsync.core.forms import SECTIONS
from tests.api.service import AT, Service, new_address

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([AT, "ca", "1"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
FIELDS = [
    "portal",
    "contact_id",
    "name",
    "email",
    "moving",
    "occurred_at",
    "kind",
    "data",
    "form",
    "section",
    "reason",
    "include_held",
]
SECTION_NAMES = [*SECTIONS["af"], "custom", "payouts"]
FORM = st.dictionaries(
    st.sampled_from(SECTION_NAMES) | st.text(),
    st.dictionaries(
        st.sampled_from(["npi", "licenses", "answers", "confirmed", "bio", "shirt_size"]), ANYTHING
    )
    | ANYTHING,
    max_size=4,
)
BODIES = ANYTHING | st.dictionaries(st.sampled_from(FIELDS) | st.text(), ANYTHING, max_size=8)
NEARLY = st.fixed_dictionaries(
    {
        "portal": st.just("alpha"),
        "occurred_at": st.just(AT) | st.datetimes().map(lambda d: f"{d.isoformat()}Z"),
    },
    optional={
        "form": st.sampled_from(["ca", "af", "sign_up"]),
        "kind": st.sampled_from(["first", "extended"]),
        "section": st.sampled_from(SECTION_NAMES),
        "data": FORM,
        "name": st.text(),
        "moving": st.booleans(),
    },
)
PATHS = st.sampled_from(["", "/sign-ups", "/sections", "/submissions", "/sync"])
checked = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def send(service: Service, path: str, content: bytes) -> None:
    answer = service.send("POST" if path else "PUT", new_address() + path, content)
    assert answer.status_code < 500, answer.text
    said = answer.json()
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert said["status"] == answer.status_code
        assert said["errors"]
    else:
        assert said["accepted"] is True


@checked
@given(path=PATHS, body=BODIES)
def test_any_json_gets_an_answer(service: Service, path: str, body: Any) -> None:
    """Arbitrary JSON, also with field names that exist, is never a 5xx."""
    send(service, path, json.dumps(body).encode())


@checked
@given(path=PATHS, body=NEARLY)
def test_any_nearly_right_body_gets_an_answer(service: Service, path: str, body: Any) -> None:
    """Bodies that come far, into the forms and the database, are never a 5xx."""
    send(service, path, json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@checked
@given(path=PATHS, content=st.binary() | st.text().map(str.encode))
def test_any_bytes_get_an_answer(service: Service, path: str, content: bytes) -> None:
    """Bytes that are no JSON at all are never a 5xx."""
    send(service, path, content)


@checked
@given(
    path=st.sampled_from(["/v1/therapists", "/v1/events"]),
    query=st.dictionaries(
        st.sampled_from(["state", "slot", "portal", "q", "cursor", "limit", "after", "types"]) | st.text(),
        st.text(),
    ),
)
def test_any_question_gets_an_answer(service: Service, path: str, query: dict[str, str]) -> None:
    """Arbitrary parameters are never a 5xx."""
    encodable = {k: v for k, v in query.items() if (k + v).isprintable() or k.isascii()}
    try:
        answer = service.get(path, params=encodable)
    except UnicodeEncodeError:  # half a surrogate pair cannot be put into an address
        return
    assert answer.status_code in (200, 422), answer.text
