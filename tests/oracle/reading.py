"""The domain's rules, read a second time: what was submitted, and which property of which slot it is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.evidence import Json, Told, when

DUE_AFTER = timedelta(days=120)
ONE_PRESS = timedelta(seconds=1)
FLAGS = (
    "immunization.immunization_complete",
    "education_and_training.references_complete",
    "employment_and_malpractice.disclosures_complete",
    "medicare.medicare_complete",
)
"""What class C is reduced to."""


class _Word:
    """A value that is none: `SILENT` where a submission says nothing, `UNJUDGED` where the oracle does not know."""


SILENT = _Word()
UNJUDGED = _Word()


@dataclass(frozen=True, slots=True)
class Map:
    """One `[[writes]]` of the portal file."""

    form: str
    to: str
    each: str | None
    key: tuple[str, ...]
    fields: Mapping[str, str]
    renames: Mapping[str, Mapping[str, str]]


class Portal:
    """The portal file as the oracle reads it."""

    def __init__(self, given: Json) -> None:
        self.slots: Mapping[str, Json] = given["slots"]
        self.rules: Mapping[str, Sequence[Json]] = given.get("definitive", {})
        self.sync_url: str | None = given.get("contact", {}).get("sync_url")
        self.stamps = {key: entry["stamp"] for key, entry in given["objects"].items() if "stamp" in entry}
        """The property that each object's writes carry beside what was submitted."""
        self.maps = [
            Map(
                each["form"],
                each["to"],
                each.get("each"),
                _words(each.get("key")),
                each["fields"],
                each.get("values", {}),
            )
            for each in given.get("writes", [])
        ]

    def rules_of(self, form: str) -> Sequence[Json]:
        """A form without rules uses ca's."""
        return self.rules.get(form) or self.rules.get("ca", [])

    def object_of(self, slot: str) -> str | None:
        """The object whose records a slot holds."""
        entry = self.slots.get(slot) or self.slots.get(slot.split(".")[0])
        return None if entry is None else str(entry["object"])


