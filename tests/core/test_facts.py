"""Facts come in any order; which enrolment, and moving or not, follow from what they are about."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.facts import Facts, MovingFact, SignUp, SignUpKind, Submission
from tests.core.builders import T0, at, extended, submission

FIRST = SignUp(1, SignUpKind.FIRST, at(100), at(100))


def enrolments(facts: Facts) -> dict[int, int]:
    return {s.id: facts.enrolment_of(s.occurred_at) for s in facts.submissions}


def test_the_first_enrolment_has_no_lower_bound() -> None:
    """The first enrolment has no lower bound; only an Extended Sign Up opens another."""
    facts = Facts.of([FIRST], submissions=[submission(1, {}, occurred=-10_000)])
    assert enrolments(facts) == {1: 0}
    assert [s.id for s in facts.in_enrolment(0)] == [1]


def test_a_first_sign_up_opens_no_enrolment_however_often_it_is_told() -> None:
    again = SignUp(2, SignUpKind.FIRST, at(200), at(200))
    facts = Facts.of([FIRST, again], submissions=[submission(1, {}, 150), submission(2, {}, 300)])
    assert facts.enrolment == 0
    assert enrolments(facts) == {1: 0, 2: 0}


def test_an_extended_sign_up_divides_at_its_own_moment_and_its_moment_belongs_to_it() -> None:
    facts = Facts.of(
        [FIRST, extended(7, 200)],
        submissions=[submission(1, {}, 199.999), submission(2, {}, 200), submission(3, {}, 900)],
    )
    assert facts.enrolment == 7
    assert enrolments(facts) == {1: 0, 2: 7, 3: 7}


def test_the_current_enrolment_is_the_latest_in_time_not_the_last_that_came_in() -> None:
    facts = Facts.of([extended(2, 500), extended(3, 200)])
    assert facts.enrolment == 2
    assert facts.enrolment_of(at(300)) == 3


@given(st.data())
def test_enrolments_are_the_same_whatever_order_events_come_in(data: st.DataObject) -> None:
    moments = data.draw(st.lists(st.integers(0, 50), min_size=1, max_size=5, unique=True))
    sign_ups = [FIRST, *(extended(10 + n, m) for n, m in enumerate(moments))]
    submissions = [submission(n, {}, n * 5) for n in range(10)]
    told = Facts.of(sign_ups, submissions=submissions)
    mixed = Facts.of(
        data.draw(st.permutations(sign_ups)), submissions=data.draw(st.permutations(submissions))
    )
    assert mixed == told
    assert enrolments(mixed) == enrolments(told)
    for s in mixed.submissions:
        opened = [(m, 10 + n) for n, m in enumerate(moments) if at(m) <= s.occurred_at]
        assert mixed.enrolment_of(s.occurred_at) == (max(opened)[1] if opened else 0)


def moving_facts(*told: tuple[float, bool]) -> list[MovingFact]:
    return [MovingFact(at(moment), seq, moving) for seq, (moment, moving) in enumerate(told)]


@pytest.mark.parametrize("own", [True, False])
def test_a_submissions_own_word_on_moving_goes_before_every_other(own: bool) -> None:
    """`moving` is the submission's own word."""
    facts = Facts.of(moving=moving_facts((1, not own), (100, not own)))
    assert facts.moving_as_of(submission(1, {}, 100, moving=own)) is own


def test_without_its_own_word_the_latest_fact_not_after_it_tells() -> None:
    """Without its own word, `moving` is the latest fact not after the submission."""
    facts = Facts.of(moving=moving_facts((10, True), (20, False), (100, True)))
    asked = [facts.moving_as_of(submission(1, {}, moment, moving=None)) for moment in (10, 19, 20, 99, 100)]
    assert asked == [True, True, False, False, True]


def test_of_two_words_about_one_moment_the_one_that_came_later_tells() -> None:
    facts = Facts.of(moving=moving_facts((10, True), (10, False)))
    assert facts.moving_as_of(submission(1, {}, 10, moving=None)) is False


def test_what_was_submitted_before_the_first_word_is_judged_by_that_one() -> None:
    """What was submitted before the first word on moving is judged by that word."""
    facts = Facts.of(moving=moving_facts((100, True), (200, False)))
    assert facts.moving_as_of(submission(1, {}, 99, moving=None)) is True


def test_with_no_word_at_all_nobody_knows() -> None:
    assert Facts().moving_as_of(submission(1, {}, 99, moving=None)) is None


def test_moving_now_is_the_latest_word_and_no_without_any() -> None:
    assert Facts().moving_now is False
    assert Facts.of(moving=reversed(moving_facts((10, False), (20, True)))).moving_now is True


def test_submissions_of_one_moment_are_in_the_order_they_came() -> None:
    one, two = (Submission(n, "ca", T0, T0 + timedelta(days=3 - n), None, {}) for n in (1, 2))
    assert Facts.of(submissions=[two, one]).submissions == (one, two)
