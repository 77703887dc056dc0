"""Exchange lines of an order that has arrived for other variants, once the customer has confirmed it."""

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import OrderId, PayWith, Swaps
from bot.tools.tool import Context, GatedTool


class ExchangeItems(GatedTool):
    """Ask to exchange lines of a delivered order for other variants of the same products.

    The customer has chosen each variant, from find_products, and what a difference is paid with or comes back to.
    """

    makes = changes.ExchangeItems
    order_id: OrderId
    swaps: Swaps = Field(description="Line numbers of get_order_status, each with its new variant's id.")
    pay_with: PayWith

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what of {self.order_id} can be exchanged…"

    async def change(self, context: Context) -> changes.Change:
        """Swap the lines."""
        order = await context.order(self.order_id)
        swaps = tuple(changes.Swap(one.line, one.variant) for one in self.swaps)
        return changes.ExchangeItems(order.id, swaps, self.pay_with)
