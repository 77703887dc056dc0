"""Exchange lines of an order that has arrived for other variants, once the customer has confirmed it."""

from bot.shop import changes
from bot.tools.swapping import SwapTool


class ExchangeItems(SwapTool):
    """Ask to exchange lines of a delivered order for other variants of the same products.

    The customer has chosen each variant, from find_products, and what a difference is paid with or comes back to.
    """

    makes = changes.ExchangeItems

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what of {self.order_id} can be exchanged…"
