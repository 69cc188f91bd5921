"""One bad value must not end its neighbours' way, and finding it costs few calls.

The server here refuses as HubSpot does: the whole batch with a 400 that may quote the value, name the property, or
say nothing; or with trace ids a 207.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from enum import Enum, auto
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credsync.core.verdicts import Outcome, Stamp, Verdict
from credsync.hubspot.chunk import MOST_SENDS
from credsync.hubspot.isolate import update_records
from credsync.hubspot.learnt import Learnt
from credsync.hubspot.objects import RecordInput
from credsync.hubspot.sift import MOST_SIFTS
from tests.hubspot.scripted import CORRELATION, Asked, Reply, error, scene


class Style(Enum):
    QUOTES = auto()
    QUOTES_ONE = auto()
    LISTS_OPTIONS = auto()
    NAMES = auto()
    SILENT = auto()
    TRACES = auto()
    MUTE_TRACES = auto()


SAYS_WHICH = [Style.QUOTES, Style.LISTS_OPTIONS]
OPTIONS = ["NY", "CA", "New York"]


class Portal:
    """Knows which values it does not take (those that start with "bad"), and which properties it does not have."""

    def __init__(self, style: Style = Style.QUOTES, unknown: tuple[str, ...] = ()) -> None:
        self.style = style
        self.unknown = unknown
        self.records: dict[str, dict[str, str]] = {}
        self.sends: Counter[str] = Counter()
        self.calls = 0
        self.interrupt: dict[int, Reply] = {}

    def __call__(self, asked: Asked) -> Reply:
        self.calls += 1
        self.sends.update(asked.ids)
        if self.calls in self.interrupt:
            return self.interrupt[self.calls]
        faults = [
            (each["id"], name, value)
            for each in asked.body["inputs"]
            for name, value in each["properties"].items()
            if value.startswith("bad") or name in self.unknown
        ]
        traces = self.style in (Style.TRACES, Style.MUTE_TRACES)
        hit = {record for record, _, _ in faults} if traces else set()
        if faults and not hit:
            return self.refusal(faults)
        for each in asked.body["inputs"]:
            if each["id"] not in hit:
                self.records.setdefault(each["id"], {}).update(each["properties"])
        items = [
            {
                "category": "VALIDATION_ERROR",
                "context": {"objectWriteTraceId": [record]}
                | ({} if self.style is Style.MUTE_TRACES else {"propertyName": [name]}),
            }
            | ({} if self.style is Style.MUTE_TRACES else {"code": "INVALID_OPTION"})
            for record, name, _ in faults
        ]
        return Reply(
            207, {"results": [{"id": each} for each in asked.ids if each not in hit], "errors": items}
        )

    def refusal(self, faults: list[tuple[str, str, str]]) -> Reply:
        entries = [self.entry(name, value) for _, name, value in faults]
        unknown = [each for each in entries if each["error"] == "PROPERTY_DOESNT_EXIST"]
        if self.style is Style.SILENT and not unknown:
            return error(400)
        entries = unknown or (entries[:1] if self.style is Style.QUOTES_ONE else entries)
        message = f"Property values were not valid: {json.dumps(entries)}"
        short = [{"code": each["error"], "context": {"propertyName": [each["name"]]}} for each in entries[:1]]
        return error(400, message=message, errors=short)

    def entry(self, name: str, value: str) -> dict[str, Any]:
        if name in self.unknown:
            text = f'Property "{name}" does not exist'
            return {"isValid": False, "message": text, "error": "PROPERTY_DOESNT_EXIST", "name": name}
        text = {
            Style.LISTS_OPTIONS: f"{value} was not one of the allowed options: {OPTIONS}",
            Style.NAMES: "one value was not one of the options",
        }.get(self.style, f"{value} was not a valid long.")
        return {"isValid": False, "message": text, "error": "INVALID_OPTION", "name": name}


def inputs(count: int, bad: dict[int, dict[str, str]], **more: str) -> list[RecordInput]:
    good = {"state": "NY", "name": "Dr. Who"} | more
    return [RecordInput(str(each), good | bad.get(each, {}), str(each)) for each in range(count)]


async def update(portal: Portal, records: list[RecordInput], **settings: Any) -> dict[str, Verdict]:
    async with scene(portal, **settings) as here:
        return await update_records(here.client, "2-7", records)


def run(portal: Portal, records: list[RecordInput]) -> dict[str, Verdict]:
    return anyio.run(update, portal, records)


def others(verdicts: dict[str, Verdict], *but: int) -> set[Outcome]:
    return {each.outcome for key, each in verdicts.items() if int(key) not in but}


def test_a_thousand_good_records_are_ten_calls() -> None:
    portal = Portal()
    assert others(run(portal, inputs(1000, {}))) == {Outcome.WRITTEN}
    assert portal.calls == 10


def test_nobody_to_write_is_no_call() -> None:
    portal = Portal()
    assert run(portal, []) == {}
    assert portal.calls == 0


@pytest.mark.parametrize("style", SAYS_WHICH)
@pytest.mark.parametrize("where", [0, 37, 99])
def test_one_bad_value_of_a_hundred_that_is_quoted_costs_three_calls(style: Style, where: int) -> None:
    portal = Portal(style)
    verdicts = run(portal, inputs(100, {where: {"state": "bad New York"}}))
    assert portal.calls == 3
    found = verdicts[str(where)]
    assert others(verdicts, where) == {Outcome.WRITTEN}
    assert (found.outcome, found.code) == (Outcome.PARTIAL, "INVALID_OPTION")
    assert [(each.name, each.code) for each in found.faults] == [("state", "INVALID_OPTION")]
    assert found.correlation_ids == (CORRELATION,)
    assert portal.records[str(where)] == {"name": "Dr. Who"}
    assert portal.records["50" if where != 50 else "51"] == {"name": "Dr. Who", "state": "NY"}
    assert "bad New York" not in repr(verdicts)


def test_the_options_a_refusal_lists_are_nobodys_fault() -> None:
    portal = Portal(Style.LISTS_OPTIONS)
    verdicts = run(portal, inputs(100, {37: {"state": "bad"}}, state="New York"))
    assert portal.calls == 3
    assert others(verdicts, 37) == {Outcome.WRITTEN}


def test_one_bad_value_told_by_a_trace_id_costs_two_calls() -> None:
    portal = Portal(Style.TRACES)
    verdicts = run(portal, inputs(100, {37: {"state": "bad"}}))
    assert portal.calls == 2
    assert verdicts["37"].outcome is Outcome.PARTIAL
    assert others(verdicts, 37) == {Outcome.WRITTEN}


def test_a_bad_value_only_few_records_carry_is_sought_among_those() -> None:
    portal = Portal(Style.NAMES)
    verdicts = run(portal, inputs(100, {37: {"rare": "bad"}}))
    assert portal.calls == 3
    assert verdicts["37"].outcome is Outcome.PARTIAL


@pytest.mark.parametrize("where", [0, 1, 37, 50, 98, 99])
@pytest.mark.parametrize(("style", "most"), [(Style.NAMES, 10), (Style.SILENT, 11)])
def test_one_bad_value_of_a_hundred_that_is_not_quoted_costs_eleven_calls_at_most(
    style: Style, most: int, where: int
) -> None:
    """Less than 2 * log2(100) + 1, the search for the property included where the refusal names none."""
    portal = Portal(style)
    verdicts = run(portal, inputs(100, {where: {"state": "bad"}}))
    assert portal.calls <= most
    assert others(verdicts, where) == {Outcome.WRITTEN}
    found = verdicts[str(where)]
    assert found.outcome is Outcome.PARTIAL
    code = "INVALID_OPTION" if style is Style.NAMES else "VALIDATION_ERROR"
    assert [(each.name, each.code) for each in found.faults] == [("state", code)]
    assert portal.records[str(where)] == {"name": "Dr. Who"}


@pytest.mark.parametrize("style", [Style.SILENT, Style.MUTE_TRACES])
@pytest.mark.parametrize(("count", "most"), [(2, 2), (8, 5), (30, 7)])
def test_which_of_a_records_properties_is_bad_is_found_by_halves_and_the_others_are_written(
    style: Style, count: int, most: int
) -> None:
    """`most` is beside the refusal itself. The record of a batch that is told by its trace id is sifted alike."""
    for where in (0, count // 2, count - 1):
        sent = {f"p{n:02}": "bad" if n == where else "good" for n in range(count)}
        portal = Portal(style)
        verdicts = run(portal, [RecordInput("1", sent)])
        assert portal.calls <= most + 1
        assert [each.name for each in verdicts["1"].faults] == [f"p{where:02}"]
        assert verdicts["1"].outcome is Outcome.PARTIAL
        assert portal.records["1"] == {name: value for name, value in sent.items() if value == "good"}


def test_a_record_none_of_whose_properties_passes_ends_refused_with_all_of_them_named() -> None:
    sent = {f"p{n:02}": "bad" for n in range(30)}
    portal = Portal(Style.SILENT)
    verdicts = run(portal, [RecordInput("1", sent), RecordInput("2", {"p00": "good"})])
    assert verdicts["1"].outcome is Outcome.REFUSED
    assert {each.name for each in verdicts["1"].faults} == set(sent)
    assert verdicts["2"].outcome is Outcome.WRITTEN
    assert portal.calls <= 3 + MOST_SIFTS


def test_a_record_that_is_gone_or_unanswered_while_it_is_sifted_is_just_that() -> None:
    """What was found by then is told all the same, so that it is not sent again."""
    for reply, outcome in (
        (Reply(200, ""), Outcome.UNKNOWN),
        (error(404, "OBJECT_NOT_FOUND"), Outcome.MISSING),
        (error(401), Outcome.NOT_SENT),
    ):
        portal = Portal(Style.SILENT)
        portal.interrupt = {5: reply}
        verdicts = run(portal, [RecordInput("1", {"a": "bad", "b": "good", "c": "bad", "d": "good"})])
        assert verdicts["1"].outcome is outcome
        assert portal.calls == 5
        told = [] if outcome is Outcome.MISSING else ["a"]
        assert [each.name for each in verdicts["1"].faults] == told


@pytest.mark.parametrize("style", [Style.QUOTES, Style.NAMES, Style.SILENT])
def test_a_property_that_is_not_there_is_dropped_everywhere_for_one_more_call(style: Style) -> None:
    portal = Portal(style, unknown=("name",))
    verdicts = run(portal, inputs(100, {}))
    assert portal.calls == 2
    assert others(verdicts) == {Outcome.PARTIAL}
    assert verdicts["5"].faults[0].code == "PROPERTY_DOESNT_EXIST"
    assert portal.records["5"] == {"state": "NY"}


def test_a_record_with_nothing_left_to_write_is_refused() -> None:
    portal = Portal(unknown=("state", "name"))
    verdicts = run(portal, inputs(100, {}))
    assert portal.calls == 1
    assert others(verdicts) == {Outcome.REFUSED}
    assert {each.name for each in verdicts["5"].faults} == {"state", "name"}
    portal = Portal()
    verdicts = run(portal, [RecordInput("1", {"state": "bad"})])
    assert (portal.calls, verdicts["1"].outcome, verdicts["1"].code) == (1, Outcome.REFUSED, "INVALID_OPTION")


def test_the_same_bad_value_in_many_records_costs_no_more_than_in_one() -> None:
    portal = Portal()
    bad = {each: {"state": "bad"} for each in range(0, 100, 7)}
    verdicts = run(portal, inputs(100, bad))
    assert portal.calls == 3
    assert others(verdicts, *bad) == {Outcome.WRITTEN}
    assert {verdicts[str(each)].outcome for each in bad} == {Outcome.PARTIAL}


def test_different_bad_values_in_different_properties_cost_three_calls_when_all_are_told() -> None:
    portal = Portal()
    verdicts = run(
        portal, inputs(100, {3: {"state": "bad1"}, 4: {"name": "bad2"}, 5: {"state": "bad3", "name": "bad4"}})
    )
    assert portal.calls == 3
    assert others(verdicts, 3, 4, 5) == {Outcome.WRITTEN}
    assert portal.records["3"] == {"name": "Dr. Who"}
    assert portal.records["4"] == {"state": "NY"}
    assert verdicts["5"].outcome is Outcome.REFUSED


def test_bad_values_told_one_at_a_time_are_followed_one_at_a_time() -> None:
    portal = Portal(Style.QUOTES_ONE)
    verdicts = run(portal, inputs(100, {3: {"state": "bad1"}, 40: {"state": "bad2"}, 80: {"name": "bad3"}}))
    assert portal.calls <= 8
    assert others(verdicts, 3, 40, 80) == {Outcome.WRITTEN}
    assert others({each: verdicts[each] for each in ("3", "40", "80")}) == {Outcome.PARTIAL}


@pytest.mark.parametrize("broken", [0, 2])
def test_a_wrong_guess_strips_nobody(broken: int) -> None:
    """The refusal speaks of a number that happens to be someone's good value; the call that would clear them may fail."""
    calls = 0

    def handle(asked: Asked) -> Reply:
        nonlocal calls
        calls += 1
        if calls == broken:
            return Reply(200, "")
        if any("culprit" in each["properties"].values() for each in asked.body["inputs"]):
            entry = {
                "code": "LIMIT",
                "message": "only 12 of these may be",
                "context": {"propertyName": "state"},
            }
            return error(400, errors=[entry])
        return Reply(200, {"results": [{"id": each} for each in asked.ids]})

    records = inputs(100, {8: {"state": "12"}, 9: {"state": "culprit"}})
    verdicts = anyio.run(update, handle, records)
    assert verdicts["8"].outcome is Outcome.WRITTEN
    assert others(verdicts, 8, 9) == {Outcome.UNKNOWN if broken else Outcome.WRITTEN}
    assert verdicts["9"].outcome is (Outcome.UNKNOWN if broken else Outcome.PARTIAL)


