"""What is posted in a thread at the end of a run."""

from collections.abc import Sequence
from dataclasses import replace

from bot.agent.asking import without_menus
from bot.agent.attachments import unread
from bot.agent.instructions import without_instructions
from bot.blocks.addresses import email_addresses
from bot.blocks.markdown import Markdown
from bot.blocks.messages import answer_messages, context, in_words
from bot.blocks.people import HANDED_OVER, feedback, talk_to_person
from bot.help import articles
from bot.identity import Person
from bot.model.pictures import Pictures
from bot.settings import Settings
from bot.store.calls import Conversation
from bot.store.records import Block, InboxMessage, Post, new_id
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

    def apology(self, message: InboxMessage, words: str) -> list[Post]:
        """Make the posts of words of ours after which somebody may want a person."""
        *before, last = self._posts(message, words)
        return [*before, replace(last, blocks=(*last.blocks, *self._offer(last)))]

    def part(self, text: str, conversation: Conversation, requester: Person) -> tuple[Block, ...]:
        """Show a part of the model's answer as it stands in the whole of it."""
        known = self._known_addresses(requester, conversation)
        return tuple(Markdown(text, self._settings.link_hosts, known).blocks())

    async def question(
        self, message: InboxMessage, text: str, conversation: Conversation, requester: Person
    ) -> list[Post]:
        """Make the posts of what the model asks with a menu, which is no answer to be rated."""
        known = self._known_addresses(requester, conversation)
        posts = self._posts(message, without_instructions(text), conversation.cards, known)
        posts = await self._closed(message, posts, rated=False)
        return [*posts, *_seen_alone(message, conversation.private_cards)]

    async def answer(
        self, message: InboxMessage, text: str, conversation: Conversation, requester: Person
    ) -> list[Post]:
        """Make the posts of the model's answer.

        Below it stands that people have the thread from now on, or else the question what the answer was worth, and a
        person is offered; what only the one who asked may see comes last.
        """
        words = filter(None, (without_instructions(text), unread(conversation.new_files, self._pictures)))
        known = self._known_addresses(requester, conversation)
        posts = self._posts(message, "\n\n".join(words), without_menus(conversation.cards), known)
        posts = await self._closed(message, posts, rated=True)
        return [*posts, *_seen_alone(message, without_menus(conversation.private_cards))]

    async def _closed(self, message: InboxMessage, posts: Sequence[Post], *, rated: bool) -> list[Post]:
        *before, last = posts
        if await self._conversations.is_with_people(message.thread, message.user):
            text = f"{last.text}\n{HANDED_OVER}".strip()
            return [*before, replace(last, text=text, blocks=(*last.blocks, context(HANDED_OVER)))]
        below = [feedback(last.id), *self._offer(last)] if rated else []
        return [*before, replace(last, blocks=(*last.blocks, *below))]

    def _offer(self, post: Post) -> list[Block]:
        """Offer a person, where there are some to call."""
        return [talk_to_person(post.id)] if self._settings.escalation_channel else []

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
        Post(new_id(), thread.team, thread.channel, thread.ts, in_words(card), tuple(card), ephemeral_for=message.user)
        for card in cards
    ]
