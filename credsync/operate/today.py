"""What stands at a glance: how many are how, whether workflows are slower than usual, portals, alerts by cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.core.states import TherapistState
from credsync.operate.alerts import alerts_list
from credsync.operate.delays import delays_report
from credsync.operate.figures import figures
from credsync.operate.portal_standing import standing_of
from credsync.operate.quota import quota
from credsync.store.clock import say_time

_ALERTS = 20


def today(
    connection: Connection, portals: Mapping[str, Portal], now: datetime, policy: Policy
) -> dict[str, Any]:
    """`{at, states: {state: count}, portals: [{name, kind, state, message, therapists, quota}],
    workflows: [delays of this week's slots], alerts: [alert], alerts_open}`."""
    counted = figures(connection, portals, now)
    alerts = alerts_list(connection, limit=_ALERTS)
    standings = {name: standing_of(connection, portals, name) for name in portals}
    return {
        "at": say_time(now),
        "states": {
            state.value: sum(each.by_state[state.value] for each in counted) for state in TherapistState
        },
        "portals": [
            {
                "name": each.portal,
                "kind": portals[each.portal].hubspot.kind.value,
                "state": standings[each.portal].state.value,
                "message": standings[each.portal].message,
                "therapists": sum(each.by_state.values()),
                "quota": quota(connection, portals[each.portal], now),
            }
            for each in counted
        ],
        "workflows": delays_report(connection, portals.values(), now, policy, weeks=4)["delays"],
        "alerts": alerts["alerts"],
        "alerts_open": alerts["open"],
    }
