"""What people and other automations do in HubSpot meanwhile: records and contacts change under credsync's feet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

import anyio

Control = Callable[..., Awaitable[dict[str, Any]]]
"""A call to the sandbox's control paths: method, path, `allow` for what may be refused, the body by name."""


class HubSpotSide:
    """Changes one thing of one contact, as a person there would."""

    def __init__(self, control: Control, met: Counter[str]) -> None:
        self._control = control
        self._met = met
        self._changes: Mapping[str, Callable[[str, Any, Random], Awaitable[bool]]] = {
            "delete": self._delete,
            "double": self._double,
            "edit": self._edit,
            "merge": self._merge,
            "merge_contact": self._merge_contact,
            "move_label": self._move_label,
            "reparent": self._reparent,
            "restore": self._restore,
            "take_label": self._take_label,
            "unlink": self._unlink,
        }

    async def change(self, contact: str, chance: Random) -> None:
        """One change, if there is anything to change."""
        truth = await self._control("GET", f"/_sandbox/truth/contacts/{contact}")
        there = [r for r in truth["records"] if r["archived_at"] is None and r["slots"] and r["parents"]]
        if not there:
            return
        record = chance.choice(there)
        what = chance.choice(sorted(self._changes))
        if what == "reparent":
            others = [r["id"] for r in there if r["object"] == "credentialing"]
            licences = [r for r in there if r["object"] == "license"]
            record = {**chance.choice(licences), "others": others} if licences else record
        if await self._changes[what](contact, record, chance):
            self._met[f"hubspot_{what}"] += 1

    async def extended(self, contact: str, moving: bool, chance: Random) -> None:
        """What the calling backend does in HubSpot after an Extended Sign Up: at once, late, with an overlap."""
        slot = "credentialing_relocation" if moving else "credentialing_active_attested"
        pause = chance.choice((2, 5, 40, 150))
        overlap = chance.random() < 0.3
        await self._do(
            "esu", contact=contact, slots=[slot], pause=f"{pause}s", overlap=overlap,
            delay=f"{chance.choice((0, 0, 30, 120))}s", adopt=chance.random() < 0.8,
        )  # fmt: skip
        self._met["esu_overlap" if overlap else "esu"] += 1

    async def _delete(self, _contact: str, record: Any, _chance: Random) -> bool:
        return bool(await self._record("delete", id=record["id"]))

    async def _unlink(self, _contact: str, record: Any, _chance: Random) -> bool:
        return bool(await self._record("unlink", id=record["id"]))

    async def _restore(self, _contact: str, record: Any, chance: Random) -> bool:
        await self._record("delete", id=record["id"])
        await anyio.sleep(chance.uniform(0.5, 60))
        return bool(await self._record("restore", id=record["id"]))

    async def _double(self, contact: str, record: Any, chance: Random) -> bool:
        slot, parent = record["slots"][0], record["parents"][0]
        second = await self._record("create", contact=contact, slot=slot, parent=parent)
        await anyio.sleep(chance.uniform(1, 60))
        return bool(second.get("id") and await self._record("delete", id=second["id"]))

    async def _merge(self, contact: str, record: Any, _chance: Random) -> bool:
        second = await self._second(contact, record)
        return bool(second and await self._record("merge", primary=record["id"], other=second))

    async def _merge_contact(self, contact: str, _record: Any, _chance: Random) -> bool:
        other = await self._control("POST", "/_sandbox/contacts", slots=[])
        return bool(await self._record("merge", primary=contact, other=other["id"], object="contact"))

    async def _move_label(self, contact: str, record: Any, _chance: Random) -> bool:
        """The old record lives on without it; a licence has no label that could move."""
        if record["object"] == "license":
            return False
        second = await self._second(contact, record)
        slot, parent = record["slots"][0], record["parents"][0]
        return bool(second and await self._record("move", slot=slot, to=second, parent=parent))

    async def _take_label(self, _contact: str, record: Any, chance: Random) -> bool:
        """For a while."""
        slot, parent = record["slots"][0], record["parents"][0]
        if record["object"] == "license":
            return False
        await self._record("unmark", id=record["id"], slot=slot, parent=parent)
        await anyio.sleep(chance.uniform(1, 60))
        return bool(await self._record("link", id=record["id"], slot=slot, parent=parent))

    async def _reparent(self, _contact: str, record: Any, chance: Random) -> bool:
        """A licence hangs on another Credentialing of the same contact, for a while or for good."""
        others = [each for each in record.get("others", ()) if each not in record["parents"]]
        if not others or len(record["parents"]) != 1:
            return False
        moved = await self._record("reparent", id=record["id"], to=others[0])
        if chance.random() < 0.5:
            await anyio.sleep(chance.uniform(1, 90))
            await self._record("reparent", id=record["id"], to=record["parents"][0])
        return bool(moved)

    async def _edit(self, _contact: str, record: Any, _chance: Random) -> bool:
        """Nothing is written because HubSpot differs."""
        name = {"credentialing": "npi", "license": "license_number"}.get(record["object"], "street")
        return bool(await self._record("edit", id=record["id"], properties={name: "edited"}))

    async def _second(self, contact: str, record: Any) -> str | None:
        """Another record of the type under the same parent, in no slot."""
        made = await self._record(
            "create", contact=contact, object=record["object"], parent=record["parents"][0]
        )
        return made.get("id")

    async def _record(self, action: str, **body: Any) -> dict[str, Any]:
        """What it says, or nothing where the record had gone meanwhile."""
        return await self._do(f"records/{action}", **body)

    async def _do(self, path: str, **body: Any) -> dict[str, Any]:
        told = await self._control("POST", f"/_sandbox/{path}", allow=True, **body)
        return {} if "error" in told else told
