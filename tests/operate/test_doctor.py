"""The examination: each thing that can be wrong is found, with its remedy, and hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credsync.core.alerts import AlertKind
from credsync.core.denials import Denied, Verb
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import Pacing
from credsync.operate.doctor import Finding, Level, examine, worst
from credsync.operate.doctor_database import examine_database
from credsync.operate.doctor_portal import clock_finding
from credsync.settings import Settings, SettingsError
from credsync.store import leases
from credsync.store import portals as portal_rows
from credsync.store.clock import SystemClock
from credsync.store.database import Database
from credsync.store.denials import deny
from credsync.store.tokens import Scope, create_token
from credsync.store.webhooks import note_received, note_refused
from tests.hubspot.scripted import Reply, scene
from tests.operate.scene import PORTAL_TOML, edge_to, portal_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


async def examined(url: str, text: str | None = None, settings: Settings | None = None) -> dict[str, Finding]:
    """The findings on a portal whose HubSpot is at `url`, by name, without the portal's own name."""
    portal = parse_portal("alpha", text) if text else portal_of(url)
    found = await examine(settings or of(), {"alpha": portal}, lambda each: edge_to(url, each))
    return {each.name.removeprefix("portal alpha: "): each for each in found}


def of(database_url: str = "sqlite:///nowhere/credsync.db", **more: Any) -> Settings:
    """Settings, with everything else at its default."""
    return Settings(database_url=database_url, **more)


def no_edge(_portal: Portal) -> Edge:
    """Where no portal could be read, none is asked for its edge."""
    raise AssertionError


def toml(*changes: tuple[str, str]) -> str:
    """The scene's portal file, changed."""
    text = PORTAL_TOML.format(url="http://127.0.0.1:9", mode="write")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def bad(findings: Mapping[str, Finding]) -> dict[str, Level]:
    """What is not well at the portal, by name."""
    ours = {"settings", "bind", "database", "durability", "schema", "tokens", "portals"}
    return {n: f.level for n, f in findings.items() if f.level is not Level.OK and n not in ours}


# The portal at HubSpot


async def test_a_portal_that_fits_is_well_and_every_kind_of_thing_was_looked_at(sandbox: Driver) -> None:
    findings = await examined(sandbox.url)
    assert bad(findings) == {}
    assert set(findings) >= {"token", "account", "clock", "object types", "scopes", "mapping"}
    assert all(each.remedy == "" for each in findings.values() if each.level is Level.OK)


async def test_an_examination_writes_nothing(sandbox: Driver) -> None:
    await examined(sandbox.url)
    calls = sandbox.do("/requests", method="GET")["requests"]
    assert {each["call"] for each in calls if "update" in each["call"] or "create" in each["call"]} == set()


async def test_a_missing_token_says_which_variable_to_set() -> None:
    def no_token(_portal: Portal) -> Edge:
        raise SettingsError("Portal alpha has no token: set CREDSYNC_HUBSPOT_TOKEN_ALPHA.")

    found = await examine(of(), {"alpha": portal_of()}, no_token)
    token = next(each for each in found if each.name == "portal alpha: token")
    assert token.level is Level.FAILING
    assert "CREDSYNC_HUBSPOT_TOKEN_ALPHA" in token.message


async def test_a_token_with_a_line_break_is_a_finding_not_a_traceback() -> None:
    def broken(portal: Portal) -> Edge:
        return Edge(portal, HubSpotClient("http://127.0.0.1:9", "a token", pacing=Pacing()))

    found = await examine(of(), {"alpha": portal_of()}, broken)
    assert any(each.name == "portal alpha: token" and each.level is Level.FAILING for each in found)
    assert not any("a token" in each.message for each in found if "alpha" in each.name)


async def test_a_revoked_token_is_named_once_with_its_variable(sandbox: Driver) -> None:
    sandbox.do("/faults", {"match": {}, "times": None, "answer": "revoked_token"})
    findings = await examined(sandbox.url)
    assert bad(findings) == {"token": Level.FAILING}
    assert "CREDSYNC_HUBSPOT_TOKEN_ALPHA" in findings["token"].remedy


async def test_a_token_of_another_account_is_failing_and_the_rest_is_still_examined(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('portal_id = "1234567"', 'portal_id = "7654321"')))
    assert bad(findings) == {"account": Level.FAILING}
    assert "1234567" in findings["account"].message
    assert "7654321" in findings["account"].message
    assert "mapping" in findings


