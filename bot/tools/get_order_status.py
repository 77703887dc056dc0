"""Look up an order: where it is, what is in it, when it comes."""

from pydantic import Field

from bot.blocks.orders import STATUS_WORDS, order_card, private_order_card, public_order_card
from bot.shop.orders import Order, OrderItem, Parcel
from bot.tools.arguments import OrderId
from bot.tools.tool import Context, Tool, ToolResult

SHOWN_ALONE = (
    "Everybody reads this channel, so items, amounts, payment and address were shown to who asks alone, and not to you."
    " Say nothing of them. Single lines of it can be refunded with the button Request a refund."
)
MAX_CHARACTERS = 200
MAX_ITEMS = 50
MAX_EVENTS = 20
MAX_PARCELS = 20


class GetOrderStatus(Tool):
    """Look up one order: how far it is, its lines by number, parcels, expected date, money and how it was paid.

    Call it whenever the customer asks about an order whose number you know. The customer sees the order as a card
    beside your answer, so say in a sentence or two what matters and do not list the details again.
    """

    public = True
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
        tracking, forms = self.include_tracking, context.forms
        if context.public:
            return ToolResult(
                content={**public_facts(order), "shown": SHOWN_ALONE},
                card=public_order_card(order, forms=forms),
                private_card=private_order_card(order, with_tracking=tracking, forms=forms),
            )
        described = _describe(order, with_tracking=tracking)
        if context.is_private and order.address:
            described["address"] = str(order.address)[:MAX_CHARACTERS]
        return ToolResult(content=described, card=order_card(order, with_tracking=tracking, forms=forms))


def public_facts(order: Order) -> dict[str, object]:
    """Return what everybody may know of an order."""
    return {
        "order_id": order.id,
        "status": order.status,
        "status_text": STATUS_WORDS[order.status],
        "placed": order.placed_at.date().isoformat(),
        "expected": order.expected_on.isoformat() if order.expected_on else None,
        "delivered": order.delivered_at.date().isoformat() if order.delivered_at else None,
    }


def _describe(order: Order, *, with_tracking: bool) -> dict[str, object]:
    described: dict[str, object] = {
        **public_facts(order),
        "items": [_line(number, item) for number, item in enumerate(order.items[:MAX_ITEMS], 1)],
        "total": str(order.total),
        "refunded": str(order.refunded),
        "refundable": str(order.refundable),
        "paid_with": order.payee,
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
    }
    if (left_out := len(order.items) - MAX_ITEMS) > 0:
        described["items_left_out"] = left_out
    if order.parcels:
        described["parcels"] = [_parcel(parcel) for parcel in order.parcels[:MAX_PARCELS]]
    if with_tracking:
        described["tracking"] = [
            {"at": event.at.isoformat(), "place": event.place[:MAX_CHARACTERS], "text": event.text[:MAX_CHARACTERS]}
            for event in order.tracking[-MAX_EVENTS:]
        ]
    if with_tracking and (earlier := len(order.tracking) - MAX_EVENTS) > 0:
        described["earlier_events_left_out"] = earlier
    return described


def _line(number: int, item: OrderItem) -> dict[str, object]:
    """Describe a line by its number, which is how it is named from then on."""
    line: dict[str, object] = {
        "line": number,
        "name": item.name[:MAX_CHARACTERS],
        "quantity": item.quantity,
        "price": str(item.price),
    }
    if item.options:
        line["options"] = item.options[:MAX_CHARACTERS]
    if item.returning:
        line["sent_back"] = f"{item.returning}, {'arrived' if item.received else 'not arrived yet'}"
    return line


def _parcel(parcel: Parcel) -> dict[str, object]:
    return {
        "carrier": parcel.carrier[:MAX_CHARACTERS],
        "tracking_number": parcel.tracking_number[:MAX_CHARACTERS],
        "status": parcel.status[:MAX_CHARACTERS],
        "lines": list(parcel.lines[:MAX_ITEMS]),
    }
