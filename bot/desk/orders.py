"""Orders for one who asks by a command or a button: found as the tools find them, and shown to them alone."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot import clock
from bot.approvals.presses import Presses
from bot.blocks.orders import (
    card_at,
    has_tracking,
    order_card,
    private_order_card,
    public_order_card,
    refreshed_card,
    shared_order_card,
    tracking_blocks,
)
from bot.blocks.text import Mrkdwn
from bot.identity import Identity, IdentityError, Person
from bot.settings import Settings
from bot.shop.orders import Order
from bot.shop.shop import ShopUnavailableError
from bot.store.calls import CallStatus, ToolCall
from bot.store.records import Block, Post, ThreadId, new_id, writable
from bot.store.store import Store
from bot.tools.find_orders import FindOrders
from bot.tools.get_order_status import GetOrderStatus, public_facts
from bot.tools.tool import Context, Tool, ToolCrashError, ToolError
from bot.tools.toolset import Toolset

T = TypeVar("T")
logger = logging.getLogger(__name__)

MAX_NUMBER_CHARACTERS = 100
UNKNOWN = "Slack did not tell me who you are, so I can't look anything up."
OTHER_TEAM = "I can only help people of this workspace."
SHOP_SILENT = "The shop can't be asked right now. Please try again in a minute."
BROKEN = "This did not work because of a fault on my side. Please try again."
TOO_OFTEN = "You have asked as often as I look things up for one person within an hour. Please try again later."
NO_NUMBER = "Which order? Write its number after the command, such as `/order 1001`, or `/orders` for all of yours."
NONE_FOUND = "There are no orders in your name."


class DeskError(Exception):
    """It is not done; the text is for the person who asked, and news to them unless they were told a moment ago."""

    is_news = True


class TooOftenError(DeskError):
    """The person has asked as often as they may."""

    def __init__(self, *, is_news: bool) -> None:
        super().__init__(TOO_OFTEN)
        self.is_news = is_news


class NotFoundError(DeskError):
    """There is nothing of the kind that the person may see."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who does something, where and with what, as Slack's envelope tells it: a command, a button, or a link."""

    user: str
    team: str
    channel: str = ""
    thread_ts: str = ""
    message_ts: str = ""
    using: str = ""

    @property
    def thread(self) -> ThreadId:
        """The thread in which it is done; of none it is the channel's."""
        return ThreadId(self.team, self.channel, self.thread_ts)


