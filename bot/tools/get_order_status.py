"""Look up an order: where it is, what is in it, when it comes."""

from pydantic import Field

from bot.blocks.orders import STATUS_WORDS, order_card
from bot.shop.orders import Order
from bot.tools.arguments import OrderId
from bot.tools.tool import Context, Tool, ToolResult

MAX_CHARACTERS = 200
MAX_ITEMS = 50
MAX_EVENTS = 20


class GetOrderStatus(Tool):
    """Look up one order: how far it is, its items, carrier, expected date and money.

    Call it whenever the customer asks about an order whose number you know; for several orders, call it once for each
    in the same turn. The customer sees the order as a card beside your answer, so say in a sentence or two what
    matters and do not list the details again.
    """

    order_id: OrderId
    include_tracking: bool = Field(
        default=False,
        description="True when the customer asks where the parcel is or wants the carrier's tracking events.",
    )

    def progress(self) -> str:
        """Say which order is being looked up."""
        return f"is looking up {self.order_id}…"

    async def run(self, context: Context) -> ToolResult:
        """Find the order for the one who asks, and show it as a card."""
        order = await context.order(self.order_id)
        return ToolResult(
            content=_describe(order, with_tracking=self.include_tracking),
            card=order_card(order, with_tracking=self.include_tracking),
        )


def _describe(order: Order, *, with_tracking: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "order_id": order.id,
        "status": order.status,
        "status_text": STATUS_WORDS[order.status],
        "placed": order.placed_at.date().isoformat(),
        "expected": order.expected_on.isoformat() if order.expected_on else None,
        "delivered": order.delivered_at.date().isoformat() if order.delivered_at else None,
        "items": [
            {
                "name": item.name[:MAX_CHARACTERS],
                "quantity": item.quantity,
                "price": str(item.unit_price * item.quantity),
            }
            for item in order.items[:MAX_ITEMS]
        ],
        "total": str(order.total),
        "refunded": str(order.refunded),
        "refundable": str(order.refundable),
        "carrier": order.carrier,
    }
    if (left_out := len(order.items) - MAX_ITEMS) > 0:
        described["items_left_out"] = left_out
    if with_tracking:
        described["tracking"] = [
            {"at": event.at.isoformat(), "place": event.place[:MAX_CHARACTERS], "text": event.text[:MAX_CHARACTERS]}
            for event in order.tracking[-MAX_EVENTS:]
        ]
    if with_tracking and (earlier := len(order.tracking) - MAX_EVENTS) > 0:
        described["earlier_events_left_out"] = earlier
    return described
