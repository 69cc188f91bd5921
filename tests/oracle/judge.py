"""What is wrong: each write, each record's number of writes, each call, and what is still missing at the end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from tests.oracle.evidence import CONTACT, Call, Calls, Evidence, History, Told, Write
from tests.oracle.reading import UNJUDGED, Knowledge, Offer, Portal, Submission

CANARY = "canary"
"""What a test puts into every class C and D field; in nothing that reaches HubSpot may it be found."""

READS_AND_UPDATES = re.compile(
    r"GET .*|POST associations batch/read|POST objects batch/read|POST objects batch/update|PATCH objects"
)
SLACK = timedelta(milliseconds=150)
"""A round claims therapists shortly before it looks: a fact that came in between may be missing from it."""
BETWEEN_LOOKS = timedelta(milliseconds=200)
_EVER = datetime.max.replace(tzinfo=UTC)
_THERAPIST = re.compile(r"^/v1/therapists/([^/]+)(?:/(sign-ups|submissions|sync|sections|links/[^/]+))?$")


class Rule(StrEnum):
    """The kinds of wrong."""

    CREATED = "credsync creates nothing in HubSpot"
    CANARY = "neither class C nor class D reaches HubSpot"
    STRANGER = "a record of a contact that no therapist, or another one, has"
    NO_SLOT = "a record that holds none of the therapist's slots"
    AMBIGUOUS = "two records in one slot, or one record under two therapists: none is written"
    OTHER_PARENT = "a two-hop record is written under the definitive record alone"
    NO_LOOK = "every round looks before it writes"
    UNASKED = "a write happens because something was submitted"
    OLDER = "an older submission never overwrites a newer"
    OLDER_THAN_SIGN_UP = (
        "a submission older than the latest sign-up never goes to a record that took the slot after it"
    )
    SETTLING = "an unchanged holder stays unwritten for settle_after"
    OBSERVED = "observe-only writes nothing, and leaving it sends nothing by itself"
    PAUSED = "a paused portal is left alone"
    TOO_OFTEN = "written no more often than there are causes"
    AGAIN = "a write carries the values of its own submissions alone"
    MISSING = "what was submitted is on its record in the end"
    LOG = "the sandbox's log and its truth agree"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that must not be."""

    rule: Rule
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


def judge(evidence: Evidence) -> list[Wrong]:
    """Everything wrong, in no particular order."""
    return list(_Oracle(evidence).wrongs())


@dataclass(frozen=True, slots=True)
class _Seen:
    """A write with what surrounds it: `looked` is the look that led to it, which a round began at `lower` or later."""

    write: Write
    therapist: str
    looked: datetime
    lower: datetime
    states: Sequence[int]
    slots: frozenset[str]


