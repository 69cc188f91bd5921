"""The judge of the stories: doctored truth or a doctored word of the service is called wrong, whatever the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from credsync.core.portal import id_key
from credsync.demo.outcome import Fate
from credsync.demo.plan import SIGN_UP_AGAIN, Kind, Part, the_stories
from credsync.demo.screen import faults, stories_table, to_do
from credsync.demo.story import Played, settled
from credsync.demo.telling import ENDS, Told, lines, tell

SPEED = 20.0
SIGNED_UP = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTIVE, RELOCATION = "credentialing_active_attested", "credentialing_relocation"
ADDRESS = "therapist_address_current"
PARTS = {kind: next(part for part in the_stories(1) if part.kind is kind) for kind in ENDS}
Json = dict[str, Any]
Change = Callable[["World"], object]


def at(seconds: float) -> str:
    """So many of HubSpot's seconds after the sign-up."""
    return (SIGNED_UP + timedelta(seconds=seconds / SPEED)).isoformat()


class World:
    """A story that went as it should, to be doctored: the sandbox's truth and the service's status."""

    def __init__(self, part: Part) -> None:
        submitted = SIGNED_UP + timedelta(seconds=20 / SPEED)
        renewed = SIGNED_UP + timedelta(seconds=90 / SPEED) if part.kind in SIGN_UP_AGAIN else None
        self.played = Played(part, "301", submitted, renewed)
        self.records: list[Json] = []
        self.links: list[Json] = []
        self.writes: list[Json] = []
        self.state = {Fate.WRITTEN: "in_sync", Fate.WAITING: "overdue"}.get(ENDS[part.kind], "")
        self.ids: dict[str, str | None] = {}
        expected = part.person.expected(submitted)
        gone = {Kind.TWO_RECORDS: set(expected) - {ADDRESS}, Kind.NEVER: set(expected) - {ADDRESS}}
        for slot, values in expected.items():
            unwritten = slot in gone.get(part.kind, set())
            if part.kind is not Kind.NEVER or not unwritten:
                self.record(slot, {} if unwritten else values, writes=0 if unwritten else 1)
            self.row(slot, None if unwritten else self.of(slot)["id"])
        if part.kind is not Kind.NEVER:
            self.record(ACTIVE if part.person.moving else RELOCATION, {}, writes=0)
        self._story(part)

    def _story(self, part: Part) -> None:
        person = part.person
        if part.kind is Kind.EXTENDED:
            assert self.played.renewed
            self.of(ACTIVE)["slots"] = []
            new = self.record(ACTIVE, person.renewed().expected(self.played.renewed)[ACTIVE], made_for=None)
            self.row(ACTIVE, new["id"])
        elif part.kind is Kind.HELD:
            self.state = "held"
            self.of(ACTIVE)["slots"] = []
            self.ids[id_key(ACTIVE)] = self.record(ACTIVE, {}, writes=0, made_for=None)["id"]
            held = {"slot": ACTIVE, "state": "held", "reason": "older_than_sign_up", "record_id": None}
            self.writes.append({**held, "properties": []})
        elif part.kind is Kind.LICENCES:
            self.record("license.NY", {}, writes=0, made_for=None)["parents"] = [self.of(RELOCATION)["id"]]
        elif part.kind is Kind.TWO_RECORDS:
            self.state = "ambiguous"
            self.record(ACTIVE, {}, writes=0, made_for=None)
            both = [each for each in self.records if ACTIVE in each["slots"]]
            self.link(ACTIVE).update(state="ambiguous", candidates=[{"record_id": e["id"]} for e in both])
        elif part.kind is Kind.BAD_VALUE:
            self.state = "partial"
            refused = {"name": "medicare", "state": "refused", "message": "the value is none of its options"}
            self.write(ACTIVE).update(state="partial", properties=[refused])
        elif part.kind is Kind.NEVER:
            self.link(ACTIVE).update(overdue_since=at(725))

    def record(
        self, slot: str, values: Mapping[str, str], writes: int = 1, made_for: str | None = ""
    ) -> Json:
        made = {
            "id": str(401 + len(self.records)),
            "made_for": slot if made_for == "" else made_for,
            "slots": [slot],
            "parents": ["401" if slot.startswith("license.") else "301"],
            "properties": dict(values),
            "visible_at": at(60),
            "first_written_at": at(64) if writes else None,
            "writes": writes,
            "archived_at": None,
        }
        self.records.append(made)
        return made

    def row(self, slot: str, record_id: str | None) -> None:
        state = "written" if record_id else "waiting"
        self.ids[id_key(slot)] = record_id
        self.writes.append(
            {"slot": slot, "state": state, "reason": "", "record_id": record_id, "properties": []}
        )
        self.links.append({"slot": slot, "state": "found" if record_id else "awaited", "candidates": []})

    def of(self, slot: str) -> Json:
        """The first record made for a slot."""
        return next(each for each in self.records if each["made_for"] == slot)

    def new(self) -> Json:
        """The record that nobody's workflow made."""
        return next(each for each in self.records if each["made_for"] is None)

    def link(self, slot: str) -> Json:
        return next(each for each in self.links if each["slot"] == slot)

    def write(self, slot: str) -> Json:
        return next(each for each in self.writes if each["slot"] == slot)

    @property
    def status(self) -> Json:
        return {"state": self.state, "ids": self.ids, "links": self.links, "writes": self.writes}

    def told(self) -> Told:
        return tell(self.played, {"created_at": at(0), "records": self.records}, self.status, SPEED)


