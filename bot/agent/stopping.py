"""What a thread hears when a person has stopped the bot there: what was done, what was not, and what still waits."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from bot.shop.money import without_amounts
from bot.store.calls import CallStatus, ToolCall
from bot.store.errors import DatabaseError
from bot.store.records import ThreadId
from bot.store.store import Conversations
from bot.tasks import finish

logger = logging.getLogger(__name__)
T = TypeVar("T")

STOPPED = "stopped by the person"
NOT_DONE = {"error": "The person stopped you before this was done.", "hint": "Do not do it unless you are asked again."}
_OPEN = (CallStatus.PENDING, CallStatus.RUNNING, CallStatus.UNKNOWN)


class StoppedError(Exception):
    """A person has stopped the run; what it has not begun by now is not done any more."""


class Stops:
    """Cuts off what runs of this process wait for, when a person stops their thread, whichever process hears of it."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._cut: dict[ThreadId, asyncio.Event] = {}
        self._looking: set[asyncio.Task[None]] = set()

    async def check(self, thread: ThreadId) -> None:
        """Raise StoppedError when a person has stopped the thread's run."""
        if await self._conversations.is_stopped(thread):
            raise StoppedError

    async def unless_stopped(self, thread: ThreadId, doing: Coroutine[Any, Any, T]) -> T:
        """Return what it returns, or cut it off and raise StoppedError."""
        cut = self._cut[thread] = asyncio.Event()
        task, waiting = asyncio.create_task(doing), asyncio.create_task(cut.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if cut.is_set() and not task.done():
                raise StoppedError
            return await task
        finally:
            del self._cut[thread]
            await finish((task, waiting), 0)

    async def look(self) -> None:
        """Cut off whatever was stopped; this is asked again and again, and costs nothing while nobody waits."""
        for thread in await self._conversations.stopped() if self._cut else ():
            if thread in self._cut:
                self._cut[thread].set()

    def look_now(self) -> None:
        """Look for stopped runs in the background, and cut them off."""
        task = asyncio.create_task(self._look())
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self) -> None:
        try:
            await self.look()
        except DatabaseError as error:
            logger.warning("what was stopped is looked for again: %s", error)


def words_of_stop(calls: Sequence[ToolCall], doing: Callable[[ToolCall], str], *, public: bool) -> str:
    """Say how things stand with these calls of the stopped run, and with the requests that wait in its thread."""
    done = [doing(call) for call in calls if not call.gated and call.status == CallStatus.SUCCEEDED]
    missed = [doing(call) for call in calls if call.status == CallStatus.REJECTED and call.error == STOPPED]
    waits = [call.summary or call.tool for call in calls if call.gated and call.status in _OPEN]
    words = ["I have stopped, as you asked."]
    words += [f"Done before that: {_listed(done)}."] if any(done) else []
    words += [f"Not done: {_listed(missed)}."] if any(missed) else []
    if waits:
        listed = _listed([without_amounts(one) if public else one for one in waits])
        words.append(f"Stopping me does not withdraw what waits for a decision: {listed}. A button on its card does.")
    else:
        words.append("Nothing was changed, and nothing waits for a decision.")
    return " ".join(words)


def _listed(phrases: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, phrases)))
