"""Send lines of an order back, once the customer has confirmed it."""

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import Lines, OrderId, PayWith
from bot.tools.tool import Context, GatedTool


class ReturnItems(GatedTool):
    """Ask to send lines of a delivered order back; the money follows when they have arrived.

    The customer has said which lines, why, and where the money goes: to how the order was paid or to their gift card.
    """

    makes = changes.ReturnItems
    order_id: OrderId
    lines: Lines = Field(description="Numbers of its lines in get_order_status, all in one call.")
    reason: changes.RefundReason = Field(description="Why, in the nearest of these words.")
    refund_to: PayWith

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what of {self.order_id} can be sent back…"

    async def change(self, context: Context) -> changes.Change:
        """Send the lines back."""
        order = await context.order(self.order_id)
        return changes.ReturnItems(order.id, self.lines, self.reason, self.refund_to)
