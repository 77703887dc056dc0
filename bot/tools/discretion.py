"""What of an error everybody may read: a sentence of the shop's may name amounts, items, or how somebody paid."""

import re
from collections.abc import Mapping

from bot.shop.money import without_amounts
from bot.shop.orders import Order
from bot.shop.shop import ShopUnavailableError
from bot.tools.tool import Context, Tool, ToolCrashError, ToolError, within

_LEFT_OUT = "…"
_KEPT_BACK = {
    "error": "This can't be done as it was asked for.",
    "hint": "Why is nothing for a public channel: say that they can write you a direct message.",
}


async def public_words(
    content: Mapping[str, str], tool: Tool | None, context: Context, seconds: float
) -> Mapping[str, str]:
    """Return an error without amounts, and without what the order that it is about has for its customer alone.

    When that is not known for now, nothing of it is told.
    """
    number = getattr(tool, "order_id", None)
    secrets: list[str] = []
    if isinstance(number, str):
        try:
            secrets = _secrets(await within(seconds, context.order(number)))
        except ToolError:
            pass  # it is nobody's who reads along
        except (ShopUnavailableError, ToolCrashError):
            return _KEPT_BACK
    return {name: _without(without_amounts(words), secrets) for name, words in content.items()}


def _secrets(order: Order) -> list[str]:
    """List the words of an order that are for its customer alone, the longest first."""
    found = [order.payment_method, order.carrier, order.tracking_number, order.customer.name, order.customer.email]
    found += re.split(r", | and ", order.payment_method)
    found += [part for item in order.items for part in (item.label, item.name, item.options)]
    if order.address:
        found += [str(order.address), order.address.street, order.address.city, order.address.postcode]
    return sorted({word for word in found if word and word.strip()}, key=len, reverse=True)


def _without(words: str, secrets: list[str]) -> str:
    for secret in secrets:
        words = words.replace(secret, _LEFT_OUT)
    return words
