"""The properties HubSpot itself gives every record."""

from __future__ import annotations

from credsync_sandbox.portal.property import Property, define

_EVERY = (
    ("hs_object_id", "number"),
    ("hs_createdate", "datetime"),
    ("hs_lastmodifieddate", "datetime"),
    ("hs_merged_object_ids", "enumeration"),
)
_CONTACT_TEXT = (
    "email",
    "firstname",
    "lastname",
    "phone",
    "mobilephone",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "company",
    "jobtitle",
    "website",
)


def builtin_properties(*, contact: bool) -> dict[str, Property]:
    """HubSpot-defined properties by name; `hs_…` ones are read-only."""
    found = {
        name: define(
            name,
            kind,
            many=kind == "enumeration",
            read_only=True,
            hubspot_defined=True,
        )
        for name, kind in _EVERY
    }
    if contact:
        for name in ("createdate", "lastmodifieddate"):
            found[name] = define(name, "datetime", read_only=True, hubspot_defined=True)
        for name in _CONTACT_TEXT:
            found[name] = define(name, hubspot_defined=True, group="contactinformation")
        stages = ("subscriber", "lead", "opportunity", "customer", "other")
        found["lifecyclestage"] = define(
            "lifecyclestage", "enumeration", options=stages, hubspot_defined=True
        )
    return found
