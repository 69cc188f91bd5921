"""Whether a value read back from HubSpot is the one that was sent, however HubSpot spells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from credsync.core.outgoing import Outgoing
from credsync.core.properties import Property


def same_value(sent: str | None, got: str | None, prop: Property) -> bool:
    """True when both say the same in the property's own type; an empty text and None are both "cleared".

    Where a rule of the property lets HubSpot mend values, case and blanks at the ends are its own.
    """
    if (sent or "") == (got or ""):
        return True
    if not sent or not got:
        return False
    if prop.type == "number":
        return _same_number(sent, got)
    if prop.type in ("date", "datetime"):
        return _moment(sent) == _moment(got)
    if prop.type == "enumeration":
        return set(sent.split(";")) == set(got.split(";"))
    mended = any(rule.normalizes for rule in prop.rules)
    return mended and sent.strip().casefold() == got.strip().casefold()


def is_there(outgoing: Outgoing, got: Mapping[str, str | None], known: Mapping[str, Property]) -> bool:
    """True when what was last sent to a record, without a verdict, arrived: by its stamp, or value by value.

    Its stamp came with all of it, so it did arrive even where a person changed a property since. Any other stamp, or
    none, says nothing. `known` are HubSpot's properties of the object, by name.
    """
    stamp = outgoing.stamp
    if stamp is not None and got.get(stamp.name) == stamp.whole:
        return True
    return all(same_value(value, got.get(name), known[name]) for name, value in outgoing.properties.items())


def _same_number(sent: str, got: str) -> bool:
    try:
        return Decimal(sent) == Decimal(got)
    except InvalidOperation:
        return False


def _moment(text: str) -> datetime | str:
    """A date or time in any of HubSpot's spellings: a day, RFC 3339, milliseconds since 1970."""
    try:
        if text.removeprefix("-").isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
