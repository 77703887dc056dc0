"""Which thread is at work: messages of a thread one after the other, threads side by side."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from bot.agent.agent import Agent
from bot.failpoints import reach
from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import InboxMessage, ThreadId
from bot.store.store import Inbox
from bot.tasks import finish

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3


class Worker:
    """Takes messages from the inbox and has the agent answer them; those older than `stale_after` are asked about."""

    def __init__(self, inbox: Inbox, agent: Agent, *, stale_after: timedelta) -> None:
        self._inbox = inbox
        self._agent = agent
        self._stale_after = stale_after
        self._running: dict[ThreadId, asyncio.Task[None]] = {}
        self._woken: set[ThreadId] = set()
        self._stopping = False

    def wake(self, thread: ThreadId) -> None:
        """Have the thread's waiting messages answered, now or after the one that is being answered."""
        self._woken.add(thread)
        if thread not in self._running and not self._stopping:
            self._running[thread] = asyncio.create_task(self._work(thread), name=f"thread {thread.ts}")

    async def resume(self) -> None:
        """Wake threads with unprocessed messages that no live process leases, as after a start or a failed write."""
        for thread in await self._inbox.waiting_threads():
            if thread not in self._running:
                self.wake(thread)

    async def stop(self, seconds: float) -> None:
        """Begin no more runs, let those that run finish for so long, then cut them off; a later start goes on."""
        self._stopping = True
        await finish(self._running.values(), seconds)

    async def _work(self, thread: ThreadId) -> None:
        try:
            while thread in self._woken and not self._stopping:
                self._woken.discard(thread)
                message = await self._inbox.next(thread)
                while message:
                    reach("message taken")
                    more = await self._answer(message)
                    message = await self._inbox.next(thread) if more and not self._stopping else None
        except LostLeaseError as error:
            logger.warning("left a thread alone: %s", error)
        except DatabaseError as error:
            logger.error("left a thread as it is until the database writes again: %s", error)  # noqa: TRY400 - no bug
        except Exception:  # not even an apology could be made
            logger.exception("thread %s in %s was left as it is, and is tried again", thread.ts, thread.channel)
        finally:
            del self._running[thread]

    async def _answer(self, message: InboxMessage) -> bool:
        if message.attempts > MAX_ATTEMPTS:
            error = f"given up after {MAX_ATTEMPTS} attempts"
            return await self._agent.apologise(message, "I could not answer this.", error=error)
        now = datetime.now(UTC)
        if max(abs(now - message.written_at), now - message.received_at) > self._stale_after:
            late = await self._inbox.lateness(message)  # the clock may be wrong, by which most are not late
            if late > self._stale_after:
                return await self._agent.ask_whether_needed(message, late)
        try:
            return await self._agent.answer(message)
        except (LostLeaseError, DatabaseError):
            raise
        except Exception as error:  # whatever broke, the person hears of it and the thread goes on
            logger.exception("message %s was not answered", message.id)
            return await self._agent.apologise(message, "Something broke on my side.", error=repr(error))