def test_where_all_are_bad_each_is_asked_for_alone() -> None:
    """Halving a hundred culprits would cost two hundred calls."""
    portal = Portal(Style.NAMES)
    bad = {each: {"state": f"bad{each}", "name": f"bad{each}"} for each in range(100)}
    verdicts = run(portal, inputs(100, bad))
    assert others(verdicts) == {Outcome.REFUSED}
    assert max(portal.sends.values()) <= MOST_SENDS
    assert portal.calls <= 125


def test_a_portal_that_refuses_everything_without_a_word_is_left_alone_soon() -> None:
    """Whatever it minds is no record's fault: nobody is refused for good but who was asked for alone."""
    portal = Portal(Style.SILENT)
    verdicts = run(portal, inputs(1000, {each: {"state": "bad", "name": "bad"} for each in range(1000)}))
    count = Counter(each.outcome for each in verdicts.values())
    assert set(count) == {Outcome.REFUSED, Outcome.NOT_SENT}
    assert count[Outcome.NOT_SENT] > 950
    assert portal.calls <= 120


@pytest.mark.parametrize("style", [Style.QUOTES, Style.NAMES, Style.SILENT])
def test_what_one_batch_found_out_the_next_does_not_search_for(style: Style) -> None:
    """The same bad value in each of ten batches: those after the first four, sent at once, lose a call or two."""
    portal = Portal(style)
    bad = {each: {"state": "bad"} for each in range(50, 1000, 100)}
    verdicts = run(portal, inputs(1000, bad))
    assert others(verdicts, *bad) == {Outcome.WRITTEN}
    assert {verdicts[str(each)].outcome for each in bad} == {Outcome.PARTIAL}
    assert {verdicts[str(each)].faults[0].name for each in bad} == {"state"}
    assert portal.calls <= 10 + {Style.QUOTES: 8, Style.NAMES: 36, Style.SILENT: 50}[style]