class _Oracle:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.portal = Portal(evidence.portal)
        self.history = History(evidence)
        self.calls = Calls(evidence)
        self.told: dict[str, list[Told]] = defaultdict(list)
        self.pauses: list[tuple[datetime, datetime | None]] = []
        for each in sorted(evidence.told, key=lambda told: told.asked):
            self._sort(each)
        self.named: dict[str, set[str]] = defaultdict(set)
        for therapist, calls in self.told.items():
            for _, _, contact in _mentions(calls):
                self.named[contact].add(therapist)
        self.pinned: dict[str, dict[Submission, str]] = defaultdict(dict)

    def _sort(self, told: Told) -> None:
        found = _THERAPIST.match(told.path)
        if found:
            self.told[found[1].lower()].append(told)
        elif told.path.endswith("/pause") and told.answered:
            self.pauses.append((told.answered, None))
        elif told.path.endswith("/resume") and self.pauses and self.pauses[-1][1] is None:
            self.pauses[-1] = (self.pauses[-1][0], told.asked)

    def wrongs(self) -> Iterator[Wrong]:
        yield from self._of_calls()
        seen: dict[str, list[_Seen]] = defaultdict(list)
        right: dict[str, list[_Seen]] = defaultdict(list)
        for write in self.history.writes:
            if write.object == CONTACT:
                yield from self._of_contact(write)
                continue
            found = self._placed(write)
            if isinstance(found, Wrong):
                yield found
                continue
            seen[write.record_id].append(found)
            wrongs = list(self._of_write(found))
            yield from wrongs
            if not wrongs:
                right[write.record_id].append(found)
        for record_id, writes in right.items():
            yield from self._of_number(record_id, writes)
        for therapist in self.told:
            if therapist not in (self.evidence.unfinished or {}):
                yield from self._of_end(therapist, seen)
        yield from self._of_log()

    # --- every call

    def _of_calls(self) -> Iterator[Wrong]:
        for call in self.calls.all:
            if not READS_AND_UPDATES.fullmatch(call.name):
                yield Wrong(Rule.CREATED, f"{call.name} on {call.path}")
            if CANARY in f"{call.path} {call.text}".lower():
                yield Wrong(Rule.CANARY, f"in {call.name} on {call.path}")

    def _of_log(self) -> Iterator[Wrong]:
        for contact in self.evidence.truth:
            for record in contact["records"]:
                merged = [self.history.effects.get(each, 0) for each in record["merged"]]
                counted = self.history.effects.get(record["id"], 0) + sum(merged)
                if record["writes"] != counted:
                    yield Wrong(
                        Rule.LOG, f"record {record['id']}: {record['writes']} writes, {counted} in the log"
                    )

    # --- whose record, which slot, after which look

    def _owners(
        self, contact_id: str, seq: int, lower: datetime = _EVER, upper: datetime = _EVER
    ) -> frozenset[str]:
        """Whose contact this was, by what credsync knew at `lower` or may have heard until `upper`."""
        return frozenset(
            therapist
            for former in (contact_id, *self.history.merged_into(contact_id, seq))
            for therapist in self.named.get(former, ())
            if former in _contacts(self.told[therapist], lower, upper)
        )

    def _placed(self, write: Write) -> _Seen | Wrong:
        history = self.history
        whole = history.contacts(write.record_id, write.seq)
        owners = sorted(o for c in whole for o in self._owners(c, write.seq, write.at, write.at))
        if not owners:
            return Wrong(Rule.STRANGER, f"record {write.record_id} hangs on {sorted(whole)}")
        chose = [o for o in owners if self._chose(o, write)]
        looks = self._look_before(write, owners)
        if looks is None:
            return Wrong(
                Rule.NO_LOOK, f"record {write.record_id} was written before any look at {sorted(whole)}"
            )
        began, looked = looks
        lower = began - SLACK
        states = history.numbers(history.number_at(lower), write.seq)
        slots = frozenset(slot for n in states for slot in history.slots(write.record_id, n))
        mapped = frozenset(slot for slot in slots if self.portal.object_of(slot))
        if not mapped:
            return Wrong(Rule.NO_SLOT, f"record {write.record_id} of {sorted(whole)}")
        return _Seen(write, (chose or owners)[0], looked, lower, states, mapped)

    def _look_before(self, write: Write, owners: Iterable[str]) -> tuple[datetime, datetime] | None:
        """When the round that led to a write began to look, and when its look at this record was answered well.

        What was asked without a pause, and no object type of it twice, is one round; so is what was tried again.
        """
        contacts = {each for owner in owners for each in self._ever(owner, write)}
        looks = [call for each in contacts for call in self.calls.looks.get(each, ()) if call.at <= write.at]
        looks.sort(key=lambda call: call.at)
        types = self.history.looked_for(write.record_id, write.seq)
        good = [n for n, c in enumerate(looks) if c.answered_well and _to_type(c) in types]
        if not good:
            return None
        first = good[-1]
        seen = {_to_type(looks[first])}
        while first > 0:
            before = looks[first - 1]
            if before.answered_well:
                if _to_type(before) in seen or before.ended < looks[first].at - BETWEEN_LOOKS:
                    break
                seen.add(_to_type(before))
            first -= 1
        return looks[first].at, looks[good[-1]].at

    # --- every write

    def _of_contact(self, write: Write) -> Iterator[Wrong]:
        contact = self.history.heir(write.record_id, write.seq)
        owners = self._owners(contact, write.seq, write.at - SLACK, write.at)
        if not owners:
            yield Wrong(Rule.STRANGER, f"contact {write.record_id}")
        elif set(write.values) != {self.portal.sync_url} or not any(
            o in value for o in owners for value in write.values.values()
        ):
            yield Wrong(Rule.UNASKED, f"contact {write.record_id} got {sorted(write.values)}")

    def _of_write(self, seen: _Seen) -> Iterator[Wrong]:
        write = seen.write
        yield from self._of_ambiguity(seen)
        yield from self._of_parent(seen)
        yield from self._of_settling(seen)
        for began, ended in self.evidence.observed:
            if began < write.at < ended:
                yield Wrong(Rule.OBSERVED, f"record {write.record_id} was written meanwhile")
        for began, until in self.pauses:
            if began < seen.lower and (until is None or write.at < until):
                yield Wrong(Rule.PAUSED, f"record {write.record_id} was written meanwhile")
        reasons = [self._explain(seen, knowledge) for knowledge in self._knowledges(seen)]
        best = min(reasons, key=len)
        yield from best
        if not best:
            self._pin(seen)

    def _of_ambiguity(self, seen: _Seen) -> Iterator[Wrong]:
        history, record = self.history, seen.write.record_id
        if self._chosen(seen):
            return
        shared = [
            len({o for c in contacts for o in self._owners(c, n, seen.lower, seen.write.at)}) > 1
            for n in seen.states
            if (contacts := history.contacts(record, n))
        ]
        if shared and all(shared):
            yield Wrong(Rule.AMBIGUOUS, f"record {record} is under two therapists")
        alone = any(
            len(history.holders(slot, parent, n)) == 1
            for n in seen.states
            for slot in history.slots(record, n)
            for parent in history.parents(record, n)
        )
        if not alone:
            yield Wrong(Rule.AMBIGUOUS, f"record {record} is not alone in {sorted(seen.slots)}")

    def _chosen(self, seen: _Seen) -> bool:
        return self._chose(seen.therapist, seen.write)

    def _chose(self, therapist: str, write: Write) -> bool:
        return any(
            "/links/" in told.path and told.body.get("record_id") == write.record_id
            for told in self.told[therapist]
            if told.asked <= write.at
        )

    def _ever(self, therapist: str, write: Write) -> set[str]:
        """Every id a therapist's contact had until then, merges included."""
        told = {c for _, _, c in _mentions(self.told[therapist])}
        return told | {self.history.heir(c, write.seq) for c in told}

    def _of_parent(self, seen: _Seen) -> Iterator[Wrong]:
        history, write = self.history, seen.write
        if not history.two_hops(write.object):
            return
        right = any(
            slot in history.slots(parent, n)
            for n in seen.states
            for parent in history.parents(write.record_id, n)
            for knowledge in self._knowledges(seen)
            for slot in knowledge.newest_definitive()
        )
        if not right:
            yield Wrong(Rule.OTHER_PARENT, f"{write.object} {write.record_id}")

    def _of_settling(self, seen: _Seen) -> Iterator[Wrong]:
        """Only where a look had seen the holder before the Extended Sign Up was told."""
        known = Knowledge(self.portal, self._told_by(seen.therapist, seen.lower))
        if not known.extended or self._chosen(seen):
            return
        _, told = known.extended[-1]
        assert told.answered is not None
        if seen.write.at >= told.answered + self.evidence.settle_after - SLACK:
            return
        since = [self.history.held_since(seen.write.record_id, slot, seen.write.seq) for slot in seen.slots]
        starts = [self.history.moment_of(n) for n in since if n is not None]
        looks = [
            call.at
            for each in self._ever(seen.therapist, seen.write)
            for call in self.calls.looks.get(each, ())
            if call.answered_well and call.ended < told.asked
        ]
        if starts and looks and max(starts) < max(looks):
            yield Wrong(Rule.SETTLING, f"record {seen.write.record_id} in {sorted(seen.slots)}")

    # --- what a write may say

    def _told_by(self, therapist: str, moment: datetime) -> list[Told]:
        return [t for t in self.told[therapist] if t.answered is not None and t.answered <= moment]

    def _knowledges(self, seen: _Seen) -> Iterator[Knowledge]:
        """What the round may have known: surely what was acknowledged before it, perhaps what came meanwhile."""
        told = [t for t in self.told[seen.therapist] if t.asked <= seen.write.at]
        sure = len([t for t in told if t.answered is not None and t.answered <= seen.lower])
        answered = [t for t in told if t.answered is not None]
        for upto in range(len(answered), sure - 1, -1):
            last = answered[upto - 1].asked if upto else None
            known = [t for t in told if last is not None and t.asked <= last]
            yield Knowledge(self.portal, known, self.pinned[seen.therapist])
            if any(t.answered is None for t in known):
                without = [t for t in known if t.answered is not None]
                yield Knowledge(self.portal, without, self.pinned[seen.therapist])
        if len(answered) < len(told):
            yield Knowledge(self.portal, told, self.pinned[seen.therapist])

    def _explain(self, seen: _Seen, knowledge: Knowledge) -> list[Wrong]:
        wrongs: list[Wrong] = []
        record = seen.write.record_id
        for name, written in seen.write.values.items():
            offers = [o for o in knowledge.offers() if o.name == name and o.slot in seen.slots]
            said = [o for o in offers if o.is_said_by(written)]
            if not said:
                wrongs.append(Wrong(Rule.UNASKED, f"{name} of {record} in {sorted(seen.slots)}"))
                continue
            newest = said[-1]
            if any(
                o.sure and o.submission.age > newest.submission.age and o.slot == newest.slot for o in offers
            ):
                wrongs.append(Wrong(Rule.OLDER, f"{name} of {record}"))
            wrongs += self._of_age(seen, knowledge, name, said)
            wrongs += self._of_observed(seen, name, said)
        return wrongs

    def _of_age(self, seen: _Seen, knowledge: Knowledge, name: str, said: Sequence[Offer]) -> Iterator[Wrong]:
        if not knowledge.extended or self._sync_since(seen, knowledge.extended[-1][1], include_held=True):
            return
        began, told = knowledge.extended[-1]
        if told.answered is None or told.answered > seen.lower or self._chosen(seen):
            return
        if all(self._took_after(seen, o.slot, began) and o.submission.occurred_at < began for o in said):
            yield Wrong(Rule.OLDER_THAN_SIGN_UP, f"{name} of {seen.write.record_id}")

    def _took_after(self, seen: _Seen, slot: str, began: datetime) -> bool:
        since = self.history.held_since(seen.write.record_id, slot, seen.write.seq)
        return since is not None and self.history.moment_of(since) > began

    def _sync_since(self, seen: _Seen, told: Told | None, *, include_held: bool) -> bool:
        return any(
            each.path.endswith("/sync")
            and each.asked <= seen.write.at
            and (told is None or each.asked >= told.asked)
            and (each.body.get("include_held") or not include_held)
            for each in self.told[seen.therapist]
        )

    def _of_observed(self, seen: _Seen, name: str, said: Sequence[Offer]) -> Iterator[Wrong]:
        def parked(offer: Offer) -> bool:
            told = offer.submission.told
            return any(
                began < told.asked and told.answered is not None and told.answered < ended <= seen.write.at
                for began, ended in self.evidence.observed
            )

        if all(parked(o) for o in said) and not self._sync_since(seen, None, include_held=False):
            yield Wrong(Rule.OBSERVED, f"{name} of {seen.write.record_id} was submitted meanwhile")

    def _pin(self, seen: _Seen) -> None:
        """A definitive slot is judged until first sent: what only one submission can have said fixes its slot."""
        knowledge = next(self._knowledges(seen))
        for name, written in seen.write.values.items():
            said = [
                o
                for o in knowledge.offers()
                if o.name == name and o.slot in seen.slots and o.is_said_by(written)
            ]
            carriers = {o.submission for o in said}
            if len(carriers) == 1 and said[0].ruled and said[0].value is not UNJUDGED:
                self.pinned[seen.therapist].setdefault(said[0].submission, said[0].slot)

    # --- how often

    def _of_number(self, record_id: str, writes: Sequence[_Seen]) -> Iterator[Wrong]:
        causes = self._causes(record_id, writes)
        refused = [call.at for call in self.calls.refused.get(record_id, ())]
        if len(writes) > len(causes) + len(refused):
            yield Wrong(Rule.TOO_OFTEN, f"record {record_id}: {len(writes)} writes, {len(causes)} causes")
            return
        for before, after in pairwise(writes):
            apart = any(before.lower - SLACK < at <= after.write.at for at in refused)
            call = self.calls.by_correlation.get(before.write.correlation_id)
            if after.looked <= before.write.at and not apart and call is not None and call.answered_well:
                yield Wrong(Rule.NO_LOOK, f"record {record_id} at {after.write.at}")
            if apart or any(before.lower <= c <= after.write.at for c in causes.values()):
                yield from () if apart else self._of_repetition(before, after)
                continue
            yield Wrong(
                Rule.TOO_OFTEN, f"record {record_id} was written at {after.write.at} for no new cause"
            )

    def _causes(self, record_id: str, writes: Sequence[_Seen]) -> dict[object, datetime]:
        therapist = writes[0].therapist
        told = self.told[therapist]
        slots = {slot for seen in writes for slot in seen.slots}
        causes: dict[object, datetime] = {
            offer.submission: offer.submission.told.answered or writes[-1].write.at
            for upto in range(len(told))
            for offer in Knowledge(self.portal, told[: upto + 1]).offers()
            if offer.slot in slots
        }
        causes |= {
            each.asked: each.answered or writes[-1].write.at
            for each in told
            if each.path.endswith("/sync") or "/links/" in each.path
        }
        return causes | {("took", n): at for n, at in enumerate(self.history.takes(record_id))}

    def _of_repetition(self, before: _Seen, after: _Seen) -> Iterator[Wrong]:
        """Values of a submission that was sent already, with nothing that asks for the full merge."""
        start, end = before.lower, after.write.at
        told = [t for t in self.told[after.therapist] if t.asked <= end and (t.answered or end) >= start]
        asked = [t for t in told if t.path.endswith("/sync") or "/links/" in t.path]
        taken = [at for at in self.history.takes(after.write.record_id) if start <= at <= end]
        killed = [at for at in self.evidence.interrupted if start <= at <= end]
        call = self.calls.by_correlation.get(before.write.correlation_id)
        if asked or taken or killed or call is None or not call.answered_well:
            return
        for name, written in after.write.values.items():
            if before.write.values.get(name) != written:
                continue
            said = {
                o.submission
                for knowledge in self._knowledges(after)
                for o in knowledge.offers()
                if o.name == name and o.slot in after.slots and o.is_said_by(written)
            }
            sent = {s for s in said if s.came <= before.write.at}
            fresh = {s for s in said if (s.told.answered or end) >= start} - (
                sent if len(sent) == 1 else set()
            )
            if said and not fresh:
                yield Wrong(Rule.AGAIN, f"{name} of {after.write.record_id}")

    # --- what is missing

    def _of_end(self, therapist: str, seen: Mapping[str, Sequence[_Seen]]) -> Iterator[Wrong]:
        told = [t for t in self.told[therapist] if t.answered is not None]
        if len(told) < len(self.told[therapist]):
            return
        knowledge = Knowledge(self.portal, told, self.pinned[therapist])
        contacts = _mentions(told)
        if not contacts:
            return
        contact = self.history.heir(contacts[-1][2], self.history.last)
        if len(self._owners(contact, self.history.last)) > 1:
            return
        newest: dict[tuple[str, str], Offer] = {}
        for offer in knowledge.offers():
            if knowledge.enrolment(offer.submission.occurred_at) == knowledge.current:
                newest[(offer.slot, offer.name)] = offer
        for offer in newest.values():
            if offer.sure and offer.value is not UNJUDGED and not self._parked(offer):
                yield from self._of_offer(therapist, contact, knowledge, offer, seen)

    def _parked(self, offer: Offer) -> bool:
        came = offer.submission.told.asked
        return any(began < came < ended for began, ended in self.evidence.observed)

    def _of_offer(
        self,
        therapist: str,
        contact: str,
        knowledge: Knowledge,
        offer: Offer,
        seen: Mapping[str, Sequence[_Seen]],
    ) -> Iterator[Wrong]:
        holder = self._holder(contact, knowledge, offer.slot)
        if holder is None or self._was_refused(holder, offer):
            return
        there = [
            each
            for writes in seen.values()
            for each in writes
            if each.therapist == therapist
            and offer.slot in each.slots
            and each.write.at >= offer.submission.came
            and offer.name in each.write.values
            and offer.is_said_by(each.write.values[offer.name])
        ]
        where = f"{offer.name} of {offer.slot}, record {holder} of therapist {therapist}"
        if not there:
            yield Wrong(Rule.MISSING, where)
        elif holder not in {each.write.record_id for each in there} and all(
            self._is_owed_again(each, contact, knowledge) for each in there
        ):
            yield Wrong(Rule.MISSING, f"{where}, which took the place of what was written")

    def _is_owed_again(self, seen: _Seen, contact: str, knowledge: Knowledge) -> bool:
        """Lost, or written to a holder from before the enrolment's own sign-up: what follows gets it again."""
        last = self.history.last
        living = {self.history.heir(c, last) for c in self.history.contacts(seen.write.record_id, last)}
        if contact not in living:
            return True
        if not knowledge.extended:
            return False
        began = knowledge.extended[-1][0]
        starts = [self.history.held_since(seen.write.record_id, slot, seen.write.seq) for slot in seen.slots]
        return any(n is not None and self.history.moment_of(n) < began for n in starts)

    def _holder(self, contact: str, knowledge: Knowledge, slot: str) -> str | None:
        """The one record in a slot at the end, if there is just one."""
        history, last = self.history, self.history.last
        key = self.portal.object_of(slot)
        if key is None:
            return None
        parents: frozenset[str] = frozenset({contact})
        if history.two_hops(key):
            parents = frozenset(
                each
                for rule in knowledge.newest_definitive()
                for each in history.holders(rule, contact, last)
            )
        found = {each for parent in parents for each in history.holders(slot, parent, last)}
        if len(parents) != 1 or len(found) != 1:
            return None
        holder = found.pop()
        owners = {o for c in history.contacts(holder, last) for o in self._owners(c, last)}
        return holder if len(owners) == 1 else None

    def _was_refused(self, holder: str, offer: Offer) -> bool:
        return any(f'"{offer.name}"' in call.text for call in self.calls.refused.get(holder, ()))


def _to_type(look: Call) -> str:
    return look.path.split("/")[-3]


def _mentions(told: Iterable[Told]) -> list[tuple[datetime, datetime | None, str]]:
    """When a therapist was said to have which contact, oldest first."""
    return [(t.asked, t.answered, str(t.body["contact_id"])) for t in told if t.body.get("contact_id")]


def _contacts(told: Iterable[Told], lower: datetime, upper: datetime) -> set[str]:
    """The contact a therapist was known to have, and those it may have got until `upper`."""
    mentions = _mentions(told)
    known = [c for _, answered, c in mentions if answered is not None and answered <= lower]
    perhaps = {
        c for asked, answered, c in mentions if asked <= upper and (answered is None or answered > lower)
    }
    return {*known[-1:], *perhaps}