async def test_a_file_without_an_account_is_advised_to_name_it(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('portal_id = "1234567"\n', "")))
    assert bad(findings) == {"account": Level.ADVICE}
    assert 'portal_id = "1234567"' in findings["account"].remedy


async def test_a_hubspot_out_of_reach_is_one_finding_with_the_remedy() -> None:
    findings = await examined("http://127.0.0.1:9")
    assert bad(findings) == {"HubSpot": Level.FAILING}
    assert "base_url" in findings["HubSpot"].remedy


@pytest.mark.parametrize("answer", ["html", "garbage", "empty", "close"])
async def test_a_hubspot_that_talks_nonsense_is_a_finding(sandbox: Driver, answer: str) -> None:
    sandbox.do("/faults", {"match": {}, "times": None, "answer": answer})
    findings = await examined(sandbox.url)
    assert Level.FAILING in bad(findings).values()
    assert not any("could not be examined" in each.message for each in findings.values())


async def test_missing_scopes_are_named(sandbox: Driver) -> None:
    scopes = ["crm.objects.custom.read"]
    sandbox.do(
        "/faults",
        {
            "match": {"path": "batch/read"},
            "times": None,
            "answer": {"shape": "missing_scopes", "scopes": scopes},
        },
    )
    findings = await examined(sandbox.url)
    assert bad(findings) == {"scopes": Level.FAILING}
    assert "crm.objects.custom.read" in findings["scopes"].message


async def test_schemas_that_may_not_be_read_are_a_matter_of_scopes(sandbox: Driver) -> None:
    sandbox.do(
        "/faults",
        {
            "match": {"path": "schemas"},
            "times": None,
            "answer": {"shape": "missing_scopes", "scopes": ["crm.schemas.custom.read"]},
        },
    )
    findings = await examined(sandbox.url)
    assert findings["object types"].level is Level.FAILING
    assert findings["object types"].remedy == "give the token crm.schemas.custom.read"


async def test_a_hidden_object_is_not_taken_for_missing_labels(sandbox: Driver) -> None:
    sandbox.do("/faults", {"match": {"path": "/labels$"}, "times": None, "answer": "missing_scopes"})
    findings = await examined(sandbox.url)
    assert not [name for name in bad(findings) if name.startswith("slots.")]
    assert "scope" in findings["credentialing"].message


async def test_an_unknown_object_type_names_the_nearest(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('name = "license"', 'name = "licence"')))
    assert bad(findings) == {"license": Level.FAILING}
    assert "Nearest there: license." in findings["license"].message


async def test_a_missing_label_names_those_that_are_there(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('label = "Current Address"', 'label = "Current Adress"')))
    assert bad(findings) == {"slots.therapist_address_current": Level.FAILING}
    assert "Current Address" in findings["slots.therapist_address_current"].message


async def test_a_missing_slot_property_is_found(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('each = "license_state"', 'each = "licence_state"')))
    assert bad(findings) == {"slots.license": Level.FAILING}


# The mapping


async def test_a_mapped_property_that_is_not_there_names_the_nearest(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(("{ npi =", "{ npii =")))
    assert bad(findings) == {"credentialing.npii": Level.FAILING}
    assert "npi." in findings["credentialing.npii"].message


def a_property(name: str, kind: str = "string", field: str = "text", **more: Any) -> dict[str, Any]:
    """A property as HubSpot defines it."""
    return {"name": name, "type": kind, "fieldType": field, "options": [], **more}


async def test_a_read_only_property_is_found(sandbox: Driver) -> None:
    fixed = a_property("npi", modificationMetadata={"readOnlyValue": True})
    sandbox.do("/schema", {"object": "credentialing", "property": fixed}, "PUT")
    findings = await examined(sandbox.url)
    assert bad(findings) == {"credentialing.npi": Level.FAILING}


@pytest.mark.parametrize(
    ("path", "kind", "level"),
    [
        ("practice_preferences.bio", "number", Level.ADVICE),
        ("practice_preferences.weekly_appointments", "number", None),
        ("practice_preferences.weekly_appointments", "date", Level.FAILING),
        ("practice_preferences.weekly_appointments", "string", None),
        ("practice_preferences.specialties", "date", Level.ADVICE),
        ("certification_and_release.agreed", "bool", None),
        ("certification_and_release.agreed", "number", Level.FAILING),
        ("submitted_at", "datetime", None),
        ("attestation_due", "date", None),
        ("submitted_at", "bool", Level.FAILING),
    ],
)
async def test_a_property_whose_type_the_path_does_not_fit_is_found(
    sandbox: Driver, path: str, kind: str, level: Level | None
) -> None:
    sandbox.do("/schema", {"object": "credentialing", "property": a_property("bio", kind)}, "PUT")
    findings = await examined(sandbox.url, toml(('bio = "practice_preferences.bio"', f'bio = "{path}"')))
    assert bad(findings) == ({} if level is None else {"credentialing.bio": level})


