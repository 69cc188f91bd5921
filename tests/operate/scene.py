"""A database with therapists in it, a clock that a test sets, and two ways to get on: stored turns, and real rounds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select

from credsync.core.decide import Case
from credsync.core.events import TimelineEvent
from credsync.core.facts import SignUpKind
from credsync.core.forms import FormName
from credsync.core.links import Link, LinkHistory, LinkState
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.states import condition
from credsync.core.wanted import Wanted
from credsync.core.writes import Write, WriteState
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import Pacing
from credsync.operate.find import find_therapists
from credsync.operate.packet import packet
from credsync.operate.status import therapist_status
from credsync.reconcile.report import RoundReport
from credsync.reconcile.round import Round
from credsync.store import leases, portals
from credsync.store.cases import links_of, writes_of
from credsync.store.database import Database
from credsync.store.intake import accept_section, accept_sign_up, accept_submission, accept_sync
from credsync.store.leases import Lease
from credsync.store.rounds import Finish, Turn, Verified, record_turns
from credsync.store.tables import therapists
from credsync.store.therapists import Door, Who

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "a value that was submitted"
"""Stands in every form here; no report may hold it."""

ACTIVE, MOVE, ADDRESS, NY = (
    "credentialing_active_attested",
    "credentialing_relocation",
    "therapist_address_current",
    "license.NY",
)

PORTAL_TOML = """
[hubspot]
base_url = "{url}"
portal_id = "1234567"
mode = "{mode}"
[objects.credentialing]
name = "credentialing"
[objects.license]
name = "license"
[objects.therapist_address]
name = "therapist_address"
[slots.credentialing_active_attested]
object = "credentialing"
label = "Active Attested"
[slots.credentialing_relocation]
object = "credentialing"
label = "Processing for Move"
awaited = "moving"
[slots.license]
object = "license"
each = "license_state"
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"
[definitive]
ca = [{{ slot = "credentialing_relocation", when = "moving" }}, {{ slot = "credentialing_active_attested" }}]
[[writes]]
form = "ca"
to = "definitive"
fields = {{ npi = "npi_and_caqh.npi", bio = "practice_preferences.bio", medicare = "npi_and_caqh.medicare_status" }}
values.medicare = {{ enrolled = "Yes", not_enrolled = "No" }}
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = {{ license_number = "number", expires_on = "expiry" }}
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = {{ city = "practice_preferences.treating_address.city" }}
"""

TYPES = {"credentialing": "2-101", "license": "2-102", "therapist_address": "2-103"}


def portal_of(url: str = "http://127.0.0.1:9", mode: str = "write", name: str = "alpha") -> Portal:
    """A portal with every kind of slot."""
    return parse_portal(name, PORTAL_TOML.format(url=url, mode=mode))


def whole_form(*states: str) -> dict[str, Any]:
    """A CA that says something to every slot, with a licence for each state."""
    licenses = [{"state": state, "number": SECRET, "expiry": "2027-05-31"} for state in states or ("NY",)]
    return {
        "npi_and_caqh": {"npi": "1234567893", "medicare_status": "enrolled"},
        "practice_preferences": {"bio": SECRET, "treating_address": {"city": SECRET}},
        "education_and_training": {"licenses": licenses},
    }


class SetClock:
    """Tells the time it was last set to."""

    def __init__(self, now: datetime = T0) -> None:
        self.at = now

    def now(self) -> datetime:
        """The moment."""
        return self.at

    def wait(self, seconds: float) -> datetime:
        """Let time pass; gives the moment reached."""
        self.at += timedelta(seconds=seconds)
        return self.at


def uuid_of(number: int) -> str:
    """The UUID of the therapist with this number."""
    return f"00000000-0000-4000-8000-{number:012d}"


@dataclass
class Scene:
    """`portals` may be exchanged by a test. Therapists are named by numbers here."""

    database: Database
    clock: SetClock
    portals: Mapping[str, Portal] = field(default_factory=lambda: {"alpha": portal_of()})
    policy: Policy = field(default_factory=lambda: Policy(coalesce=timedelta(seconds=3)))

    # Facts

    def sign_up(
        self, number: int = 1, contact: str | None = "101", name: str | None = None, portal: str = "alpha",
        kind: SignUpKind = SignUpKind.FIRST, moving: bool = False,
    ) -> str:  # fmt: skip
        """A sign-up now; gives the therapist's UUID."""
        who = Who(uuid_of(number), portal, contact, name)
        with self.database.write() as connection:
            accept_sign_up(connection, self._door, who, kind, self.clock.now(), moving, None)
        return who.therapist_id

    def submit(self, number: int = 1, data: Mapping[str, Any] | None = None, form: FormName = "ca") -> None:
        """A form now: the whole one unless other data is given."""
        who, now = Who(uuid_of(number)), self.clock.now()
        with self.database.write() as connection:
            accept_submission(connection, self._door, who, form, now, None, data or whole_form())

    def section(self, number: int = 1) -> None:
        """A completed section now."""
        who = Who(uuid_of(number))
        with self.database.write() as connection:
            accept_section(connection, self._door, who, "ca", "npi_and_caqh", self.clock.now())

    def sync(self, number: int = 1) -> None:
        """Sync now."""
        with self.database.write() as connection:
            accept_sync(connection, self._door, uuid_of(number), "asked", False, "support")

    @property
    def _door(self) -> Door:
        return Door(self.clock.now(), self.policy.coalesce)

    # The portal

    def know_account(self, name: str = "alpha", portal_id: str = "1234567") -> None:
        """What the worker stores at its start."""
        with self.database.write() as connection:
            portals.set_account(connection, name, portal_id, "app.hubspot.com", TYPES)

    def pause(self, name: str = "alpha") -> None:
        """A person pauses the portal."""
        with self.database.write() as connection:
            portals.pause(connection, name, "Sam", "workflow maintenance", self.clock.now())

    # Rounds

    def store(
        self,
        number: int = 1,
        links: Iterable[Link] = (),
        writes: Iterable[Write] = (),
        verified: Mapping[int, Verified] | None = None,
        lost: Sequence[LinkHistory] = (),
        events: Sequence[TimelineEvent] = (),
        due_in: float | None = 5,
    ) -> None:
        """What a round would record: these links and writes, seen up to the last fact, due again after `due_in`."""
        therapist, now = uuid_of(number), self.clock.now()
        with self.database.write() as connection:
            row = connection.execute(select(therapists).where(therapists.c.id == therapist)).one()
            stored_links, stored = links_of(connection, [therapist]), writes_of(connection, [therapist])
            before = Case(therapist, row.contact_id, stored_links[therapist], tuple(stored[therapist]))
            after = {**before.links, **{link.slot: link for link in links}}
            rows = [*before.writes, *writes]
            due = None if due_in is None else now + timedelta(seconds=due_in)
            state = condition(row.contact_id, after.values(), rows)
            turn = Turn(
                before, after, rows, list(events), lost, finish=Finish(row.generation, state, due, True)
            )
            turn.verified = {len(before.writes) + index: each for index, each in (verified or {}).items()}
            lease = _lease(connection)
            objects = {key: rule.object for key, rule in portal_of().slots.items()}
            record_turns(connection, lease, row.portal, [turn], objects, now)

    async def round(self, edge: Edge) -> RoundReport:
        """A real round of a portal."""
        with self.database.write() as connection:
            lease = _lease(connection)
            denied = portals.status_of(connection, edge.portal.name).denied
        names = await edge.names(self.clock.now())
        return await Round(self.database, edge, names, lease, self.policy, denied).run()

    # Questions

    def status(self, number: int = 1) -> dict[str, Any]:
        """The status of a therapist who is known."""
        with self.database.read() as connection:
            found = therapist_status(connection, self.portals, uuid_of(number), self.clock.now())
        assert found is not None
        json.dumps(found)
        return found

    def link(self, slot: str, number: int = 1) -> dict[str, Any]:
        """One link of the status."""
        found: dict[str, Any] = next(each for each in self.status(number)["links"] if each["slot"] == slot)
        return found

    def packet(self, number: int = 1) -> dict[str, Any]:
        """The packet of a therapist who is known."""
        with self.database.read() as connection:
            found = packet(connection, self.portals, uuid_of(number), self.clock.now())
        assert found is not None
        return found

    def find(self, **wanted: Any) -> list[int]:
        """The numbers of those found, in the order of the list."""
        return [int(each["id"][-12:]) for each in self.page(**wanted)["therapists"]]

    def page(self, *, cursor: str | None = None, limit: int = 50, **wanted: Any) -> dict[str, Any]:
        """One page of the list."""
        with self.database.read() as connection:
            return find_therapists(
                connection, self.portals, Wanted(**wanted), cursor=cursor, limit=limit, now=self.clock.now()
            )


