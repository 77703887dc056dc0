"""Pay an order that has not left with something else, once the customer has confirmed it."""

from bot.shop import changes
from bot.tools.arguments import OrderId, PayWith
from bot.tools.tool import Context, GatedTool


class ChangePayment(GatedTool):
    """Ask to have an order that has not left paid with another of the customer's payment methods, which they named."""

    makes = changes.ChangePayment
    order_id: OrderId
    pay_with: PayWith

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking how {self.order_id} can be paid…"

    async def change(self, context: Context) -> changes.Change:
        """Pay it with something else."""
        return changes.ChangePayment((await context.order(self.order_id)).id, self.pay_with)
