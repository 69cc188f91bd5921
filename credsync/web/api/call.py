"""What a call is: its address, who may, what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from credsync.store.tokens import Scope
from credsync.web.api.documents import Document


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "string", "maxLength": 1_000, "pattern": r"^[^\u0000]*$"}
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One call. Without a scope it needs no token, and if it is `signed`, HubSpot's signature. `problems` are kinds beside those that any call may meet."""

    method: str
    path: str
    handler: str
    scope: Scope | None
    tag: str
    summary: str
    description: str
    answers: Mapping[int, tuple[str, type[Document] | str]]
    body: type[BaseModel] | None = None
    body_needed: bool = True
    example: Mapping[str, Any] | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    signed: bool = False
