"""List a customer's orders, for when nobody knows the number."""

from pydantic import Field

from bot.blocks.orders import STATUS_WORDS, orders_list
from bot.identity import plain_address
from bot.shop.orders import Customer, Order
from bot.tools.arguments import EmailAddress
from bot.tools.tool import Context, Tool, ToolError, ToolResult

SHOWN_ALONE = "Everybody reads this channel, so items and amounts were shown to who asks alone, and not to you."
MAX_ORDERS = 10
MAX_COUNTED = 100
MAX_ITEMS = 5


class FindOrders(Tool):
    """List the latest orders of the person who asks, when they ask for them.

    Name the orders that fit in your answer, with their status.
    """

    public = True
    email: EmailAddress | None = Field(
        description="Null, except when a member of the support team asks for a customer by e-mail address."
    )

    def progress(self) -> str:
        """Say that orders are being looked for."""
        return "is looking for orders…"

    async def run(self, context: Context) -> ToolResult:
        """Find the customer, which is oneself for all but staff, and list what they bought."""
        customer = await self._customer(context)
        found = await context.shop.orders(customer, most=MAX_COUNTED) if customer else []
        orders = found[:MAX_ORDERS]
        listed = _listed(len(orders), len(found)) if len(found) > len(orders) else ""
        content: dict[str, object] = {"orders": [_describe(order, public=context.public) for order in orders]}
        if listed:
            content["listed"] = listed
        if not context.public:
            return ToolResult(content)
        if not orders:
            return ToolResult(content)
        return ToolResult({**content, "shown": SHOWN_ALONE}, private_card=orders_list(orders, listed))

    async def _customer(self, context: Context) -> Customer | None:
        mine = context.requester.email
        wanted = plain_address(self.email or "") or mine
        if wanted and wanted != mine and not context.has_named(wanted):
            raise ToolError(
                "Only your own orders can be listed.",
                "Send null for the e-mail address, or that which a member of the support team wrote themselves.",
            )
        return await context.shop.customer(wanted) if wanted else None


def _describe(order: Order, *, public: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "order_id": order.id,
        "status": order.status,
        "status_text": STATUS_WORDS[order.status],
        "placed": order.placed_at.date().isoformat(),
    }
    return described if public else described | {"items": _items(order), "total": str(order.total)}


def _listed(shown: int, found: int) -> str:
    """Say how many are listed, of how many."""
    return f"{shown} of {found}{' or more' if found == MAX_COUNTED else ''}, the latest first"


def _items(order: Order) -> list[str]:
    """Name the first items of an order, and say how many more there are."""
    names = [item.name[:100] for item in order.items[:MAX_ITEMS]]
    more = len(order.items) - MAX_ITEMS
    return [*names, f"and {more} more"] if more > 0 else names
