"""What was reported about a therapist, and the two questions every rule asks of it: which enrolment, moving or not.

Facts arrive in any order; their `occurred_at` says what they are about, `seq` in which order they came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from credsync.core.forms import FormName


class SignUpKind(StrEnum):
    FIRST = "first"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True)
class SignUp:
    """A completed sign-up; `received_at` is when it reached us."""

    id: int
    kind: SignUpKind
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class MovingFact:
    """The word that a therapist is (or is not) moving, as of a moment."""

    occurred_at: datetime
    seq: int
    moving: bool


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted form. `data` is what was checked at the door; `moving` is its own word, if it has one."""

    id: int
    form: FormName
    occurred_at: datetime
    received_at: datetime
    moving: bool | None
    data: Mapping[str, Any]

    @property
    def age(self) -> tuple[datetime, int]:
        """Orders submissions: newest `occurred_at` last, ties by arrival."""
        return (self.occurred_at, self.id)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything reported about one therapist that a round decides by, each sequence in order of `occurred_at`."""

    sign_ups: tuple[SignUp, ...] = ()
    moving: tuple[MovingFact, ...] = ()
    submissions: tuple[Submission, ...] = ()
    restored_upto: int = 0
    """The last submission that came out of a backup: none up to it is sent by itself."""

    @classmethod
    def of(
        cls,
        sign_ups: Iterable[SignUp] = (),
        moving: Iterable[MovingFact] = (),
        submissions: Iterable[Submission] = (),
        restored_upto: int = 0,
    ) -> Facts:
        """Facts in the order the rules need, whatever order they came in."""
        return cls(
            tuple(sorted(sign_ups, key=lambda s: (s.occurred_at, s.id))),
            tuple(sorted(moving, key=lambda m: (m.occurred_at, m.seq))),
            tuple(sorted(submissions, key=lambda s: s.age)),
            restored_upto,
        )

    @property
    def extended(self) -> tuple[SignUp, ...]:
        """The Extended Sign Ups, oldest first."""
        return tuple(s for s in self.sign_ups if s.kind is SignUpKind.EXTENDED)

    @property
    def latest_extended(self) -> SignUp | None:
        """The Extended Sign Up that opened the current enrolment, if there was one."""
        extended = self.extended
        return extended[-1] if extended else None

    def latest_received(self, now: datetime) -> datetime:
        """When the newest fact with a moment of arrival came in; `now` if there is none."""
        came = [s.received_at for s in self.sign_ups] + [s.received_at for s in self.submissions]
        return min(now, max(came, default=now))

    @property
    def enrolment(self) -> int:
        """The current enrolment: the id of the Extended Sign Up that opened it, 0 for the first."""
        latest = self.latest_extended
        return latest.id if latest else 0

    def enrolment_of(self, occurred_at: datetime) -> int:
        """The enrolment a moment belongs to; the first has no lower bound, only an Extended Sign Up opens another."""
        extended = self.extended
        index = bisect_right([s.occurred_at for s in extended], occurred_at)
        return extended[index - 1].id if index else 0

    def in_enrolment(self, enrolment: int) -> Sequence[Submission]:
        """The submissions of one enrolment, oldest first."""
        return [s for s in self.submissions if self.enrolment_of(s.occurred_at) == enrolment]

    def moving_as_of(self, submission: Submission) -> bool | None:
        """Whether the therapist was moving when this was submitted; None while there is no fact at all.

        The submission's own word, else the latest fact not after its `occurred_at`. What was submitted before the
        first fact is judged by that one: as with enrolments, the first has no lower bound.
        """
        if submission.moving is not None:
            return submission.moving
        known = [m for m in self.moving if m.occurred_at <= submission.occurred_at] or self.moving[:1]
        return known[-1].moving if known else None

    @property
    def moving_now(self) -> bool:
        """The latest word on moving; without any, no."""
        return self.moving[-1].moving if self.moving else False
