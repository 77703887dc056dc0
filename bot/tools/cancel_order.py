"""Cancel an order that has not left yet, once a person has approved it."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.blocks.orders import items_in_a_line
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.tools.arguments import OrderId, UsDollars
from bot.tools.tool import OUTDATED, Context, GatedTool, Preview, ToolError, ToolResult


class CancelOrder(GatedTool):
    """Ask to cancel a whole order that has not been shipped. It waits until a person approves it in Slack.

    What was paid goes back with it, so do not ask for a refund as well. Say that it was requested, never that it was
    done. For an order that has left, offer a refund after it arrives.
    """

    order_id: OrderId = Field(description="The order number as the customer wrote it, such as ORD-12345.")
    # What goes back is filled in by the preview, so that exactly what was shown is what is done.
    refund: SkipJsonSchema[UsDollars | None] = None
    currency: SkipJsonSchema[str | None] = None

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking whether {self.order_id} can be cancelled…"

    async def preview(self, context: Context) -> Preview:
        """Say what is cancelled and how much goes back to where."""
        order = await context.order(self.order_id)
        if not order.cancellable:
            raise ToolError(f"{order.id} is {order.status} and can't be cancelled any more.")
        left = order.refundable
        back = f"{left} goes back to {order.payee}" if left.minor else "nothing is left to give back"
        return Preview(
            call=self.model_copy(
                update={
                    "order_id": order.id,
                    "refund": left.major if left.minor else None,
                    "currency": left.currency,
                }
            ),
            subject=f"order:{order.id}",
            title=f"Cancel {order.id}",
            summary=f"Cancellation of {order.id}",
            button=f"Approve cancelling {order.id}",
            keep="Keep the order",
            confirm=f"{order.id} will not be sent, and {back}. This cannot be undone.",
            facts=(
                ("Order", f"{order.id}, {order.customer.name}"),
                ("Items", items_in_a_line(order)),
                ("Goes back", f"{left} of {order.total}"),
                ("To", order.payment_method),
            ),
        )

    async def run(self, context: Context) -> ToolResult:
        """Cancel once, however often it is called: the call's id is the idempotency key."""
        if self.currency is None:
            raise ToolError(OUTDATED)
        refund = Money.from_major(self.refund, self.currency) if self.refund else Money(0, self.currency)
        try:
            await context.shop.cancel(self.order_id, refund, key=context.idempotency_key)
        except ShopRefusedError as error:
            raise ToolError(str(error)) from error
        return self._cancelled(refund)

    async def outcome(self, context: Context) -> ToolResult | None:
        """Ask the shop for the cancellation that carries this call's key, whatever became of the order."""
        refund = await context.shop.cancelled_with(context.idempotency_key)
        return self._cancelled(refund) if refund is not None else None

    def _cancelled(self, refund: Money) -> ToolResult:
        back = f" and {refund} goes back" if refund.minor else ""
        return ToolResult(
            content={"order_id": self.order_id, "cancelled": True, "refunded": str(refund)},
            summary=f"{self.order_id} is cancelled{back}",
        )
