"""Every path, in every version of the API."""

from __future__ import annotations

import pytest

from credsync.hubspot.paths import ApiVersion, Lane, Routes


@pytest.mark.parametrize("version", ["2026-09", "2026-03"])
def test_dated_versions_put_the_date_where_hubspot_does(version: str) -> None:
    routes = Routes(version)
    assert routes.batch_update("2-7").path == f"/crm/objects/{version}/2-7/batch/update"
    assert routes.batch_read("2-7").path == f"/crm/objects/{version}/2-7/batch/read"
    assert routes.associations("0-1", "2-7").path == f"/crm/associations/{version}/0-1/2-7/batch/read"
    assert routes.labels("0-1", "2-7").path == f"/crm/associations/{version}/0-1/2-7/labels"
    assert routes.schemas().path == f"/crm-object-schemas/{version}/schemas"
    assert routes.properties("0-1").path == f"/crm/properties/{version}/0-1"
    assert routes.account().path == f"/account-info/{version}/details"


def test_before_dates_objects_were_v3_and_associations_v4() -> None:
    routes = Routes(ApiVersion.V3)
    assert routes.batch_update("2-7").path == "/crm/v3/objects/2-7/batch/update"
    assert routes.batch_read("2-7").path == "/crm/v3/objects/2-7/batch/read"
    assert routes.associations("0-1", "2-7").path == "/crm/v4/associations/0-1/2-7/batch/read"
    assert routes.labels("0-1", "2-7").path == "/crm/v4/associations/0-1/2-7/labels"
    assert routes.schemas().path == "/crm-object-schemas/v3/schemas"
    assert routes.properties("0-1").path == "/crm/v3/properties/0-1"
    assert routes.account().path == routes.account_before_dates().path == "/account-info/v3/details"


def test_the_newest_version_is_the_default_and_an_unknown_one_is_refused() -> None:
    assert Routes().version is ApiVersion.V2026_09
    with pytest.raises(ValueError, match="2025-01"):
        Routes("2025-01")


def test_only_associations_are_counted_as_associations_and_only_updates_write() -> None:
    routes = Routes()
    assert routes.associations("a", "b").lane is routes.labels("a", "b").lane is Lane.ASSOCIATIONS
    others = [
        routes.batch_update("a"),
        routes.batch_read("a"),
        routes.schemas(),
        routes.properties("a"),
        routes.account(),
    ]
    assert {each.lane for each in others} == {Lane.OBJECTS}
    assert [each.writes for each in others] == [True, False, False, False, False]


def test_a_name_from_a_portal_file_cannot_leave_its_place_in_the_path() -> None:
    route = Routes().labels("../x", "a/b?c")
    assert route.path == "/crm/associations/2026-09/..%2Fx/a%2Fb%3Fc/labels"
    assert route.template == "/crm/associations/2026-09/{from}/{to}/labels"
