"""A portal file is read as it stands, or refused with every fault in it, its key and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credsync.core.forms import CustomField, paths
from credsync.core.portal import (
    Awaited,
    ByEach,
    ByLabel,
    ByOnly,
    ByProperty,
    DefinitiveRule,
    Mode,
    WriteMap,
    id_key,
)
from credsync.core.portal_file import PortalFileError, parse_portal
from credsync.core.portal_shape import read_tables
from tests.core.builders import portal_text

EXAMPLE = """\
[hubspot]
base_url = "https://api.hubapi.com"
api_version = "2026-09"                     # "2026-03", "v3"
portal_id = "1234567"                       # compared with the token's own account at start
calls_per_10s = 190
association_calls_per_10s = 150
mode = "write"                              # "observe": look, link, show what would be written, write nothing

[objects.credentialing]
name = "credentialing"                      # schema name, fully qualified name or object type id
parent = "contact"
[objects.license]
name = "license"
parent = "credentialing"                    # two hops: every found Credentialing is read; a licence slot is judged, and written, under the definitive one only (others are shown); or "contact"
[objects.therapist_address]
name = "therapist_address"
parent = "contact"

[slots.credentialing_active_attested]
object = "credentialing"
label = "Active Attested"                   # association label; or property = "stage", value = "attested"; or only = true (the only record of its type)
awaited = "always"                          # "always", "moving" (only when the therapist is), "never"; taken whenever it is there
[slots.credentialing_relocation]
object = "credentialing"
label = "Processing for Move"
awaited = "moving"
[slots.license]
object = "license"
each = "license_state"                      # one slot per value of this property: license.NY; a list gives license.NY.PT
awaited = "submitted"                       # for every licence submitted (slots with `each` only)
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"
awaited = "always"
overdue_after = "45m"                       # optional, per slot

[definitive]                                # the Credentialing slot a form's data belongs to: first rule whose condition holds; a form without rules uses ca's
ca = [{ slot = "credentialing_relocation", when = "moving" }, { slot = "credentialing_active_attested" }]
af = [{ slot = "credentialing_relocation", when = "moving" }, { slot = "credentialing_active_attested" }]

[contact]
sync_url = "credsync_url"                   # property that gets the link to this therapist's page (optional)

[custom]                                    # a portal's own form fields: type and class
shirt_size = { type = "string", class = "A" }

[[writes]]                                  # HubSpot property = path in the submitted data
form = "ca"                                 # "sign_up", "ca", "af"
to = "definitive"                           # or a slot
fields = { npi = "npi_and_caqh.npi", specialties = "practice_preferences.specialties", submitted_on = "submitted_at" }
values.medicare = { enrolled = "Yes", not_enrolled = "No" }        # renames options of one property
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"    # one write per item; paths below start at the item
key = "state"                               # chooses the slot license.<state>; ["state", "type"] where the slot has two
fields = { license_number = "number", expires_on = "expiry" }
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = { street = "practice_preferences.treating_address.line1", city = "practice_preferences.treating_address.city" }
"""
"""The portal file that the project's contract shows, byte for byte."""


def faults(text: str) -> dict[str, str]:
    """Key and message of every fault in a file."""
    with pytest.raises(PortalFileError) as refused:
        parse_portal("alpha", text)
    return {fault.key: fault.message for fault in refused.value.faults}


def only_fault(text: str) -> tuple[str, str]:
    """The one fault of a file that has just one."""
    (found,) = faults(text).items()
    return found


def changed(old: str, new: str, text: str = EXAMPLE) -> str:
    """The text with one passage replaced, which must be there."""
    assert old in text
    return text.replace(old, new, 1)


