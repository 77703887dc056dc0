"""Refund an order, once a person has approved it."""

from pydantic import Field

from bot.shop.changes import Change, Refund, RefundReason
from bot.shop.money import Money
from bot.tools.arguments import Lines, OrderId, UsDollars
from bot.tools.tool import Context, GatedTool


class InitiateRefund(GatedTool):
    """Ask for a refund of all or part of an order that has arrived, or is overdue. A person approves it."""

    makes = Refund
    order_id: OrderId
    reason: RefundReason = Field(description="Why, in the nearest of these words.")
    amount: UsDollars | None = Field(
        description="In US dollars, such as 42.00, only when the customer names a sum; else null."
    )
    lines: Lines | None = Field(
        description="Numbers of its lines in get_order_status, all in one call; null for the whole order."
    )

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what can be refunded for {self.order_id}…"

    async def change(self, context: Context) -> Change:
        """Give back the amount, what the lines cost, or all that is left."""
        order = await context.order(self.order_id)
        amount = None if self.amount is None else Money.from_major(self.amount)
        return Refund(order.id, self.reason, amount, self.lines or ())
