"""Which scopes a call needs, by object types and verb (the list of hubspot.md)."""

from __future__ import annotations

from credsync_sandbox.portal.schema import ObjectType


def object_scopes(found: ObjectType, *, write: bool) -> frozenset[str]:
    """To read or write records of a type."""
    return frozenset(
        {f"crm.objects.{'custom' if found.custom else 'contacts'}.{'write' if write else 'read'}"}
    )


def schema_scopes(found: ObjectType | None) -> frozenset[str]:
    """To read a type's schema, properties or labels; None: any custom schema."""
    return frozenset({f"crm.schemas.{'custom' if found is None or found.custom else 'contacts'}.read"})
