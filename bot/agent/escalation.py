"""How a thread is escalated: what the team reads of it, and how what they answer gets to the customer."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agent.bounds import Bounds
from bot.agent.instructions import without_instructions
from bot.blocks.cards import MAX_PICTURES, escalation_card, relayed
from bot.blocks.messages import picture, section
from bot.blocks.people import give_back
from bot.blocks.text import Mrkdwn, escape, mention
from bot.intent import CustomerIntent
from bot.settings import Settings
from bot.store.records import QUOTED, ChatMessage, InboxMessage, Post, ThreadId, new_id

MAX_MESSAGES = 10


class Escalation:
    """Writes to the escalation channel, if there is one: where the thread is, who asks, and what they want.

    There is no post where there is nowhere to tell, or when people were called for this person too often.
    """

    def __init__(self, settings: Settings, workspace_url: str, bounds: Bounds) -> None:
        self._channel = settings.escalation_channel
        self._url = workspace_url
        self._bounds = bounds

    async def post(
        self,
        thread: ThreadId,
        user: str,
        summary: str,
        intent: CustomerIntent | None,
        *,
        key: str,
        conversation: Sequence[ChatMessage] = (),
    ) -> Post | None:
        """Tell people that a thread is theirs now; `key` makes it count once, however often it is tried.

        They read the end of a conversation that the customer agreed to pass on.
        """
        told = (summary, intent)
        title = "A customer needs a person"
        post = await self._post(thread, title, user, told, key=key, conversation=conversation)
        return replace(post, blocks=(*post.blocks, give_back(thread.key))) if post else None

    async def urgent(self, message: InboxMessage, intent: CustomerIntent) -> Post | None:
        """Tell people that something urgent came in, which the bot is answering."""
        told = (intent.summary, intent)
        return await self._post(message.thread, "Urgent message", message.user, told, key=message.key)

    async def _post(
        self,
        thread: ThreadId,
        title: str,
        user: str,
        told: tuple[str, CustomerIntent | None],
        *,
        key: str,
        conversation: Sequence[ChatMessage] = (),
    ) -> Post | None:
        summary, intent = told
        if self._channel is None or await self._bounds.escalate(user, key):
            return None
        link = f"{self._url}archives/{thread.channel}/p{thread.ts.replace('.', '')}"
        address = None if thread.channel.startswith("D") else link
        shown = escalation_card(
            title, address, user, without_instructions(summary), intent, conversation=_said(conversation)
        )
        return Post(new_id(), thread.team, self._channel, None, escape(title), shown, relays=thread)


def passed_on(thread: ThreadId, message: InboxMessage) -> Post:
    """Say in one thread what a person wrote in another: the team's answer to a customer, or the customer's to that.

    Pictures are shown; of another file the reader learns that there is one.
    """
    pictures = [file for file in message.files if file.is_picture][:MAX_PICTURES]
    shown_below = tuple(f"(file {file.id})" for file in pictures)
    lines = message.text.replace(QUOTED, "\n").splitlines()
    words = relayed(message.user, "\n".join(line for line in lines if not line.endswith(shown_below)))
    shown = (section(words), *(picture(file.id, file.name) for file in pictures))
    return Post(new_id(), thread.team, thread.channel, thread.ts or None, words, shown)


def unreached(thread: ThreadId, user: str) -> Post:
    """Say to a customer that people could not be told after all, so that nobody waits for them."""
    words = Mrkdwn(
        f"{mention(user)} I could not tell the support team after all, so nobody there knows of this yet. "
        "I answer here again. Please ask me once more for a person in a while, or write to them yourself."
    )
    return Post(new_id(), thread.team, thread.channel, thread.ts, words, (section(words),))


def _said(conversation: Sequence[ChatMessage]) -> list[tuple[str, str]]:
    """Return who said what, as it was posted: of the model without instructions; nobody's name is the bot's."""
    said = [
        (message.get("name", ""), str(message["content"]).partition(QUOTED)[0])
        if message["role"] == "user"
        else ("", without_instructions(str(message["content"])))
        for message in conversation
        if message["role"] in ("user", "assistant") and message.get("content")
    ]
    return said[-MAX_MESSAGES:]
