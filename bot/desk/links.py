"""Links to orders: which order one means, what everybody reads below it, and what who opens it sees alone."""

import logging
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from bot.blocks.entities import Entity, order_details, order_entity
from bot.desk.orders import Asker, DeskError, NotFoundError, Orders
from bot.identity import Identity, IdentityError
from bot.settings import ORDER_PLACE

logger = logging.getLogger(__name__)

MAX_LINKS = 5
NOT_YOURS = "Only its customer and the support team can see the details of an order."


class OrderLinks:
    """Knows the shop's address of an order by its pattern; without one, no link is of an order."""

    def __init__(self, *, orders: Orders, identity: Identity, pattern: str | None) -> None:
        self._orders = orders
        self._identity = identity
        self._pattern = pattern or ""
        before, _, after = self._pattern.partition(ORDER_PLACE)
        self._address = re.compile(rf"(?i:{re.escape(before)})([^/?#&\s]{{1,300}}){re.escape(after)}(?:[/?#&].*)?")

    async def unfurl(self, asker: Asker, urls: Sequence[str], *, shared: bool) -> list[Entity]:
        """Show what everybody may read of the orders that are linked to, where who shared a link may see the order.

        Somebody else's order looks like no order, so its link stays as it is. What is `shared` with people of other
        companies is shown where all of them are trusted.
        """
        if not self._pattern or (shared and not await self._is_trusted(asker.channel)):
            return []
        found: list[Entity] = []
        for url in list(dict.fromkeys(urls))[:MAX_LINKS]:
            if number := self._number(url):
                try:
                    order, _ = await self._orders.find(asker, number)
                except DeskError as error:
                    logger.info("a link of %s stays as it is: %s", asker.user, error)
                else:
                    found.append(order_entity(order, self._url(order.id), shared_as=url))
        return found

    async def details(self, asker: Asker, url: str) -> Entity:
        """Show all of the order to who may see it. Raises DeskError with the same words for one that is not there."""
        number = self._number(url)
        if number is None:
            raise DeskError(NOT_YOURS)
        try:
            order, _ = await self._orders.find(asker, number)
        except NotFoundError as error:
            raise DeskError(NOT_YOURS) from error
        return order_details(order, self._url(order.id))

    def _number(self, url: str) -> str | None:
        found = self._address.fullmatch(url) if self._pattern else None
        return unquote(found[1]) if found else None

    def _url(self, number: str) -> str:
        return self._pattern.replace(ORDER_PLACE, quote(number, safe=""))

    async def _is_trusted(self, channel: str) -> bool:
        try:
            return await self._identity.shares_only_with_trusted(channel)
        except IdentityError as error:
            logger.warning("a link is not shown: %s", error)
            return False