def _written(record: Json) -> None:
    record.update(writes=record["writes"] + 1, first_written_at=at(64))


def _label_stayed(here: World) -> None:
    here.of(ACTIVE)["slots"], here.new()["slots"] = [ACTIVE], []


def _swapped(here: World) -> None:
    one, other = here.of("license.NY"), here.of("license.CA")
    one["properties"], other["properties"] = other["properties"], one["properties"]


def _on_one_record(here: World) -> None:
    ny, ca = here.of("license.NY"), here.of("license.CA")
    ny["properties"], ny["writes"] = ca["properties"], 2
    ca.update(properties={}, writes=0, first_written_at=None)


def _on_the_other_ny(here: World) -> None:
    here.new()["properties"] = here.of("license.NY")["properties"]
    here.of("license.NY").update(properties={}, writes=0, first_written_at=None)
    _written(here.new())


def _on_the_other(here: World) -> None:
    here.of(ACTIVE)["properties"] = here.of(RELOCATION)["properties"]
    here.of(RELOCATION).update(properties={}, writes=0, first_written_at=None)
    _written(here.of(ACTIVE))


WRONG: list[tuple[str, Kind, Change, Fate]] = [
    ("the old record has the new data", Kind.EXTENDED, lambda w: _written(w.of(ACTIVE)), Fate.LOST),
    (
        "the old record lost a value",
        Kind.EXTENDED,
        lambda w: w.of(ACTIVE)["properties"].update(npi=""),
        Fate.LOST,
    ),
    ("the address is written again", Kind.EXTENDED, lambda w: _written(w.of(ADDRESS)), Fate.LOST),
    ("the new record lacks a value", Kind.EXTENDED, lambda w: w.new()["properties"].pop("npi"), Fate.LOST),
    (
        "the new record has the old data",
        Kind.EXTENDED,
        lambda w: w.new()["properties"].update(w.of(ACTIVE)["properties"]),
        Fate.LOST,
    ),
    ("the new record is not written", Kind.EXTENDED, lambda w: w.new().update(writes=0), Fate.LOST),
    ("the label did not move", Kind.EXTENDED, _label_stayed, Fate.LOST),
    (
        "the service holds the old id",
        Kind.EXTENDED,
        lambda w: w.ids.update({id_key(ACTIVE): w.of(ACTIVE)["id"]}),
        Fate.LOST,
    ),
    ("the service forgot the old write", Kind.EXTENDED, lambda w: w.writes.pop(0), Fate.LOST),
    ("the old data is on the new record", Kind.HELD, lambda w: _written(w.new()), Fate.LOST),
    ("the held data is on the old record", Kind.HELD, lambda w: _written(w.of(ACTIVE)), Fate.LOST),
    ("what was submitted is gone", Kind.HELD, lambda w: w.writes.pop(), Fate.LOST),
    ("it is held for another reason", Kind.HELD, lambda w: w.writes[-1].update(reason="settling"), Fate.LOST),
    ("the service says that all is well", Kind.HELD, lambda w: setattr(w, "state", "in_sync"), Fate.LOST),
    ("the label did not move", Kind.HELD, _label_stayed, Fate.NEEDS_A_PERSON),
    (
        "it is on the other Credentialing",
        Kind.RELOCATION,
        _on_the_other,
        Fate.LOST,
    ),
    ("it is on both", Kind.RELOCATION, lambda w: _written(w.of(ACTIVE)), Fate.LOST),
    ("there is no other", Kind.RELOCATION, lambda w: w.records.remove(w.of(ACTIVE)), Fate.LOST),
    ("the licences are swapped", Kind.LICENCES, _swapped, Fate.LOST),
    ("both licences went to one record", Kind.LICENCES, _on_one_record, Fate.LOST),
    ("the other NY is written, too", Kind.LICENCES, lambda w: _written(w.new()), Fate.LOST),
    ("the NY of the other Credentialing is written", Kind.LICENCES, _on_the_other_ny, Fate.LOST),
    ("there is no other NY", Kind.LICENCES, lambda w: w.records.remove(w.new()), Fate.LOST),
    ("one of the two is written", Kind.TWO_RECORDS, lambda w: _written(w.of(ACTIVE)), Fate.LOST),
    ("the other of the two is written", Kind.TWO_RECORDS, lambda w: _written(w.new()), Fate.LOST),
    (
        "one of the two is not shown",
        Kind.TWO_RECORDS,
        lambda w: w.link(ACTIVE)["candidates"].pop(),
        Fate.NEEDS_A_PERSON,
    ),
    ("only one holds the slot", Kind.TWO_RECORDS, lambda w: w.new().update(slots=[]), Fate.NEEDS_A_PERSON),
    (
        "what was submitted is gone",
        Kind.TWO_RECORDS,
        lambda w: w.writes.remove(w.write(ACTIVE)),
        Fate.LOST,
    ),
    (
        "the service says that all is well",
        Kind.TWO_RECORDS,
        lambda w: setattr(w, "state", "in_sync"),
        Fate.LOST,
    ),
    ("another value is missing", Kind.BAD_VALUE, lambda w: w.of(ACTIVE)["properties"].pop("npi"), Fate.LOST),
    (
        "a value nobody submitted is there",
        Kind.BAD_VALUE,
        lambda w: w.of(ACTIVE)["properties"].update(medicare="Yes"),
        Fate.LOST,
    ),
    ("the licence is missing", Kind.BAD_VALUE, lambda w: w.records.pop(1), Fate.LOST),
    ("the value is not named", Kind.BAD_VALUE, lambda w: w.write(ACTIVE).update(properties=[]), Fate.LOST),
    (
        "the write is said to be whole",
        Kind.BAD_VALUE,
        lambda w: w.write(ACTIVE).update(state="written"),
        Fate.LOST,
    ),
    (
        "the other Credentialing is written",
        Kind.BAD_VALUE,
        lambda w: _written(w.of(RELOCATION)),
        Fate.LOST,
    ),
    ("it has come", Kind.NEVER, lambda w: w.record(ACTIVE, {}, writes=0), Fate.WAITING),
    ("it is not overdue", Kind.NEVER, lambda w: setattr(w, "state", "waiting"), Fate.WAITING),
    ("it does not say since when", Kind.NEVER, lambda w: w.link(ACTIVE).pop("overdue_since"), Fate.WAITING),
    ("what was submitted is gone", Kind.NEVER, lambda w: w.writes.remove(w.write(ACTIVE)), Fate.LOST),
    ("it is said to be written", Kind.NEVER, lambda w: w.write(ACTIVE).update(state="written"), Fate.LOST),
    ("the address is not written", Kind.NEVER, lambda w: w.of(ADDRESS).update(writes=0), Fate.LOST),
    ("the service says that all is well", Kind.NEVER, lambda w: setattr(w, "state", "in_sync"), Fate.LOST),
]


