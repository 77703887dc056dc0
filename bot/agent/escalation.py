"""How a thread is escalated: what is written in the escalation channel when a thread needs one."""

from bot.agent.instructions import without_instructions
from bot.blocks.cards import escalation_card
from bot.blocks.text import escape
from bot.intent import CustomerIntent
from bot.settings import Settings
from bot.store.records import Post, ThreadId, new_id


class Escalation:
    """Writes to the escalation channel, if there is one: where the thread is, who asks, and what they want."""

    def __init__(self, settings: Settings, workspace_url: str) -> None:
        self._channel = settings.escalation_channel
        self._url = workspace_url

    def post(self, thread: ThreadId, user: str, summary: str, intent: CustomerIntent | None) -> Post | None:
        """Tell people that a thread is theirs now; None when there is nowhere to tell."""
        return self._post(thread, "A customer needs a person", user, summary, intent)

    def urgent(self, thread: ThreadId, user: str, intent: CustomerIntent) -> Post | None:
        """Tell people that something urgent came in, which the bot is answering."""
        return self._post(thread, "Urgent message", user, intent.summary, intent)

    def _post(
        self, thread: ThreadId, title: str, user: str, summary: str, intent: CustomerIntent | None
    ) -> Post | None:
        if self._channel is None:
            return None
        address = f"{self._url}archives/{thread.channel}/p{thread.ts.replace('.', '')}"
        shown = escalation_card(title, address, user, without_instructions(summary), intent)
        return Post(new_id(), thread.team, self._channel, None, escape(title), shown)
