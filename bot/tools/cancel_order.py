"""Cancel an order that has not left yet, once a person has approved it."""

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import OrderId
from bot.tools.tool import Context, GatedTool


class CancelOrder(GatedTool):
    """Ask to cancel a whole order that has not left. What was paid goes back with it, so ask for no refund as well."""

    makes = changes.CancelOrder
    order_id: OrderId
    reason: changes.CancelReason | None = Field(description="Null if not said.")

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking whether {self.order_id} can be cancelled…"

    async def change(self, context: Context) -> changes.Change:
        """Cancel the whole order."""
        return changes.CancelOrder((await context.order(self.order_id)).id, self.reason)
