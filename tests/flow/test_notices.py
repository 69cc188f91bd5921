"""An alert reaches people outside, end to end."""

from __future__ import annotations

import json
from pathlib import Path

from tests.flow.conftest import Fresh
from tests.flow.forms import ca
from tests.flow.world import someone, until, world
from tests.notified import somebody


def test_who_notify_urls_name_hear_of_an_alert_and_of_its_end(tmp_path: Path, fresh: Fresh) -> None:
    """`notify_urls` are told when an alert opens and when it closes; no person is in it."""
    with fresh.database(tmp_path) as url, somebody() as told:
        options = {"notify_urls": json.dumps([told.address])}
        with world(tmp_path, url, token=fresh.token, speed=100.0, delay="1s", settings=options) as here:
            contact, therapist = here.contact(delay="1s"), someone()
            here.hubspot.put("/_sandbox/settings", json={"tokens": ["another"]}).raise_for_status()
            here.sign_up(therapist, contact)
            here.submit(therapist, ca())
            until(lambda: told.heard, 20, "the notice that it opened")
            here.hubspot.put("/_sandbox/settings", json={"tokens": None}).raise_for_status()
            until(lambda: len(told.heard) > 1, 20, "the notice that it is over")
            here.until_state(therapist, "in_sync")
        assert [each["type"] for each in told.heard] == ["warning", "success"]
        assert "does not take the token" in told.heard[0]["title"]
        assert not any(word in str(told.heard) for word in (contact, therapist))
