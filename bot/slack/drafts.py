"""An answer while it is being written: a message that Slack streams, over which the whole answer is drawn."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.failpoints import reach
from bot.slack.client import SLACK_ERRORS, failure, slack_error
from bot.slack.streams import NO_STREAMS, TIMEOUT_SECONDS, Chunks, begin_stream
from bot.store.errors import DatabaseError
from bot.store.records import Block, ThreadId
from bot.store.store import Conversations
from bot.tasks import finish

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Draft:
    thread: ThreadId
    user: str
    ts: str | None = None
    sending: asyncio.Task[None] | None = None
    is_over: bool = False


class Drafts:
    """Shows the beginnings of answers, best effort and one writer a thread: what is not shown here comes at the end.

    A draft is kept as a row as soon as it stands, and whatever ends the run is drawn over it, by any process.
    """

    def __init__(self, client: AsyncWebClient, conversations: Conversations, *, on: bool) -> None:
        self._client = client
        self._conversations = conversations
        self._on = on
        self._drafts: dict[ThreadId, _Draft] = {}

    def show(self, thread: ThreadId, user: str, blocks: Sequence[Block]) -> None:
        """Show these below what is shown of the answer to a person already."""
        if self._on:
            draft = self._drafts.setdefault(thread, _Draft(thread, user))
            draft.sending = asyncio.create_task(self._send(draft, blocks, draft.sending))

    async def end(self, thread: ThreadId) -> None:
        """Append nothing more to the draft in the thread, so that it can be drawn over."""
        if (draft := self._drafts.pop(thread, None)) is None:
            return
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if draft.sending is not None:
                    await asyncio.wait([draft.sending])
                if draft.ts is not None and not draft.is_over:
                    await self._client.chat_stopStream(channel=thread.channel, ts=draft.ts)
        except SLACK_ERRORS as error:
            logger.info("a draft in %s was not ended: %s", thread.channel, failure(error))

    async def stop(self, seconds: float) -> None:
        """Let what is being shown be shown."""
        await finish([draft.sending for draft in self._drafts.values() if draft.sending], seconds)

    async def _send(self, draft: _Draft, blocks: Sequence[Block], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        if draft.is_over:
            return
        chunks: Chunks = [{"type": "blocks", "blocks": [dict(block) for block in blocks]}]
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if draft.ts is None:
                    await self._begin(draft, chunks)
                else:
                    await self._client.chat_appendStream(channel=draft.thread.channel, ts=draft.ts, chunks=chunks)
        except (*SLACK_ERRORS, DatabaseError) as error:
            draft.is_over = True
            if isinstance(error, SlackApiError) and slack_error(error) in NO_STREAMS:
                self._on = False
            logger.info("no more of an answer is shown in %s before its end: %s", draft.thread.channel, failure(error))

    async def _begin(self, draft: _Draft, chunks: Chunks) -> None:
        draft.ts = await begin_stream(self._client, draft.thread, draft.user, chunks)
        kept = False
        try:
            kept = await self._conversations.keep_draft(draft.thread, draft.ts)
        finally:
            if not kept:  # nothing would be drawn over it
                draft.is_over = True
                await self._client.chat_stopStream(channel=draft.thread.channel, ts=draft.ts)
                await self._client.chat_delete(channel=draft.thread.channel, ts=draft.ts)
        reach("draft begun")
