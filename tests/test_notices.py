"""Telling people outside of alerts: best effort, bounded, without persons or secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from credsync.core.alerts import Alert, AlertKind, Cause, Holding
from credsync.notices import MOST_WAITING, BadNotifyUrl, Notices
from tests.notified import Somebody, somebody

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAUSE = Cause("alpha", AlertKind.OVERDUE, "credentialing", "credentialing_active_attested")
ALERT = Alert(7, CAUSE, Holding(3), NOW, NOW)


@pytest.fixture
def told() -> Iterator[Somebody]:
    """Somebody who is told."""
    with somebody() as made:
        yield made


def test_an_alert_is_told_when_it_opens_and_when_it_closes(told: Somebody) -> None:
    """What, how many, what to do and the command that tells more."""
    notices = Notices([told.address])
    notices.tell([ALERT])
    notices.tell([replace(ALERT, closed_at=NOW)])
    notices.close(10)
    opened, closed = told.heard
    assert "credentialing record of slot credentialing_active_attested is late" in opened["title"]
    assert "3 therapists" in opened["message"]
    assert "credsync alerts 7" in opened["message"]
    assert (opened["type"], closed["type"]) == ("warning", "success")
    assert closed["title"].startswith("Over: ")


def test_a_failing_address_is_logged_once_and_keeps_nobody_else_from_hearing(told: Somebody) -> None:
    """Once, until it works again; by its place, since an address holds secrets."""
    with somebody() as deaf, structlog.testing.capture_logs() as lines:
        notices = Notices([deaf.address.replace("json://", "json://user:SECRET@"), told.address])
        deaf.status = 500
        notices.tell([ALERT, ALERT, ALERT])
        notices.close(10)
        assert len(told.heard) == 3
    assert [(line["event"], line["address"]) for line in lines] == [("notice.failed", 1)]
    assert "SECRET" not in str(lines)


def test_nobody_waits_for_an_address_that_does_not_answer(told: Somebody) -> None:
    """Telling returns at once; what does not fit the queue is dropped and said once."""
    told.held.clear()
    notices = Notices([told.address])
    with structlog.testing.capture_logs() as lines:
        for _ in range(MOST_WAITING + 20):
            notices.tell([ALERT])
        assert told.heard == []
        told.held.set()
        notices.close(30)
    assert [line["event"] for line in lines] == ["notices.dropped"]


@pytest.mark.parametrize("url", ["nonsense", "bogus://SECRET@host/", ""])
def test_an_address_of_no_use_is_refused_by_its_place(told: Somebody, url: str) -> None:
    """At the start, and without repeating it."""
    with pytest.raises(BadNotifyUrl, match="Address 2 ") as refused:
        Notices([told.address, url])
    assert "SECRET" not in str(refused.value)


def test_without_addresses_nothing_is_started() -> None:
    """The usual case costs nothing."""
    notices = Notices([])
    notices.tell([ALERT])
    notices.close(1)