def test_what_a_round_learnt_holds_for_its_next_call_too() -> None:
    """A second set of records in the same round: no refusal any more."""
    learnt = Learnt()
    portal = Portal(Style.QUOTES, unknown=("fax",))

    async def twice() -> dict[str, Verdict]:
        async with scene(portal) as here:
            await update_records(here.client, "2-7", inputs(10, {3: {"state": "bad"}}, fax="1"), learnt)
            before = portal.calls
            told = await update_records(
                here.client, "2-7", inputs(100, {7: {"state": "bad"}}, fax="1"), learnt
            )
            assert portal.calls == before + 1
            return told

    verdicts = anyio.run(twice)
    assert {each.name for each in verdicts["7"].faults} == {"fax", "state"}
    assert {each.name for each in verdicts["8"].faults} == {"fax"}
    assert "bad" not in repr(learnt)


def test_a_value_that_is_merely_suspected_is_not_withheld_from_anybody() -> None:
    """One record was refused for it without a word: another may well be allowed to have it."""
    learnt = Learnt()
    learnt.value_suspected("2-7", "state", "NY")
    portal = Portal(Style.SILENT)

    async def write() -> dict[str, Verdict]:
        async with scene(portal) as here:
            return await update_records(here.client, "2-7", inputs(10, {3: {"name": "bad"}}), learnt)

    verdicts = anyio.run(write)
    assert others(verdicts, 3) == {Outcome.WRITTEN}
    assert [each.name for each in verdicts["3"].faults] == ["name"]


