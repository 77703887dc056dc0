"""The tool loop: model, tools, model, until there is text. All state is rows, so it goes on where it was cut off."""

import logging

from bot.agent.asking import question_of
from bot.agent.drafts import Draft
from bot.agent.intents import Intents
from bot.agent.replies import Replies
from bot.agent.steps import RunProgress
from bot.agent.stopping import StoppedError, words_of_stop
from bot.agent.tool_calls import ToolCalls, ToolRunContext
from bot.agent.turns import Turns
from bot.failpoints import reach
from bot.identity import Person
from bot.logs import tell
from bot.model.model import Hear
from bot.store.calls import Conversation
from bot.store.records import ChatMessage, InboxMessage, Post
from bot.store.store import Conversations

logger = logging.getLogger(__name__)

Said = tuple[ChatMessage | None, list[Post]]
"""The last reply of a run, as the model reads it later, and what is posted."""


class ToolLoop:
    """Goes on with a conversation until the model answers in words, or asks with a menu."""

    def __init__(
        self, *, turns: Turns, tool_calls: ToolCalls, intents: Intents, replies: Replies, conversations: Conversations
    ) -> None:
        self._turns = turns
        self._tool_calls = tool_calls
        self._intents = intents
        self._replies = replies
        self._conversations = conversations

    async def run(
        self,
        message: InboxMessage,
        conversation: Conversation,
        requester: Person,
        progress: RunProgress,
        *,
        public: bool,
    ) -> Said:
        """Return what is said at the end: the model's answer, or how things stand when a person has stopped it.

        Raises RunError when there is nothing to be said.
        """
        try:
            return await self._run(message, conversation, requester, progress, public=public)
        except StoppedError:
            return await self._stopped(message, public=public)

    async def _run(
        self,
        message: InboxMessage,
        conversation: Conversation,
        requester: Person,
        progress: RunProgress,
        *,
        public: bool,
    ) -> Said:
        intent = self._intents.start(message, conversation.intent)
        while True:
            calls = conversation.unanswered
            if conversation.stopped:
                raise StoppedError
            if not calls and (question := question_of(conversation.messages)) is not None:
                reply = {"role": "assistant", "content": question}
                return reply, await self._replies.question(message, question, conversation, requester)
            if not calls:
                hear = self._hear(message, conversation, requester, progress)
                turn, conversation = await self._turns.next(message, conversation, hear)
                if not turn.calls:
                    return turn.message, await self._replies.answer(message, turn.text, conversation, requester)
                rows = self._tool_calls.rows(message, turn.calls)
                calls = await self._conversations.add_turn(message.thread, turn.message, rows)
                reach("turn written")
            run_context = ToolRunContext(
                requester,
                intent,
                conversation.said_by(message.user),
                conversation.pictures_of(message.user),
                conversation.messages,
                public=public,
                note=conversation.asked_by(message.user),
            )
            several = bool(conversation.spent.steps)
            if several:
                await self._show_steps(message, progress)
            await self._tool_calls.run(calls, run_context, progress.status)
            conversation = await self._conversations.add_results(message.thread)
            reach("call written")
            if several:
                await self._show_steps(message, progress)

    def _hear(
        self, message: InboxMessage, conversation: Conversation, requester: Person, progress: RunProgress
    ) -> Hear | None:
        """Return who hears an answer while it is written: after a look-up, in a thread where no change was asked for.

        In others whether it claims what nobody did is known of the whole alone.
        """
        messages = conversation.messages
        last = messages[-1]["role"] if messages else ""
        if last != "tool" or message.attempts > 1 or progress.has_draft or self._tool_calls.has_request(messages):
            return None

        def show(text: str) -> None:
            progress.draft(self._replies.part(text, conversation, requester))

        return Draft(messages, self._tool_calls.names(), show).hear

    async def _show_steps(self, message: InboxMessage, progress: RunProgress) -> None:
        """Show what was done so far: of a run that has one step alone the answer comes sooner than a timeline."""
        progress.steps(await self._conversations.calls_of_run(message.thread), self._tool_calls.doing)

    async def _stopped(self, message: InboxMessage, *, public: bool) -> Said:
        tell(logger, "run stopped", thread=f"{message.thread.channel}/{message.thread.ts}")
        calls = await self._conversations.calls_of_run(message.thread)
        words = words_of_stop(calls, self._tool_calls.doing, public=public)
        return {"role": "assistant", "content": words}, self._replies.plain(message, words)
