"""All that we post: from the outbox, in order and paced per channel, with nothing unfurled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.store.outbox import Outbox
from bot.store.records import Post, ThreadId

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_POSTS = 1.0  # Slack's limit for chat.postMessage is one message a second a channel …
POSTS_IN_A_BURST = 5  # … with short bursts tolerated
MOST_ATTEMPTS = 5
_PASSING = ("ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


def web_client(token: str, api_url: str) -> AsyncWebClient:
    """Make the client for everything we ask of Slack: it waits when Slack says so."""
    client = AsyncWebClient(token=token, base_url=api_url)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=3))
    return client


def slack_error(error: SlackApiError) -> str:
    """Name the error as Slack does, such as channel_not_found, or by HTTP status when the answer is no JSON."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
    return str(data.get("error", "unknown_error")) if isinstance(data, dict) else f"http_{error.response.status_code}"


class Delivery:
    """The only one who posts. What is said survives a restart, because it is a row until Slack has it."""

    def __init__(
        self, client: AsyncWebClient, outbox: Outbox, *, on_lost_card: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._on_lost_card = on_lost_card
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._statuses: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._free_at: dict[str, float] = {}

    async def run(self) -> None:
        """Send what waits, whenever there is something; runs until cancelled."""
        self._outbox.news.set()
        while True:
            await self._outbox.news.wait()
            self._outbox.news.clear()
            await self._start_senders()

    async def stop(self, seconds: float) -> None:
        """Send what waits for so long; a later start sends the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._start_senders():
                    await asyncio.wait(self._senders.values())
        unfinished = [*self._senders.values(), *self._statuses.values()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _start_senders(self) -> bool:
        for channel in await self._outbox.waiting_channels():
            if channel not in self._senders:
                self._senders[channel] = asyncio.create_task(self._send_all(channel), name=f"channel {channel}")
        return bool(self._senders)

    def show_status(self, thread: ThreadId, status: str) -> None:
        """Show what the bot is doing in the thread. Slack clears it with the next post, or after two minutes."""
        key = (thread.channel, thread.ts)
        before = self._statuses.get(key)
        self._statuses[key] = asyncio.create_task(self._set_status(key, status, before))

    async def whisper(self, channel: str, user: str, thread_ts: str | None, text: str) -> None:
        """Tell one person something that nobody else sees."""
        try:
            await self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread_ts, text=text)
        except (SlackClientError, OSError, TimeoutError) as error:
            logger.warning("could not whisper in %s: %s", channel, error)

    async def _set_status(self, key: tuple[str, str], status: str, before: asyncio.Task[None] | None) -> None:
        channel, thread_ts = key
        try:
            if before is not None:
                await asyncio.wait([before])
            if self._statuses.get(key) is asyncio.current_task():
                await self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=status)
        except (SlackClientError, OSError, TimeoutError) as error:
            logger.info("no status in %s: %s", channel, error)
        finally:
            if self._statuses.get(key) is asyncio.current_task():
                del self._statuses[key]

    async def _send_all(self, channel: str) -> None:
        try:
            while post := await self._outbox.next(channel):
                await self._send(post)
        finally:
            del self._senders[channel]
            # A post that came while the last look was on its way has rung before, when this channel had a sender.
            self._outbox.news.set()

    async def _send(self, post: Post) -> None:
        if post.replaces is None:
            await self._wait_for_turn(post)
        try:
            ts = await (self._update(post) if post.replaces else self._post(post))
        except SlackApiError as error:
            name = slack_error(error)
            if (name in _PASSING or name.startswith("http_5")) and post.attempts < MOST_ATTEMPTS:
                await asyncio.sleep(float(error.response.headers.get("Retry-After", 2**post.attempts)))
            else:
                await self._give_up(post, name)
        except (SlackClientError, OSError, TimeoutError) as error:
            logger.warning("Slack did not take a post in %s: %s", post.channel, error)
            if post.attempts < MOST_ATTEMPTS:
                await asyncio.sleep(2**post.attempts)
            else:
                await self._give_up(post, str(error))
        else:
            await self._outbox.sent(post, ts)

    async def _post(self, post: Post) -> str:
        response = await self._client.chat_postMessage(
            channel=post.channel,
            thread_ts=post.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": "support_bot_post", "event_payload": {"id": post.id}},
            **_content(post),
        )
        return str(response["ts"])

    async def _update(self, post: Post) -> str:
        if post.ts is None:
            raise SlackApiError("the message to redraw was never posted", {"error": "message_not_found"})
        await self._client.chat_update(channel=post.channel, ts=post.ts, **_content(post))
        return post.ts

    async def _give_up(self, post: Post, error: str) -> None:
        logger.error("post %s in %s was given up: %s", post.id, post.channel, error)
        await self._outbox.failed(post, error)
        if post.call_id and post.replaces is None:
            await self._on_lost_card(post.call_id, error)

    async def _wait_for_turn(self, post: Post) -> None:
        """Keep to Slack's pace, and let a status that is on its way arrive first, so that the post clears it."""
        if post.thread_ts and (status := self._statuses.get((post.channel, post.thread_ts))):
            await asyncio.wait([status], timeout=2)
        now = monotonic()
        free_at = max(now, self._free_at.get(post.channel, 0.0))
        if (wait := free_at - now - POSTS_IN_A_BURST * SECONDS_BETWEEN_POSTS) > 0:
            await asyncio.sleep(wait)
        if len(self._free_at) > 1_000:  # noqa: PLR2004 - a bound; channels that were quiet need no memory
            self._free_at = {channel: at for channel, at in self._free_at.items() if at > now}
        self._free_at[post.channel] = free_at + SECONDS_BETWEEN_POSTS


def _content(post: Post) -> dict[str, Any]:
    content: dict[str, Any] = {"text": post.text, "parse": "none", "link_names": False}
    return content | ({"blocks": [dict(block) for block in post.blocks]} if post.blocks else {})
