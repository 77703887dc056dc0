"""The line that says what the bot does in a thread, kept there for as long as it does it."""

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS, failure
from bot.store.records import ThreadId
from bot.tasks import finish

logger = logging.getLogger(__name__)

DELAY_SECONDS = 0.05
CLEAR_DELAY_SECONDS = 1.0  # a post that is on its way clears it by itself
REPEAT_SECONDS = 90.0  # Slack clears a status after two minutes
REPEATS = 12  # after which nobody works at it any more
TIMEOUT_SECONDS = 2.0  # a later one would come after the answer that it belongs before

Key = tuple[str, str]


class Statuses:
    """Shows what is done in threads. What is done in a moment is not shown, and of several at once only the last."""

    def __init__(self, client: AsyncWebClient, *, repeat_seconds: float = REPEAT_SECONDS) -> None:
        self._client = client
        self._repeat_seconds = repeat_seconds
        self._setting: dict[Key, asyncio.Task[None]] = {}
        self._next: dict[Key, asyncio.TimerHandle] = {}
        self._shown = set[Key]()

    def show(self, thread: ThreadId, status: str) -> None:
        """Show it, until the next post in the thread or another status. See `over`.

        An empty one clears what is shown there by then: of a run that ends in silence no post does.
        """
        delay, repeats = (DELAY_SECONDS, REPEATS) if status else (CLEAR_DELAY_SECONDS, 0)
        self._later(delay, (thread.channel, thread.ts), status, repeats)

    async def over(self, channel: str, thread_ts: str) -> None:
        """Show nothing more: what is on its way has arrived on return, so that the post that follows clears it."""
        key = (channel, thread_ts)
        self._drop(key)
        if setting := self._setting.get(key):
            await asyncio.wait([setting])
            self._drop(key)
        self._shown.discard(key)

    async def stop(self) -> None:
        """Show nothing more in any thread."""
        for key in tuple(self._next):
            self._drop(key)
        await finish(self._setting.values(), 0)

    def _later(self, seconds: float, key: Key, status: str, repeats: int) -> None:
        self._drop(key)
        self._next[key] = asyncio.get_running_loop().call_later(seconds, self._start, key, status, repeats)

    def _drop(self, key: Key) -> None:
        if (timer := self._next.pop(key, None)) is not None:
            timer.cancel()

    def _start(self, key: Key, status: str, repeats: int) -> None:
        del self._next[key]
        if not status and key not in self._shown:
            return
        (self._shown.add if status else self._shown.discard)(key)
        before = self._setting.get(key)
        self._setting[key] = asyncio.create_task(self._set(key, status, before))
        if repeats:
            self._later(self._repeat_seconds, key, status, repeats - 1)

    async def _set(self, key: Key, status: str, before: asyncio.Task[None] | None) -> None:
        channel, thread_ts = key
        try:
            if before is not None:
                await asyncio.wait([before])
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=status)
        except SLACK_ERRORS as error:
            logger.info("no status in %s: %s", channel, failure(error))
        finally:
            if self._setting.get(key) is asyncio.current_task():
                del self._setting[key]
