"""Names under which class D data would come: SSN, tax id, bank data, CAQH password. No field may bear one.

The models refuse the two they know by place; everything else closed models refuse as unknown. This module lets the
refusal say the true reason, for the obvious spellings and at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKENS = frozenset("ssn itin iban tin ein fein password passwd pwd payout payouts bank swift bic".split())  # noqa: SIM905 (a list of words)
_PARTS = (
    "socialsecurity", "taxid", "taxpayer", "employeridentificationnumber", "bankaccount", "bankrouting",
    "accountnumber", "routingnumber", "routingno", "abanumber", "abarouting", "directdeposit", "caqhpass",
    "creditcard", "debitcard", "cardnumber",
)  # fmt: skip
_WHOLE = frozenset({"routing", "tax", "ssnlast4", "ssnlastfour", "lastfourssn", "last4ssn"})
_ANY_PART = re.compile("|".join(_PARTS))
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_WORDS = re.compile(r"[a-z]+|[0-9]+")
_DEPTH = 20


def is_forbidden(name: str) -> bool:
    """Whether a field of this name would hold class D data, however it is spelt (`taxId`, `tax-id`, `TAX_ID`)."""
    if len(name) > 100:
        return False
    words = _WORDS.findall(name if name.islower() else _HUMP.sub(r"\1 \2", name).lower())
    squeezed = "".join(words)
    return (
        not _TOKENS.isdisjoint(words)
        or squeezed in _TOKENS
        or squeezed in _WHOLE
        or _ANY_PART.search(squeezed) is not None
    )


def refusal(name: str) -> str:
    """The sentence that refuses it."""
    shown = name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name) else "this field"
    return f"{shown} is never accepted here (class D: SSN, tax id, bank data, passwords); do not send it, not even empty"


def forbidden_in(data: object) -> Iterator[tuple[str | int, ...]]:
    """Where fields of forbidden names stand in submitted data, as key paths; what lies beneath one is not entered."""
    heap: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    while heap:
        place, value = heap.pop()
        inner = (
            enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        )
        for key, item in inner:
            if isinstance(key, str) and is_forbidden(key):
                yield (*place, key)
            elif isinstance(item, dict | list) and isinstance(key, str | int) and len(place) < _DEPTH:
                heap.append(((*place, key), item))
