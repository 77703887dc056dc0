"""What is asked of Slack for one post: said once, found again where its outcome is not known, or drawn over."""

import asyncio
import logging
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.client import slack_error
from bot.slack.statuses import Statuses
from bot.store.records import Post

logger = logging.getLogger(__name__)

EVENT_TYPE = "support_bot_post"
CLOCK_SKEW = timedelta(hours=1)  # by which the clock of this host may be wrong
_TRANSIENT_ERRORS = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "unreadable")


class Posting:
    """Posts, at Slack's pace in the channel, with the id in the metadata by which a post is known again."""

    def __init__(self, client: AsyncWebClient, statuses: Statuses) -> None:
        self._client = client
        self._statuses = statuses

    async def post(self, post: Post) -> str:
        """Say it, unless it stands there already, and return its ts. Raises SlackApiError, and as the client does."""
        if post.ephemeral_for is not None:
            return await self._whisper(post, post.ephemeral_for)
        if post.in_doubt and (ts := await self._find(post)):
            return ts
        await self._wait_for_turn(post)
        response = await self._client.chat_postMessage(
            channel=post.channel,
            thread_ts=post.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"id": post.id}},
            **_content(post),
        )
        return str(response["ts"])

    async def update(self, post: Post) -> str:
        """Draw it over the message that it replaces, and return that's ts. Raises as `post` does."""
        if post.ts is None:
            raise SlackApiError("the message to redraw was never posted", {"error": "message_not_found"})
        await self._client.chat_update(channel=post.channel, ts=post.ts, **_content(post))
        return post.ts

    async def _whisper(self, post: Post, user: str) -> str:
        await self._wait_for_turn(post)
        response = await self._client.chat_postEphemeral(
            channel=post.channel, user=user, thread_ts=post.thread_ts, **_content(post)
        )
        return str(response["message_ts"])

    async def _find(self, post: Post) -> str | None:
        """Look for a post that may stand in Slack already; None when Slack says that there is none."""
        window: dict[str, Any] = {
            "channel": post.channel,
            "oldest": str((post.created_at - CLOCK_SKEW).timestamp()),
            "include_all_metadata": True,
            "limit": 200,
        }
        try:
            if post.thread_ts:
                pages = await self._client.conversations_replies(ts=post.thread_ts, **window)
            else:
                pages = await self._client.conversations_history(**window)
            async for page in pages:
                for message in page["messages"]:
                    if message.get("metadata", {}).get("event_payload", {}).get("id") == post.id:
                        return str(message["ts"])
        except SlackApiError as error:
            if is_transient(error) or is_rate_limit(error):
                raise
            logger.warning("cannot look for a post in %s: %s", post.channel, slack_error(error))
        return None

    async def _wait_for_turn(self, post: Post) -> None:
        """Keep to Slack's pace, and let a status that is on its way arrive first, so that the post clears it."""
        if post.thread_ts:
            await self._statuses.over(post.channel, post.thread_ts)
        if post.wait_seconds:
            await asyncio.sleep(post.wait_seconds)


def _content(post: Post) -> dict[str, Any]:
    content: dict[str, Any] = {"text": post.text, "parse": "none", "link_names": False}
    return content | ({"blocks": [dict(block) for block in post.blocks]} if post.blocks else {})


def is_rate_limit(error: SlackApiError) -> bool:
    """Return whether Slack only wants to be asked more slowly."""
    status = error.response.status_code if isinstance(error.response, AsyncSlackResponse) else None
    return status == HTTPStatus.TOO_MANY_REQUESTS or slack_error(error) in ("ratelimited", "rate_limited")


def is_transient(error: SlackApiError) -> bool:
    """Return whether Slack has trouble of its own, which passes."""
    return slack_error(error) in _TRANSIENT_ERRORS