class Orders:
    """Looks orders up. Each method is asked for one person, may be asked too often, and raises DeskError."""

    def __init__(self, *, store: Store, toolset: Toolset, identity: Identity, settings: Settings) -> None:
        self._store = store
        self._toolset = toolset
        self._identity = identity
        self._settings = settings
        self._presses = Presses(store.usage, settings)

    async def one(self, asker: Asker, number: str) -> tuple[Block, ...]:
        """Show one order to its customer, or to staff."""
        if not number.strip():
            raise DeskError(NO_NUMBER)
        order, context = await self._order(asker, number)
        return private_order_card(order, with_tracking=True, forms=context.forms, shareable=False)

    async def all(self, asker: Asker) -> tuple[Block, ...]:
        """List the orders of who asks."""
        context = replace(await self.context(asker, ""), public=True)  # so that it gives what one person sees alone
        tool = FindOrders(email=None)
        look_up = self._look_up(asker, tool, tool.model_dump_json())
        result = await self._logged(look_up, tool.run(context), lambda found: (look_up.arguments_sent, found.content))
        if not result.private_card:
            raise DeskError(NONE_FOUND)
        return result.private_card

    async def tracking(self, asker: Asker, number: str) -> tuple[Block, ...]:
        """Show what the carrier has reported."""
        order, _ = await self._order(asker, number)
        return tracking_blocks(order)

    async def refresh(self, asker: Asker, number: str, block_id: str) -> None:
        """Draw the card in its message as the order is now."""
        order, context = await self._order(asker, number)
        post = await self._store.outbox.posted(asker.team, asker.channel, asker.message_ts)
        place = card_at(post.blocks, block_id) if post else None
        if post is None or place is None:
            raise DeskError("This card can't be drawn again. Ask me about the order once more.")
        if await self.is_public(asker.channel):
            card = public_order_card(order, forms=context.forms)
        else:
            card = order_card(order, with_tracking=has_tracking(post.blocks[place]), forms=context.forms)
        blocks = (*post.blocks[: place.start], *refreshed_card(card), *post.blocks[place.stop :])
        again = replace(post, id=new_id(), replaces=post.replaces or post.id, blocks=blocks, ts=None, attempts=0)
        await self._store.outbox.add(again, asker.thread)

    async def share(self, asker: Asker, number: str) -> None:
        """Post the order where it was asked about, for all to see, once for a card."""
        order, _ = await self._order(asker, number)
        once = hashlib.sha256(f"{asker.channel}/{asker.message_ts}/{asker.user}".encode()).hexdigest()[:24]
        thread_ts, text = asker.thread_ts or None, Mrkdwn("An order")
        card = shared_order_card(order, asker.user)
        await self._store.outbox.add(Post(once, asker.team, asker.channel, thread_ts, text, card), asker.thread)

    async def find(self, asker: Asker, number: str) -> tuple[Order, Context]:
        """Find an order and what may be asked of it."""
        return await self._order(asker, number)

    async def is_public(self, channel: str) -> bool:
        """Return whether no more may be said there than everybody may know."""
        try:
            return self._settings.private_answers and await self._identity.is_public(channel)
        except IdentityError as error:
            logger.warning("drawing a card as where everybody reads: %s", error)
            return True

    async def person(self, asker: Asker) -> Person:
        """Find out who asks, unless they ask too often."""
        if (reached := await self._presses.count(asker.user)) is not None:
            raise TooOftenError(is_news=reached.is_news)
        try:
            person = await self._identity.person(asker.user)
        except IdentityError as error:
            logger.warning("%s", error)
            raise DeskError(UNKNOWN) from error
        if person.team not in (asker.team, *self._settings.trusted_teams):
            raise DeskError(OTHER_TEAM)
        return person

    async def context(self, asker: Asker, said: str) -> Context:
        """Make for a person what a tool is run with; what they typed or pressed are their own words."""
        person = await self.person(asker)
        return self._toolset.context(new_id(), asker.thread, person, said)

    async def _order(self, asker: Asker, number: str) -> tuple[Order, Context]:
        context, number = await self.context(asker, number), number.strip()[:MAX_NUMBER_CHARACTERS]
        look_up = self._look_up(asker, GetOrderStatus, json.dumps({"order_id": number}))

        def found(order: Order) -> tuple[str, Mapping[str, Any]]:
            return json.dumps({"order_id": order.id}), public_facts(order)

        return await self._logged(look_up, context.order(number), found), context

    def _look_up(self, asker: Asker, tool: Tool | type[Tool], arguments: str) -> ToolCall:
        """Make the row of what a person looks up; done in no thread, it is in one of its own."""
        now = clock.now()
        thread = asker.thread if asker.thread_ts else replace(asker.thread, ts=f"{now.timestamp():.6f}")
        return ToolCall(
            id=new_id(),
            thread=thread,
            message_id=None,
            position=0,
            tool_call_id=asker.using,
            tool=tool.name,
            gated=False,
            arguments_sent=writable(arguments),
            status=CallStatus.RUNNING,
            requester=asker.user,
            created_at=now,
        )

    async def _logged(
        self, look_up: ToolCall, doing: Awaitable[T], found: Callable[[T], tuple[str, Mapping[str, Any]]]
    ) -> T:
        """Do it, and keep in the log how it ended, before anybody sees anything of it."""
        try:
            result = await self._within(doing)
        except DeskError as error:
            status = CallStatus.REJECTED if isinstance(error, NotFoundError) else CallStatus.FAILED
            await self._store.calls.log_look_up(
                replace(look_up, status=status, error=str(error), result=json.dumps({"error": str(error)}))
            )
            raise
        arguments, content = found(result)
        written = writable(json.dumps(content, ensure_ascii=False, default=str))
        done = replace(look_up, status=CallStatus.SUCCEEDED, arguments=writable(arguments), result=written)
        await self._store.calls.log_look_up(done)
        return result

    async def _within(self, doing: Awaitable[T]) -> T:
        try:
            return await self._toolset.within(doing)
        except ToolError as error:
            raise NotFoundError(error.content["error"]) from error
        except ShopUnavailableError as error:
            raise DeskError(SHOP_SILENT) from error
        except ToolCrashError as error:
            logger.exception("a look-up broke")
            raise DeskError(BROKEN) from error