def test_the_contracts_example_file_is_read_as_it_stands() -> None:
    portal = parse_portal("alpha", EXAMPLE)
    assert portal.name == "alpha"
    assert portal.hubspot.base_url == "https://api.hubapi.com"
    assert portal.hubspot.api_version == "2026-09"
    assert portal.hubspot.portal_id == "1234567"
    assert (portal.hubspot.calls_per_10s, portal.hubspot.association_calls_per_10s) == (190, 150)
    assert portal.hubspot.mode is Mode.WRITE
    assert {key: (o.name, o.parent) for key, o in portal.objects.items()} == {
        "credentialing": ("credentialing", "contact"),
        "license": ("license", "credentialing"),
        "therapist_address": ("therapist_address", "contact"),
    }
    slots = portal.slots
    assert slots["credentialing_active_attested"].marker == ByLabel("Active Attested")
    assert slots["credentialing_relocation"].awaited is Awaited.MOVING
    assert slots["license"].marker == ByEach(("license_state",))
    assert slots["license"].awaited is Awaited.SUBMITTED
    assert slots["therapist_address_current"].overdue_after == timedelta(minutes=45)
    rules = (
        DefinitiveRule("credentialing_relocation", "moving"),
        DefinitiveRule("credentialing_active_attested"),
    )
    assert portal.rules("ca") == portal.rules("af") == portal.rules("sign_up") == rules
    assert portal.sync_url == "credsync_url"
    assert portal.custom == {"shirt_size": CustomField("shirt_size", "string", "A")}
    definitive, licenses, _address = portal.writes
    assert definitive.fields["submitted_on"] == "submitted_at"
    assert licenses == WriteMap(
        "ca",
        "license",
        {"license_number": "number", "expires_on": "expiry"},
        "education_and_training.licenses",
        ("state",),
    )


def test_what_a_file_leaves_out_has_its_default() -> None:
    portal = parse_portal("alpha", portal_text())
    assert portal.hubspot.base_url == "https://api.hubapi.com"
    assert portal.objects["credentialing"].parent == "contact"
    assert portal.slots["therapist_address_current"].awaited is Awaited.ALWAYS
    assert portal.slots["license"].awaited is Awaited.SUBMITTED
    assert portal.sync_url is None


def test_the_digest_changes_with_every_byte_and_with_nothing_else() -> None:
    same, other = parse_portal("beta", EXAMPLE), parse_portal("alpha", EXAMPLE + "\n")
    assert same.digest == parse_portal("alpha", EXAMPLE).digest != other.digest


@pytest.mark.parametrize(
    ("line", "marker"),
    [
        ('property = "stage"\nvalue = "attested"', ByProperty("stage", "attested")),
        ("only = true", ByOnly()),
        ('each = ["license_state", "license_type"]', ByEach(("license_state", "license_type"))),
    ],
)
def test_a_slots_record_is_marked_by_a_label_a_property_by_being_alone_or_by_its_values(
    line: str, marker: object
) -> None:
    text = changed('label = "Current Address"', line, portal_text(writes=""))
    assert parse_portal("alpha", text).slots["therapist_address_current"].marker == marker


def test_a_slot_with_two_values_is_chosen_by_two_fields_of_the_item() -> None:
    text = changed('each = "license_state"', 'each = ["license_state", "license_type"]')
    portal = parse_portal("alpha", changed('key = "state"  ', 'key = ["state", "type"]', text))
    assert portal.writes[1].key == ("state", "type")
    assert portal.slot_rule("license.NY.PT") is portal.slots["license"]
    assert portal.instance_values("license.NY.PT") == ("NY", "PT")


def test_a_slot_gives_its_key_in_the_status_of_a_therapist() -> None:
    keys = [id_key(slot) for slot in ("credentialing_relocation", "license.NY", "license.NY.PT")]
    assert keys == ["credentialing_relocation_id", "license_ny_id", "license_ny_pt_id"]