def test_who_was_refused_before_is_asked_for_one_by_one() -> None:
    """Half of them are good by now: a call for all, then one for each."""
    portal = Portal(Style.SILENT)
    records = [RecordInput(str(n), {"state": f"bad{n}" if n % 2 else "NY"}) for n in range(10)]

    async def write() -> dict[str, Verdict]:
        async with scene(portal) as here:
            return await update_records(here.client, "2-7", records, wary=True)

    verdicts = anyio.run(write)
    assert portal.calls == 11
    assert [verdicts[str(n)].outcome for n in range(10)] == [Outcome.WRITTEN, Outcome.REFUSED] * 5


def test_a_property_that_is_required_by_a_rule_is_nothing_to_go_without() -> None:
    def handle(asked: Asked) -> Reply:
        if "7" in asked.ids:
            return error(
                400, errors=[{"code": "REQUIRED_PROPERTY", "context": {"propertyName": ["licence"]}}]
            )
        return Reply(200, {"results": [{"id": each} for each in asked.ids]})

    verdicts = anyio.run(update, handle, inputs(20, {}))
    assert others(verdicts, 7) == {Outcome.WRITTEN}
    assert (verdicts["7"].outcome, verdicts["7"].code) == (Outcome.REFUSED, "REQUIRED_PROPERTY")
    assert verdicts["7"].faults[0].name == "licence"


