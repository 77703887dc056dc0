"""How background work ends: with time to finish, and then cut off."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def finish(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> None:
    """Wait so long for the tasks, then cancel those that are not done; none is left behind."""
    under_way = list(tasks)
    if under_way:
        await asyncio.wait(under_way, timeout=seconds)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