FAULTS = [
    # what the file's own shape says
    ("[contact]", "[contacts]", "contacts", "did you mean 'contact'"),
    ("calls_per_10s = 190", "calls_per_10 = 190", "hubspot.calls_per_10", "did you mean 'calls_per_10s'"),
    ("calls_per_10s = 190", "calls_per_10s = 0", "hubspot.calls_per_10s", "at least 1"),
    ("calls_per_10s = 190", 'calls_per_10s = "190"', "hubspot.calls_per_10s", "whole number, without quotes"),
    ('mode = "write"', 'mode = "dry"', "hubspot.mode", "'write' or 'observe'"),
    ('mode = "write"', 'mode = "wriet"', "hubspot.mode", "did you mean 'write'"),
    ('mode = "write"', "mode = true", "hubspot.mode", "must be 'write' or 'observe'"),
    ('portal_id = "1234567"', 'portal_id = "12a"', "hubspot.portal_id", '"1234567"'),
    ('name = "license"', 'name = " license"', "objects.license.name", "begin or end with a blank"),
    (
        "[objects.therapist_address]",
        "[objects.Therapist-Address]",
        "objects.Therapist-Address",
        "small letters",
    ),
    ("[hubspot]", "mode = 1\n[hubspot]", "mode", "belongs in [hubspot]"),
    (
        'label = "Current Address"',
        'lable = "Current Address"',
        "slots.therapist_address_current.lable",
        "'label'",
    ),
    (
        'label = "Current Address"',
        "zzz = 1",
        "slots.therapist_address_current.zzz",
        "known are object, label",
    ),
    ('each = "license_state"', "each = 5", "slots.license.each", "a list of one to four"),
    ('each = "license_state"', "each = []", "slots.license.each", "a list of one to four"),
    ('label = "Current Address"', "only = false", "slots.therapist_address_current.only", "must be true"),
    ("af = [{ slot", "aff = [{ slot", "definitive.aff", "did you mean 'af'"),
    ('sync_url = "credsync_url"', "sync_url = 5", "contact.sync_url", "a text, in quotes"),
    ('type = "string", class', 'type = "sting", class', "custom.shirt_size.type", "did you mean 'string'"),
    (
        'fields = { license_number = "number", expires_on = "expiry" }',
        "fields = {}",
        "writes.1.fields",
        "empty",
    ),
    (
        'fields = { license_number = "number", expires_on = "expiry" }',
        "fields = 5",
        "writes.1.fields",
        "a table",
    ),
    (
        "[slots.therapist_address_current]",
        "[slots]\nx = 5\n[slots.therapist_address_current]",
        "slots.x",
        "a table",
    ),
    ('api_version = "2026-09"', 'api_version = "v4"', "hubspot.api_version", "'2026-09', '2026-03' or 'v3'"),
    ("https://api.hubapi.com", "api.hubapi.com", "hubspot.base_url", "such as https://api.hubapi.com"),
    ('portal_id = "1234567"', "portal_id = 1234567", "hubspot.portal_id", "in quotes"),
    ('name = "credentialing"  ', 'name = ""', "objects.credentialing.name", "must not be empty"),
    ('object = "therapist_address"\n', "", "slots.therapist_address_current.object", "is missing"),
    ('form = "ca"  ', 'form = "cv"', "writes.0.form", "'sign_up', 'ca' or 'af'"),
    ('class = "A"', 'class = "C"', "custom.shirt_size.class", "'A' or 'B'"),
    ('when = "moving"', 'when = "mooving"', "definitive.ca.0.when", "'moving'"),
    # what its parts say of each other
    ('parent = "credentialing"', 'parent = "credential"', "objects.license.parent", "'credentialing'"),
    ('parent = "credentialing"', 'parent = "license"', "objects.license.parent", "two hops"),
    ('object = "license"', 'object = "licence"', "slots.license.object", "did you mean 'license'"),
    (
        'label = "Current Address"',
        'label = "C"\nonly = true',
        "slots.therapist_address_current",
        "exactly one",
    ),
    ('label = "Current Address"', "", "slots.therapist_address_current", "exactly one"),
    ('label = "Current Address"', 'property = "p"', "slots.therapist_address_current", "property with value"),
    (
        "Processing for Move",
        "Active Attested",
        "slots.credentialing_relocation",
        "credentialing_active_attested",
    ),
    ('awaited = "moving"', 'awaited = "submitted"', "slots.credentialing_relocation.awaited", "use always"),
    (
        'overdue_after = "45m"',
        'overdue_after = "0s"',
        "slots.therapist_address_current.overdue_after",
        "longer",
    ),
    ("[custom] ", '[attestation]\ndue_after = "soon"\n[custom] ', "attestation.due_after", "7d"),
    (
        "[custom] ",
        '[attestation]\ndu_after = "9d"\n[custom] ',
        "attestation.du_after",
        "did you mean 'due_after'",
    ),
    ('overdue_after = "45m"', 'overdue_after = "45"', "slots.therapist_address_current.overdue_after", "90s"),
    (
        'overdue_after = "45m"',
        'overdue_after = "9999999999d"',
        "slots.therapist_address_current.overdue_after",
        "90s",
    ),
    ('ca = [{ slot = "credentialing_rel', 'ca = [{ slot = "rel', "definitive.ca.0.slot", "names no slot"),
    (
        'ca = [{ slot = "credentialing_relocation"',
        'ca = [{ slot = "license"',
        "definitive.ca.0.slot",
        "single slot",
    ),
    (
        'ca = [{ slot = "credentialing_relocation"',
        'ca = [{ slot = "therapist_address_current"',
        "definitive.ca",
        "mixes objects",
    ),
    (', { slot = "credentialing_active_attested" }]\naf', "]\naf", "definitive.ca", "must hold always"),
    (
        'ca = [{ slot = "credentialing_relocation", when = "moving" }, { slot = "credentialing_active_attested" }]',
        "ca = []",
        "definitive.ca",
        "rule",
    ),
    (
        'ca = [{ slot = "credentialing_relocation", when = "moving" }, { slot = "credentialing_active_attested" }]',
        "",
        "definitive.ca",
        "missing",
    ),
    ('to = "definitive"', 'to = "definite"', "writes.0.to", "did you mean 'definitive'"),
    ('"npi_and_caqh.npi"', '"npi_and_caqh.npl"', "writes.0.fields.npi", "did you mean 'npi_and_caqh.npi'"),
    ('npi = "npi_and_caqh.npi"', 'npi = "npi_and_caqh"', "writes.0.fields.npi", "field inside it"),
    ('"npi_and_caqh.npi"', '"npi_and_caqh.caqh_password"', "writes.0.fields.npi", "class D: it never leaves"),
    ('"npi_and_caqh.npi"', '"personal_information.birth_date"', "writes.0.fields.npi", "class C"),
    (
        '"npi_and_caqh.npi"',
        '"practice_preferences.treating_address"',
        "writes.0.fields.npi",
        "not a single value",
    ),
    (
        '"npi_and_caqh.npi"',
        '"education_and_training.licenses.number"',
        "writes.0.fields.npi",
        "use each for its list",
    ),
    ("values.medicare", "values.specialtys", "writes.0.values.specialtys", "did you mean 'specialties'"),
    ('key = "state"  ', "", "writes.1", "key"),
    (
        'each = "education_and_training.licenses"',
        'each = "education_and_training"',
        "writes.1.each",
        "not a list",
    ),
    ('key = "state"  ', 'key = "stat"', "writes.1.key", "did you mean 'state'"),
    ('key = "state"  ', 'key = ["state", "type"]', "writes.1.key", "as many fields"),
    ('key = "state"  ', 'key = "compact"', "writes.1.key", "is no text"),
    ('key = "state"  ', 'key = "issued"', "writes.1.key", "is no text"),
    (
        'to = "definitive"',
        'to = "definitive"\neach = "education_and_training.degrees"',
        "writes.0.each",
        "single slot",
    ),
    (
        'form = "ca"                                 # "sign_up"',
        'form = "sign_up" #',
        "writes.0.fields.npi",
        "in ca and af",
    ),
    ('"npi_and_caqh.npi"', '"npi"', "writes.0.fields.npi", "did you mean 'npi_and_caqh.npi'"),
    ('"npi_and_caqh.npi"', '"zzz"', "writes.0.fields.npi", "docs/fields.md"),
    ('license_number = "number"', 'license_number = "nummer"', "writes.1.fields.license_number", "'number'"),
    (
        'to = "therapist_address_current"',
        'to = "therapist_address_current"\nkey = "x"',
        "writes.2.key",
        "each",
    ),
    (
        'to = "therapist_address_current"',
        'to = "therapist_address_current"\neach = "education_and_training.licenses"',
        "writes.2.each",
        "single slot",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "says"), FAULTS, ids=[f"{f[2]}-{f[1][:20]}" for f in FAULTS])