def _lease(connection: Connection) -> Lease:
    """A lease of its own for every turn: who owns a portal is another test's matter."""
    lease = leases.acquire(connection, f"test:{uuid4()}", "test", 3600)
    assert lease is not None
    return lease


def edge_to(url: str, portal: Portal | None = None) -> Edge:
    """An edge to a HubSpot that a test runs; calls that fail are not tried for long."""
    portal = portal or portal_of(url)
    client = HubSpotClient(url, "a-token", pacing=Pacing(speed=1000.0), speed=1000.0, attempts=2)
    return Edge(portal, client)


def awaited(slot: str = ACTIVE, **changed: Any) -> Link:
    """A link that was looked for once and missed."""
    missed = Link(slot, True, T0, LinkState.AWAITED, Reason.RECORD_AWAITED, first_missed_at=T0, looks=1)
    return replace(missed, last_looked_at=T0, next_look_at=T0 + timedelta(seconds=17), **changed)


def found(slot: str = ACTIVE, record_id: str = "900", **changed: Any) -> Link:
    """A link that was found at its first look."""
    link = Link(slot, True, T0, LinkState.FOUND, Reason.NONE, record_id, looks=1, found_at=T0)
    return replace(link, last_looked_at=T0, **changed)


def a_write(slot: str = ACTIVE, state: WriteState = WriteState.WRITTEN, **changed: Any) -> Write:
    """A write of a CA that was submitted at the beginning."""
    rule = "always" if slot == ACTIVE else None
    write = Write(
        None, 0, "ca", slot, rule, frozenset({1}), T0, state, Reason.NONE, record_id="900", attempts=1
    )
    return replace(write, **{"sent_at": T0, **changed})
