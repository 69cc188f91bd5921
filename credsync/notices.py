"""Tells people outside when an alert opens or closes, through whatever `notify_urls` name (apprise's addresses).

Best effort: a thread of its own, outside of every transaction, a short queue, seconds per address. What cannot be
delivered is logged once and dropped: the alert itself is in the database, where it is listed.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from credsync.core.alert_words import words_of
from credsync.core.alerts import Alert

if TYPE_CHECKING:
    from apprise import Apprise

_log = structlog.get_logger("credsync")

MOST_WAITING = 100
"""Notices on their way at once; more are dropped."""
TIMEOUT = 10.0
"""Seconds one address may take."""


class BadNotifyUrl(ValueError):
    """An address that nothing can be sent to; the message tells its place, never the address: it holds secrets."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: counts, slots and names of properties, never a person."""

    title: str
    body: str
    opened: bool


def notice_of(alert: Alert) -> Notice:
    """An alert that has just been opened or closed, in words."""
    words = words_of(alert.cause, alert.holding)
    if alert.closed_at is not None:
        return Notice(f"Over: {words.title}", f"Portal {alert.cause.portal}: it ended by itself.", False)
    ask = f"`credsync alerts {alert.id}` tells more"
    ask += " and lists whom it hits." if alert.holding.therapists else "."
    return Notice(words.title, f"{words.message}\n{words.remedy}\n{ask}", True)


class Notices:
    """Sends in a thread that starts with the first notice. Raises `BadNotifyUrl` for an address of no use."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._queue: queue.Queue[Notice | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._failing: set[int] = set()
        self._overflowing = False
        self._addresses = [_address(place, url) for place, url in enumerate(urls, 1)]

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Take these on their way; returns at once."""
        if not self._addresses:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, name="credsync-notices", daemon=True)
            self._thread.start()
        try:
            for alert in alerts:
                self._queue.put_nowait(notice_of(alert))
            self._overflowing = False
        except queue.Full:
            if not self._overflowing:
                _log.warning("notices.dropped", remedy="`credsync alerts` lists every alert")
            self._overflowing = True

    def close(self, seconds: float) -> None:
        """Let what waits be sent, for so long at most."""
        if self._thread is not None:
            try:
                self._queue.put(None, timeout=seconds)
            except queue.Full:
                return
            self._thread.join(seconds)

    def _send_all(self) -> None:
        while (notice := self._queue.get()) is not None:
            for place, address in enumerate(self._addresses, 1):
                self._say(place, self._send(address, notice))

    def _send(self, address: Apprise, notice: Notice) -> bool:
        from apprise import NotifyType

        kind = NotifyType.WARNING if notice.opened else NotifyType.SUCCESS
        try:
            return bool(address.notify(body=notice.body, title=notice.title, notify_type=kind))
        except Exception:  # noqa: BLE001 - a plug-in's fault; what it says may hold its address
            return False

    def _say(self, place: int, sent: bool) -> None:
        """Failing is said once, until it works again."""
        if not sent and place not in self._failing:
            _log.warning(
                "notice.failed",
                address=place,
                remedy=f"address {place} of notify_urls took no notice: check it; `credsync alerts` lists every alert",
            )
        (self._failing.discard if sent else self._failing.add)(place)


def _address(place: int, url: str) -> Apprise:
    """Imported here: most services have no address, and it takes a fifth of a second."""
    from apprise import Apprise, AppriseAsset

    _quiet("apprise")
    address = Apprise(asset=AppriseAsset(service_timeout=TIMEOUT, app_id="credsync"))
    if not address.add(url):
        raise BadNotifyUrl(
            f"Address {place} of notify_urls is none that apprise knows: write for example json://host/path, "
            "slack://… or mailto://… (https://github.com/caronc/apprise lists them)."
        )
    return address


def _quiet(name: str) -> None:
    """Its own log lines hold addresses with their secrets."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
