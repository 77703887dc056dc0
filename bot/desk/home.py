"""The Home tab of each person, drawn when they open it, when they press something there, and when requests change."""

import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

from bot.approvals.cards import PAUSED
from bot.approvals.presses import Presses
from bot.blocks.cards import settled_card
from bot.blocks.home import (
    NONE,
    PAGE_SIZE,
    Part,
    Waiting,
    home_view,
    orders_part,
    queue_part,
    requests_part,
    threads_part,
    today_part,
)
from bot.blocks.text import Mrkdwn
from bot.desk.own_orders import OwnOrders
from bot.desk.prompts import Prompt, prompts_for
from bot.identity import Identity, IdentityError
from bot.settings import Settings
from bot.store.calls import ToolCall
from bot.store.errors import DatabaseError
from bot.store.overviews import Page
from bot.store.records import Block
from bot.store.store import Store

T = TypeVar("T")
logger = logging.getLogger(__name__)

MAX_VIEWERS = 25
VIEWED_SECONDS = 900.0
UNKNOWN = Mrkdwn("Slack did not tell me who you are, so I can't show anything. Please try again.")
UNREADABLE = Mrkdwn("I can't show anything because of a fault on my side. Please try again in a minute.")
OTHER_TEAM = Mrkdwn("I can only help people of this workspace.")
View = Mapping[str, Any]
Pages = dict[Part, int]


class Tabs(Protocol):
    """What shows Home tabs in a workspace, and where that is."""

    @property
    def url(self) -> str:
        """The address of the workspace."""

    @property
    def team(self) -> str:
        """The id of the workspace."""

    async def publish(self, user: str, view: View) -> None:
        """Show a person's Home tab. Returns when it was tried."""


class Home:
    """Draws Home tabs. Who looked at one a short while ago has it drawn again when requests have changed."""

    def __init__(
        self,
        *,
        store: Store,
        own_orders: OwnOrders,
        identity: Identity,
        tabs: Tabs,
        settings: Settings,
    ) -> None:
        self._store = store
        self._own_orders = own_orders
        self._identity = identity
        self._tabs = tabs
        self._url = tabs.url
        self._teams = (tabs.team, *settings.trusted_teams)
        self._presses = Presses(store.usage, settings)
        self._has_next_group = bool(settings.escalate_approvers)
        self._viewers: OrderedDict[str, tuple[float, Pages]] = OrderedDict()
        self._version = ""

    async def ask(self, user: str, pages: Pages | None = None) -> None:
        """Draw a person's Home tab because they want to see it, unless they ask too often."""
        if await self._has_room(user):
            await self.show(user, pages)

    async def prompts(self, user: str) -> list[Prompt] | None:
        """Suggest to a person what to ask; of their orders only when it is known who they are, None if too often."""
        if not await self._has_room(user):
            return None
        try:
            person = await self._identity.person(user)
        except IdentityError as error:
            logger.warning("%s", error)
            return prompts_for(())
        found = await self._own_orders.page(person, 0, PAGE_SIZE[Part.ORDERS]) if person.team in self._teams else None
        return prompts_for(found.items if found else ())

    async def _has_room(self, user: str) -> bool:
        try:
            return await self._presses.count(user) is None
        except DatabaseError as error:
            logger.warning("drawing a Home tab uncounted: %s", error)
            return True

    async def show(self, user: str, pages: Pages | None = None, notice: Mrkdwn = NONE) -> None:
        """Draw a person's Home tab, on the pages that they had unless others are given.

        While the database can't be read there is nothing on it but the notice, or words that say so.
        """
        _, kept = self._viewers.get(user, (0.0, Pages()))
        pages = kept if pages is None else pages
        self._viewers[user] = (monotonic(), pages)
        self._viewers.move_to_end(user)
        while len(self._viewers) > MAX_VIEWERS:
            self._viewers.popitem(last=False)
        try:
            view = await self._view(user, pages, notice)
        except DatabaseError as error:
            logger.warning("a Home tab without anything: %s", error)
            view = home_view([], "{}", notice or UNREADABLE)
        await self._tabs.publish(user, view)

    async def keep_current(self) -> None:
        """Draw again what people have before them, when requests or threads have changed since."""
        version = await self._store.overview.version()
        changed, self._version = version != self._version, version
        if changed:
            for user, (at, pages) in list(self._viewers.items()):
                if monotonic() - at > VIEWED_SECONDS:
                    del self._viewers[user]
                else:
                    await self._tabs.publish(user, await self._view(user, pages, NONE))

    async def _view(self, user: str, pages: Pages, notice: Mrkdwn) -> View:
        try:
            person = await self._identity.person(user)
            approves = await self._identity.may_approve(user)
            asked_next = (
                self._has_next_group and not approves and await self._identity.may_approve(user, next_group=True)
            )
        except IdentityError as error:
            logger.warning("%s", error)
            return home_view([], "{}", UNKNOWN)
        if person.team not in self._teams:
            return home_view([], "{}", OTHER_TEAM)
        overview, shown = self._store.overview, dict[str, str]()
        parts = []
        if approves or asked_next:
            waiting = partial(overview.waiting, escalated=asked_next)
            queue = await self._page(Part.QUEUE, pages, waiting)
            shown = {call.id: call.shown_as for call in queue.items}
            items = tuple([Waiting(call, await self._card(call)) for call in queue.items])
            parts.append(queue_part(Page(items, queue.start, queue.total), self._url))
        if approves or person.is_staff:
            parts.append(threads_part(await self._page(Part.THREADS, pages, overview.open_threads), self._url))
            parts.append(today_part(await overview.today()))
        own = await self._own_orders.page(person, pages.get(Part.ORDERS, 0), PAGE_SIZE[Part.ORDERS])
        if own is not None:
            pages[Part.ORDERS] = own.start
        parts.append(orders_part(own))

        async def requests(start: int, most: int) -> Page[ToolCall]:
            return await overview.requests_of(user, start, most)

        parts.append(requests_part(await self._page(Part.REQUESTS, pages, requests), self._url))
        private = {"pages": {part.value: start for part, start in pages.items()}, "shown": shown}
        return home_view(parts, json.dumps(private), notice)

    async def _page(self, part: Part, pages: Pages, read: Callable[[int, int], Awaitable[Page[T]]]) -> Page[T]:
        """Read a page; one that is empty by now is the last that is not."""
        size, start = PAGE_SIZE[part], pages.get(part, 0)
        page = await read(start, size)
        if not page.items and page.total:
            start = (page.total - 1) // size * size
            page = await read(start, size)
        pages[part] = page.start
        return page

    async def _card(self, call: ToolCall) -> tuple[Block, ...]:
        """Return the card with the buttons, as approvers were shown it last."""
        if call.shown_paused:
            return settled_card(call, PAUSED)
        cards = await self._store.open_requests.cards(call.id)
        return next((card.blocks for card in reversed(cards) if card.decidable), call.card)


def read_pages(private: str) -> Pages:
    """Read on which pages a Home tab was."""
    stored = json.loads(private or "{}").get("pages", {})
    return {Part(part): max(0, int(start)) for part, start in stored.items()}


def read_shown(private: str) -> Mapping[str, str]:
    """Read what a Home tab showed of each request."""
    shown: Mapping[str, str] = json.loads(private or "{}").get("shown", {})
    return shown
