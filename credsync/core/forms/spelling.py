"""The known name nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 64


def nearest(name: str, known: Iterable[str]) -> str | None:
    """For "did you mean 'npi'?": the most similar of `known`, whatever the case, or None where none is similar."""
    if not name or len(name) > _LONGEST:
        return None
    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
