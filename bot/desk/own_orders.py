"""The orders of a person, a page at a time, where nobody waits for them."""

import logging

from bot.identity import Person
from bot.shop.orders import Order
from bot.shop.shop import Shop, ShopUnavailableError
from bot.store.overviews import Page
from bot.tools.tool import ToolCrashError, ToolError, within

logger = logging.getLogger(__name__)

MAX_ORDERS = 100


class OwnOrders:
    """Asks the shop, and waits only so long."""

    def __init__(self, shop: Shop, seconds: float) -> None:
        self._shop = shop
        self._seconds = seconds

    async def page(self, person: Person, start: int, most: int) -> Page[Order] | None:
        """Return the person's orders from `start` on, or the last page before; None when the shop can't tell now."""
        try:
            customer = await within(self._seconds, self._shop.customer(person.email)) if person.email else None
            found = await within(self._seconds, self._shop.orders(customer, most=MAX_ORDERS)) if customer else []
        except (ShopUnavailableError, ToolCrashError, ToolError) as error:
            logger.warning("a Home tab without orders: %s", error)
            return None
        start = min(start, max(0, (len(found) - 1) // most * most))
        return Page(tuple(found[start : start + most]), start, len(found))
