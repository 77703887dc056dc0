"""How many runs go on at once, and who is next when there are more."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RunSlots:
    """Lets so many runs go on at once. Next is who has the fewest; among those, people take turns.

    So nobody keeps others waiting by writing in many threads at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @property
    def is_full(self) -> bool:
        """Return whether one more run would have to wait."""
        return bool(self._waiting) or self._running.total() >= self._most

    @asynccontextmanager
    async def taken_by(self, user: str) -> AsyncIterator[None]:
        """Hold a slot for a person's run while the context is open, as soon as it is theirs."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((user, turn))
        self._give()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._running[user] -= 1
                self._running += Counter()  # without those who have none
                self._waiting.sort(key=lambda waiting: waiting[0] == user)  # it was their turn
            else:
                self._waiting.remove((user, turn))
            self._give()

    def _give(self) -> None:
        while self._waiting and self._running.total() < self._most:
            following = min(self._waiting, key=lambda waiting: self._running[waiting[0]])
            self._waiting.remove(following)
            user, turn = following
            self._running[user] += 1
            turn.set_result(None)
