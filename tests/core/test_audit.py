"""The audit's chain holds while nobody touches it, and names the first entry that somebody did touch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.audit import FIRST, Deed, Entry, Sealed, judge_chain, seal, state_hash

NOW = datetime(2026, 11, 24, 12, 0, 0, 1, tzinfo=UTC)


def chain(length: int) -> list[Sealed]:
    """A whole chain."""
    made: list[Sealed] = []
    for seq in range(1, length + 1):
        entry = Entry(seq, NOW, "cli:ada", Deed.PAUSED.value, "portal", "demo", f"reason {seq}")
        made.append(seal(entry, made[-1].hash if made else FIRST))
    return made


def test_a_whole_chain_holds() -> None:
    """Also an empty one."""
    assert judge_chain([]).broken is None
    whole = chain(5)
    judged = judge_chain(whole)
    assert (judged.entries, judged.head, judged.broken) == (5, whole[-1].hash, None)


CHANGES = {
    "at": NOW + timedelta(microseconds=1),
    "who": "cli:eve",
    "act": Deed.RESUMED.value,
    "kind": "person",
    "whom": "other",
    "why": None,
    "before": "0" * 64,
    "after": "1" * 64,
}


@given(st.integers(2, 9), st.data())
def test_a_change_of_any_entry_is_found_where_it_is(length: int, data: st.DataObject) -> None:
    """Whatever was changed, the first broken entry is that one."""
    whole = chain(length)
    at = data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    whole[at] = replace(whole[at], entry=replace(whole[at].entry, **{name: CHANGES[name]}))
    broken = judge_chain(whole).broken
    assert broken is not None
    assert (broken.seq, broken.why) == (at + 1, "its content is not what was written")


@pytest.mark.parametrize("at", [0, 2])
def test_an_entry_taken_out_is_missed(at: int) -> None:
    """Its number is named."""
    whole = chain(4)
    del whole[at]
    broken = judge_chain(whole).broken
    assert broken is not None
    assert broken.seq == at + 1
    assert "missing" in broken.why


def test_an_entry_changed_and_sealed_anew_breaks_the_next() -> None:
    """Whoever changes one must change all that follow."""
    whole = chain(4)
    forged = replace(whole[1].entry, who="cli:eve")
    whole[1] = seal(forged, whole[0].hash)
    broken = judge_chain(whole).broken
    assert broken is not None
    assert (broken.seq, broken.why) == (3, "it does not follow the entry before it")


def test_the_hash_is_of_what_was_written_and_of_nothing_else() -> None:
    """Another zone is the same moment; another state is another hash. sha256sum says the same; so it is on both databases alike."""
    entry = Entry(1, NOW, "cli:ada", "portal.paused", "portal", "demo", "Größe")
    elsewhere = replace(entry, at=NOW.astimezone(timezone(timedelta(hours=2))))
    assert seal(entry, FIRST).hash == seal(elsewhere, FIRST).hash
    assert seal(entry, FIRST).hash == "6d9fb1df36618f856f917df807a89dc71822e51b1c868ad96421d1b5253445e4"
    assert state_hash({"a": 1, "b": 2}) == state_hash({"b": 2, "a": 1}) != state_hash({"a": 1, "b": 3})
