"""What tells a process that something waits, before it would have looked by itself."""

import asyncio


class Hints:
    """Hints from other processes. They may get lost, so that those who wait for one look now and then without it.

    `heard` tells whether they come at all, once that is `known`.
    """

    def __init__(self) -> None:
        self.heard: bool | None = None
        self.known = asyncio.Event()
        self._news = asyncio.Event()

    def give(self) -> None:
        """Wake who waits."""
        self._news.set()

    async def wait(self) -> None:
        """Wait for the next hint; several that came since are one."""
        await self._news.wait()
        self._news.clear()
