"""A run for a form: the one call that it was filled in for, as if the model had made it, and its outcome."""

import json
from collections.abc import Callable

from bot.agent.intents import Intents
from bot.agent.replies import Replies
from bot.agent.tool_calls import ToolCalls, ToolRunContext
from bot.agent.tool_loop import Said
from bot.failpoints import reach
from bot.identity import Person
from bot.intent import CustomerIntent
from bot.model.model import RequestedCall
from bot.store.calls import Conversation
from bot.store.records import Form, InboxMessage, new_id
from bot.store.store import Conversations


class FormRequests:
    """Asks for what somebody chose in a form, by the gate of every other request."""

    def __init__(self, tool_calls: ToolCalls, intents: Intents, replies: Replies, conversations: Conversations) -> None:
        self._tool_calls = tool_calls
        self._intents = intents
        self._replies = replies
        self._conversations = conversations

    async def ask(
        self,
        message: InboxMessage,
        form: Form,
        conversation: Conversation,
        requester: Person,
        show: Callable[[str], None],
    ) -> Said:
        """Make the call, once, and return its outcome in words."""
        calls = conversation.unanswered
        if not calls and not _results(conversation):
            requested = RequestedCall(new_id()[:9], form.tool, form.arguments)
            function = {"name": requested.name, "arguments": requested.arguments}
            turn = {"id": requested.id, "type": "function", "function": function}
            calls = await self._conversations.add_turn(
                message.thread,
                {"role": "assistant", "content": None, "tool_calls": [turn]},
                self._tool_calls.rows(message, [requested]),
            )
            reach("turn written")
        if calls:

            async def intent() -> CustomerIntent | None:
                return await self._intents.stored(message.thread)

            said, pictures = conversation.said_by(message.user), conversation.pictures_of(message.user)
            run_context = ToolRunContext(requester, intent, said, pictures, note=form.note)
            await self._tool_calls.run(calls, run_context, show)
            conversation = await self._conversations.add_results(message.thread)
            reach("call written")
            if conversation.intent is None:
                await self._conversations.set_intent(message, _intent_of(message, form), [])
        words = _outcome(conversation)
        return {"role": "assistant", "content": words}, self._replies.plain(message, words)


def _results(conversation: Conversation) -> list[str]:
    """List the results of the calls since somebody wrote last."""
    results: list[str] = []
    for one in reversed(conversation.messages):
        if one["role"] == "user":
            break
        if one["role"] == "tool":
            results.append(one["content"])
    return results


def _intent_of(message: InboxMessage, form: Form) -> str:
    """Return what a thread is about that began with a form: nobody has to guess it."""
    summary, order_id = form.note or message.text, json.loads(form.arguments).get("order_id")
    return CustomerIntent(category="refund", urgency="low", order_id=order_id, summary=summary).model_dump_json()


def _outcome(conversation: Conversation) -> str:
    """Say the outcome of a request that was made by a form."""
    content = json.loads(_results(conversation)[0])
    if "error" in content:
        return f"I have not asked for it. {content['error']}"
    return f"I have asked for it. {content.get('message', '')}".strip()
