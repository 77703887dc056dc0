"""Which thread is at work: messages of a thread one after the other, threads side by side."""

import asyncio
import logging
from datetime import timedelta

from bot import clock
from bot.agent.agent import Agent
from bot.agent.bounds import Bounds, words_for
from bot.agent.slots import RunSlots
from bot.failpoints import reach
from bot.settings import Settings
from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import InboxMessage, ThreadId, fault
from bot.store.store import Inbox
from bot.tasks import finish
from bot.tracing import tracing

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3


class Worker:
    """Takes messages from the inbox and has the agent answer them, so many at once; old ones are asked about."""

    def __init__(self, inbox: Inbox, agent: Agent, bounds: Bounds, settings: Settings) -> None:
        self._inbox = inbox
        self._agent = agent
        self._bounds = bounds
        self._slots = RunSlots(settings.max_runs)
        self._stale_after = timedelta(minutes=settings.stale_minutes)
        self._running: dict[ThreadId, asyncio.Task[None]] = {}
        self._woken: dict[ThreadId, str] = {}
        self._stopping = False

    def wake(self, thread: ThreadId, user: str) -> None:
        """Answer the thread's waiting messages in the background, now or after those that are being answered."""
        self._woken[thread] = user
        if thread not in self._running and not self._stopping:
            self._running[thread] = asyncio.create_task(self._work(thread), name=f"thread {thread.ts}")

    async def resume(self) -> None:
        """Wake threads with unprocessed messages that no live process leases, as after a start or a failed write."""
        for thread, user in (await self._inbox.waiting_threads()).items():
            if thread not in self._running:
                self.wake(thread, user)

    async def stop(self, seconds: float) -> None:
        """Begin no more runs, let those that run finish for so long, then cut them off; a later start goes on."""
        self._stopping = True
        await finish(self._running.values(), seconds)

    async def _work(self, thread: ThreadId) -> None:
        try:
            while thread in self._woken and not self._stopping:
                user = self._woken.pop(thread)
                while await self._answer_next(thread, user):
                    pass
        except LostLeaseError as error:
            logger.warning("left a thread alone: %s", error)
        except DatabaseError as error:
            logger.error("left a thread as it is until the database writes again: %s", error)  # noqa: TRY400 - no bug
        except Exception:  # not even an apology could be made
            logger.exception("thread %s in %s was left as it is, and is tried again", thread.ts, thread.channel)
        finally:
            del self._running[thread]

    async def _answer_next(self, thread: ThreadId, user: str) -> bool:
        """Answer the thread's next message once there is room for a run, and return whether another waits."""
        if self._slots.is_full:
            self._agent.show_waiting(thread)
        async with self._slots.taken_by(user):
            message = None if self._stopping else await self._inbox.next(thread)
            if message is None:
                return False
            reach("message taken")
            with tracing.run(message.thread.key, message.traceparent, message.received_at, first=message.attempts == 1):
                return await self._answer(message)

    async def _answer(self, message: InboxMessage) -> bool:
        if message.attempts > MAX_ATTEMPTS:
            error = f"given up after {MAX_ATTEMPTS} attempts"
            return await self._agent.apologise(message, "I could not answer this.", error)
        if reached := await self._bounds.begin_run(message):
            words = words_for(reached) if reached.is_news else None
            return await self._agent.decline(message, words, error=f"no more {reached.bound.resource} this hour")
        now = clock.now()
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
            return await self._agent.apologise(message, "Something broke on my side.", fault(error))
