"""Watching something change, and waiting for it without polling."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")
Observer = Callable[[str, object], None]


class Changes:
    """Something that tells observers of each change, by the kind of change and what was changed."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []
        self._next_change = asyncio.Event()

    def observe(self, observer: Observer) -> None:
        """Call the observer with every change from now on."""
        self._observers.append(observer)

    def unobserve(self, observer: Observer) -> None:
        """Stop calling the observer."""
        self._observers.remove(observer)

    def notify(self, kind: str, changed: object) -> None:
        """Tell the observers, and those who wait, of a change that was made."""
        for observer in tuple(self._observers):
            observer(kind, changed)
        self._next_change.set()
        self._next_change = asyncio.Event()

    def describe(self) -> str:
        """Return how things are, for a wait that ended in vain."""
        return ""

    async def until(self, predicate: Callable[[], T | Literal[False] | None], within: float | None = 20) -> T:
        """Wait till the predicate is true after some change, and return what it returned.

        The TimeoutError says how things stand by then.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := predicate()):
                    await self._next_change.wait()
                return found
        except TimeoutError:
            raise TimeoutError(f"Not within {within} seconds.\n{self.describe()}") from None
