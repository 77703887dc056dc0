"""What an exchange and a change of items have in common: lines, each with another variant of the same product."""

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import OrderId, PayWith, Swaps
from bot.tools.tool import Context, GatedTool


class SwapTool(GatedTool):
    """Ask for other variants of lines of an order; `makes` says in which way."""

    makes: ClassVar[type[changes.ExchangeItems] | type[changes.ChangeItems]]
    order_id: OrderId
    swaps: Swaps = Field(description="Line numbers of get_order_status, each with its new variant's id.")
    pay_with: PayWith

    @abstractmethod
    def progress(self) -> str:
        """Say which order is being checked."""

    async def change(self, context: Context) -> changes.Change:
        """Swap the lines."""
        order = await context.order(self.order_id)
        swaps = tuple(changes.Swap(one.line, one.variant) for one in self.swaps)
        return self.makes(order.id, swaps, self.pay_with)
