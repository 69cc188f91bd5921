"""The calls that report facts: each is checked whole, stored in one transaction, and answered when that is on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.forms import SECTIONS, CheckedForm, Fault, FormFaults, FormName, check_form
from credsync.core.keyed_items import item_faults
from credsync.core.portal import Mode, Portal
from credsync.store import intake as store
from credsync.store.acts import Actor, choose, sync_now
from credsync.store.choices import ChosenForAnother, NotACandidate, NothingToChoose
from credsync.store.known import Known, has_submitted, known_therapist
from credsync.store.therapists import Door, Taken, Who
from credsync.web.api.addresses import therapist_id_of, therapist_url, unknown_therapist
from credsync.web.api.auth import caller
from credsync.web.api.bodies import (
    Body,
    ChoiceBody,
    SectionBody,
    SignUpBody,
    SubmissionBody,
    SyncBody,
    TherapistBody,
    read,
)
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import Problem, invalid, unknown_name
from credsync.web.api.taking import PORTAL_NEEDED, Desk, Fact, Told

_CLOCKS_DIFFER = timedelta(minutes=5)
_B = TypeVar("_B", bound=Body)


class Intake:
    """The handlers, each `parse -> check -> store -> answer`."""

    def __init__(self, context: ApiContext, desk: Desk) -> None:
        self._context = context
        self._desk = desk

    async def put_therapist(self, request: Request) -> Response:
        """Make or change a therapist."""
        who = therapist_id_of(request)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = self._read(TherapistBody, given)
            if body is None or faults:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                made = known_therapist(connection, who) is None
                whom = Who(who, body.portal, body.contact_id, body.name, body.email)
                taken = store.accept_therapist(connection, door, whom, body.moving, body.occurred_at)
                taken.new = made
                return _told(taken, None, _ahead(body.occurred_at, door), 201 if made else 200)

            return fact

        return await self._desk.take(request, therapist_url(who), check)

    async def post_sign_up(self, request: Request) -> Response:
        """A sign-up or Extended Sign Up was completed."""
        who = therapist_id_of(request)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = self._read(SignUpBody, given)
            checked = self._check_form("sign_up", given, body, who, faults)
            if body is None or faults:
                raise self._refusal(faults, given, who)

            def fact(connection: Connection, door: Door) -> Told:
                name, email = _names(checked, known_therapist(connection, who))
                whom = Who(who, body.portal, body.contact_id, name, email)
                data = checked.data if checked else None
                taken = store.accept_sign_up(
                    connection, door, whom, body.sign_up_kind, body.occurred_at, body.moving, data
                )
                warnings = [*(checked.warnings if checked else ()), *_ahead(body.occurred_at, door)]
                return _told(taken, "sign_up_id", warnings)

            return fact

        return await self._desk.take(request, f"{therapist_url(who)}/sign-ups", check)

    async def post_section(self, request: Request) -> Response:
        """A section of a form was completed."""
        who = therapist_id_of(request)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = self._read(SectionBody, given)
            form, section = given.get("form"), given.get("section")
            if form in ("ca", "af") and isinstance(section, str) and section not in SECTIONS[form]:
                known = list(SECTIONS[form])
                faults.append(
                    unknown_name("section", "unknown_section", f"section of {form}", section, known)
                )
            if body is None or faults:
                raise self._refusal(faults, given, who)

            def fact(connection: Connection, door: Door) -> Told:
                whom = Who(who, body.portal, body.contact_id)
                taken = store.accept_section(
                    connection, door, whom, body.form, body.section, body.occurred_at
                )
                return _told(taken, None, _ahead(body.occurred_at, door))

            return fact

        return await self._desk.take(request, f"{therapist_url(who)}/sections", check)

    async def post_submission(self, request: Request) -> Response:
        """A form was submitted."""
        who = therapist_id_of(request)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = self._read(SubmissionBody, given)
            form = given.get("form")
            checked = None
            if form in ("sign_up", "ca", "af"):
                checked = self._check_form(form, given, body, who, faults)
            if body is None or checked is None or faults:
                raise self._refusal(faults, given, who)

            def fact(connection: Connection, door: Door) -> Told:
                whom = Who(who, body.portal, body.contact_id)
                taken = store.accept_submission(
                    connection, door, whom, body.form, body.occurred_at, body.moving, checked.data
                )
                warnings = [*checked.warnings, *_ahead(body.occurred_at, door)]
                if body.form == "af" and not has_submitted(connection, who, "ca"):
                    warnings.append(Fault("form", "af_without_ca", "no CA of this therapist was submitted"))
                return _told(taken, "submission_id", warnings)

            return fact

        return await self._desk.take(request, f"{therapist_url(who)}/submissions", check)

    async def post_sync(self, request: Request) -> Response:
        """Sync now."""
        who = therapist_id_of(request)
        actor = Actor.token(caller(request).name)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = read(SyncBody, given)
            if body is None:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                known = known_therapist(connection, who)
                if known is None:
                    raise unknown_therapist()
                taken = sync_now(connection, door, actor, who, body.reason, body.include_held)
                return _told(taken, "sync_id", _unsent(self._context.portals.get(known.portal)))

            return fact

        return await self._desk.take(request, f"{therapist_url(who)}/sync", check)

    async def post_choice(self, request: Request) -> Response:
        """A person chooses among the candidates of a slot."""
        who, slot = therapist_id_of(request), str(request.path_params["slot"])
        actor = Actor.token(caller(request).name)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = read(ChoiceBody, given)
            if body is None:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                known = known_therapist(connection, who)
                if known is None:
                    raise unknown_therapist()
                portal = self._context.portals.get(known.portal)
                if portal is not None and portal.slot_rule(slot) is None:
                    fault = unknown_name("slot", "unknown_slot", "slot of this portal", slot, portal.slots)
                    raise Problem("not-found", f"The slot {fault.message}.", [fault])
                try:
                    taken = choose(connection, door, actor, who, slot, body.record_id, body.reason)
                except NotACandidate as refusal:
                    raise invalid([Fault("record_id", "not_a_candidate", str(refusal))]) from None
                except NothingToChoose as refusal:
                    raise Problem("nothing-to-choose", str(refusal)) from None
                except ChosenForAnother as refusal:
                    other = refusal.therapist_id
                    raise Problem("chosen-for-another", str(refusal), therapist_id=other) from None
                return _told(taken, "choice_id")

            return fact

        return await self._desk.take(request, f"{therapist_url(who)}/links/{slot}", check)

    def _read(self, model: type[_B], given: Mapping[str, Any]) -> tuple[_B | None, list[Fault]]:
        """The body and its faults, with the portal's name looked at too."""
        body, faults = read(model, given)
        portal, known = given.get("portal"), self._context.portals
        if isinstance(portal, str) and portal not in known:
            faults.append(unknown_name("portal", "unknown_portal", "portal here", portal, sorted(known)))
        return body, faults

    def _check_form(
        self,
        form: FormName,
        given: Mapping[str, Any],
        body: SignUpBody | SubmissionBody | None,
        who: str,
        faults: list[Fault],
    ) -> CheckedForm | None:
        """`data` as it may be kept; its faults join those of the body, though that may be at fault itself."""
        data = given.get("data")
        if not isinstance(data, dict):
            return None
        portal = None
        portals = self._context.portals.values()
        if "custom" in data or any(item_faults(each, form, data) for each in portals):
            portal = self._portal(given.get("portal"), who, faults, "custom" in data)
        if portal is None:
            data = {name: section for name, section in data.items() if name != "custom"}
        found = item_faults(portal, form, data) if portal is not None else []
        as_of = body.occurred_at.date() if body is not None else None
        checked = None
        try:
            checked = check_form(form, data, portal.custom if portal is not None else {}, as_of=as_of)
        except FormFaults as refused:
            told = {(fault.path, fault.code) for fault in refused.faults}
            found = [*refused.faults, *(fault for fault in found if (fault.path, fault.code) not in told)]
        faults += [Fault(f"data.{f.path}" if f.path else "data", f.code, f.message) for f in found]
        return None if found else checked

    def _refusal(self, faults: list[Fault], given: Mapping[str, Any], who: str) -> Problem:
        """422 with every fault, also that a new therapist's portal is not named: the next answer must not bring another."""
        if given.get("portal") is None and PORTAL_NEEDED not in faults:
            with self._context.database.read() as connection:
                if known_therapist(connection, who) is None:
                    faults.append(PORTAL_NEEDED)
        return invalid(faults)

    def _portal(self, name: object, who: str, faults: list[Fault], needed: bool) -> Portal | None:
        """The portal whose own fields and slots count: the one that is named, else the therapist's."""
        if name is None:
            with self._context.database.read() as connection:
                known = known_therapist(connection, who)
            if known is None:
                faults.append(PORTAL_NEEDED)
                return None
            if needed and known.portal not in self._context.portals:
                message = f"cannot be checked: the therapist's portal {known.portal} is not configured here"
                faults.append(Fault("data.custom", "unknown_portal", message))
            name = known.portal
        return self._context.portals.get(name) if isinstance(name, str) else None


