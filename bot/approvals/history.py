"""What went back to a customer before, for the one who decides about more."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from bot import clock
from bot.shop.money import Money
from bot.shop.orders import Customer
from bot.shop.shop import Shop, ShopUnavailableError, TellsRefunds
from bot.store.store import Overview
from bot.tools.tool import ToolCrashError, ToolError, within

logger = logging.getLogger(__name__)

REFUND_DAYS = 90


class RefundHistory:
    """Tells how often money went back, and how much: by the shop where it knows, else by what was done here."""

    def __init__(self, overview: Overview, shop: Shop, seconds: float) -> None:
        self._overview = overview
        self._shop = shop
        self._seconds = seconds

    async def of(self, customer: Customer) -> str:
        """Say it in a few words."""
        since = clock.now() - timedelta(days=REFUND_DAYS)
        try:
            if isinstance(self._shop, TellsRefunds):
                return _words(_added(await within(self._seconds, self._shop.refunds_of(customer, since=since))))
        except (ShopUnavailableError, ToolCrashError, ToolError) as error:
            logger.warning("the shop does not tell what went back before: %s", error)
        return f"{_words(await self._overview.refunds_of(customer.id, since))}, as far as I know"


def _added(refunds: list[Money]) -> Mapping[str, tuple[int, int]]:
    """Count refunds and add them up, by currency."""
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in refunds:
        count, minor = sums[one.currency]
        sums[one.currency] = (count + 1, minor + one.minor)
    return sums


def _words(sums: Mapping[str, tuple[int, int]]) -> str:
    count = sum(number for number, _ in sums.values())
    if not count:
        return f"No refund in the last {REFUND_DAYS} days"
    amounts = " and ".join(str(Money(minor, currency)) for currency, (_, minor) in sorted(sums.items()))
    return f"{count} in the last {REFUND_DAYS} days, {amounts}"
