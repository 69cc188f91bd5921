"""Who may sign in, and where they have: for admins; one's own sessions for everybody."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.people import Act, Role
from credsync.core.phrases import phrase
from credsync.store import people, sessions, set_up_links
from credsync.store.audit import by_person
from credsync.store.clock import say_time
from credsync.store.people import BadEmail, EmailTaken, LastAdmin, Person
from credsync.store.sessions import Session
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.forms import words
from credsync.web.console.guard import NOT_ALLOWED, NOTHING_CHANGED, Refusal
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.viewer import viewer

_UNKNOWN: Final = phrase("Nobody here is known by this address")
_LOOK: Final = phrase("Look at the list of people.")
_NO_SESSION: Final = phrase("This session has ended already, or is somebody else's.")
_NO_ROLE: Final = phrase("Choose one of the roles.")


class PeoplePages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def people(self, request: Request) -> Response:
        """Everybody, with how many sessions each has."""
        now = self._context.database.clock.now()

        def query(connection: Connection) -> list[dict[str, Any]]:
            held = [each.person_id for each in sessions.open_sessions(connection, now)]
            return [_shown(each, held.count(each.id)) for each in people.everybody(connection)]

        seen = await ask(self._context.database, self._limiter, query)
        return self._renderer.page(request, "people.html", people=seen, roles=list(Role))

    async def person(self, request: Request) -> Response:
        """One person: role, sessions, and what can be changed."""
        return await self._person_page(request)

    async def add_person(self, request: Request) -> Response:
        """Let somebody in: their page, with the link to send them, once."""
        email, role = words(request, "email"), _role(request)

        def add(connection: Connection) -> tuple[int, str]:
            by, now = self._by(request)
            try:
                person = people.add_person(connection, email, role, by, now)
            except BadEmail as bad:
                message = f"{str(bad)[:1].upper()}{str(bad)[1:]}."
                raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message) from None
            except EmailTaken as taken:
                message = phrase("{email} is known already: look at the list of people.", email=str(taken))
                raise Refusal(HTTPStatus.CONFLICT, NOTHING_CHANGED, message) from None
            return person.id, set_up_links.make_link(connection, person, by, now)

        person_id, secret = await change(self._context.database, self._limiter, add)
        return await self._person_page(request, person_id, secret)

    async def new_link(self, request: Request) -> Response:
        """A new set-up link, shown once; those before it hold no more."""

        def make(connection: Connection, person: Person) -> str:
            if person.disabled_at is not None:
                message = phrase("Nobody signs in as this person: let them in again first.")
                raise Refusal(HTTPStatus.CONFLICT, NOTHING_CHANGED, message)
            by, now = self._by(request)
            return set_up_links.make_link(connection, person, by, now)

        return await self._person_page(request, secret=await self._change(request, make))

    async def change_role(self, request: Request) -> Response:
        """Another role, from the person's next click on."""
        role = _role(request)
        await self._change(request, lambda c, person: people.set_role(c, person, role, *self._by(request)))
        return self._back(request)

    async def disable_person(self, request: Request) -> Response:
        """Nobody signs in as this person any more, and all of their sessions end."""
        await self._change(request, lambda c, person: people.disable(c, person, *self._by(request)))
        return self._back(request)

    async def enable_person(self, request: Request) -> Response:
        """The person may sign in again."""
        await self._change(request, lambda c, person: people.enable(c, person, *self._by(request)))
        return self._back(request)

    async def own_sessions(self, request: Request) -> Response:
        """Where one has signed in oneself."""
        me, now = viewer(request), self._context.database.clock.now()
        found = await ask(
            self._context.database, self._limiter, lambda c: sessions.open_sessions(c, now, me.person_id)
        )
        return self._renderer.page(
            request, "sessions.html", sessions=[_session_shown(each, me.session_id) for each in found]
        )

    async def end_session(self, request: Request) -> Response:
        """End a session: one's own, or as an admin anybody's."""
        me, session_id = viewer(request), _number(request)
        by, now = self._by(request)

        def end(connection: Connection) -> Session | None:
            held = {each.id: each for each in sessions.open_sessions(connection, now)}
            session = held.get(session_id)
            if session is None or not (session.person_id == me.person_id or me.may(Act.PEOPLE)):
                return None
            sessions.revoke(connection, session, by, now)
            return session

        ended = await change(self._context.database, self._limiter, end)
        if ended is None:
            raise Refusal(HTTPStatus.NOT_FOUND, NOTHING_CHANGED, _NO_SESSION)
        to = "/sessions" if ended.person_id == me.person_id else f"/people/{ended.person_id}"
        return RedirectResponse(to, HTTPStatus.SEE_OTHER, HEADERS)

    async def _person_page(
        self, request: Request, person_id: int | None = None, secret: str | None = None
    ) -> Response:
        wanted = _number(request) if person_id is None else person_id
        me, now = viewer(request), self._context.database.clock.now()

        def query(connection: Connection) -> tuple[Person, list[Session]]:
            person = people.person_by_id(connection, wanted)
            if person is None:
                raise Refusal(HTTPStatus.NOT_FOUND, _UNKNOWN, _LOOK)
            return person, sessions.open_sessions(connection, now, wanted)

        person, held = await ask(self._context.database, self._limiter, query)
        base = self._context.public_url or str(request.base_url)
        return self._renderer.page(
            request,
            "person.html",
            person=_shown(person, len(held)),
            sessions=[_session_shown(each, me.session_id) for each in held],
            roles=list(Role),
            link=set_up_links.address(base, secret) if secret is not None else None,
        )

    async def _change(self, request: Request, act: Callable[[Connection, Person], Any]) -> Any:
        person_id = _number(request)

        def work(connection: Connection) -> Any:
            person = people.person_by_id(connection, person_id)
            if person is None:
                raise Refusal(HTTPStatus.NOT_FOUND, _UNKNOWN, _LOOK)
            try:
                return act(connection, person)
            except LastAdmin as last:
                raise Refusal(HTTPStatus.CONFLICT, NOTHING_CHANGED, str(last)) from None

        return await change(self._context.database, self._limiter, work)

    def _by(self, request: Request) -> tuple[str, Any]:
        """Who does it, and when."""
        return by_person(viewer(request).email), self._context.database.clock.now()

    def _back(self, request: Request) -> Response:
        return RedirectResponse(f"/people/{_number(request)}", HTTPStatus.SEE_OTHER, HEADERS)


def _role(request: Request) -> Role:
    try:
        return Role(words(request, "role"))
    except ValueError:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, _NO_ROLE) from None


def _number(request: Request) -> int:
    """The id in the address. Raises `Refusal` for what can be none."""
    text = str(request.path_params["id"])
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refusal(HTTPStatus.NOT_FOUND, NOT_ALLOWED, _LOOK)
    return int(text)


def _shown(person: Person, held: int) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "role": person.role,
        "set_up": person.set_up,
        "provider": person.issuer,
        "created_at": say_time(person.created_at),
        "disabled_at": say_time(person.disabled_at) if person.disabled_at is not None else None,
        "sessions": held,
    }


def _session_shown(session: Session, mine: int) -> dict[str, Any]:
    return {
        "id": session.id,
        "opened_at": say_time(session.opened_at),
        "seen_at": say_time(session.seen_at),
        "address": session.address,
        "user_agent": session.user_agent,
        "this_one": session.id == mine,
    }