async def test_a_renamed_option_that_is_not_there_is_found(sandbox: Driver) -> None:
    findings = await examined(sandbox.url, toml(('not_enrolled = "No"', 'not_enrolled = "Never"')))
    assert bad(findings) == {"credentialing.medicare": Level.FAILING}
    assert "has no option Never; its options are No, Yes." in findings["credentialing.medicare"].message


async def test_yes_and_no_need_options_of_their_own(sandbox: Driver) -> None:
    options = [{"label": word, "value": word} for word in ("Yes", "No")]
    choice = a_property("bio", "enumeration", "select") | {"options": options}
    sandbox.do("/schema", {"object": "credentialing", "property": choice}, "PUT")
    change = ('bio = "practice_preferences.bio"', 'bio = "certification_and_release.agreed"')
    assert bad(await examined(sandbox.url, toml(change))) == {"credentialing.bio": Level.FAILING}
    renamed = ("values.medicare", 'values.bio = { true = "Yes", false = "No" }\nvalues.medicare')
    assert bad(await examined(sandbox.url, toml(change, renamed))) == {}


async def test_a_list_into_a_single_choice_is_advised_against(sandbox: Driver) -> None:
    options = [{"label": "Anxiety", "value": "Anxiety"}]
    choice = a_property("bio", "enumeration", "select") | {"options": options}
    sandbox.do("/schema", {"object": "credentialing", "property": choice}, "PUT")
    change = ('bio = "practice_preferences.bio"', 'bio = "practice_preferences.specialties"')
    assert bad(await examined(sandbox.url, toml(change))) == {"credentialing.bio": Level.ADVICE}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "has no property shown"),
        ({"modificationMetadata": {"readOnlyValue": True}}, "lets nobody write shown"),
        ({"kind": "number", "field": "number"}, "shown is a number, and a stamp is a text"),
        ({}, None),
    ],
    ids=["absent", "read only", "a number", "a text"],
)
async def test_a_stamp_that_cannot_be_written_is_found(
    sandbox: Driver, made: dict[str, Any] | None, said: str | None
) -> None:
    if made is not None:
        sandbox.do("/schema", {"object": "credentialing", "property": a_property("shown", **made)}, "PUT")
    text = toml(('name = "credentialing"', 'name = "credentialing"\nstamp = "shown"'))
    findings = await examined(sandbox.url, text)
    assert bad(findings) == ({} if said is None else {"credentialing.shown": Level.FAILING})
    if said is not None:
        found = findings["credentialing.shown"]
        assert said in found.message
        assert found.remedy.endswith("stamp in [objects.credentialing]")


async def test_the_contacts_link_property_must_be_there(sandbox: Driver) -> None:
    text = toml(("[definitive]", '[contact]\nsync_url = "credsync_url"\n[definitive]'))
    findings = await examined(sandbox.url, text)
    assert bad(findings) == {"public_url": Level.ADVICE, "contact.credsync_url": Level.FAILING}


# The clock


@pytest.mark.parametrize(
    ("apart", "level"), [(0, Level.OK), (30, Level.OK), (31, Level.ADVICE), (-45, Level.ADVICE)]
)
def test_a_clock_that_differs_by_more_than_half_a_minute_is_advised_to_be_set(
    apart: int, level: Level
) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    finding = clock_finding("clock", now + timedelta(seconds=apart), now)
    assert finding.level is level
    assert not apart < 0 or "45 s behind" in finding.message


# Settings and database


async def test_settings_and_files_that_cannot_be_read_are_findings() -> None:
    found = await examine(SettingsError("lease: too short"), SettingsError("No portal file"), no_edge)
    assert [(each.name, each.level) for each in found] == [
        ("settings", Level.FAILING),
        ("portals", Level.FAILING),
    ]
    assert worst(found) is Level.FAILING
    assert all(each.remedy for each in found)


@pytest.mark.parametrize(
    ("bind", "level"),
    [("127.0.0.1:8080", Level.OK), ("[::1]:8080", Level.OK), ("0.0.0.0:8080", Level.ADVICE)],
)
async def test_listening_to_other_machines_is_advised_against(bind: str, level: Level) -> None:
    found = await examine(of(bind=bind), SettingsError("none"), no_edge)
    assert next(each for each in found if each.name == "bind").level is level


