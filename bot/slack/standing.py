"""Which messages in Slack a post is, by the id in their metadata; and one is deleted that stands there twice."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS, failure, slack_error
from bot.slack.refusals import is_rate_limit, is_transient
from bot.store.errors import DatabaseError
from bot.store.records import Post
from bot.store.store import Outbox
from bot.tasks import Background

logger = logging.getLogger(__name__)

EVENT_TYPE = "support_bot_post"
CLOCK_SKEW = timedelta(hours=1)  # by which the clock of this host may be wrong
LOOK_INTERVAL_SECONDS = 0.5
MAX_LOOKS = 600


async def standing(client: AsyncWebClient, post: Post) -> AsyncIterator[str]:
    """Yield the ts of each message that is this post. Raises as the client does, but for what Slack never tells."""
    window: dict[str, Any] = {
        "channel": post.channel,
        "oldest": str((post.created_at - CLOCK_SKEW).timestamp()),
        "include_all_metadata": True,
        "limit": 200,
    }
    try:
        if post.thread_ts:
            pages = await client.conversations_replies(ts=post.thread_ts, **window)
        else:
            pages = await client.conversations_history(**window)
        async for page in pages:
            for message in page["messages"]:
                if message.get("metadata", {}).get("event_payload", {}).get("id") == post.id:
                    yield str(message["ts"])
    except SlackApiError as error:
        if is_transient(error) or is_rate_limit(error):
            raise
        logger.warning("cannot look for a post in %s: %s", post.channel, slack_error(error))


class Doubles:
    """Deletes what was said twice after all: by a process that stood still in its request, and by who took over."""

    def __init__(self, client: AsyncWebClient, outbox: Outbox) -> None:
        self._client = client
        self._outbox = outbox
        self._looking = Background()

    def look_for(self, post: Post) -> None:
        """Have it looked for, in the background, once it is written where the post stands."""
        self._looking.start(self._remove(post), f"could not look whether post {post.id} stands twice")

    async def stop(self) -> None:
        """Look no more."""
        await self._looking.finish(0)

    async def _remove(self, post: Post) -> None:
        for _ in range(MAX_LOOKS):
            try:
                if (ts := await self._outbox.stands_at(post)) is not None:
                    await self._delete_besides(post, ts)
                    return
            except DatabaseError as error:
                logger.warning("whether post %s stands twice is asked again: %s", post.id, error)
            except SLACK_ERRORS as error:
                logger.warning("whether post %s stands twice is asked again: %s", post.id, failure(error))
            await asyncio.sleep(LOOK_INTERVAL_SECONDS)

    async def _delete_besides(self, post: Post, kept: str) -> None:
        found = [ts async for ts in standing(self._client, post)]
        for ts in found if kept in found else ():
            if ts != kept:
                logger.warning("post %s stood in %s twice; the later one is deleted", post.id, post.channel)
                await self._client.chat_delete(channel=post.channel, ts=ts)
