"""Cancel an order that has not left yet, once a person has approved it."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.shop.money import Money
from bot.shop.shop import OrderStatus, ShopRefusedError
from bot.tools.arguments import OrderId, UsDollars
from bot.tools.tool import Context, GatedTool, Output, Preview, ToolError


class CancelOrder(GatedTool):
    """Ask to cancel a whole order that has not been shipped. It waits until a person approves it in Slack.

    What was paid goes back with it, so do not ask for a refund as well. Say that it was requested, never that it was
    done. For an order that has left, offer a refund after it arrives.
    """

    order_id: OrderId = Field(description="The order number as the customer wrote it, such as ORD-12345.")
    # What goes back is filled in by the preview, so that exactly what was shown is what is done.
    refund: SkipJsonSchema[UsDollars | None] = None

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking whether {self.order_id} can be cancelled…"

    async def preview(self, context: Context) -> Preview:
        """Say what is cancelled and how much goes back to where."""
        order = await context.order(self.order_id)
        if not order.cancellable:
            raise ToolError(f"{order.id} is {order.status} and can't be cancelled any more.")
        left = order.refundable
        back = f"{left} goes back to {order.payment_method}" if left.minor else "nothing is left to give back"
        return Preview(
            call=self.model_copy(update={"order_id": order.id, "refund": left.major if left.minor else None}),
            subject=f"order:{order.id}",
            title=f"Cancel {order.id}",
            summary=f"Cancellation of {order.id}",
            button=f"Approve cancelling {order.id}",
            confirm=f"{order.id} will not be sent, and {back}. This cannot be undone.",
            facts=(
                ("Order", f"{order.id}, {order.customer.name}"),
                ("Items", ", ".join(f"{item.quantity} x {item.name[:60]}" for item in order.items[:5])),
                ("Goes back", f"{left} of {order.total}"),
                ("To", order.payment_method),
            ),
        )

    async def run(self, context: Context) -> Output:
        """Cancel once, however often it is called: the call's id is the idempotency key."""
        order = await context.shop.order(self.order_id)
        currency = order.total.currency if order else "USD"
        refund = Money.from_major(self.refund, currency) if self.refund else Money(0, currency)
        try:
            await context.shop.cancel(self.order_id, refund, key=context.idempotency_key)
        except ShopRefusedError as error:
            raise ToolError(str(error)) from error
        return self._cancelled(refund)

    async def outcome(self, context: Context) -> Output | None:
        """Ask for the money that went back with this call's key; without any, the order itself has to tell."""
        if self.refund:
            refund = await context.shop.refund_with(context.idempotency_key)
            return self._cancelled(refund.amount) if refund else None
        order = await context.shop.order(self.order_id)
        cancelled = order is not None and order.status == OrderStatus.CANCELLED
        return self._cancelled(Money(0)) if cancelled else None

    def _cancelled(self, refund: Money) -> Output:
        back = f" and {refund} goes back" if refund.minor else ""
        return Output(
            content={"order_id": self.order_id, "cancelled": True, "refunded": str(refund)},
            summary=f"{self.order_id} is cancelled{back}",
        )
