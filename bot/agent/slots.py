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
            if (user, turn) in self._waiting:
                self._waiting.remove((user, turn))
            else:
                self._running[user] -= 1
                self._running += Counter()  # without those who have none
                self._waiting.sort(key=lambda waiting: waiting[0] == user)  # it was their turn
            self._give()

    def _give(self) -> None:
        # One that is cut off while it waits is still listed until it learns of it.
        while (waiting := [one for one in self._waiting if not one[1].done()]) and self._running.total() < self._most:
            following = min(waiting, key=lambda one: self._running[one[0]])
            self._waiting.remove(following)
            user, turn = following
            self._running[user] += 1
            turn.set_result(None)
