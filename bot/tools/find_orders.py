"""List a customer's orders, for when nobody knows the number."""

from pydantic import Field

from bot.blocks.orders import STATUS_WORDS
from bot.identity import plain_address
from bot.shop.shop import Customer
from bot.tools.arguments import EmailAddress
from bot.tools.tool import Context, Tool, ToolError, ToolResult

MAX_ORDERS = 10


class FindOrders(Tool):
    """List the latest orders of the person who asks, when they do not know the order number or ask for all of them.

    Name the orders that fit in your answer, with their status. To show one in full, call get_order_status.
    """

    email: EmailAddress | None = Field(
        description="Always null, except when a member of the support team asks for a customer by e-mail address."
    )

    def progress(self) -> str:
        """Say that orders are being looked for."""
        return "is looking for orders…"

    async def run(self, context: Context) -> ToolResult:
        """Find the customer, which is oneself for all but staff, and list what they bought."""
        customer = await self._customer(context)
        orders = await context.shop.orders(customer, most=MAX_ORDERS) if customer else []
        return ToolResult(
            content={
                "orders": [
                    {
                        "order_id": order.id,
                        "status": order.status,
                        "status_text": STATUS_WORDS[order.status],
                        "placed": order.placed_at.date().isoformat(),
                        "items": [item.name[:100] for item in order.items[:5]],
                        "total": str(order.total),
                    }
                    for order in orders
                ]
            }
        )

    async def _customer(self, context: Context) -> Customer | None:
        mine = context.requester.email
        wanted = plain_address(self.email or "") or mine
        if wanted and wanted != mine and not context.has_named(wanted):
            raise ToolError(
                "Only one's own orders can be listed.",
                "Send null for the e-mail address, or that which a member of the support team wrote themselves.",
            )
        return await context.shop.customer(wanted) if wanted else None
