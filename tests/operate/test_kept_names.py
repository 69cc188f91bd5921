"""What HubSpot calls things is kept whole, and read as an older release kept it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from credsync.core.portal_file import parse_portal
from credsync.core.properties import Property
from credsync.core.value_rules import ValueRule
from credsync.hubspot.edge import Names
from credsync.hubspot.schema import Account, ObjectSchema, PortalSchema
from credsync.operate.kept_names import keep_names, kept_names
from credsync.store import portals
from tests.core.builders import PORTAL, portal_text
from tests.operate.scene import Scene

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_names_come_back_as_they_were_kept_rules_for_values_included(scene: Scene) -> None:
    """And what was kept before rules were read serves on, without them."""
    with scene.database.write() as connection:
        keep_and_read(connection)


def keep_and_read(connection: Connection) -> None:
    ruled = Property(
        "npi", "string", "text", rules=(ValueRule("MAX_LENGTH", ("10",)), ValueRule("FORMAT", (), True))
    )
    objects = {"credentialing": ObjectSchema("credentialing", "credentialing", "2-1", {}, {"npi": ruled})}
    portals.ensure(connection, PORTAL.name)
    keep_names(connection, PORTAL, Names(PortalSchema(objects), Account("1", "app.hubspot.com", "UTC"), NOW))
    kept = kept_names(connection, PORTAL, NOW)
    assert kept is not None
    assert kept.properties == {"credentialing": {"npi": ruled}}
    told = portals.names_of(connection, PORTAL.name)
    assert told is not None
    del told["objects"]["credentialing"]["properties"][0][5]
    portals.set_names(connection, PORTAL.name, told)
    kept = kept_names(connection, PORTAL, NOW)
    assert kept is not None
    assert kept.properties == {"credentialing": {"npi": Property("npi", "string", "text")}}


def test_a_stamps_property_is_kept_and_what_the_portal_file_does_not_name_is_not(scene: Scene) -> None:
    """What HubSpot hides later is known from before: records go on being stamped."""
    text = portal_text().replace("[objects.license]", 'stamp = "shown"\n[objects.license]')
    stamped = parse_portal("alpha", text)
    known = {name: Property(name, "string") for name in ("npi", "shown", "another")}
    objects = {"credentialing": ObjectSchema("credentialing", "credentialing", "2-1", {}, known)}
    with scene.database.write() as connection:
        portals.ensure(connection, stamped.name)
        keep_names(connection, stamped, Names(PortalSchema(objects), None, NOW))
        kept = kept_names(connection, stamped, NOW)
    assert kept is not None
    assert set(kept.properties["credentialing"]) == {"npi", "shown"}
