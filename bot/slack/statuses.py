"""What the bot is doing in a thread, as Slack shows it below the last message."""

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS
from bot.tasks import finish

logger = logging.getLogger(__name__)

STATUS_DELAY_SECONDS = 0.05
STATUS_TIMEOUT_SECONDS = 2.0  # a later one would come after the answer that it belongs before
Place = tuple[str, str]  # a channel, and the ts of a thread's first message


class Statuses:
    """Shows statuses. Slack clears one with the next post in its thread, or after two minutes.

    What is done in a moment is not shown, and of several at once only the last.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._next: dict[Place, asyncio.TimerHandle] = {}

    def show(self, place: Place, status: str) -> None:
        """Show it soon; one that cannot be shown is dropped."""
        self._drop(place)
        self._next[place] = asyncio.get_running_loop().call_later(STATUS_DELAY_SECONDS, self._start, place, status)

    async def settle(self, place: Place) -> None:
        """Let a status that is on its way arrive, so that the post which follows clears it; show no later one."""
        self._drop(place)
        if task := self._tasks.get(place):
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Show nothing more."""
        for place in tuple(self._next):
            self._drop(place)
        await finish(self._tasks.values(), 0)

    def _drop(self, place: Place) -> None:
        if (timer := self._next.pop(place, None)) is not None:
            timer.cancel()

    def _start(self, place: Place, status: str) -> None:
        del self._next[place]
        self._tasks[place] = asyncio.create_task(self._set(place, status, self._tasks.get(place)))

    async def _set(self, place: Place, status: str, before: asyncio.Task[None] | None) -> None:
        channel, thread_ts = place
        try:
            if before is not None:
                await asyncio.wait([before])
            async with asyncio.timeout(STATUS_TIMEOUT_SECONDS):
                await self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=status)
        except SLACK_ERRORS as error:
            logger.info("no status in %s: %s", channel, error)
        finally:
            if self._tasks.get(place) is asyncio.current_task():
                del self._tasks[place]
