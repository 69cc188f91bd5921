"""What is wrong: each write, each record's number of writes, each call, and what is still missing at the end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tests.oracle.each_write import of_contact, of_write
from tests.oracle.ending import of_end, of_silence
from tests.oracle.evidence import CONTACT, Evidence
from tests.oracle.matter import Matter, Seen
from tests.oracle.number import of_number
from tests.oracle.placing import placed
from tests.oracle.poison import of_poison
from tests.oracle.wrongs import CANARY, Rule, Wrong

READS_AND_UPDATES = re.compile(
    r"GET .*|POST associations batch/read|POST objects batch/read|POST objects batch/update|PATCH objects"
)


def judge(evidence: Evidence) -> list[Wrong]:
    """Everything wrong, in no particular order."""
    return list(_wrongs(Matter(evidence)))


def _wrongs(matter: Matter) -> Iterator[Wrong]:
    yield from _of_calls(matter)
    seen: dict[str, list[Seen]] = defaultdict(list)
    right: dict[str, list[Seen]] = defaultdict(list)
    for write in matter.history.writes:
        if write.object == CONTACT:
            yield from of_contact(matter, write)
            continue
        found = placed(matter, write)
        if isinstance(found, Wrong):
            yield found
            continue
        seen[write.record_id].append(found)
        wrongs = list(of_write(matter, found))
        yield from wrongs
        if not wrongs:
            right[write.record_id].append(found)
    for record_id, writes in right.items():
        yield from of_number(matter, record_id, writes)
    for therapist in matter.told:
        found = list(of_end(matter, therapist, seen))
        yield from of_silence(matter, therapist, found)
        if therapist not in (matter.evidence.unfinished or {}):
            yield from (each for each in found if each.rule is Rule.MISSING)
    yield from of_poison(matter)
    yield from _of_log(matter)


def _of_calls(matter: Matter) -> Iterator[Wrong]:
    for call in matter.calls.all:
        if not READS_AND_UPDATES.fullmatch(call.name):
            yield Wrong(Rule.CREATED, f"{call.name} on {call.path}")
        if CANARY in f"{call.path} {call.text}".lower():
            yield Wrong(Rule.CANARY, f"in {call.name} on {call.path}")


def _of_log(matter: Matter) -> Iterator[Wrong]:
    for contact in matter.evidence.truth:
        for record in contact["records"]:
            merged = [matter.history.effects.get(each, 0) for each in record["merged"]]
            counted = matter.history.effects.get(record["id"], 0) + sum(merged)
            if record["writes"] != counted:
                yield Wrong(
                    Rule.LOG, f"record {record['id']}: {record['writes']} writes, {counted} in the log"
                )
