"""What is quarantined is kept by record and property, once, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from credsync.core.quarantine import Quarantined
from credsync.store.quarantine import quarantined_of, save_quarantine
from tests.operate.scene import Scene, uuid_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROW = Quarantined(("credentialing", "7", "npi"), "v1", "d1", "INVALID_OPTION", "refused", NOW)


def test_a_place_is_kept_once_and_forgotten_when_it_is_over(scene: Scene) -> None:
    """Another portal's or therapist's is left alone."""
    scene.sign_up(1, "101")
    scene.sign_up(2, "102")
    one, two = uuid_of(1), uuid_of(2)
    other = replace(ROW, place=("credentialing", "8", "npi"))
    with scene.database.write() as connection:
        save_quarantine(connection, "alpha", [(one, ROW), (two, other)], [])
        save_quarantine(connection, "alpha", [(one, replace(ROW, value_digest="v2"))], [])
        save_quarantine(connection, "beta", [], [ROW.place])
        found = quarantined_of(connection, "alpha", [one, two])
        assert found == {
            one: {ROW.place: replace(ROW, value_digest="v2")},
            two: {other.place: other},
        }
        save_quarantine(connection, "alpha", [], [ROW.place])
        assert quarantined_of(connection, "alpha", [one]) == {}
        assert quarantined_of(connection, "alpha", []) == {}
