"""The calling backend under a storm: tells facts without a pause, and again until each is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx2

from storm.real.stage import Stage
from tests.flow.caller import moment
from tests.flow.forms import ca, licences, npi, street

_NPIS = ("1234567893", "1245319599", "1679576722", "1003000126")
_PAUSE = 0.12
_AGAIN_AFTER = 0.1


class Load:
    """Runs in a thread of its own from `start` to `end`; `therapists` are all it told of."""

    def __init__(self, stage: Stage, seed: int, most: int) -> None:
        self.therapists: list[str] = []
        self._stage = stage
        self._chance = Random(f"load {seed}")
        self._most = most
        self._streets = 0
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="load")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """No further fact; the last one is still acknowledged. Raises what the load could not go on after."""
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the last fact was not acknowledged within 60 s"
        if self._failed:
            raise self._failed[0]

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._chance.uniform(0, 2 * _PAUSE)):
                self._one_more()
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self._failed.append(error)

    def _one_more(self) -> None:
        new = not self.therapists or (
            len(self.therapists) < self._most and self._chance.random() < self._share_of_new()
        )
        if new:
            therapist = str(UUID(int=len(self.therapists) + 1, version=4))
            contact = self._stage.contact(licenses=["NY"])
            self._until_acknowledged(lambda at: self._stage.sign_up(therapist, contact, occurred_at=at))
            self.therapists.append(therapist)
        else:
            self._submit(self._chance.choice(self.therapists))

    def _share_of_new(self) -> float:
        return 0.3 if len(self.therapists) < self._most / 2 else 0.1

    def _submit(self, therapist: str) -> None:
        self._streets += 1
        number = self._chance.choice(_NPIS)
        line = f"{self._streets} Elm St"
        data = self._chance.choice(
            (
                lambda: self._whole(line, number),
                lambda: npi(number),
                lambda: street(line),
                lambda: licences("NY", number=str(self._streets)),
            )
        )()
        self._until_acknowledged(
            lambda at: self._stage.submit(therapist, data, occurred_at=at, portal="demo")
        )

    def _whole(self, line: str, number: str) -> dict[str, Any]:
        """A CA whose licence no other has: what a write says of it tells which submission it is of."""
        made = ca(line, number)
        expiry = date(2027, 1, 1) + timedelta(days=self._streets)
        item = {"state": "NY", "number": f"NY-{self._streets}", "expiry": expiry.isoformat()}
        made["education_and_training"] = {"licenses": [item]}
        return made

    def _until_acknowledged(self, tell: Callable[[str], object]) -> None:
        """The same fact again, word for word, until it is acknowledged: as a backend with a queue does."""
        at = moment()
        while True:
            try:
                tell(at)
            except httpx2.TransportError:
                pass
            except AssertionError:
                if self._stage.told[-1].answered is not None:
                    raise
            else:
                return
            threading.Event().wait(_AGAIN_AFTER)
