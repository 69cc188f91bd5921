"""The mapping against HubSpot's own properties: there, writable, of a type the path fits, with the options named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from credsync.core.forms import FieldType, nearest, paths
from credsync.core.portal import ByProperty, Portal, mapped_properties, stamp_properties, written_objects
from credsync.core.properties import Property
from credsync.core.stamps import stamp_fault
from credsync.hubspot.schema import PortalSchema
from credsync.operate.findings import Finding, advice, failing, ok

_FITS: Mapping[str, frozenset[FieldType]] = {
    "bool": frozenset({"boolean"}),
    "number": frozenset({"number", "integer"}),
    "date": frozenset({"date", "datetime"}),
    "datetime": frozenset({"date", "datetime"}),
}
"""What surely fits a property type that minds; every other type takes any text."""
_MAY_FIT: frozenset[FieldType] = frozenset({"string", "list"})
"""What fits if its value happens to: digits in a number, one item in a list."""


def examine_mapping(portal: Portal, schema: PortalSchema) -> list[Finding]:
    """One finding per mapped property that will not take what it is sent, or one that all do."""
    findings = list(
        dict.fromkeys(
            [
                *_mapped(portal, schema),
                *_marked(portal, schema),
                *_sync_url(portal, schema),
                *_stamps(portal, schema),
            ]
        )
    )
    if not findings and schema.objects:
        count = len(mapped_properties(portal))
        findings.append(
            ok(f"portal {portal.name}: mapping", f"All {count} mapped properties take what is mapped.")
        )
    return findings


def _mapped(portal: Portal, schema: PortalSchema) -> Iterator[Finding]:
    for write in portal.writes:
        known_paths = paths(write.form, portal.custom)
        for key in written_objects(portal, write):
            found = schema.objects.get(key)
            if found is None or not found.properties:
                continue
            for name, path in write.fields.items():
                where = f"portal {portal.name}: {key}.{name}"
                prop = found.properties.get(name)
                if prop is None:
                    yield _absent(where, name, key, found.properties)
                elif prop.read_only:
                    yield _read_only(where, name)
                else:
                    info = known_paths.get(f"{write.each}.{path}" if write.each else path) or known_paths.get(
                        path
                    )
                    yield from _type(
                        where, prop, path, info.type if info else "string", write.values.get(name, {})
                    )


def _absent(where: str, name: str, key: str, known: Mapping[str, Property]) -> Finding:
    meant = nearest(name, known)
    guess = f" The nearest there is {meant}." if meant else ""
    message = f"HubSpot's {key} has no property {name}.{guess}"
    return failing(where, message, "correct the mapping in the portal file, or make the property in HubSpot")


def _read_only(where: str, name: str) -> Finding:
    remedy = "map another property, or let HubSpot's administrator make it writable"
    return failing(where, f"HubSpot lets nobody write {name} (read-only or calculated).", remedy)


def _type(
    where: str, prop: Property, path: str, kind: FieldType, renames: Mapping[str, str]
) -> Iterator[Finding]:
    if prop.type == "enumeration":
        yield from _options(where, prop, path, kind, renames)
        return
    fits = _FITS.get(prop.type)
    if fits is None or kind in fits:
        return
    if kind in _MAY_FIT:
        if not renames:
            message = f"{prop.name} is a {prop.type} and {path} a {kind}: a value that is no {prop.type} is refused."
            yield advice(where, message, "see that the values are of that type, or map another property")
        return
    message = f"{prop.name} is a {prop.type}, which takes no {kind} such as {path}."
    yield failing(where, message, f"map {path} to a property of another type")


def _options(
    where: str, prop: Property, path: str, kind: FieldType, renames: Mapping[str, str]
) -> Iterator[Finding]:
    if not prop.options:
        return
    sent = set(renames.values())
    if kind == "boolean":
        sent |= {renames.get(each, each) for each in ("true", "false")}
    missing = sorted(sent - prop.options)
    if missing:
        message = f"{prop.name} has no option {', '.join(missing)}; its options are {', '.join(sorted(prop.options))}."
        yield failing(
            where, message, f"correct values.{prop.name} in the portal file, or add the option in HubSpot"
        )
    if kind == "list" and prop.field_type and prop.field_type != "checkbox":
        message = f"{prop.name} takes one option, and {path} is a list: several values are refused."
        yield advice(where, message, "let HubSpot's administrator make it a multiple-choice property")


def _marked(portal: Portal, schema: PortalSchema) -> Iterator[Finding]:
    """Slots marked by a property's value: the value must be among its options."""
    for rule in portal.slots.values():
        found = schema.objects.get(rule.object)
        if isinstance(rule.marker, ByProperty) and found is not None:
            prop = found.properties.get(rule.marker.name)
            if prop is not None and prop.options and rule.marker.value not in prop.options:
                message = f"{prop.name} has no option {rule.marker.value}; its options are {', '.join(sorted(prop.options))}."
                remedy = f"correct value in [slots.{rule.key}], or add the option in HubSpot"
                yield failing(f"portal {portal.name}: slots.{rule.key}", message, remedy)


def _sync_url(portal: Portal, schema: PortalSchema) -> Iterator[Finding]:
    if portal.sync_url is None or schema.contact is None:
        return
    where = f"portal {portal.name}: contact.{portal.sync_url}"
    prop = schema.contact.get(portal.sync_url)
    if prop is None:
        yield _absent(where, portal.sync_url, "contact", schema.contact)
    elif prop.read_only:
        yield _read_only(where, portal.sync_url)


def _stamps(portal: Portal, schema: PortalSchema) -> Iterator[Finding]:
    """Stamps that cannot be written: the writes go without them."""
    for key, name in stamp_properties(portal):
        found = schema.objects.get(key)
        if found is None or not found.properties:
            continue
        where = f"portal {portal.name}: {key}.{name}"
        prop = found.properties.get(name)
        fault = stamp_fault(prop) if prop is not None else None
        if prop is None:
            meant = nearest(name, found.properties)
            guess = f" The nearest there is {meant}." if meant else ""
            message = f"HubSpot's {key} has no property {name}, so its records get no stamp.{guess}"
            remedy = "make it in HubSpot as a single-line text, or correct stamp"
            yield failing(where, message, f"{remedy} in [objects.{key}]")
        elif fault is not None:
            message = f"{fault.message}, so records of {key} get no stamp."
            yield failing(where, message, f"{fault.remedy} as stamp in [objects.{key}]")