def _names(checked: CheckedForm | None, known: Known | None) -> tuple[str | None, str | None]:
    """The therapist's name and e-mail address as the sign-up has them, where they are not known otherwise."""
    fields: Mapping[str, Any] = (checked.data.get("sign_up") if checked else None) or {}
    name = " ".join(part for key in ("first_name", "last_name") if (part := fields.get(key)))
    return (
        name or None if known is None or known.name is None else None,
        fields.get("email") if known is None or known.email is None else None,
    )


def _ahead(occurred_at: datetime | None, door: Door) -> list[Fault]:
    """A warning for a moment that has not come yet: it counts as newest until it has."""
    if occurred_at is None or occurred_at <= door.now + _CLOCKS_DIFFER:
        return []
    message = "lies in the future; what is submitted before that moment counts as older"
    return [Fault("occurred_at", "in_the_future", message)]


def _unsent(portal: Portal | None) -> list[Fault]:
    """A warning for Sync now of a portal that only observes: it looks, and what it would send is not queued."""
    if portal is None or portal.hubspot.mode is Mode.WRITE:
        return []
    message = "only observes, so nothing is sent, now or later; press Sync now again once it writes"
    return [Fault("portal", "observe_only", message)]


def _told(taken: Taken, fact: str | None, warnings: Iterable[Fault] = (), status: int = 202) -> Told:
    """The answer to a fact; `fact` names its id."""
    answer: dict[str, Any] = {"id": taken.therapist_id, "accepted": True, "new": taken.new}
    if fact is not None and taken.fact_id is not None:
        answer[fact] = str(taken.fact_id)
    answer["warnings"] = [{"path": w.path, "code": w.code, "message": w.message} for w in warnings]
    answer["status_url"] = therapist_url(taken.therapist_id)
    return Told(status, answer, taken.events, taken.portal, taken.urgent)