@pytest.mark.parametrize("reply", [error(500), Reply(200, ""), Reply(raw=b""), error(423)])
def test_a_batch_that_may_have_been_written_is_not_taken_apart(reply: Reply) -> None:
    portal = Portal()
    portal.interrupt = dict.fromkeys(range(1, 99), reply)
    verdicts = anyio.run(update, portal, inputs(100, {3: {"state": "bad"}}))
    assert others(verdicts) <= {Outcome.UNKNOWN, Outcome.NOT_SENT}
    assert portal.calls <= 5
    assert len(others(verdicts)) == 1


@pytest.mark.parametrize("style", [Style.QUOTES, Style.NAMES, Style.SILENT])
@pytest.mark.parametrize("broken", range(2, 11))
def test_nothing_follows_from_a_call_that_failed_on_the_way(style: Style, broken: int) -> None:
    """An empty answer in the middle: who was in it is unknown, and nobody else is blamed for that."""
    portal = Portal(style)
    portal.interrupt = {broken: Reply(200, "")}
    verdicts = run(portal, inputs(100, {37: {"state": "bad"}}))
    assert others(verdicts, 37) <= {Outcome.WRITTEN, Outcome.UNKNOWN}
    assert verdicts["37"].outcome in (Outcome.PARTIAL, Outcome.REFUSED, Outcome.UNKNOWN)
    assert set(verdicts) == set(map(str, range(100)))


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(401), "unauthorized"),
        (error(403, "MISSING_SCOPES"), "missing_scopes"),
        (error(429, policyName="DAILY"), "rate_limited_daily"),
    ],
)
def test_once_the_token_or_the_day_is_gone_nothing_more_is_sent(reply: Reply, code: str) -> None:
    portal = Portal(Style.SILENT)
    portal.interrupt = dict.fromkeys(range(2, 99), reply)
    verdicts = run(portal, inputs(100, {3: {"state": "bad"}}))
    assert portal.calls == 2
    assert {(each.outcome, each.code) for each in verdicts.values()} == {(Outcome.NOT_SENT, code)}
    portal = Portal()
    portal.interrupt = dict.fromkeys(range(1, 99), reply)
    assert others(run(portal, inputs(1000, {}))) == {Outcome.NOT_SENT}
    assert portal.calls <= 4


def test_what_was_not_sent_at_all_is_not_in_doubt() -> None:
    """The connection breaks in the middle of a write and then for good: only that batch is unknown."""
    portal = Portal(Style.SILENT)
    portal.interrupt = {2: Reply(raw=b"")} | dict.fromkeys(range(3, 99), error(401))
    verdicts = run(portal, inputs(100, {3: {"state": "bad"}}))
    count = Counter(each.outcome for each in verdicts.values())
    assert count == {Outcome.UNKNOWN: 50, Outcome.NOT_SENT: 50}