@pytest.mark.parametrize("kind", ENDS)
def test_each_story_ends_well_when_everything_is_as_it_should_be(kind: Kind) -> None:
    told = World(PARTS[kind]).told()
    assert told.well, told.faults
    assert told.fate is ENDS[kind]
    assert bool(told.command) is (told.fate is not Fate.WRITTEN)
    ((name, number, text),) = lines([told])
    assert (name, number) == (kind, "1")
    assert "WRONG" not in text


@pytest.mark.parametrize(("kind", "change", "fate"), [each[1:] for each in WRONG], ids=[e[0] for e in WRONG])
def test_each_storys_wrong_outcome_is_called_wrong(kind: Kind, change: Change, fate: Fate) -> None:
    world = World(PARTS[kind])
    change(world)
    told = world.told()
    assert not told.well
    assert told.faults
    assert told.fate is fate
    ((_, _, text),) = lines([told])
    assert text.startswith(f"WRONG for 1: {told.label}: ")
    assert faults([told]) == [f"{told.label}: {told.fate}: {'; '.join(told.faults)}"]


def test_one_wrong_of_three_is_counted_in_its_line() -> None:
    worlds = [World(part) for part in the_stories(1) if part.kind is Kind.EXTENDED]
    _label_stayed(worlds[1])
    ((_, number, text),) = lines([each.told() for each in worlds])
    assert number == "3"
    assert text.startswith("WRONG for 1: E2: ")