async def test_a_public_address_without_encryption_is_advised_against() -> None:
    found = await examine(of(public_url="http://sync.example"), SettingsError("none"), no_edge)
    assert next(each for each in found if each.name == "public_url").level is Level.ADVICE
    linking = parse_portal(
        "alpha", toml(("[definitive]", '[contact]\nsync_url = "credsync_url"\n[definitive]'))
    )
    found = await examine(of(), {"alpha": linking}, no_edge)
    assert next(each for each in found if each.name == "public_url").level is Level.ADVICE
    found = await examine(of(public_url="https://sync.example"), {"alpha": linking}, no_edge)
    assert next(each for each in found if each.name == "public_url").level is Level.OK


def database_findings(url: str) -> dict[str, Finding]:
    """The findings on a database, by name."""
    return {each.name: each for each in examine_database(url, SystemClock())}


def test_a_database_that_is_well(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        create_token(connection, "backend", [Scope.INTAKE], datetime.now(UTC))
    database.close()
    findings = database_findings(database_url)
    expected = {"database", "durability", "schema", "tokens"}
    assert set(findings) == expected
    assert {findings[name].level for name in expected - {"durability"}} == {Level.OK}
    durable = Level.OK if database_url.startswith("sqlite") else Level.ADVICE
    assert findings["durability"].level is durable, "the tests' PostgreSQL runs with fsync off"


def test_without_a_token_nobody_may_call(database_url: str) -> None:
    assert database_findings(database_url)["tokens"].level is Level.ADVICE


def test_a_database_without_the_schema_says_how_to_bring_it_up(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite:///")).touch()
    findings = database_findings(empty_database_url)
    assert findings["schema"].level is Level.FAILING
    assert "credsync db upgrade" in findings["schema"].remedy


def test_an_absent_file_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "credsync.db"
    finding = database_findings(f"sqlite:///{path}")["database"]
    assert finding.level is Level.FAILING
    assert "credsync db upgrade" in finding.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "no address at all",
        "mysql://somebody:hush-hush@127.0.0.1/credsync",
        "postgresql://somebody:hush-hush@127.0.0.1:1/credsync",
    ],
)
def test_a_database_that_cannot_be_used_is_a_finding_without_its_password(url: str) -> None:
    finding = database_findings(url)["database"]
    assert finding.level is Level.FAILING
    assert finding.remedy
    assert "hush-hush" not in finding.message


def test_a_file_that_is_no_database_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "credsync.db"
    path.write_text("this is a letter to a friend " * 100)
    assert database_findings(f"sqlite:///{path}")["database"].level is Level.FAILING


def test_a_paused_portal_and_one_in_trouble_are_said(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        portal_rows.pause(connection, "alpha", "Sam", "maintenance", datetime.now(UTC))
        portal_rows.set_problem(connection, "beta", "HubSpot answered no look")
    database.close()
    findings = database_findings(database_url)
    assert "Sam paused the portal: maintenance." in findings["portal alpha: rounds"].message
    assert findings["portal beta: rounds"].level is Level.ADVICE


def test_what_hubspot_denies_the_token_is_said_with_what_to_do(database_url: str) -> None:
    """As it is stored: one finding for each object type and verb, and one for a token that is not taken."""
    now = SystemClock().now()
    database = Database(database_url)
    with database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "a process", 60)
        assert lease is not None
        wanted = ("crm.objects.custom.write",)
        deny(
            connection, lease, "alpha", [Denied("license", Verb.WRITE, wanted), Denied("contact", Verb.READ)]
        )
        portal_rows.pause_ourselves(connection, lease, "alpha", "the token is refused", now)
    database.close()
    found = {each.name: each for each in examine_database(database_url, SystemClock())}
    license_, contact = found["portal alpha: license (write)"], found["portal alpha: contact (read)"]
    token = found["portal alpha: rounds"]
    assert {each.level for each in (license_, contact, token)} == {Level.FAILING}
    assert "may not write license (403" in license_.message
    assert "add crm.objects.custom.write to the app's scopes" in license_.remedy
    assert "(401)" in token.message
    assert "CREDSYNC_HUBSPOT_TOKEN_ALPHA" in token.remedy


def test_a_day_that_is_used_up_says_until_when(database_url: str) -> None:
    until = datetime(2026, 11, 25, 5, 0, 5, tzinfo=UTC)
    database = Database(database_url)
    with database.write() as connection:
        portal_rows.set_problem(connection, "alpha", "it is", AlertKind.RATE_LIMITED_DAILY, until)
    database.close()
    found = {each.name: each for each in examine_database(database_url, SystemClock())}
    assert "Until 2026-11-25T05:00:05" in found["portal alpha: rounds"].message


