"""What somebody chose from a menu in a thread: it is their answer there, as if they had written it."""

from dataclasses import replace

from bot.blocks.choices import answered, call_of_menu, chosen
from bot.blocks.text import Mrkdwn
from bot.callbacks import WakeThread
from bot.desk.orders import Asker, DeskError, Orders
from bot.store.calls import CallStatus, ToolCall
from bot.store.records import new_id
from bot.store.store import Store
from bot.tools.ask_which import AskWhich

GONE = "This menu is not from me any more. Just write what you mean."
NOT_YOURS = "Somebody else was asked here. Write to me if there is something that I can do for you."
ANSWERED = "You have answered this already. Write to me if you mean something else."
WITH_PEOPLE = "A person of the team answers in this conversation. Just write what you mean."


class Choices:
    """Takes choices. Only that of who was asked counts, once, and only while they have not answered in words."""

    def __init__(self, *, orders: Orders, store: Store, wake: WakeThread) -> None:
        self._orders = orders
        self._store = store
        self._wake = wake

    async def choose(self, asker: Asker, block_id: str, words: str) -> Mrkdwn:
        """Take the choice as its thread's answer, and return what the menu says from then on. Raises DeskError."""
        await self._orders.person(asker)
        call = await self._asked(block_id, asker)
        shown = await self._store.outbox.about(call.thread, f'"{block_id}"')  # none when they see it alone
        redrawn = [
            replace(post, id=new_id(), replaces=post.id, blocks=answered(post.blocks, block_id, chosen(words)), ts=None)
            for post in shown
        ]
        if not await self._store.inbox.choose(call, words, redrawn):
            with_people = await self._store.conversations.is_with_people(call.thread, asker.user)
            raise DeskError(WITH_PEOPLE if with_people else ANSWERED)
        self._wake(call.thread, asker.user)
        return chosen(words)

    async def _asked(self, block_id: str, asker: Asker) -> ToolCall:
        """Find the call that the menu is of. Raises DeskError when it is none of this person's there."""
        call = await self._store.calls.get(call_of_menu(block_id))
        is_ours = call is not None and (call.thread.team, call.thread.channel) == (asker.team, asker.channel)
        if call is None or not is_ours or call.tool != AskWhich.name or call.status != CallStatus.SUCCEEDED:
            raise DeskError(GONE)
        if call.requester != asker.user:
            raise DeskError(NOT_YOURS)
        return call