def test_since_when_it_is_overdue_is_told_in_hubspots_time() -> None:
    ((_, _, text),) = lines([World(PARTS[Kind.NEVER]).told()])
    assert "overdue since 12.1 min after the sign-up" in text


def test_what_to_do_names_candidates_and_value_and_the_command() -> None:
    """The command chooses the workflow's own record: the licences hang on it."""
    worlds = [World(PARTS[kind]) for kind in (Kind.TWO_RECORDS, Kind.BAD_VALUE, Kind.NEVER, Kind.LICENCES)]
    worlds[0].of(ACTIVE)["id"] = "999"
    worlds[0].link(ACTIVE)["candidates"][0]["record_id"] = "999"
    first = worlds[0].of(ACTIVE)["id"]
    two, bad, never, _ = (world.played.part.person.id for world in worlds)
    said = to_do([each.told() for each in worlds], "credsync")
    assert [line for line in said if line.startswith("    ")] == [
        f"    credsync choose {two} {ACTIVE} {first} --reason 'the other is a duplicate'",
        f"    credsync sync {bad} --reason 'the option is there now'",
        f"    credsync show {never}",
    ]
    assert any("medicare: the value is none of its options" in line for line in said)


@pytest.mark.parametrize("kind", ENDS)
def test_a_story_is_watched_until_nothing_more_is_to_be_expected(kind: Kind) -> None:
    world = World(PARTS[kind])
    assert settled(world.played, world.status)
    assert not settled(world.played, {**world.status, "state": "waiting"})
    assert not settled(world.played, {**world.status, "writes": world.writes[:-1]})
    world.write(ADDRESS)["state"] = "due"
    assert not settled(world.played, world.status)


def test_whoever_waits_for_a_licence_is_watched_on_though_a_value_was_refused_already() -> None:
    world = World(PARTS[Kind.BAD_VALUE])
    licence = world.played.part.person.slots[1]
    world.write(licence)["state"], world.link(licence)["state"] = "waiting", "awaited"
    assert not settled(world.played, world.status)


@pytest.mark.parametrize("width", [40, 80, 118])
def test_a_narrow_terminal_shows_every_word_of_every_line(width: int) -> None:
    told = [World(PARTS[kind]).told() for kind in ENDS]
    out = Console(width=width, file=StringIO(), force_terminal=True, color_system=None)
    with out.capture() as shown:
        out.print(stories_table(told))
    words = shown.get().split()
    assert "…" not in shown.get()
    for name, number, text in lines(told):
        assert {*name.split(), number, *text.split()} <= set(words)