def test_every_kind_of_fault_is_named_with_its_key_and_what_to_do(
    old: str, new: str, key: str, says: str
) -> None:
    found = faults(changed(old, new))
    assert key in found, found
    assert says in found[key]


def test_one_property_takes_one_field() -> None:
    again = """
[[writes]]
form = "ca"
to = "credentialing_relocation"
fields = { npi = "npi_and_caqh.caqh_id" }
"""
    key, message = only_fault(EXAMPLE + again)
    assert key == "writes.3.fields.npi"
    assert "also written by writes.0.fields.npi" in message


@pytest.mark.parametrize("data_class", list("CD"))
def test_no_field_of_class_c_or_d_may_be_mapped(data_class: str) -> None:
    """A class C or D field in a mapping stops the start."""
    known = {path: info for path, info in paths("ca").items() if info.data_class.value == data_class}
    assert known
    for path in known:
        writes = f'[[writes]]\nform = "ca"\nto = "definitive"\nfields = {{ x = "{path}" }}\n'
        with pytest.raises(PortalFileError, match=path.split(".")[-1]):
            parse_portal("alpha", portal_text(writes=writes))


def test_two_forms_may_feed_one_property() -> None:
    again = """
[[writes]]
form = "af"
to = "definitive"
fields = { npi = "npi_and_caqh.npi" }
"""
    assert len(parse_portal("alpha", EXAMPLE + again).writes) == 4


