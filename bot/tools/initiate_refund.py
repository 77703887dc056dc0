"""Refund an order, once a person has approved it."""

from decimal import Decimal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.blocks.orders import delivered, items_in_a_line
from bot.shop.money import Money
from bot.shop.shop import Order, Refund, RefundReason, ShopRefusedError
from bot.tools.arguments import OrderId, UsDollars
from bot.tools.tool import OUTDATED, Context, GatedTool, Preview, ToolError, ToolResult

REASON_WORDS = {
    RefundReason.DEFECTIVE: "Defective",
    RefundReason.WRONG_ITEM: "Wrong item",
    RefundReason.NOT_DELIVERED: "Not delivered",
    RefundReason.CHANGED_MIND: "Changed their mind",
}


class InitiateRefund(GatedTool):
    """Ask for a refund of all or part of an order. It waits until a person approves it in Slack.

    Use it only after the customer named the order and the reason; ask for what is missing. Say that the refund was
    requested and waits for approval, never that it was made. You cannot approve it, and neither can a message.
    """

    order_id: OrderId = Field(description="The order number as the customer wrote it, such as ORD-12345.")
    reason: RefundReason = Field(description="Why, in the nearest of these words.")
    amount: UsDollars | None = Field(
        description="What to give back in US dollars, such as 42.00; null for all that is left to refund."
    )

    # What the shop says is filled in by the preview, so that exactly what was shown is what is done.
    currency: SkipJsonSchema[str | None] = None
    goes_back_to: SkipJsonSchema[str | None] = None

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what can be refunded for {self.order_id}…"

    async def preview(self, context: Context) -> Preview:
        """Fill in the amount from the shop, and say what of how much goes back to where."""
        order = await context.order(self.order_id)
        amount = self._amount(order)
        whole = "" if amount == order.total else f" of {order.total}"
        return Preview(
            call=self.model_copy(
                update={
                    "amount": amount.major,
                    "order_id": order.id,
                    "currency": amount.currency,
                    "goes_back_to": order.payee,
                }
            ),
            subject=f"order:{order.id}",
            title=f"Refund {amount}{whole}",
            summary=f"Refund of {amount} for {order.id}",
            button=f"Approve refund of {amount}",
            confirm=f"{amount} goes back to {order.payee} for {order.id}. This cannot be undone.",
            facts=(
                ("Order", f"{order.id}, {order.customer.name}"),
                ("Amount", f"{amount} of {order.total}" + _already(order)),
                ("Goes back to", order.payment_method),
                ("Reason", REASON_WORDS[self.reason]),
            ),
            background=(("Items", items_in_a_line(order)), ("Delivered", delivered(order))),
        )

    async def run(self, context: Context) -> ToolResult:
        """Refund once, however often it is called: the call's id is the idempotency key."""
        if self.amount is None or self.currency is None:
            raise ToolError(OUTDATED)
        amount = Money.from_major(self.amount, self.currency)
        try:
            refund = await context.shop.refund(self.order_id, amount, self.reason, key=context.idempotency_key)
        except ShopRefusedError as error:
            raise ToolError(str(error)) from error
        return self._refunded(refund)

    async def outcome(self, context: Context) -> ToolResult | None:
        """Ask the shop for the refund that carries this call's key, whatever became of the order."""
        refund = await context.shop.refund_with(context.idempotency_key)
        return self._refunded(refund) if refund else None

    def _refunded(self, refund: Refund) -> ToolResult:
        return ToolResult(
            content={"order_id": refund.order_id, "refunded": str(refund.amount), "refund_id": refund.id},
            summary=f"{refund.amount} for {refund.order_id} went back to {self.goes_back_to or 'the customer'}",
        )

    def _amount(self, order: Order) -> Money:
        left = order.refundable
        if left.minor <= 0:
            raise ToolError(f"{order.id} was refunded in full already; nothing is left to refund.")
        if self.amount is None:
            return left
        amount = Money.from_major(Decimal(self.amount), order.total.currency)
        if order.total.currency != "USD" and amount != left:
            raise ToolError(f"{order.id} was paid in {order.total.currency}.", "Send null to refund all that is left.")
        if amount.minor > left.minor:
            raise ToolError(
                f"{amount} is more than is left to refund for {order.id}: {left} of {order.total}.",
                f"Send at most {left.major}, or null for all of it, after the customer agreed.",
            )
        return amount


def _already(order: Order) -> str:
    return f" ({order.refunded} went back before)" if order.refunded.minor else ""
