"""How a thread is escalated: what is written in the escalation channel when a thread needs one."""

from dataclasses import replace

from bot.agent.bounds import Bounds
from bot.agent.instructions import without_instructions
from bot.blocks.cards import escalation_card
from bot.blocks.people import give_back
from bot.blocks.text import escape
from bot.intent import CustomerIntent
from bot.settings import Settings
from bot.store.records import InboxMessage, Post, ThreadId, new_id


class Escalation:
    """Writes to the escalation channel, if there is one: where the thread is, who asks, and what they want.

    There is no post where there is nowhere to tell, or when people were called for this person too often.
    """

    def __init__(self, settings: Settings, workspace_url: str, bounds: Bounds) -> None:
        self._channel = settings.escalation_channel
        self._url = workspace_url
        self._bounds = bounds

    async def post(
        self, thread: ThreadId, user: str, summary: str, intent: CustomerIntent | None, *, key: str
    ) -> Post | None:
        """Tell people that a thread is theirs now; `key` makes it count once, however often it is tried."""
        post = await self._post(thread, "A customer needs a person", user, (summary, intent), key=key)
        return replace(post, blocks=(*post.blocks, give_back(thread.key))) if post else None

    async def urgent(self, message: InboxMessage, intent: CustomerIntent) -> Post | None:
        """Tell people that something urgent came in, which the bot is answering."""
        told = (intent.summary, intent)
        return await self._post(message.thread, "Urgent message", message.user, told, key=message.key)

    async def _post(
        self, thread: ThreadId, title: str, user: str, told: tuple[str, CustomerIntent | None], *, key: str
    ) -> Post | None:
        summary, intent = told
        if self._channel is None or await self._bounds.escalate(user, key):
            return None
        address = f"{self._url}archives/{thread.channel}/p{thread.ts.replace('.', '')}"
        shown = escalation_card(title, address, user, without_instructions(summary), intent)
        return Post(new_id(), thread.team, self._channel, None, escape(title), shown)
