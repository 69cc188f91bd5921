"""Judges a portal's deadlines from its delays: when its owner begins, and once an hour from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from credsync.core.deadlines import Deadline, Source
from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.operate.delays import judge_deadlines
from credsync.store import in_thread
from credsync.store.database import Database
from credsync.store.delays import forget_old_delays, keep_deadlines
from credsync.store.leases import Lease, fence


@dataclass(slots=True)
class Deadlines:
    """One portal's deadlines. `policy` is what rounds go by: the settings', with what was learnt."""

    database: Database
    portal: Portal
    policy: Policy
    _due: datetime | None = None

    async def judge_again(self, lease: Lease, now: datetime) -> None:
        """Judge them if it is time. Raises `LeaseLost`, having stored nothing, when the portal is no longer ours."""
        if self._due is not None and now < self._due:
            return
        judged = await in_thread.aside(self.database, lambda: self._judge(lease, now))
        learnt = {each.slot: each.after for each in judged if each.source is Source.LEARNT}
        self.policy = replace(self.policy, learnt=learnt)
        self._due = now + self.policy.learn_every

    def _judge(self, lease: Lease, now: datetime) -> list[Deadline]:
        with self.database.read() as connection:
            judged = judge_deadlines(connection, self.portal, now, self.policy)
        with self.database.write() as connection:
            fence(connection, lease)
            forget_old_delays(connection, self.portal.name, now)
            keep_deadlines(connection, self.portal.name, judged)
        return judged
