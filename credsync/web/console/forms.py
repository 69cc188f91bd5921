"""What people typed into a form, as the handlers take it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from credsync.core.phrases import phrase
from credsync.web.console.guard import NOTHING_CHANGED, Refusal

MOST_LETTERS: Final = 2_000


def words(request: Request, name: str) -> str:
    """A text field in one line; empty where it is absent. Raises `Refusal` for one that is too long."""
    text = " ".join(request.state.form.get(name, [""])[0].replace("\x00", "").split())
    if len(text) > MOST_LETTERS:
        message = phrase(
            "The text has {letters} letters; at most {most} are kept. Shorten it.",
            letters=len(text),
            most=MOST_LETTERS,
        )
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message)
    return text
