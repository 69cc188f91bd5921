"""What a password must be: long enough, and not the person's address. Nothing else makes one better (NIST SP 800-63B)."""

from __future__ import annotations

import unicodedata
from typing import Final

SHORTEST: Final = 15
LONGEST: Final = 128


def normal(password: str) -> str:
    """The password as it is judged and hashed: NFC, so that every keyboard's accents are the same."""
    return unicodedata.normalize("NFC", password)


def password_fault(password: str, email: str) -> str | None:
    """What is wrong with a password, for people; None if it may be chosen. Characters count, not bytes."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        return (
            f"A password has at least {SHORTEST} characters; this one has {len(chosen)}. A few words will do."
        )
    if len(chosen) > LONGEST:
        return f"A password has at most {LONGEST} characters; this one has {len(chosen)}."
    if chosen.casefold() == normal(email).casefold():
        return "A password must not be the e-mail address."
    return None