def test_a_derived_value_may_be_mapped_beside_the_fields_of_a_list_item() -> None:
    text = changed('expires_on = "expiry"', 'expires_on = "expiry", told_on = "submitted_at"')
    assert parse_portal("alpha", text).writes[1].fields["told_on"] == "submitted_at"


def test_a_portals_own_field_may_be_mapped_once_it_is_declared() -> None:
    text = changed("npi_and_caqh.npi", "custom.shirt_size")
    assert parse_portal("alpha", text).writes[0].fields["npi"] == "custom.shirt_size"
    key, message = only_fault(changed("npi_and_caqh.npi", "custom.shirt_sise"))
    assert key == "writes.0.fields.npi"
    assert "did you mean 'custom.shirt_size'" in message


def test_a_portals_own_field_that_could_never_enter_is_a_fault() -> None:
    key, message = only_fault(changed("[[writes]]", 'ssn = { type = "string", class = "A" }\n[[writes]]'))
    assert key == "custom.ssn"
    assert "class D" in message


def test_an_object_may_not_take_the_contacts_key() -> None:
    found = faults(changed("[objects.therapist_address]", "[objects.contact]"))
    assert "another key" in found["objects.contact"]


def test_no_slot_may_be_called_definitive() -> None:
    found = faults(changed("[slots.therapist_address_current]", "[slots.definitive]"))
    assert "name the slot otherwise" in found["slots.definitive"]


def test_every_fault_is_named_at_once() -> None:
    text = changed('parent = "credentialing"', 'parent = "credential"')
    text = changed('label = "Current Address"', "", text)
    text = changed("npi_and_caqh.npi", "npi_and_caqh.caqh_password", text)
    assert set(faults(text)) == {
        "objects.license.parent",
        "slots.therapist_address_current",
        "writes.0.fields.npi",
    }


def test_faults_of_the_shape_and_between_the_tables_come_together() -> None:
    """Whoever mends a file sees all there is to mend at once, whatever kind it is of."""
    text = changed('mode = "write"', 'mode = "dry"')
    text = changed('form = "ca"  ', 'form = "cv"', text)
    text = changed('parent = "credentialing"', 'parent = "credential"', text)
    text = changed('label = "Current Address"', 'lable = "Current Address"\nawaitd = "never"', text)
    text = changed('key = "state"  ', 'key = "stat"', text)
    text = changed('overdue_after = "45m"', 'overdue_after = "45"', text)
    text = changed(', class = "A"', "", text)
    assert set(faults(text)) == {
        "hubspot.mode",
        "writes.0.form",
        "objects.license.parent",
        "slots.therapist_address_current.lable",
        "slots.therapist_address_current.awaitd",
        "slots.therapist_address_current.overdue_after",
        "writes.1.key",
        "custom.shirt_size.class",
    }


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('form = "ca"  ', 'form = "cv"', "writes.0.form"),
        ('to = "license"', "to = 5", "writes.1.to"),
        ('to = "license"', "", "writes.1.to"),
        ('each = "license_state"', "each = {}", "slots.license.each"),
        ('key = "state"  ', "key = []", "writes.1.key"),
        ('object = "credentialing"', "object = 5", "slots.credentialing_active_attested.object"),
        ('object = "credentialing"', "", "slots.credentialing_active_attested.object"),
        ('{ slot = "credentialing_active_attested" }]\naf', "5]\naf", "definitive.ca.1"),
        ('slot = "credentialing_active_attested" }]\naf', "slot = 5 }]\naf", "definitive.ca.1.slot"),
        ('parent = "credentialing"', "parent = 5", "objects.license.parent"),
        ('label = "Active Attested"', "label = 5", "slots.credentialing_active_attested.label"),
        ('label = "Active Attested"', 'lable = "Active"', "slots.credentialing_active_attested.lable"),
        ("[objects.credentialing]", "[objekts.credentialing]", "objekts"),
        ("[custom] ", "[customs] ", "customs"),
    ],
)
def test_a_fault_that_follows_from_another_is_not_told(old: str, new: str, key: str) -> None:
    """What is only wrong because something else is would send people the wrong way."""
    assert only_fault(changed(old, new))[0] == key


