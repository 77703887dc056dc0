"""Change the variants of an order that has not left, once the customer has confirmed it."""

from bot.shop import changes
from bot.tools.swapping import SwapTool


class ChangeItems(SwapTool):
    """Ask for other variants of the same products in an order that has not left, once for an order.

    The customer has chosen each, from find_products, and what a difference is paid with or comes back to.
    """

    makes = changes.ChangeItems

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking what of {self.order_id} can be changed…"
