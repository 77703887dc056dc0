"""What is posted in a thread at the end of a run."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agent.attachments import unread
from bot.agent.instructions import without_instructions
from bot.blocks.messages import answer_messages, context
from bot.blocks.orders import ONLY_YOU
from bot.blocks.people import HANDED_OVER, feedback
from bot.blocks.text import email_addresses
from bot.help import articles
from bot.identity import Person
from bot.model.pictures import Pictures
from bot.settings import Settings
from bot.store.records import Block, Conversation, InboxMessage, Post, new_id
from bot.store.store import Conversations


class Replies:
    """Makes posts of words: plain ones of ours, and the model's with the cards of its run."""

    def __init__(self, conversations: Conversations, pictures: Pictures, settings: Settings) -> None:
        self._conversations = conversations
        self._pictures = pictures
        self._settings = settings

    def plain(self, message: InboxMessage, words: str) -> list[Post]:
        """Make the posts of words of ours."""
        return self._posts(message, words)

    async def answer(
        self, message: InboxMessage, text: str, conversation: Conversation, requester: Person
    ) -> list[Post]:
        """Make the posts of the model's answer.

        Below it stands that people have the thread from now on, or else the question what the answer was worth; what
        only the one who asked may see comes last.
        """
        words = filter(None, (without_instructions(text), unread(conversation.new_files, self._pictures)))
        known = self._known_addresses(requester, conversation)
        *before, last = self._posts(message, "\n\n".join(words), conversation.cards, known)
        if await self._conversations.is_with_people(message.thread, message.user):
            text = f"{last.text}\n{HANDED_OVER}".strip()
            last = replace(last, text=text, blocks=(*last.blocks, context(HANDED_OVER)))
        else:
            last = replace(last, blocks=(*last.blocks, feedback(last.id)))
        return [*before, last, *_seen_alone(message, conversation.private_cards)]

    def _known_addresses(self, requester: Person, conversation: Conversation) -> Sequence[str]:
        """Return the e-mail addresses that a model may name: the person's, those that they wrote, and the shop's."""
        folder = self._settings.help_folder
        known = email_addresses(conversation.said_by(requester.id)) + sorted(
            articles(folder).addresses if folder else ()
        )
        return [*known, requester.email] if requester.email else known

    def _posts(
        self,
        message: InboxMessage,
        text: str,
        cards: Sequence[Sequence[Block]] = (),
        known: Sequence[str] | None = None,
    ) -> list[Post]:
        thread = message.thread
        return [
            Post(new_id(), thread.team, thread.channel, thread.ts, fallback, blocks)
            for fallback, blocks in answer_messages(text, cards, self._settings.link_hosts, known)
        ]


def _seen_alone(message: InboxMessage, cards: Sequence[Sequence[Block]]) -> list[Post]:
    """Make what the one who asked sees below the answer, and nobody else."""
    thread = message.thread
    return [
        Post(new_id(), thread.team, thread.channel, thread.ts, ONLY_YOU, tuple(card), ephemeral_for=message.user)
        for card in cards
    ]
