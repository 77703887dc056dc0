"""How a run ends in rows: answered, declined or failed, each in one transaction with all that is said."""

import logging
from collections.abc import Sequence

from bot.agent.bounds import in_minutes
from bot.agent.errors import RunError
from bot.agent.escalation import Escalation
from bot.agent.intents import Intents
from bot.agent.replies import Replies
from bot.failpoints import reach
from bot.logs import tell
from bot.store.errors import MessageChangedError
from bot.store.records import ChatMessage, InboxMessage, Post, reference
from bot.store.store import Conversations
from bot.tracing import tracing

logger = logging.getLogger(__name__)

TRY_AGAIN = "Write “try again” {}."


class RunEnds:
    """Ends runs. Each method returns whether another message waits in the thread."""

    def __init__(
        self, conversations: Conversations, replies: Replies, escalation: Escalation, intents: Intents
    ) -> None:
        self._conversations = conversations
        self._replies = replies
        self._escalation = escalation
        self._intents = intents

    async def answered(self, message: InboxMessage, reply: ChatMessage | None, posts: Sequence[Post]) -> bool | None:
        """End a run with what is said, and return whether another message waits in the thread.

        None when the person has corrected the message before it was answered.
        """
        try:
            more = await self._conversations.finish(message, reply, posts)
        except MessageChangedError:
            return None
        reach("answer written")
        return more

    async def asked(self, message: InboxMessage, words: str) -> bool | None:
        """End a run with a question of ours; None when the person has corrected the message before that."""
        return await self.answered(
            message, {"role": "assistant", "content": words}, self._replies.plain(message, words)
        )

    async def declined(self, message: InboxMessage, words: str | None, error: str) -> bool:
        """Leave a message unanswered, and unread by the model: the person hears why, or has heard.

        Returns whether another message waits in the thread.
        """
        posts = self._replies.plain(message, words) if words else []
        return await self._conversations.finish(message, None, posts, error=error)

    async def failed(self, message: InboxMessage, error: RunError) -> bool:
        """End a run that failed: plain words, a reference for the user, and the same reference in the inbox row.

        Returns whether another message waits in the thread.
        """
        tracing.ended("not answered", well=False)
        mark = reference(error.row_id)
        where = f"{message.thread.channel}/{message.thread.ts}"
        tell(
            logger, "message not answered", level=logging.WARNING, error=str(error)[:200], reference=mark, thread=where
        )
        post = None
        if error.escalate:
            intent = await self._intents.stored(message.thread)
            summary, key = f"{error.words} ({mark})", message.key
            post = await self._escalation.post(message.thread, message.user, summary, intent, key=key)
        next_step = "I have asked a person to look at it." if post else _try_again(error)
        text = " ".join(filter(None, [error.words, next_step, f"If it goes on, tell the team this reference: {mark}"]))
        reply = {"role": "assistant", "content": error.words}
        posts = self._replies.plain(message, text) if post else self._replies.apology(message, text)
        await self._conversations.begin(message)  # the run may have failed before the model could hear of it
        return await self._conversations.finish(
            message, reply, posts, error=f"{mark}: {error}", escalation=post, left_out=error.filtered
        )

    async def is_undecided(self, message: InboxMessage) -> bool:
        """Return whether a request waits in the thread for somebody's decision."""
        return await self._conversations.is_undecided(message.thread)


def _try_again(error: RunError) -> str:
    return TRY_AGAIN.format(in_minutes(error.again_in or 0.0)) if error.again else ""