async def test_a_used_up_day_does_not_put_the_address_in_doubt(sandbox: Driver) -> None:
    daily = {"status": 429, "policy": "DAILY"}
    sandbox.do("/faults", {"match": {}, "times": None, "answer": daily})
    found = (await examined(sandbox.url))["HubSpot"]
    assert found.level is Level.FAILING
    assert "daily limit is used up" in found.message
    assert "base_url" not in found.remedy
    assert "midnight" in found.remedy


async def test_one_failure_hides_no_other(sandbox: Driver, tmp_path: Path) -> None:
    edges: dict[str, Callable[[Portal], Edge]] = {
        "alpha": lambda _: (_ for _ in ()).throw(SettingsError("no token")),
        "beta": lambda _: (_ for _ in ()).throw(RuntimeError("a fault of ours")),
        "gamma": lambda portal: edge_to(sandbox.url, portal),
    }
    portals = {name: portal_of(sandbox.url, name=name) for name in edges}
    found = await examine(
        of(f"sqlite:///{tmp_path}/none.db"), portals, lambda portal: edges[portal.name](portal)
    )
    levels = {each.name: each.level for each in found}
    assert levels["database"] is levels["portal alpha: token"] is levels["portal beta"] is Level.FAILING
    assert levels["portal gamma: mapping"] is Level.OK


async def test_an_account_that_is_not_told_is_only_advice() -> None:
    """A token without the scope for account details still works for everything else."""
    forbidden = Reply(403, {"status": "error", "category": "MISSING_SCOPES", "message": "no", "errors": []})
    async with scene(
        lambda asked: forbidden if "account" in asked.path else Reply(200, {"results": []})
    ) as told:
        portal = portal_of(told.server.url)
        found = await examine(of(), {"alpha": portal}, lambda each: Edge(each, told.client))
    levels = {each.name: each.level for each in found}
    assert levels["portal alpha: token"] is Level.OK
    assert levels["portal alpha: account"] is Level.ADVICE
    assert levels["portal alpha: license"] is Level.FAILING


# Webhooks


@pytest.mark.parametrize(
    ("secret", "settings", "level", "says"),
    [
        (None, {}, Level.OK, "polling alone"),
        ("s3cret", {}, Level.ADVICE, "no `public_url`"),
        ("s3cret", {"public_url": "http://sync.example"}, Level.ADVICE, "https alone"),
        (
            "s3cret",
            {"public_url": "https://a.example/b/"},
            Level.OK,
            "https://a.example/b/v1/webhooks/hubspot/alpha",
        ),
        ("one,two", {"public_url": "https://sync.example"}, Level.ADVICE, "either of two"),
        ("one two\nthree", {"public_url": "https://sync.example"}, Level.FAILING, "at most two"),
        ("\u00fcber", {"public_url": "https://sync.example"}, Level.FAILING, "copy it anew"),
    ],
)
async def test_the_webhook_address_and_secret_are_advised_on(
    secret: str | None, settings: dict[str, str], level: Level, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if secret is not None:
        monkeypatch.setenv("CREDSYNC_WEBHOOK_SECRET_ALPHA", secret)
    found = (await examined("http://127.0.0.1:9", settings=of(**settings)))["webhooks"]
    assert (found.level, says in found.message) == (level, True), found
    assert secret is None or secret not in f"{found.message}{found.remedy}"


def test_what_came_by_webhook_is_told_and_why_the_last_was_refused(database_url: str) -> None:
    database, now = Database(database_url), SystemClock().now()
    with database.write() as connection:
        portal_rows.ensure(connection, "alpha")
        note_received(connection, "alpha", 3, 0, (), now)
        note_refused(connection, "alpha", 7, "wrong_signature", now + timedelta(seconds=1))
    found = {each.name: each for each in examine_database(database_url, SystemClock())}[
        "portal alpha: webhooks received"
    ]
    assert found.level is Level.ADVICE
    assert "taken: 1, with events: 3" in found.message
    assert "Refused: 7" in found.message
    assert "public_url" in found.remedy
    with database.write() as connection:
        note_received(connection, "alpha", 3, 0, (), now + timedelta(seconds=2))
    found = {each.name: each for each in examine_database(database_url, SystemClock())}[
        "portal alpha: webhooks received"
    ]
    assert found.level is Level.OK
    database.close()
