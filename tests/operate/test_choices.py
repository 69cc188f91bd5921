"""What a list is narrowed by, and how many there are for each choice: the same list whichever index finds it."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.wanted import AGES, Wanted
from credsync.operate import narrowing
from credsync.operate.choices import NARROWS, Choices, choices
from credsync.store import counting, names
from credsync.store.counting import Count
from credsync.store.tables import links, therapists
from tests.operate.scene import ACTIVE, ADDRESS, NY, T0, Scene, awaited, found, portal_of, uuid_of

HOUR = timedelta(hours=1)


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    """Twelve therapists of two portals who differ in everything."""
    scene.portals = {"alpha": portal_of(), "beta": portal_of(name="beta")}
    for number in range(1, 13):
        scene.sign_up(
            number,
            str(100 + number),
            f"{'Ann' if number % 2 else 'Bea'} {number}",
            ("beta", "alpha")[number % 3 > 0],
        )
        slots = [awaited() if number % 4 else found(record_id=str(700 + number)), awaited(ADDRESS)]
        scene.store(number, [*slots, awaited(NY)] if number % 5 == 0 else slots)
    with scene.database.write() as connection:
        for number in range(1, 13):
            state = list(TherapistState)[number % 7]
            reason = Reason.RECORD_AWAITED if number % 2 else Reason.OVERDUE
            since = T0 - timedelta(hours=number * number)
            row = {"state": state.value, "reason": reason.value, "state_since": since}
            connection.execute(update(therapists).where(therapists.c.id == uuid_of(number)).values(**row))
    return scene


def counted(scene: Scene, **wanted: Any) -> Choices:
    with scene.database.read() as connection:
        return choices(connection, scene.portals, Wanted(**wanted), scene.clock.now())


VALUES: dict[str, list[Any]] = {
    "state": [None, "waiting", "overdue"],
    "reason": [None, "overdue"],
    "slot": [None, ACTIVE, "license"],
    "portal": [None, "beta"],
    "longer_than": [None, AGES["1d"]],
    "q": [None, "ann"],
}


def is_wanted(scene: Scene, number: int, **wanted: Any) -> bool:
    """The meaning of each choice, said once more, over the rows themselves."""
    with scene.database.read() as connection:
        row = connection.execute(select(therapists).where(therapists.c.id == uuid_of(number))).one()
        mine = links.c.therapist_id == row.id
        open_ = connection.execute(
            select(links.c.slot).where(mine, links.c.awaited, links.c.state != LinkState.FOUND.value)
        ).scalars()
        waits = {each.partition(".")[0] for each in open_}
    span = wanted.get("longer_than")
    return all(
        [
            wanted.get("state") in (None, row.state),
            wanted.get("reason") in (None, row.reason),
            wanted.get("portal") in (None, row.portal),
            wanted.get("slot") is None or wanted["slot"] in waits,
            span is None or row.state_since <= scene.clock.now() - span,
            wanted.get("q") is None or wanted["q"] in row.name.lower(),
        ]
    )


@pytest.mark.parametrize("few", [0, 1_000], ids=["many", "few"])
def test_every_choice_narrows_the_list_and_the_counts_follow(
    crowd: Scene, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether few are taken by their ids or many are read in order; each count is what the list would hold."""
    monkeypatch.setattr(names, "FEW", few)
    monkeypatch.setattr(narrowing, "FEW", few)
    truth = {
        tuple(one.items()): [n for n in range(1, 13) if is_wanted(crowd, n, **one)]
        for one in (dict(zip(VALUES, each, strict=True)) for each in product(*VALUES.values()))
    }
    for each, right in truth.items():
        wanted = dict(each)
        assert crowd.find(**wanted) == right, wanted
        if few and (wanted["q"] is None or wanted["slot"] is None):
            told = counted(crowd, **wanted)
            assert told.total == Count(len(right)), wanted
            for name in ("state", "slot", "portal"):
                for value in VALUES[name][1:]:
                    there = len(truth[tuple({**wanted, name: value}.items())])
                    assert told.counts[name][value] == Count(there), (wanted, name, value)


def test_pages_of_many_go_on_where_the_one_before_ended(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "FEW", 0)
    for wanted in ({"slot": ACTIVE}, {"portal": "alpha"}, {"reason": "overdue"}, {"longer_than": HOUR}):
        seen, cursor = [], None
        while True:
            page = crowd.page(cursor=cursor, limit=2, **wanted)
            seen += [int(each["id"][-12:]) for each in page["therapists"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == crowd.find(**wanted), wanted
        assert len(seen) > 4, wanted


def test_what_is_left_without_each_choice_shows_the_way_out(crowd: Scene) -> None:
    told = counted(crowd, state="in_sync", slot=ACTIVE, q="ann")
    assert told.total == Count(0)
    assert told.without["slot"] == Count(len(crowd.find(state="in_sync", q="ann")))
    assert told.without["state"] == Count(len(crowd.find(slot=ACTIVE, q="ann")))
    assert told.without["q"] == Count(0)


def test_more_than_are_counted_are_said_to_be_more(scene: Scene) -> None:
    """Beyond a thousand of a portal, a state and a reason, and beyond the first thousand of a slot."""
    scene.sign_up()
    scene.store(links=[awaited(), awaited(ADDRESS)])
    with scene.database.write() as connection:
        for table, owner in ((therapists, "id"), (links, "therapist_id")):
            one = connection.execute(select(table).where(table.c.slot == ACTIVE if table is links else True))
            row = one.mappings().first()
            assert row is not None
            rows = [
                {**row, owner: uuid_of(number), **({"contact_id": f"9{number}"} if owner == "id" else {})}
                for number in range(2, counting.MOST + 2)
            ]
            connection.execute(insert(table), rows)
    told = counted(scene)
    assert told.total == told.counts["state"]["waiting"] == Count(counting.MOST, more=True)
    assert told.counts["slot"] == {
        **dict.fromkeys(told.counts["slot"], Count()),
        ACTIVE: Count(counting.MOST, more=True),
        ADDRESS: Count(1),
    }
    assert told.counts["longer_than"]["1h"] == Count(0)
    assert counted(scene, slot=ACTIVE).counts["state"]["waiting"].more
    assert counted(scene, slot=ADDRESS).counts["state"]["waiting"] == Count(1)
    json = told.as_json()
    assert json["state"] == [{"value": "waiting", "count": counting.MOST, "more": True}]
    assert set(json) == {"total", *NARROWS}


def test_text_that_no_database_takes_is_nobodys(scene: Scene) -> None:
    scene.sign_up()
    assert counted(scene, reason="a\x00").total == Count(0)
