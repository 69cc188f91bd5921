"""Reads a portal file: the shape first, then what its parts say of each other. Every fault is named, with its remedy.

The file's format is described in docs/configuration.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping

from credsync.core.durations import parse_duration
from credsync.core.forms import CustomField, DataClass, FormName, PathInfo, is_forbidden, paths
from credsync.core.portal import (
    ATTESTATION_DUE_AFTER,
    CONTACT,
    DEFINITIVE,
    Awaited,
    ByEach,
    ByLabel,
    ByOnly,
    ByProperty,
    DefinitiveRule,
    HubSpotAccount,
    Marker,
    Mode,
    ObjectType,
    Portal,
    SlotRule,
    WriteMap,
)
from credsync.core.portal_shape import read_tables, unspoilt
from credsync.core.portal_tables import PortalFault, PortalTables, SlotTable, WriteTable, did_you_mean


class PortalFileError(Exception):
    """A portal file that cannot be used; `faults` names everything wrong with it."""

    def __init__(self, name: str, faults: Iterable[PortalFault]) -> None:
        self.name = name
        self.faults = tuple(faults)
        lines = "".join(f"\n  {fault.key}: {fault.message}" for fault in self.faults)
        super().__init__(f"Portal file {name}.toml cannot be used:{lines}")


def parse_portal(name: str, text: str) -> Portal:
    """The portal a file's text describes; `name` is the file's name without its ending.

    Raises `PortalFileError` with every fault found.
    """
    try:
        file, shape = read_tables(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PortalFileError(name, [PortalFault("(file)", f"is not valid TOML: {error}")]) from None
    if file is None:
        raise PortalFileError(name, shape)
    custom = {key: CustomField(key, field.type, field.data_class) for key, field in file.custom.items()}
    cross = [
        *_span_faults("attestation.due_after", file.attestation.due_after),
        *_custom_faults(file),
        *_object_faults(file),
        *_slot_faults(file),
        *_rule_faults(file),
        *_write_faults(file, custom),
        *_stamp_faults(file),
    ]
    if shape or cross:
        raise PortalFileError(name, [*shape, *unspoilt(cross, shape)])
    return Portal(
        name=name,
        hubspot=HubSpotAccount(
            base_url=file.hubspot.base_url.rstrip("/"),
            api_version=file.hubspot.api_version,
            portal_id=file.hubspot.portal_id,
            calls_per_10s=file.hubspot.calls_per_10s,
            association_calls_per_10s=file.hubspot.association_calls_per_10s,
            association_calls_per_day=file.hubspot.association_calls_per_day,
            daily_share=file.hubspot.daily_share,
            mode=Mode(file.hubspot.mode),
            kind=file.hubspot.account_kind,
        ),
        objects={key: ObjectType(key, o.name, o.parent, o.stamp) for key, o in file.objects.items()},
        slots={key: _slot_rule(key, slot) for key, slot in file.slots.items()},
        definitive={
            form: tuple(DefinitiveRule(rule.slot, rule.when) for rule in rules)
            for form, rules in file.definitive.items()
        },
        writes=tuple(
            WriteMap(
                w.form,
                w.to,
                dict(w.fields),
                w.each,
                _listed(w.key),
                {k: dict(v) for k, v in w.values.items()},
            )
            for w in file.writes
        ),
        custom=custom,
        sync_url=file.contact.sync_url,
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        attestation_due_after=(
            parse_duration(file.attestation.due_after)
            if file.attestation.due_after
            else ATTESTATION_DUE_AFTER
        ),
    )


def _listed(value: str | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _marker(slot: SlotTable) -> Marker | None:
    given = [slot.label is not None, slot.property is not None, slot.only is not None, slot.each is not None]
    if sum(given) != 1 or (slot.property is None) != (slot.value is None):
        return None
    if slot.label is not None:
        return ByLabel(slot.label)
    if slot.property is not None and slot.value is not None:
        return ByProperty(slot.property, slot.value)
    return ByEach(_listed(slot.each)) if slot.each is not None else ByOnly()


def _slot_rule(key: str, slot: SlotTable) -> SlotRule:
    marker = _marker(slot)
    assert marker is not None
    default = "submitted" if isinstance(marker, ByEach) else "always"
    overdue = parse_duration(slot.overdue_after) if slot.overdue_after else None
    return SlotRule(key, slot.object, marker, Awaited(slot.awaited or default), overdue)


def _object_faults(file: PortalTables) -> Iterable[PortalFault]:
    for key, item in file.objects.items():
        where = f"objects.{key}"
        if key == CONTACT:
            yield PortalFault(where, "is HubSpot's own contact; give the custom object another key")
        if item.parent == CONTACT:
            continue
        parent = file.objects.get(item.parent)
        if parent is None:
            known = [CONTACT, *file.objects]
            yield PortalFault(
                f"{where}.parent",
                f"names no object: {item.parent!r}{did_you_mean(item.parent, known)}; use one of {known}",
                ("objects",),
            )
        elif parent.parent != CONTACT:
            yield PortalFault(
                f"{where}.parent",
                "is more than two hops from the contact; hang it on one that is on it",
                (f"objects.{item.parent}.parent",),
            )


_MARKS = ("label", "property", "value", "only", "each")


def _slot_faults(file: PortalTables) -> Iterable[PortalFault]:
    taken: dict[tuple[object, ...], str] = {}
    for key, slot in file.slots.items():
        where = f"slots.{key}"
        marks = tuple(f"{where}.{mark}" for mark in _MARKS)
        if key == DEFINITIVE:
            yield PortalFault(
                where, "'definitive' is the target that a rule chooses; name the slot otherwise"
            )
        if slot.object not in file.objects:
            yield PortalFault(
                f"{where}.object",
                f"names no object: {slot.object!r}{did_you_mean(slot.object, file.objects)}; add it",
                ("objects",),
            )
        marker = _marker(slot)
        if marker is None:
            yield PortalFault(
                where,
                "needs exactly one of label, property with value, only = true, each: say what marks its record",
                marks,
            )
        elif (same := taken.setdefault((slot.object, marker), key)) != key:
            yield PortalFault(
                where,
                f"is marked as slot {same!r} is; give it a label or value of its own",
                (*marks, f"{where}.object", f"slots.{same}"),
            )
        if slot.awaited == "submitted" and slot.each is None:
            yield PortalFault(
                f"{where}.awaited",
                "'submitted' is for slots with each; use always, moving or never",
                (f"{where}.each",),
            )
        yield from _span_faults(f"{where}.overdue_after", slot.overdue_after)


def _span_faults(where: str, span: str | None) -> Iterable[PortalFault]:
    try:
        if span is not None and not parse_duration(span):
            yield PortalFault(where, "must be longer than nothing, such as 90s, 30m, 12h or 7d")
    except ValueError as error:
        yield PortalFault(where, str(error))


def _rule_faults(file: PortalTables) -> Iterable[PortalFault]:
    for form, rules in file.definitive.items():
        kinds: dict[str, str] = {}
        for index, rule in enumerate(rules):
            where = f"definitive.{form}.{index}.slot"
            slot = file.slots.get(rule.slot)
            if slot is None:
                yield PortalFault(
                    where, f"names no slot: {rule.slot!r}{did_you_mean(rule.slot, file.slots)}", ("slots",)
                )
            elif slot.each is not None:
                yield PortalFault(where, "is one slot per value; a rule needs a single slot")
            else:
                kinds[slot.object] = f"slots.{rule.slot}.object"
        if len(kinds) > 1:
            yield PortalFault(
                f"definitive.{form}",
                f"mixes objects {sorted(kinds)}; all its slots keep one object",
                tuple(kinds.values()),
            )
        if not rules:
            yield PortalFault(f"definitive.{form}", "has no rule; name its slots, or remove it to use ca's")
        elif rules[-1].when is not None:
            yield PortalFault(f"definitive.{form}", "ends with a condition; the last rule must hold always")
    if "ca" not in file.definitive and any(w.to == DEFINITIVE for w in file.writes):
        yield PortalFault("definitive.ca", "is missing although a write goes to 'definitive'; name its slots")


def _write_faults(file: PortalTables, custom: Mapping[str, CustomField]) -> Iterable[PortalFault]:
    mapped: dict[tuple[str, str, str], str] = {}
    for index, write in enumerate(file.writes):
        where = f"writes.{index}"
        known = paths(write.form, custom)
        slot = file.slots.get(write.to)
        if slot is None and write.to != DEFINITIVE:
            names = [DEFINITIVE, *file.slots]
            yield PortalFault(
                f"{where}.to", f"names no slot: {write.to!r}{did_you_mean(write.to, names)}", ("slots",)
            )
        yield from _each_faults(where, write, slot, known)
        for property_name, path in write.fields.items():
            at = f"{where}.fields.{property_name}"
            yield from _path_faults(at, where, path, write, known)
            for target in _targets(file, write):
                other = mapped.setdefault((write.form, target, property_name), at)
                if other != at:
                    yield PortalFault(
                        at,
                        f"is also written by {other}; one property takes one field",
                        (f"{where}.form", f"{where}.to", other.partition(".fields.")[0], "definitive"),
                    )
                    break
        for property_name in write.values:
            meant = did_you_mean(property_name, write.fields)
            if property_name not in write.fields and meant:
                yield PortalFault(
                    f"{where}.values.{property_name}",
                    f"renames options of a property that is not in fields{meant}",
                    (f"{where}.fields",),
                )


def _stamp_faults(file: PortalTables) -> Iterable[PortalFault]:
    """A stamp is a property of its own, on records that something is written to."""
    written: dict[str, dict[str, str]] = {}
    for index, write in enumerate(file.writes):
        for target in _targets(file, write):
            if target in file.slots:
                mapped = written.setdefault(file.slots[target].object, {})
                for name in write.fields:
                    mapped.setdefault(name, f"writes.{index}.fields.{name}")
    for key, item in file.objects.items():
        where = f"objects.{key}.stamp"
        if item.stamp is None:
            continue
        marking = [
            f"slots.{slot}"
            for slot, marked in file.slots.items()
            if marked.object == key and item.stamp in (marked.property, *_listed(marked.each))
        ]
        if key not in written:
            message = (
                f"stands on {key!r}, to which nothing is written; map a field to it, or remove the stamp"
            )
            yield PortalFault(where, message, ("writes", "slots", "definitive"))
        elif item.stamp in written[key]:
            at = written[key][item.stamp]
            yield PortalFault(where, f"is also written by {at}; give the stamp a property of its own", (at,))
        if marking:
            message = f"also tells the records of {marking[0]} apart; give the stamp a property of its own"
            yield PortalFault(where, message, tuple(marking))


def _targets(file: PortalTables, write: WriteTable) -> list[str]:
    if write.to != DEFINITIVE:
        return [write.to]
    rules = file.definitive.get(write.form) or file.definitive.get("ca", [])
    return [rule.slot for rule in rules]


def _each_faults(
    where: str, write: WriteTable, slot: SlotTable | None, known: Mapping[str, PathInfo]
) -> Iterable[PortalFault]:
    asked = (f"{where}.form", f"{where}.to", f"{where}.each", f"{where}.key", f"slots.{write.to}.each")
    keyed = slot is not None and slot.each is not None
    if keyed and (write.each is None or write.key is None):
        yield PortalFault(
            where, f"slot {write.to!r} is one per value: name the list (each) and what tells it (key)", asked
        )
        return
    if write.each is None:
        if write.key is not None:
            yield PortalFault(f"{where}.key", "is only for a write with each; remove it", asked)
        return
    if not keyed and (slot is not None or write.to == DEFINITIVE):
        yield PortalFault(
            f"{where}.each", f"{write.to!r} is a single slot; each needs a slot with each", asked
        )
    info = known.get(write.each)
    if info is None or info.type != "list":
        lists = [path for path, item in known.items() if item.type == "list"]
        yield PortalFault(
            f"{where}.each", f"is not a list of form {write.form}{did_you_mean(write.each, lists)}", asked
        )
        return
    items = {path.removeprefix(f"{write.each}."): i for path, i in known.items() if i.in_list == write.each}
    for key in _listed(write.key):
        if key not in items:
            yield PortalFault(
                f"{where}.key", f"items of {write.each} have no {key!r}{did_you_mean(key, items)}", asked
            )
        elif items[key].type != "string":
            yield PortalFault(
                f"{where}.key", f"{key!r} is no text: only a text can tell one record from another", asked
            )
    if slot is not None and keyed and len(_listed(write.key)) != len(_listed(slot.each)):
        yield PortalFault(
            f"{where}.key", f"must name as many fields as slot {write.to!r} has properties in each", asked
        )


def _path_faults(
    at: str, where: str, path: str, write: WriteTable, known: Mapping[str, PathInfo]
) -> Iterable[PortalFault]:
    asked = (f"{where}.form", f"{where}.each", path)
    full = f"{write.each}.{path}" if write.each else path
    info = known.get(full) or (known.get(path) if write.each and path in _DERIVED else None)
    if info is None:
        candidates = (
            [p.removeprefix(f"{write.each}.") for p, i in known.items() if i.in_list == write.each]
            if write.each
            else list(known)
        )
        meant = did_you_mean(path, candidates) or _elsewhere(path, candidates)
        yield PortalFault(at, f"path {path!r} is not in form {write.form}{meant}", asked)
    elif info.type == "object" or (info.in_list and info.in_list != write.each):
        yield PortalFault(
            at,
            f"path {path!r} is not a single value; name a field inside it, or use each for its list",
            asked,
        )
    elif info.data_class in (DataClass.C, DataClass.D):
        yield PortalFault(
            at,
            f"path {path!r} is class {info.data_class}: it never leaves; map a flag such as …_complete, or nothing",
            asked,
        )


def _elsewhere(path: str, candidates: Iterable[str]) -> str:
    """A hint where another place or another form has the field."""
    name = path.rpartition(".")[2]
    same = next((each for each in candidates if each.rpartition(".")[2] == name), None)
    if same:
        return f" (did you mean {same!r}?)"
    forms: tuple[FormName, ...] = ("ca", "af")
    others = [form for form in forms if path in paths(form)]
    return f" (it is in {' and '.join(others)})" if others else "; docs/fields.md lists all paths"


def _custom_faults(file: PortalTables) -> Iterable[PortalFault]:
    for name in file.custom:
        if is_forbidden(name):
            yield PortalFault(
                f"custom.{name}", "names class D data (SSN, bank, tax id, password): it is never taken in"
            )


_DERIVED = frozenset({"form_status", "submitted_at", "attested_at", "attestation_due"})
