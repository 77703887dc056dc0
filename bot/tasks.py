"""Background work: what a stop has to wait for, and how it ends: with time to finish, and then cut off."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

logger = logging.getLogger(__name__)


class Background:
    """Work that goes on after its event was acked. Bolt keeps no account of it, so this does."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do it while the caller waits, who gets what it raises."""
        await self._started(doing)

    def start(self, doing: Coroutine[Any, Any, None], failure: str) -> None:
        """Do it while nobody waits; what it raises is logged as this failure."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error(failure, exc_info=error)

        self._started(doing).add_done_callback(ended)

    async def finish(self, seconds: float) -> None:
        """Wait so long for what is being done, and cut off the rest."""
        await finish(self._tasks, seconds)

    def _started(self, doing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def finish(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> None:
    """Wait so long for the tasks, then cancel those that are not done; none is left behind."""
    under_way = list(tasks)
    if under_way:
        await asyncio.wait(under_way, timeout=seconds)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
