"""Watches, under a portal's lease, for causes of alerts: opens those that are new, closes those that ended.

Causes are levels, read whole from the database: whatever was missed, the next evaluation finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.alerts import Alert, AlertChanges, AlertKind, Cause, Holding, alert_changes
from credsync.core.portal import Portal, mapped_properties, stamp_properties
from credsync.core.workflows import Trouble
from credsync.hubspot.edge import Names
from credsync.operate.workflows import troubled_workflows
from credsync.store import in_thread, portals, timeline
from credsync.store.alerts import open_alerts, save_alerts
from credsync.store.causes import LATE, late
from credsync.store.database import Database
from credsync.store.leases import Lease, LeaseLost
from credsync.store.refusals import refusal_causes
from credsync.store.restoring import in_doubt

_log = structlog.get_logger("credsync")

EVERY = 5.0
"""Seconds between evaluations while rounds go on."""
AT_LEAST_EVERY = 60.0
"""Seconds between evaluations while nothing happens."""
_SHORTEST = 0.2


@dataclass(frozen=True, slots=True)
class Scene:
    """What an evaluator may ask beside the database; `names` is None while HubSpot does not tell them."""

    portal: Portal
    names: Names | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Gives every cause of its kinds that holds now; None leaves what is open of them as it is.

    It must cost one or two statements over an index, however many therapists there are.
    """

    kinds: Collection[AlertKind]
    causes: Callable[[Connection, Scene], Mapping[Cause, Holding] | None]


_WORKFLOWS = {
    Trouble.SLOW: AlertKind.WORKFLOW_SLOW,
    Trouble.NEVER_FIRED: AlertKind.WORKFLOW_NEVER_FIRED,
}


def _late(connection: Connection, scene: Scene) -> Mapping[Cause, Holding]:
    """One alert for a slot: where it is the workflow, that, and the plain one only for whom else it does not explain."""
    holding = dict(late(connection, scene.portal))
    for slot, (trouble, count) in troubled_workflows(connection, scene.portal, scene.now).items():
        cause = Cause(scene.portal.name, _WORKFLOWS[trouble], scene.portal.slots[slot].object, slot)
        plain = replace(cause, kind=AlertKind.OVERDUE)
        if plain in holding and holding[plain].therapists <= count:
            del holding[plain]
        holding[cause] = Holding(count)
    return holding


def _refusals(connection: Connection, scene: Scene) -> Mapping[Cause, Holding] | None:
    if scene.names is None:
        return None
    known = scene.names.properties
    mapped = [*mapped_properties(scene.portal), *stamp_properties(scene.portal)]
    vanished = [(key, name) for key, name in mapped if known.get(key) and name not in known[key]]
    return refusal_causes(connection, scene.portal, vanished)


def _portal(connection: Connection, scene: Scene) -> Mapping[Cause, Holding]:
    status = portals.status_of(connection, scene.portal.name)
    holding: dict[Cause, Holding] = {}
    if status.problem_kind is not None:
        holding[Cause(status.name, status.problem_kind)] = Holding(details={"problem": status.problem})
    if status.paused_by_us:
        holding[Cause(status.name, AlertKind.PORTAL_UNAUTHORIZED)] = Holding()
    for each in status.denied:
        cause = Cause(status.name, AlertKind.PORTAL_FORBIDDEN, each.object, verb=each.verb.value)
        holding[cause] = Holding(details={"scopes": list(each.scopes)})
    if status.restored_at is not None:
        count = in_doubt(connection, status.name, status.restored_at)
        if count is not None:
            holding[Cause(status.name, AlertKind.RESTORED)] = Holding(count)
    return holding


EVALUATORS: Sequence[Evaluator] = (
    Evaluator((*LATE, *_WORKFLOWS.values()), _late),
    Evaluator((AlertKind.VALUES_REFUSED, AlertKind.PROPERTY_VANISHED), _refusals),
    Evaluator(
        (
            AlertKind.PORTAL_UNAUTHORIZED,
            AlertKind.PORTAL_FORBIDDEN,
            AlertKind.PORTAL_UNUSABLE,
            AlertKind.HUBSPOT_SILENT,
            AlertKind.RATE_LIMITED_DAILY,
            AlertKind.RESTORED,
        ),
        _portal,
    ),
)


class Watch:
    """One portal's. `tell` gets every alert that was opened or closed, after the commit."""

    def __init__(
        self,
        database: Database,
        portal: Portal,
        speed: float = 1.0,
        tell: Callable[[Sequence[Alert]], None] = lambda _: None,
        evaluators: Sequence[Evaluator] = EVALUATORS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._database = database
        self._portal = portal
        self._tell = tell
        self._evaluators = evaluators
        self._every = max(_SHORTEST, EVERY / speed)
        self._at_least_every = max(_SHORTEST, AT_LEAST_EVERY / speed)
        self._evaluated: float | None = None
        self._happened = True

    def note(self) -> None:
        """Something happened that may begin or end a cause."""
        self._happened = True

    def due_in(self) -> float:
        """Seconds until the next evaluation."""
        if self._evaluated is None:
            return 0.0
        after = self._every if self._happened else self._at_least_every
        return max(0.0, self._evaluated + after - self._clock())

    async def look(self, lease: Lease, names: Names | None) -> None:
        """Evaluate, if it is time. Raises `LeaseLost` when the portal is no longer ours; our own faults are logged."""
        if self.due_in() > 0:
            return
        self._evaluated, self._happened = self._clock(), False
        scene = Scene(self._portal, names, self._database.clock.now())
        try:
            await in_thread.aside(self._database, lambda: self._evaluate(lease, scene))
        except (LeaseLost, SQLAlchemyError):
            raise
        except Exception:  # noqa: BLE001 - logged; alerts must not keep rounds from running
            _log.exception(
                "alerts.failed", portal=self._portal.name, remedy="alerts are as they were; report this line"
            )

    def _evaluate(self, lease: Lease, scene: Scene) -> None:
        with self._database.read() as connection:
            found = [self._changes(connection, each, scene) for each in self._evaluators]
        changes = [each for each in found if each]
        if not changes:
            return
        told: list[Alert] = []
        events = []
        with self._database.write() as connection:
            for each in changes:
                alerts, happened = save_alerts(connection, lease, each, scene.now)
                told += alerts
                events += happened
        timeline.log(events)
        if told:
            self._tell(told)

    def _changes(self, connection: Connection, evaluator: Evaluator, scene: Scene) -> AlertChanges | None:
        holding = evaluator.causes(connection, scene)
        if holding is None:
            return None
        return alert_changes(open_alerts(connection, scene.portal.name, evaluator.kinds), holding, scene.now)