def test_whatever_a_file_holds_its_faults_are_told_in_our_words() -> None:
    """Put anything in the place of anything: the file is read or refused, never with another error."""
    whole = tomllib.loads(EXAMPLE)
    for place in _places(whole):
        for value in (5, "x", "", True, 1.5, [], {}, [5], {"x": 5}, {"x": {"x": []}}):
            given = deepcopy(whole)
            inner: Any = given
            for part in place[:-1]:
                inner = inner[part]
            inner[place[-1]] = value
            _tables, shape = read_tables(given)
            for fault in shape:
                assert "Input" not in fault.message, (place, value, fault)
                assert "String" not in fault.message, (place, value, fault)


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield (*place, key)
        yield from _places(item, (*place, key))


def test_a_file_that_is_no_toml_is_refused_with_the_place() -> None:
    key, message = only_fault("[hubspot\n")
    assert key == "(file)"
    assert "not valid TOML" in message
    assert "line 1" in message


def test_an_empty_file_names_what_is_missing() -> None:
    assert set(faults("")) == {"objects", "slots"}


def test_the_error_names_the_file_and_every_fault_in_a_line_of_its_own() -> None:
    with pytest.raises(PortalFileError) as refused:
        parse_portal("alpha", "")
    lines = str(refused.value).splitlines()
    assert lines[0] == "Portal file alpha.toml cannot be used:"
    assert len(lines) == 3


def test_every_portal_file_of_the_project_is_read(request: pytest.FixtureRequest) -> None:
    found: list[Path] = sorted((request.config.rootpath / "portals").glob("*.toml"))
    assert found
    for path in found:
        parse_portal(path.stem, path.read_text(encoding="utf-8"))


STAMPED = changed('name = "credentialing"  ', 'stamp = "credsync_submission"\nname = "credentialing"  ')


def test_a_stamp_is_a_property_of_an_object_that_is_written() -> None:
    stamps = {key: each.stamp for key, each in parse_portal("alpha", STAMPED).objects.items()}
    assert stamps == {"credentialing": "credsync_submission", "license": None, "therapist_address": None}


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ('stamp = "npi"', "also written by writes.0.fields.npi"),
        ('stamp = "Credsync Submission"', "internal name"),
        ('stamp = ""', "internal name"),
        ("stamp = 5", "a text, in quotes"),
    ],
)
def test_a_stamp_that_cannot_be_one_is_named(stamp: str, said: str) -> None:
    key, message = only_fault(changed('stamp = "credsync_submission"', stamp, STAMPED))
    assert key == "objects.credentialing.stamp"
    assert said in message


def test_a_stamp_does_not_tell_slots_apart_nor_stand_where_nothing_is_written() -> None:
    key, message = only_fault(changed('name = "license"', 'stamp = "license_state"\nname = "license"'))
    assert (key, "the records of slots.license apart" in message) == ("objects.license.stamp", True)
    unwritten = '[objects.other]\nname = "other"\nstamp = "shown"\n[objects.credentialing]'
    key, message = only_fault(changed("[objects.credentialing]", unwritten))
    assert (key, "nothing is written" in message) == ("objects.other.stamp", True)
