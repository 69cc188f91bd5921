"""What a password must be: long enough, and not the person's address. Nothing else makes one better (NIST SP 800-63B)."""

from __future__ import annotations

import unicodedata
from typing import Final

from credsync.core.phrases import phrase

SHORTEST: Final = 15
LONGEST: Final = 128


def normal(password: str) -> str:
    """The password as it is judged and hashed: NFC, so that every keyboard's accents are the same."""
    return unicodedata.normalize("NFC", password)


def password_fault(password: str, email: str) -> str | None:
    """What is wrong with a password, for people; None if it may be chosen. Characters count, not bytes."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        return phrase(
            "A password has at least {shortest} characters; this one has {length}. A few words will do.",
            shortest=SHORTEST,
            length=len(chosen),
        )
    if len(chosen) > LONGEST:
        return phrase(
            "A password has at most {longest} characters; this one has {length}.",
            longest=LONGEST,
            length=len(chosen),
        )
    if chosen.casefold() == normal(email).casefold():
        return phrase("A password must not be the e-mail address.")
    return None
