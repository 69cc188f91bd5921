"""How an answer looks, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def said(body: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content.encode(), status, _HEADERS, "application/json")


def written(text: str, media_type: str) -> Response:
    """A text answer."""
    return Response(text, 200, _HEADERS, media_type)
