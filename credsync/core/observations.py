"""What one look saw under one parent, as values.

"Nothing there yet" is an answer, not an error; an error is a value too, so that nothing below the round raises
through it.
"""

from __future__ import annotations

from dataclasses import dataclass

from credsync.core.verdicts import Effect


@dataclass(frozen=True, slots=True)
class Association:
    """One record associated with the parent, and the ids of every association type it carries there."""

    record_id: str
    type_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """HubSpot answered: these records hang on the parent. Empty means nothing (yet)."""

    associations: tuple[Association, ...] = ()


@dataclass(frozen=True, slots=True)
class NotSeen:
    """HubSpot did not answer for this parent: nothing may be concluded, least of all an absence."""

    code: str
    message: str
    effect: Effect = Effect.NOT_SENT
    retry_after: float | None = None
    """Seconds HubSpot asked us to wait, where it did."""
    scopes: tuple[str, ...] = ()
    """What the token lacks, where that is why."""


Sight = Seen | NotSeen
