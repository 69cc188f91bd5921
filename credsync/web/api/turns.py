"""What waits is done together: whoever comes while a turn is under way is in the next one.

A hand-over to a thread and a commit cost about the same for one job and for sixteen. Who comes alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread

_J = TypeVar("_J")
_R = TypeVar("_R")


class Turns(Generic[_J, _R]):
    """Turns of at most `most` jobs, each in a thread, `abreast` of them at once; first come, first served.

    `work` gives one result for each job, in their order. An exception among them is raised where that job came from.
    Everything but `work` runs on the event loop.
    """

    def __init__(
        self, work: Callable[[Sequence[_J]], Sequence[_R | Exception]], *, abreast: int, most: int
    ) -> None:
        self._work, self._abreast, self._most = work, abreast, most
        self._waiting: deque[tuple[_J, asyncio.Future[_R]]] = deque()
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._limiter = CapacityLimiter(abreast)

    async def result(self, job: _J) -> _R:
        """What became of `job`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_R] = loop.create_future()
        self._waiting.append((job, future))
        if self._running < self._abreast:
            self._running += 1
            task = loop.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _run(self) -> None:
        """Turns until nobody waits. It counts as running until the very look that finds nobody: whoever comes between
        that and the task's own end begins another.
        """
        try:
            await self._turns()
        finally:
            self._running -= 1

    async def _turns(self) -> None:
        while self._waiting:
            turn = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            jobs = [job for job, _future in turn]
            results: Sequence[_R | Exception]
            try:
                results = await to_thread.run_sync(self._work, jobs, limiter=self._limiter)
            except Exception as error:  # noqa: BLE001 - raised where the jobs came from
                results = [error] * len(turn)
            except BaseException:
                for _job, future in turn:
                    future.cancel()
                raise
            for (_job, future), result in zip(turn, results, strict=True):
                if future.done():  # whoever asked is gone
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
