"""Every path, in every version of the API."""

from __future__ import annotations

import inspect

import pytest

from credsync.hubspot.paths import ApiVersion, Bucket, Routes

DATED = {
    "batch_update": "/crm/objects/{version}/2-7/batch/update",
    "batch_read": "/crm/objects/{version}/2-7/batch/read",
    "single_read": "/crm/objects/{version}/0-1/5",
    "associations": "/crm/associations/{version}/0-1/2-7/batch/read",
    "labels": "/crm/associations/{version}/0-1/2-7/labels",
    "label_limits": "/crm/associations/{version}/definitions/configurations/0-1/2-7",
    "schemas": "/crm-object-schemas/{version}/schemas",
    "properties": "/crm/properties/{version}/2-7",
    "value_rules": "/crm/property-validations/{version}/2-7",
    "account": "/account-info/{version}/details",
    "account_before_dates": "/account-info/v3/details",
}
"""Every call by its method's name, for objects of type 2-7 and contact 5."""
V3 = {
    "batch_update": "/crm/v3/objects/2-7/batch/update",
    "batch_read": "/crm/v3/objects/2-7/batch/read",
    "single_read": "/crm/v3/objects/0-1/5",
    "associations": "/crm/v4/associations/0-1/2-7/batch/read",
    "labels": "/crm/v4/associations/0-1/2-7/labels",
    "label_limits": "/crm/v4/associations/definitions/configurations/0-1/2-7",
    "schemas": "/crm-object-schemas/v3/schemas",
    "properties": "/crm/v3/properties/2-7",
    "value_rules": "/crm/v3/property-validations/2-7",
    "account": "/account-info/v3/details",
    "account_before_dates": "/account-info/v3/details",
}
"""Before dates objects were v3 and associations v4."""
GIVEN: dict[str, tuple[str, ...]] = {
    "single_read": ("0-1", "5"),
    **dict.fromkeys(("associations", "labels", "label_limits"), ("0-1", "2-7")),
    **dict.fromkeys(("schemas", "account", "account_before_dates"), ()),
}


@pytest.mark.parametrize("version", ApiVersion)
def test_every_call_has_its_path_in_every_version(version: ApiVersion) -> None:
    """Whoever adds a call says here what it is called in each."""
    routes = Routes(version)
    made = [name for name, each in inspect.getmembers(Routes, inspect.isfunction) if not name.startswith("_")]
    paths = {name: getattr(routes, name)(*GIVEN.get(name, ("2-7",))).path for name in made}
    wanted = V3 if version is ApiVersion.V3 else DATED
    assert paths == {name: path.format(version=version) for name, path in wanted.items()}


def test_the_newest_version_is_the_default_and_an_unknown_one_is_refused() -> None:
    assert Routes().version is ApiVersion.V2026_09
    with pytest.raises(ValueError, match="2025-01"):
        Routes("2025-01")


def test_only_associations_are_counted_as_associations_and_only_updates_write() -> None:
    routes = Routes()
    assert routes.associations("a", "b").bucket is routes.labels("a", "b").bucket is Bucket.ASSOCIATIONS
    others = [
        routes.batch_update("a"),
        routes.batch_read("a"),
        routes.schemas(),
        routes.properties("a"),
        routes.account(),
    ]
    assert {each.bucket for each in others} == {Bucket.OBJECTS}
    assert [each.writes for each in others] == [True, False, False, False, False]


def test_a_name_from_a_portal_file_cannot_leave_its_place_in_the_path() -> None:
    route = Routes().labels("../x", "a/b?c")
    assert route.path == "/crm/associations/2026-09/..%2Fx/a%2Fb%3Fc/labels"
    assert route.template == "/crm/associations/2026-09/{from}/{to}/labels"
