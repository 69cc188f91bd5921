"""Who uses the console: three roles, and what each may do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is to this service. Each may do all that the one before may."""

    VIEWER = "viewer"
    SUCCESS = "success"
    ADMIN = "admin"


class Act(StrEnum):
    """What a page shows or does, as far as not everybody may."""

    LOOK = "look"
    SEE_ADDRESSES = "see_addresses"
    """E-mail addresses and telephone numbers unmasked."""
    SYNC = "sync"
    CHOOSE = "choose"
    NOTE = "note"
    ACKNOWLEDGE = "acknowledge"
    EXPORT = "export"
    PAUSE = "pause"
    PEOPLE = "people"
    TOKENS = "tokens"
    AUDIT = "audit"


_NEEDS: Final = {
    Act.LOOK: Role.VIEWER,
    Act.SEE_ADDRESSES: Role.SUCCESS,
    Act.SYNC: Role.SUCCESS,
    Act.CHOOSE: Role.SUCCESS,
    Act.NOTE: Role.SUCCESS,
    Act.ACKNOWLEDGE: Role.SUCCESS,
    Act.EXPORT: Role.SUCCESS,
    Act.PAUSE: Role.ADMIN,
    Act.PEOPLE: Role.ADMIN,
    Act.TOKENS: Role.ADMIN,
    Act.AUDIT: Role.ADMIN,
}
_RANK = {role: rank for rank, role in enumerate(Role)}


def role_for(act: Act) -> Role:
    """The least role that may do it."""
    return _NEEDS[act]


def may(role: Role, act: Act) -> bool:
    """Whether somebody of this role may do it.

    >>> may(Role.SUCCESS, Act.SYNC), may(Role.VIEWER, Act.SYNC)
    (True, False)
    """
    return _RANK[role] >= _RANK[role_for(act)]


def masked_email(address: str) -> str:
    """An e-mail address by its first letter and its domain.

    >>> masked_email("ada@example.org")
    'a…@example.org'
    """
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else "…"
