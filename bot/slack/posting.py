"""What is asked of Slack for one post: said once, found again where its outcome is not known, or drawn over."""

import asyncio
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import slack_error
from bot.slack.standing import EVENT_TYPE, Doubles, standing
from bot.slack.statuses import Statuses
from bot.store.records import Post
from bot.store.store import Outbox

# What Slack says of a message that is no more, or that is not to be changed any more.
_GONE = ("message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed")


class NotOursError(Exception):
    """Another process may have the post by now; who has it, and whether it stands, is to be found out again."""


class Posting:
    """Posts, at Slack's pace in the channel, with the id in the metadata by which a post is known again."""

    def __init__(self, client: AsyncWebClient, statuses: Statuses, outbox: Outbox) -> None:
        self._client = client
        self._statuses = statuses
        self._outbox = outbox
        self._doubles = Doubles(client, outbox)

    async def stop(self) -> None:
        """Look no more for what was posted twice."""
        await self._doubles.stop()

    async def post(self, post: Post) -> str:
        """Say it, unless it stands there already, and return its ts. Raises SlackApiError, and as the client does."""
        if post.ephemeral_for is not None:
            return await self._whisper(post, post.ephemeral_for)
        if post.in_doubt and (ts := await self._find(post)):
            return ts
        await self._wait_for_turn(post)
        self._ensure_ours()
        lapses = self._outbox.lapses()
        try:
            response = await self._client.chat_postMessage(
                channel=post.channel,
                thread_ts=post.thread_ts,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"id": post.id}},
                **_content(post),
            )
        finally:
            if self._outbox.lapses() != lapses:  # this process stood still, and another may have looked too early
                self._doubles.look_for(post)
        return str(response["ts"])

    async def update(self, post: Post) -> str:
        """Draw it over the message that it replaces, and return that's ts. Raises as `post` does."""
        if post.ts is None:
            raise SlackApiError("the message to redraw was never posted", {"error": "message_not_found"})
        self._ensure_ours()
        await self._client.chat_update(channel=post.channel, ts=post.ts, **_content(post))
        return post.ts

    async def finish_draft(self, post: Post) -> str:
        """Draw it over the draft that was streamed, and return that's ts; without words the draft is deleted.

        A draft that is gone is no reason not to say it. Raises as `post` does.
        """
        try:
            if post.text or post.blocks:
                return await self._over_draft(post)
            self._ensure_ours()
            await self._client.chat_delete(channel=post.channel, ts=str(post.draft_ts))
        except SlackApiError as error:
            if slack_error(error) not in _GONE:
                raise
            return await self.post(post) if post.text or post.blocks else str(post.draft_ts)
        return str(post.draft_ts)

    async def _over_draft(self, post: Post) -> str:
        try:
            return await self.update(post)
        except SlackApiError as error:
            if slack_error(error) != "streaming_state_conflict":
                raise
        await self._client.chat_stopStream(channel=post.channel, ts=str(post.draft_ts))
        return await self.update(post)

    async def _whisper(self, post: Post, user: str) -> str:
        await self._wait_for_turn(post)
        self._ensure_ours()
        response = await self._client.chat_postEphemeral(
            channel=post.channel, user=user, thread_ts=post.thread_ts, **_content(post)
        )
        return str(response["message_ts"])

    def _ensure_ours(self) -> None:
        """Say nothing once others may have taken the post, as after a long sleep: Slack would have it twice."""
        if not self._outbox.is_ours():
            raise NotOursError

    async def _find(self, post: Post) -> str | None:
        """Look for a post that may stand in Slack already; None when Slack says that there is none."""
        return await anext(standing(self._client, post), None)

    async def _wait_for_turn(self, post: Post) -> None:
        """Keep to Slack's pace, and let a status that is on its way arrive first, so that the post clears it."""
        if post.thread_ts:
            await self._statuses.over(post.channel, post.thread_ts)
        if post.wait_seconds:
            await asyncio.sleep(post.wait_seconds)


def _content(post: Post) -> dict[str, Any]:
    content: dict[str, Any] = {"text": post.text, "parse": "none", "link_names": False}
    return content | ({"blocks": [dict(block) for block in post.blocks]} if post.blocks else {})