def test_missing_records_do_not_disturb_the_search() -> None:
    def handle(asked: Asked) -> Reply:
        if "7" in asked.ids:
            return error(400)
        item = {
            "category": "OBJECT_NOT_FOUND",
            "context": {"ids": [each for each in asked.ids if each == "12"]},
        }
        return Reply(207, {"results": [{"id": each} for each in asked.ids if each != "12"], "errors": [item]})

    verdicts = anyio.run(update, handle, inputs(30, {}))
    assert others(verdicts, 7, 12) == {Outcome.WRITTEN}
    assert (verdicts["7"].outcome, verdicts["12"].outcome) == (Outcome.REFUSED, Outcome.MISSING)


@settings(max_examples=80)
@given(
    st.sampled_from(Style),
    st.integers(1, 120),
    st.dictionaries(
        st.integers(0, 119),
        st.dictionaries(
            st.sampled_from(["state", "name", "rare"]),
            st.sampled_from(["bad", "bad NY", "bad x"]),
            min_size=1,
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_whatever_is_bad_the_good_is_written_and_the_bad_alone_is_told(
    style: Style, count: int, bad: dict[int, dict[str, str]], unknown: bool
) -> None:
    portal = Portal(style, unknown=("fax",) if unknown else ())
    records = inputs(count, bad, fax="1")
    verdicts = run(portal, records)
    assert set(verdicts) == {each.id for each in records}
    for each in records:
        found, wanted = verdicts[each.id], dict(each.properties)
        dropped = {name for name, value in wanted.items() if str(value).startswith("bad")}
        dropped |= set(portal.unknown)
        kept = {name: value for name, value in wanted.items() if name not in dropped}
        told = {fault.name for fault in found.faults}
        if int(each.id) not in bad:
            assert found.outcome is (Outcome.PARTIAL if unknown else Outcome.WRITTEN)
        else:
            assert found.outcome is (Outcome.PARTIAL if kept else Outcome.REFUSED)
        assert told == dropped
        assert portal.records.get(each.id, {}) == kept
    assert max(portal.sends.values()) <= MOST_SENDS + MOST_SIFTS


WHOLE, PART = "submission-5.0123456789ab", "submission-5"


def stamped(count: int, bad: dict[int, dict[str, str]]) -> list[RecordInput]:
    """Inputs that carry a stamp beside their properties."""
    stamp = Stamp("shown", WHOLE, PART)
    return [
        replace(each, properties={**each.properties, "shown": WHOLE}, stamp=stamp)
        for each in inputs(count, bad)
    ]


@pytest.mark.parametrize("style", Style)
def test_what_goes_in_part_does_not_bear_the_stamp_of_the_whole(style: Style) -> None:
    """What goes in part does not bear the stamp of the whole.

    Else a record that lacks a refused property would be read back as written.
    """
    portal = Portal(style)
    verdicts = run(portal, stamped(20, {3: {"state": "bad"}}))
    assert others(verdicts, 3) == {Outcome.WRITTEN}
    assert verdicts["3"].outcome is Outcome.PARTIAL
    assert {each["shown"] for key, each in portal.records.items() if key != "3"} == {WHOLE}
    assert portal.records["3"]["shown"] == PART


@pytest.mark.parametrize("style", [Style.QUOTES, Style.NAMES, Style.TRACES])
def test_nothing_is_sent_for_the_stamps_sake_alone(style: Style) -> None:
    portal = Portal(style)
    bad = {"state": "bad", "name": "bad name"}
    verdicts = run(portal, stamped(20, {3: bad}))
    assert verdicts["3"].outcome is Outcome.REFUSED
    assert "3" not in portal.records


def test_a_stamp_that_nobody_can_write_costs_one_refusal_and_no_property() -> None:
    portal = Portal(unknown=("shown",))
    verdicts = run(portal, stamped(20, {}))
    assert portal.calls == 2
    assert {tuple(f.name for f in each.faults) for each in verdicts.values()} == {("shown",)}
    assert {tuple(sorted(each)) for each in portal.records.values()} == {("name", "state")}
