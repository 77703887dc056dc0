"""Ask the customer for an order, or a line of one, with a menu; their choice is their answer."""

from pydantic import Field

from bot.blocks.choices import MAX_OPTIONS, Option, menu
from bot.blocks.orders import STATUS_WORDS
from bot.blocks.text import day
from bot.shop.orders import Order, OrderItem
from bot.tools.arguments import OrderId, Words
from bot.tools.tool import Context, Tool, ToolError, ToolResult

ASKED = "asked"
MAX_VALUE_CHARACTERS = 100  # of an order's number: Slack takes 150 of what an option stands for


class AskWhich(Tool):
    """Ask which order, or which line of an order, is meant, by a menu. It ends your turn."""

    public = True
    question: Words = Field(description="In their language.")
    order_id: OrderId | None = Field(description="Null, or the order of whose lines.")

    def progress(self) -> str:
        """Say that orders are being looked for."""
        return f"is looking up {self.order_id}…" if self.order_id else "is looking for orders…"

    async def run(self, context: Context) -> ToolResult:
        """Show the person their orders, or an order's lines; where there is but one, there is nothing to ask."""
        if self.order_id is None:
            options, found, prompt = await _orders(context)
        else:
            order = await context.order(self.order_id)
            options, found, prompt = line_options(order), len(order.items), f"Choose a line of {order.id}"
        if not options:
            raise ToolError("There is nothing to choose from.", "Ask for the order number in words.")
        if found == 1:
            return ToolResult({"only": options[0].words, "hint": "There is no other; go on with it."})
        more = f"These are the first {len(options)}." if found > len(options) else ""
        shown = menu(context.call_id, context.requester.id, options, prompt, more)
        content = {ASKED: self.question}
        return ToolResult(content, private_card=shown) if context.public else ToolResult(content, card=shown)


async def _orders(context: Context) -> tuple[list[Option], int, str]:
    email = context.requester.email
    customer = await context.shop.customer(email) if email else None
    orders = await context.shop.orders(customer, most=MAX_OPTIONS + 1) if customer else []
    found = [order for order in orders if len(order.id) <= MAX_VALUE_CHARACTERS]
    return [order_option(order) for order in found[:MAX_OPTIONS]], len(found), "Choose an order"


def order_option(order: Order) -> Option:
    """Show an order among others: its number, what was bought, and how far it is."""
    names = [item.name for item in order.items]
    what = f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}" if names else "No items"
    when = order.delivered_at or order.placed_at
    about = f"{STATUS_WORDS[order.status]} · {'delivered' if order.delivered_at else 'placed'} {day(when.date())}"
    return Option(order.id, f"{order.id} · {what}", about)


def line_options(order: Order) -> list[Option]:
    """Show the lines of an order, by their numbers, with what they cost."""
    return [_line(order.id, number, item) for number, item in enumerate(order.items[:MAX_OPTIONS], 1)]


def _line(order_id: str, number: int, item: OrderItem) -> Option:
    back = {"return": " · goes back", "exchange": " · exchanged"}.get(item.returning or "", "")
    return Option(f"Line {number} of {order_id}", f"{number}. {item.label}", f"{item.price}{back}")