def _words(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted form; `came` is when it was told."""

    form: str
    occurred_at: datetime
    came: datetime
    moving: bool | None
    data: Json = field(compare=False)
    told: Told = field(compare=False)

    @property
    def age(self) -> tuple[datetime, datetime]:
        """Newest `occurred_at` last, ties by arrival."""
        return (self.occurred_at, self.came)


@dataclass(frozen=True, slots=True)
class Offer:
    """A value that a submission has for one property of one slot. `sure` is False where it may be another slot's."""

    submission: Submission
    slot: str
    name: str
    value: Any
    sure: bool
    ruled: bool

    def is_said_by(self, written: str) -> bool:
        """Whether this text is the value, in any spelling the property's type may ask for."""
        if self.value is UNJUDGED:
            return True
        if self.value is None:
            return written == ""
        if isinstance(self.value, bool):
            return written == str(self.value).lower()
        if isinstance(self.value, list):
            return written.split(";") == [str(each) for each in self.value] or (
                written == "" and not self.value
            )
        return written == str(self.value) or _moment(written) == _moment(str(self.value))


def _moment(text: str) -> object:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return at.date()
    return at.astimezone(UTC).date()


class Knowledge:
    """Everything told of one therapist up to some call, and what follows from it."""

    def __init__(
        self, portal: Portal, told: Sequence[Told], pinned: Mapping[Submission, str] | None = None
    ) -> None:
        self._portal = portal
        self._pinned = pinned or {}
        self.submissions: list[Submission] = []
        self.extended: list[tuple[datetime, Told]] = []
        self._moving: list[tuple[datetime, datetime, bool]] = []
        self._words: list[tuple[datetime, datetime, bool]] = []
        for each in told:
            self._take(each)
        self.submissions.sort(key=lambda submission: submission.age)
        self.extended.sort(key=lambda pair: pair[0])

    def _take(self, told: Told) -> None:
        body, last = told.body, told.path.rsplit("/", 1)[-1]
        at = when(body["occurred_at"]) if body.get("occurred_at") else told.asked
        moving = body.get("moving")
        if last == "sign-ups":
            again = body["kind"] == "extended" and any(
                abs(at - other) < ONE_PRESS for other, _ in self.extended
            )
            if body["kind"] == "extended" and not again:
                self.extended.append((at, told))
            self._moving.append((at, told.asked, bool(moving)))
            if body.get("data"):
                data = body["data"] if "sign_up" in body["data"] else {"sign_up": body["data"]}
                self._submitted("sign_up", at, moving, data, told)
        elif last == "submissions":
            self._submitted(body["form"], at, moving, body["data"], told)
            if moving is not None:
                self._words.append((at, told.asked, moving))
        elif moving is not None:
            self._moving.append((at, told.asked, moving))

    def _submitted(self, form: str, at: datetime, moving: bool | None, data: Json, told: Told) -> None:
        same = [s for s in self.submissions if (s.form, s.occurred_at) == (form, at) and s.data == data]
        if not same:
            self.submissions.append(Submission(form, at, told.asked, moving, data, told))

    def enrolment(self, at: datetime) -> int:
        """Which enrolment a moment belongs to: only an Extended Sign Up opens another."""
        return sum(1 for began, _ in self.extended if began <= at)

    @property
    def current(self) -> int:
        """The newest enrolment."""
        return len(self.extended)

    def definitive(self, submission: Submission) -> frozenset[str]:
        """The slots a submission may belong to: one, where the rules leave no doubt; none while it must wait."""
        if submission in self._pinned:
            return frozenset({self._pinned[submission]})
        found: set[str] = set()
        for moving in self._was_moving(submission):
            for rule in self._portal.rules_of(submission.form):
                if rule.get("when") is None or moving:
                    found.add(rule["slot"])
                    break
                if moving is None:
                    break
        return frozenset(found)

    def _was_moving(self, submission: Submission) -> set[bool | None]:
        """Its own word, else the latest fact not after it. Where only later facts are known, either may hold."""
        if submission.moving is not None:
            return {submission.moving}
        possible: set[bool | None] = set()
        for facts in (self._moving, self._moving + self._words):
            before = sorted(fact for fact in facts if fact[0] <= submission.occurred_at)
            if before:
                possible.add(before[-1][2])
            elif facts:
                possible |= {True, False}
        return possible or {None}

    def newest_definitive(self) -> frozenset[str]:
        """The Credentialing slot of the newest submission, under which what hangs on a Credentialing is judged."""
        ruled = [s for s in self.submissions if self._portal.rules_of(s.form)]
        return self.definitive(ruled[-1]) if ruled else frozenset()

    def offers(self) -> list[Offer]:
        """Every value submitted for any slot, oldest submission first."""
        return [offer for submission in self.submissions for offer in self._offers_of(submission)]

    def _offers_of(self, submission: Submission) -> Iterable[Offer]:
        extra = _derived(submission)
        for one in self._portal.maps:
            if one.form != submission.form:
                continue
            if one.each is not None:
                if self._newest_list(one, submission):
                    yield from _of_items(one, submission, extra)
                continue
            slots = self.definitive(submission) if one.to == "definitive" else frozenset({one.to})
            for name, value in _values(one, submission.data, extra):
                for slot in slots:
                    yield Offer(submission, slot, name, value, len(slots) == 1, one.to == "definitive")

    def _newest_list(self, one: Map, submission: Submission) -> bool:
        """Whether no newer submission of the enrolment replaced the list."""
        forms = {other.form for other in self._portal.maps if (other.to, other.each) == (one.to, one.each)}
        mine = self.enrolment(submission.occurred_at)
        return _at(submission.data, one.each or "") is not SILENT and not any(
            other.age > submission.age
            and other.form in forms
            and self.enrolment(other.occurred_at) == mine
            and _at(other.data, one.each or "") is not SILENT
            for other in self.submissions
        )


def _of_items(one: Map, submission: Submission, extra: Json) -> Iterable[Offer]:
    for item in _at(submission.data, one.each or "") or ():
        slot = ".".join([one.to, *(str(item[name]) for name in one.key)])
        for name, value in _values(one, item, extra):
            yield Offer(submission, slot, name, value, True, False)


def _values(one: Map, data: Json, extra: Json) -> Iterable[tuple[str, Any]]:
    for name, path in one.fields.items():
        value = _at(data, path)
        if value is SILENT:
            value = extra.get(path, SILENT)
        if value is SILENT:
            continue
        renames = one.renames.get(name, {})
        if isinstance(value, list):
            value = [renames.get(each, each) for each in value]
        elif isinstance(value, str):
            value = renames.get(value, value)
        yield name, value


def _at(data: Any, path: str) -> Any:
    for word in path.split("."):
        if data is None:
            return None
        if not isinstance(data, Mapping) or word not in data:
            return SILENT
        data = data[word]
    if isinstance(data, Mapping) and data.get("confirmed") is True:
        return SILENT
    return data


def _derived(submission: Submission) -> dict[str, Any]:
    """What a submission says beside its fields. When a CA counts as attested, or a section as complete, is not judged."""
    found: dict[str, Any] = {flag: UNJUDGED for flag in FLAGS if submission.data.get(flag.split(".")[0])} | {
        "form_status": "submitted",
        "submitted_at": submission.occurred_at.astimezone(UTC).isoformat(),
    }
    if submission.form == "af":
        given = _at(submission.data, "attestation.attested_at")
        at = when(given) if isinstance(given, str) else None
        found["attested_at"] = UNJUDGED if at is None else at.astimezone(UTC).isoformat()
        found["attestation_due"] = UNJUDGED if at is None else (at + DUE_AFTER).date().isoformat()
    else:
        found |= {"attested_at": UNJUDGED, "attestation_due": UNJUDGED}
    return found
