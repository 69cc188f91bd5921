"""The help-desk report: everything an engineer asks for, in words that can be read out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from credsync.core.links import LinkState
from credsync.core.reasons import Reason, sentence
from credsync.core.writes import WriteState
from credsync.operate.packet import packet, packet_markdown
from credsync.operate.packet_text import code, escaped, plain
from credsync.store.rounds import Verified
from tests.operate.scene import (
    ACTIVE,
    ADDRESS,
    NY,
    SECRET,
    T0,
    Scene,
    a_write,
    awaited,
    found,
    portal_of,
    uuid_of,
)


def test_nobody_has_no_packet(scene: Scene) -> None:
    with scene.database.read() as connection:
        assert packet(connection, scene.portals, uuid_of(1), T0) is None


def test_each_slot_says_true_or_false_and_how_late_its_record_was(scene: Scene) -> None:
    scene.sign_up()
    late = found(first_missed_at=T0, record_created_at=T0 + timedelta(seconds=82))
    scene.store(links=[late, awaited(NY), found(ADDRESS, "901")])
    told = {each["slot"]: (each["outcome"], each["lateness"]) for each in scene.packet()["links"]}
    assert told == {
        ACTIVE: (True, "created 1 min 22 s after the first look that missed it"),
        NY: (False, "not there yet"),
        ADDRESS: (True, "never missed"),
    }


def test_refused_properties_are_named_with_their_code_and_never_their_value(scene: Scene) -> None:
    scene.sign_up()
    refused = {"name": "medicare", "state": "refused", "code": "INVALID_OPTION", "message": "no such option"}
    partial = a_write(state=WriteState.PARTIAL, reason=Reason.PROPERTIES_REFUSED)
    scene.store(links=[found()], writes=[partial], verified={0: Verified([refused], ["c-1", "c-2"])})
    told = scene.packet()
    assert told["refused_properties"] == [
        {
            "form": "ca",
            "slot": ACTIVE,
            "record_id": "900",
            "name": "medicare",
            "code": "INVALID_OPTION",
            "message": "no such option",
        }
    ]
    assert told["correlation_ids"] == ["c-1", "c-2"]
    assert "needs a person" in " ".join(told["next"])
    assert "Refused: medicare (INVALID_OPTION)." in " ".join(told["next"])


def test_the_next_look_is_said_with_its_moment_and_what_it_writes(scene: Scene) -> None:
    scene.sign_up()
    waiting = a_write(state=WriteState.WAITING, reason=Reason.RECORD_AWAITED, record_id=None)
    scene.store(links=[awaited(), found(ADDRESS, "901")], writes=[waiting])
    scene.clock.wait(5)
    assert scene.packet()["next"] == [
        f"credsync looks again at 09:00:17 UTC, in 12 s, for {ACTIVE}, and writes the submitted CA data as soon as "
        "its record is there."
    ]


def test_a_look_for_several_says_which_of_them_get_the_data(scene: Scene) -> None:
    scene.sign_up()
    waiting = a_write(state=WriteState.WAITING, reason=Reason.RECORD_AWAITED, record_id=None)
    scene.store(links=[awaited(), awaited(ADDRESS)], writes=[waiting])
    assert scene.packet()["next"] == [
        f"credsync looks again at 09:00:17 UTC, in 17 s, for {ACTIVE} and {ADDRESS}, and writes the submitted CA data "
        f"to {ACTIVE} as soon as its record is there."
    ]


def test_a_look_that_is_due_is_said_to_be_within_seconds(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    scene.clock.wait(30)
    assert scene.packet()["next"] == [
        f"credsync looks within seconds for {ACTIVE}, {NY} and {ADDRESS}, and writes the submitted CA data as soon as "
        "each record is there."
    ]


def test_a_look_on_another_day_is_said_with_its_day(scene: Scene) -> None:
    scene.sign_up()
    scene.store(
        links=[found(ADDRESS, "901"), replace(awaited(), next_look_at=T0 + timedelta(days=1, hours=2))]
    )
    assert scene.packet()["next"][0].startswith(
        "credsync looks again at 2026-03-03 11:00:00 UTC, in 1 d 2 h, for"
    )


def test_after_an_extended_sign_up_the_write_waits_for_the_label_to_settle(scene: Scene) -> None:
    scene.sign_up()
    doubted = found(
        reason=Reason.SETTLING,
        doubtful_since=T0,
        doubted_record_id="900",
        next_look_at=T0 + timedelta(seconds=60),
    )
    waiting = a_write(state=WriteState.WAITING, reason=Reason.SETTLING)
    scene.store(links=[doubted, found(ADDRESS, "901")], writes=[waiting])
    assert scene.packet()["next"][0].endswith(
        "writes the submitted CA data as soon as its label has settled."
    )


def test_a_paused_portal_says_who_paused_it_and_that_the_data_waits(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    scene.pause()
    assert scene.packet()["next"] == [
        f"{sentence(Reason.PORTAL_PAUSED)} Paused by Sam: workflow maintenance.",
        "Until then the submitted CA data waits.",
    ]


def test_a_missing_contact_is_said_once(scene: Scene) -> None:
    scene.sign_up(contact=None)
    scene.submit()
    assert scene.packet()["next"] == [sentence(Reason.NO_CONTACT)]


def test_records_in_doubt_and_records_given_up_ask_for_a_person(scene: Scene) -> None:
    scene.sign_up()
    doubtful = awaited(state=LinkState.AMBIGUOUS, reason=Reason.TWO_RECORDS_IN_SLOT, candidates=("41", "42"))
    given_up = awaited(ADDRESS, state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)
    late = awaited(NY, overdue_since=T0)
    scene.store(links=[doubtful, given_up, late])
    said = scene.packet()["next"]
    assert f"{ACTIVE}: {sentence(Reason.TWO_RECORDS_IN_SLOT)} The records are 41 and 42." in said
    assert f"{ADDRESS}: {sentence(Reason.GIVEN_UP)}" in said
    assert f"{NY}: {sentence(Reason.OVERDUE)}" in said


@pytest.mark.parametrize("reason", [Reason.CONTACT_GONE, Reason.RECORD_LOST, Reason.LABEL_MOVED])
def test_a_workflow_is_not_blamed_for_a_record_that_none_owes(scene: Scene, reason: Reason) -> None:
    scene.sign_up()
    scene.store(links=[awaited(overdue_since=T0, reason=reason), found(ADDRESS, "901")])
    said = scene.packet()["next"]
    assert f"{ACTIVE}: {sentence(reason)}" in said
    assert sentence(Reason.OVERDUE) not in str(said)


def test_a_write_without_a_verdict_says_when_it_is_read_back(scene: Scene) -> None:
    scene.sign_up()
    unknown = a_write(state=WriteState.UNKNOWN, reason=Reason.NO_VERDICT)
    scene.store(links=[found(), found(ADDRESS, "901")], writes=[unknown], due_in=20)
    assert scene.packet()["next"] == [
        f"The CA data for {ACTIVE} is not written yet. {sentence(Reason.NO_VERDICT)} "
        "credsync goes on at 09:00:20 UTC, in 20 s."
    ]


def test_a_choice_still_to_be_made_is_named_as_such(scene: Scene) -> None:
    scene.sign_up()
    waiting = a_write("definitive", WriteState.WAITING, reason=Reason.MOVING_UNKNOWN, record_id=None)
    scene.store(links=[found(), found(ADDRESS, "901")], writes=[waiting], due_in=None)
    assert scene.packet()["next"] == [
        "The CA data for the Credentialing still to be chosen is not written yet. "
        + sentence(Reason.MOVING_UNKNOWN)
    ]


def test_held_data_says_what_would_send_it(scene: Scene) -> None:
    scene.portals = {"alpha": portal_of(mode="observe")}
    scene.sign_up()
    held = a_write(state=WriteState.HELD, reason=Reason.OBSERVE_ONLY)
    scene.store(links=[found(), found(ADDRESS, "901")], writes=[held], due_in=None)
    assert scene.packet()["next"] == [
        sentence(Reason.OBSERVE_ONLY),
        f"The CA data for {ACTIVE} is held back. {sentence(Reason.OBSERVE_ONLY)}",
    ]


def test_a_refusal_that_a_newer_write_answered_asks_for_nobody(scene: Scene) -> None:
    scene.sign_up()
    refused = a_write(state=WriteState.REFUSED, reason=Reason.REFUSED_BY_HUBSPOT)
    scene.store(links=[found(), found(ADDRESS, "901")], writes=[refused, a_write()], due_in=None)
    assert scene.packet()["next"] == ["Nothing is left to do: all that was submitted is in HubSpot."]


def test_nothing_to_do_is_said_too(scene: Scene) -> None:
    scene.sign_up()
    scene.store(links=[found(), found(ADDRESS, "901")], due_in=None)
    assert scene.packet()["next"][0].startswith("Nothing has been submitted yet")


def test_nothing_submitted_is_in_a_packet(scene: Scene) -> None:
    scene.sign_up(name="Ada")
    scene.submit()
    for told in (scene.packet(), scene.packet()["next"]):
        assert SECRET not in json.dumps(told)
    assert SECRET not in packet_markdown(scene.packet())


def test_the_report_names_every_id_with_its_page(scene: Scene) -> None:
    scene.sign_up(name="Ada Lovelace")
    scene.submit()
    scene.know_account()
    verdict = Verified(
        [{"name": "npi", "state": "written", "code": "", "message": ""}], ["c-1"], written_at=T0
    )
    scene.store(links=[found(), awaited(ADDRESS)], writes=[a_write()], verified={0: verdict})
    text = packet_markdown(scene.packet())
    page = "https://app.hubspot.com/contacts/1234567/record"
    assert text.startswith("# Therapist Ada Lovelace\n")
    for piece in (
        f"- Therapist: `{uuid_of(1)}`",
        f"- HubSpot contact: [101](<{page}/0-1/101>)",
        f"- `{ACTIVE}`: **yes**, found",
        f"  - Record: [900](<{page}/2-101/900>)",
        f"- `{ADDRESS}`: **no**, awaited",
        "  - First looked and missed: 2026-03-02 09:00:00 UTC",
        f"- CA to `{ACTIVE}`: **written**",
        "  - Written: 2026-03-02 09:00:00 UTC",
        "  - Properties written: `npi`",
        "- `c-1`",
        "- 2026-03-02 09:00:00 UTC `form.submitted`",
    ):
        assert piece in text
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[:3] == ["## What happens next", "## Records", "## Writes"]


@pytest.mark.parametrize(
    "name",
    [
        "Ada\n# Therapist Eve\n- State: **in sync**",
        "[click](https://evil.example)",
        "<script>alert(1)</script>",
        "| a | b |\r\n|---|---|",
        "`Ada` ![x](y) &lt;b&gt; ~~gone~~ www.evil.example",
        "\u202eevA \u2028- a list",
    ],
)
def test_no_name_can_change_the_report(scene: Scene, name: str) -> None:
    scene.sign_up(name=name)
    calm = packet_markdown({**scene.packet(), "name": "Ada"})
    text = packet_markdown(scene.packet())
    assert text.splitlines()[1:] == calm.splitlines()[1:], "all of it is in the first line"
    title = text.splitlines()[0].removeprefix("# Therapist ")
    assert not re.search(r"(?<!\\)[`*_\[\]()<>|&~#!.]", title)
    assert not re.search(r"[\u202a-\u202e\u2028\u2029]", title)


def test_markup_in_words_of_others_is_disarmed_and_names_stay_readable() -> None:
    assert plain("license_ny of **x** <b> [a](b) _c_ __d__") == (
        r"license_ny of \*\*x\*\* \<b\> \[a\](b) \_c\_ \_\_d\_\_"
    )
    assert escaped("1. a-b") == r"1\. a\-b"
    assert code("a`b\nc") == "`a'b c`"
    assert code(None) == "none"
