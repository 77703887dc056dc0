"""All that we post: from the outbox, in order and paced per channel, each once, with nothing unfurled."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import clock
from bot.agent.escalation import unreached
from bot.blocks.messages import action_ids, in_words, section, with_plain_tables, without_pictures
from bot.blocks.text import Mrkdwn, mention
from bot.callbacks import CardLost, OutboxNews
from bot.failpoints import reach
from bot.logs import tell
from bot.slack.client import SLACK_ERRORS, error_detail, failure, slack_error
from bot.slack.passed_over import PassedOver
from bot.slack.posting import NotOursError, Posting
from bot.slack.refusals import BLOCK_ERRORS, FINAL_ERRORS, is_rate_limit, is_transient
from bot.slack.sessions import Sessions
from bot.slack.statuses import Statuses
from bot.store.errors import DatabaseError
from bot.store.records import Block, Post, ThreadId, fault, new_id, reference
from bot.store.store import Outbox
from bot.tasks import finish
from bot.tracing import tracing

logger = logging.getLogger(__name__)

DATABASE_BACKOFF_SECONDS = 1.0
CRASH_BACKOFF_SECONDS = 5.0
MAX_ATTEMPTS = 5  # of a post that is older than …
TIME_TO_TRY = timedelta(days=1)
MAX_RETRY_INTERVAL_SECONDS = 60.0


class Delivery:
    """The only one who posts. What is said survives a restart, because it is a row until Slack has it.

    A post whose outcome is not known is looked for in Slack, by the id in its metadata, before it is sent again.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        outbox: Outbox,
        *,
        statuses: Statuses,
        sessions: Sessions,
        on_lost_card: CardLost,
    ) -> None:
        self._client = client
        self._posting = Posting(client, statuses, outbox)
        self._outbox = outbox
        self._statuses = statuses
        self._sessions = sessions
        self._on_lost_card = on_lost_card
        self._passed_over = PassedOver()
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()
        self._is_stopped = False

    async def run(self) -> None:
        """Send whatever is queued; runs until cancelled."""
        news: OutboxNews = self._outbox.news
        while True:
            self._wake(await news.get())

    async def resume(self) -> None:
        """Go on with whatever waits and nobody is at: after a start, and after a process or a write that failed."""
        for channel in await self._outbox.waiting_channels():
            self._wake(channel)

    async def stop(self, seconds: float) -> None:
        """Send what waits for so long; a later start sends the rest."""
        with suppress(TimeoutError, DatabaseError):
            async with asyncio.timeout(seconds):
                await self.resume()
                while self._senders:
                    await asyncio.wait(self._senders.values())
        self._is_stopped = True
        await finish(self._senders.values(), 0)
        await self._posting.stop()
        await self._statuses.stop()
        await self._sessions.stop()

    async def post_ephemeral(
        self, channel: str, user: str, thread_ts: str | None, text: str, blocks: Sequence[Block] = ()
    ) -> None:
        """Tell one person something that nobody else sees."""
        try:
            shown: dict[str, Any] = {"blocks": [dict(block) for block in blocks]} if blocks else {}
            await self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread_ts, text=text, **shown)
        except SLACK_ERRORS as error:
            logger.warning("could not whisper in %s: %s", channel, failure(error))

    async def tell(self, user: str, text: str, thread: ThreadId, *, in_thread: bool) -> None:
        """Tell one person something that nobody else sees, in the thread or the channel.

        When Slack does not take that now, it is said in the thread once Slack does: nobody is left without a word.
        """
        thread_ts = thread.ts if in_thread else None
        try:
            await self._client.chat_postEphemeral(channel=thread.channel, user=user, thread_ts=thread_ts, text=text)
        except SLACK_ERRORS as error:
            name = failure(error)
            logger.warning("could not whisper in %s: %s", thread.channel, name)
            if name not in FINAL_ERRORS:
                said = Mrkdwn(f"{mention(user)} {text}")
                post = Post(new_id(), thread.team, thread.channel, thread.ts, said, (section(said),))
                await self._outbox.add(post, thread)

    async def post_now(self, channel: str, text: str, blocks: Sequence[Block]) -> str | None:
        """Post what a thread begins with and return its ts; None when Slack does not take it, or may have lost it."""
        try:
            said: dict[str, Any] = {"text": text, "parse": "none", "link_names": False, "blocks": [*map(dict, blocks)]}
            response = await self._client.chat_postMessage(
                channel=channel, unfurl_links=False, unfurl_media=False, **said
            )
        except SLACK_ERRORS as error:
            logger.warning("could not begin a thread in %s: %s", channel, failure(error))
            return None
        return str(response["ts"])

    def _wake(self, channel: str) -> None:
        self._woken.add(channel)
        if channel not in self._senders and not self._is_stopped:
            self._senders[channel] = asyncio.create_task(self._send_all(channel), name=f"channel {channel}")

    async def _send_all(self, channel: str) -> None:
        try:
            while channel in self._woken:
                self._woken.discard(channel)
                await self._send_waiting(channel)
        finally:
            del self._senders[channel]

    async def _send_waiting(self, channel: str) -> None:
        try:
            post = await self._next(channel)
            while post:
                post = await self._send(post)
        except DatabaseError as error:
            logger.warning("sending in %s goes on when the database writes again: %s", channel, error)
            await asyncio.sleep(DATABASE_BACKOFF_SECONDS)
            self._wake(channel)
        except Exception:  # not even a post was found
            logger.exception("sending in %s broke, and goes on in a while", channel)
            await asyncio.sleep(CRASH_BACKOFF_SECONDS)
            self._wake(channel)

    async def _next(self, channel: str) -> Post | None:
        return await self._outbox.next(channel, besides=self._passed_over.of(channel))

    async def _send(self, post: Post) -> Post | None:
        """Try to have the post said, and return what is to be said in its channel after that."""
        try:
            with tracing.post(post.id, post.traceparent):
                return await self._try(post)
        except DatabaseError:
            raise
        except Exception as error:  # whatever broke, the post still waits, and others do not wait for it
            logger.exception("post %s in %s broke, and is tried again in a while", post.id, post.channel)
            await self._try_again(post, fault(error), others_first=True)
            return await self._next(post.channel)

    async def _try(self, post: Post) -> Post | None:
        reach("post taken")
        try:
            ts = await self._say(post)
        except NotOursError:
            logger.warning("post %s was in no hands for a while, and is looked for", post.id)
        except SlackApiError as error:
            tracing.ended(slack_error(error), well=False)
            await self._handle_error(error, post)
        except SLACK_ERRORS as error:
            tracing.ended(type(error).__name__, well=False)
            await self._try_again(post, failure(error))
        else:
            reach("post made")
            following = await self._outbox.sent(post, ts, besides=self._passed_over.of(post.channel))
            thread = f"{post.channel}/{post.thread_ts or ts}"
            tell(logger, "redrawn" if post.replaces else "posted", post=post.id, call=post.call_id, thread=thread)
            reach("post written")
            if post.call_id and post.replaces and post.thread_ts and not action_ids(post.blocks):
                await self._sessions.decided(ThreadId(post.team, post.channel, post.thread_ts))
            return following
        return await self._next(post.channel)

    async def _say(self, post: Post) -> str:
        if post.draft_ts:
            ts = await self._posting.finish_draft(post)
            self._statuses.show(ThreadId(post.team, post.channel, post.thread_ts or ts), "")  # no new post clears it
            return ts
        is_news = post.ts is None and post.call_id is None  # what it was to replace was never posted
        return await (self._posting.update(post) if post.replaces and not is_news else self._posting.post(post))

    async def _handle_error(self, error: SlackApiError, post: Post) -> None:
        """Do what Slack's answer asks for: wait, try again, say it more simply, or give up."""
        name = slack_error(error)
        if is_rate_limit(error):
            if not post.in_doubt:
                await self._outbox.refused(post, name)
            await asyncio.sleep(float(error.response.headers.get("Retry-After", 1)))
        elif is_transient(error):
            await self._try_again(post, name)
        elif name in BLOCK_ERRORS and len(left := without_pictures(post.blocks)) < len(post.blocks):
            logger.warning("Slack refused post %s with its pictures (%s %s)", post.id, name, error_detail(error))
            await self._outbox.simplify(post, post.text, name, left)
        elif name in BLOCK_ERRORS and (tables := with_plain_tables(post.blocks)) != post.blocks:
            logger.warning("Slack refused post %s with its tables (%s %s)", post.id, name, error_detail(error))
            await self._outbox.simplify(post, post.text, name, tables)
        elif name in BLOCK_ERRORS and (text := _simpler(post)):
            detail = error_detail(error)
            logger.warning(
                "Slack refused the blocks of post %s (%s %s); it is said in plain text", post.id, name, detail
            )
            await self._outbox.simplify(post, text, name)
        elif name in FINAL_ERRORS or name in BLOCK_ERRORS:
            await self._give_up(post, f"{name}: {detail}" if (detail := error_detail(error)) else name)
        else:  # nothing about this post: a token that is replaced or a workspace that is moved gets it said after all
            if not post.in_doubt:
                await self._outbox.refused(post, name)
            await self._try_again(post, name, others_first=True)

    async def _try_again(self, post: Post, error: str, *, others_first: bool = False) -> None:
        """Have it tried again after a pause, in which the channel waits, or what is said in other threads does not."""
        logger.warning("Slack did not take post %s in %s: %s", post.id, post.channel, error)
        is_old = clock.now() - post.created_at > TIME_TO_TRY
        if post.attempts >= MAX_ATTEMPTS and (is_old or post.ephemeral_for):  # which nobody misses for long
            await self._give_up(post, error)
            return
        pause = min(MAX_RETRY_INTERVAL_SECONDS, 0.1 * 2 ** min(post.attempts, 10))
        if others_first:
            self._passed_over.add(post, pause)
            asyncio.get_running_loop().call_later(pause, self._wake, post.channel)
        else:
            await asyncio.sleep(pause)

    async def _give_up(self, post: Post, error: str) -> None:
        thread = f"{post.channel}/{post.thread_ts}" if post.thread_ts else post.channel
        tell(
            logger,
            "post given up",
            level=logging.ERROR,
            error=error,
            post=post.id,
            reference=reference(post.id),
            call=post.call_id,
            thread=thread,
        )
        await self._outbox.failed(post, error, unreached)
        if post.call_id and post.replaces is None:
            await self._on_lost_card(post.call_id, error)


def _simpler(post: Post) -> str:
    """Say in plain text what the blocks show. A card that has to be decided cannot be said without its buttons."""
    if not post.blocks or (post.call_id and action_ids(post.blocks) and not post.replaces):
        return ""
    return post.text if post.replaces else in_words(post.blocks)
