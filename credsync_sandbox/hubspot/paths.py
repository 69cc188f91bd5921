"""Every path of HubSpot's that the sandbox answers, in both styles: `/crm/v3/objects/…` and `/crm/objects/2026-09/…`.

A path is first told apart into area, version and the words after them, then looked up among that area's routes.
"""

from __future__ import annotations

from dataclasses import dataclass

from credsync_sandbox.hubspot import (
    associations_read,
    associations_write,
    objects_batch,
    objects_single,
    schema_calls,
    search,
    validations,
)
from credsync_sandbox.hubspot.calls import Handler
from credsync_sandbox.hubspot.scopes import object_scopes, schema_scopes
from credsync_sandbox.world.world import World

DATED = ("2026-03", "2026-09")


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern`: words, `*` for one left open. `kind` is the request log's and the limits'."""

    area: str
    method: str
    pattern: tuple[str, ...]
    handler: Handler
    kind: str
    write: bool = False

    @property
    def call(self) -> str:
        """The log's name for it: the area and the pattern's own words."""
        return " ".join((self.area, "/".join(word for word in self.pattern if word != "*"))).strip()

    def scopes(self, world: World, path: tuple[str, ...]) -> frozenset[str]:
        """What a token needs for this call; unknown types need nothing, they are refused later."""
        if self.area == "account-info":
            return frozenset()
        if self.handler is objects_single.gdpr_delete:
            return object_scopes(world.contact_type, write=True)
        named = (path[0], path[2] if len(path) > 3 else path[-1]) if self.kind == "associations" else path[:1]
        found = [object_type for name in named if (object_type := world.schema.type_of(name)) is not None]
        if self.area in ("schemas", "properties", "property-validations"):
            return schema_scopes(found[0] if found else None)
        return frozenset().union(*(object_scopes(object_type, write=self.write) for object_type in found))


@dataclass(frozen=True, slots=True)
class Found:
    """A route, the version of the path and the words it left open."""

    route: Route
    version: str
    words: tuple[str, ...]


def _route(
    area: str, method: str, pattern: str, handler: Handler, kind: str, *, write: bool = False
) -> Route:
    return Route(area, method, tuple(word for word in pattern.split("/") if word), handler, kind, write)


_ONE = "*/*/associations/*/*"
ROUTES: tuple[Route, ...] = (
    _route("objects", "GET", "*", objects_single.list_page, "objects"),
    _route("objects", "POST", "*", objects_single.create, "objects", write=True),
    _route("objects", "POST", "*/batch/read", objects_batch.read, "objects"),
    _route("objects", "POST", "*/batch/update", objects_batch.update, "objects", write=True),
    _route("objects", "POST", "*/batch/create", objects_batch.create, "objects", write=True),
    _route("objects", "POST", "*/batch/archive", objects_batch.archive, "objects", write=True),
    _route("objects", "POST", "*/merge", objects_single.merge, "objects", write=True),
    _route("objects", "POST", "contacts/gdpr-delete", objects_single.gdpr_delete, "objects", write=True),
    _route("objects", "POST", "*/search", search.search, "objects"),
    _route("objects", "GET", "*/*", objects_single.read, "objects"),
    _route("objects", "PATCH", "*/*", objects_single.update, "objects", write=True),
    _route("objects", "DELETE", "*/*", objects_single.archive, "objects", write=True),
    _route("objects", "GET", "*/*/associations/*", associations_read.read_one, "associations"),
    _route("objects", "PUT", _ONE, associations_write.put_labelled, "associations", write=True),
    _route("objects", "DELETE", _ONE, associations_write.end_one, "associations", write=True),
    _route(
        "objects",
        "PUT",
        "*/*/associations/default/*/*",
        associations_write.put_default,
        "associations",
        write=True,
    ),
    _route("associations", "GET", "*/*/labels", associations_read.labels, "associations"),
    _route(
        "associations",
        "GET",
        "definitions/configurations/*/*",
        associations_read.limits,
        "associations",
    ),
    _route("associations", "POST", "*/*/batch/read", associations_read.batch_read, "associations"),
    _route(
        "associations",
        "POST",
        "*/*/batch/create",
        associations_write.batch_create,
        "associations",
        write=True,
    ),
    _route(
        "associations",
        "POST",
        "*/*/batch/archive",
        associations_write.batch_archive,
        "associations",
        write=True,
    ),
    _route(
        "associations",
        "POST",
        "*/*/batch/labels/archive",
        associations_write.batch_labels_archive,
        "associations",
        write=True,
    ),
    _route(
        "associations",
        "POST",
        "*/*/batch/associate/default",
        associations_write.batch_default,
        "associations",
        write=True,
    ),
    _route("schemas", "GET", "", schema_calls.schemas, "schema"),
    _route("schemas", "GET", "*", schema_calls.schema, "schema"),
    _route("properties", "GET", "*", schema_calls.properties, "schema"),
    _route("properties", "GET", "*/*", schema_calls.one_property, "schema"),
    _route("property-validations", "GET", "*", validations.of_type, "schema"),
    _route("property-validations", "GET", "*/*", validations.of_property, "schema"),
    _route("account-info", "GET", "details", schema_calls.account, "account"),
)

_BY_SHAPE: dict[tuple[str, str, int], list[Route]] = {}
for _each in ROUTES:
    _BY_SHAPE.setdefault((_each.area, _each.method, len(_each.pattern)), []).append(_each)


def area_of(path: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Area, version and the words after them; None for a path of no area."""
    words = tuple(path.strip("/").split("/"))
    if len(words) < 3:
        return None
    first, second, third, rest = words[0], words[1], words[2], words[3:]
    if first == "crm":
        if second in ("objects", "associations", "properties", "property-validations") and third in DATED:
            return second, third, rest
        if (second, third) == ("associations", "v4"):
            return second, third, rest
        if second == "v3" and third in ("objects", "properties", "property-validations", "schemas"):
            return third, second, rest
        if second == "v4" and third in ("objects", "associations"):
            return third, second, rest
    elif first == "crm-object-schemas" and third == "schemas" and second in ("v3", *DATED):
        return "schemas", second, rest
    elif first == "account-info" and second in ("v3", *DATED):
        return "account-info", second, words[2:]
    return None


def find(method: str, path: str) -> Found | None:
    """The route for a call; None: HubSpot has no such path, or the sandbox does not do it."""
    placed = area_of(path)
    if placed is None:
        return None
    area, version, words = placed
    for route in _BY_SHAPE.get((area, method, len(words)), ()):
        if not all(mine in ("*", word) for mine, word in zip(route.pattern, words, strict=True)):
            continue
        if area == "objects" and (version == "v4") != (route.kind == "associations") and version not in DATED:
            continue
        return Found(route, version, tuple(w for m, w in zip(route.pattern, words, strict=True) if m == "*"))
    return None
