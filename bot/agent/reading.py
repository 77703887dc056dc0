"""What the model is to read: the message, further lines of the same person, what stands above, and pictures."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.agent.asking import close_menus
from bot.callbacks import DescribeFiles, FetchFile, ReadAbove
from bot.model.pictures import MAX_BYTES, Pictures
from bot.settings import Settings
from bot.store.calls import Conversation
from bot.store.records import InboxMessage
from bot.store.store import Store

MAX_TIMES_FOR_LINES = 3


@dataclass(frozen=True, slots=True)
class SlackSources:
    """What is read in Slack only when somebody asks."""

    above: ReadAbove
    describe: DescribeFiles
    fetch: FetchFile


class Reading:
    """Brings together what belongs to a message before the model is asked, and what came while it was asked."""

    def __init__(self, store: Store, slack: SlackSources, pictures: Pictures, settings: Settings) -> None:
        self._store = store
        self._slack = slack
        self._pictures = pictures
        self._settings = settings

    async def begin(self, message: InboxMessage) -> Conversation:
        """Read the conversation with the message, and what others said above one that calls us into a thread."""
        if any(file.unfinished for file in message.files):
            sent, message = message, await self._slack.describe(message)
            if message != sent:
                await self._store.inbox.describe(message, instead_of=sent.text)
        above = ""
        if message.called_in:
            since, known = await self._store.inbox.read_by_model(message.thread)
            above = await self._slack.above(message.shown_in, message.ts, since, known)
        conversation = await self._store.conversations.begin(message, above)
        await close_menus(self._store, message.thread, message.user, conversation.messages)
        return conversation

    async def wait_for_lines(self, message: InboxMessage) -> None:
        """Give a person who writes line by line the time for the next one; what came by then is one question."""
        if may_be_one_of_several(message):
            since = (datetime.now(UTC) - message.received_at).total_seconds()
            await asyncio.sleep(max(0.0, self._settings.lines_seconds - since))

    async def lines_since(self, message: InboxMessage, asked: Conversation) -> Conversation | None:
        """Return the conversation with what the person wrote while the model was asked, for which it is asked again.

        None when nothing came, or when the lines do not end.
        """
        if message.form is not None or asked.spent.steps >= MAX_TIMES_FOR_LINES:
            return None
        conversation = await self._store.conversations.begin(message)
        return conversation if conversation.messages != asked.messages else None

    async def look(self, conversation: Conversation) -> None:
        """Fetch the latest pictures of the thread for a model that sees."""
        if self._settings.model_sees_pictures:
            for file in self._pictures.missing([file for _, file in conversation.files]):
                if (content := await self._slack.fetch(file, MAX_BYTES)) is not None:
                    self._pictures.keep(file, content)


def may_be_one_of_several(message: InboxMessage) -> bool:
    """Return whether the next line would come to us by itself: in a direct message, or in a thread that is ours."""
    in_thread = message.ts != message.thread.ts
    return (in_thread or message.thread.channel.startswith("D")) and message.form is None
