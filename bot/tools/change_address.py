"""Change the address of an order that has not left, once the customer has confirmed it."""

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import OrderId, PostalAddress
from bot.tools.tool import Context, GatedTool


class ChangeAddress(GatedTool):
    """Ask to have an order that has not left sent to another address, which the customer has given in full."""

    makes = changes.ChangeAddress
    order_id: OrderId
    address: PostalAddress = Field(description="Region and postcode may be empty; country is US, DE, …")

    def progress(self) -> str:
        """Say which order is being checked."""
        return f"is checking whether {self.order_id} can go elsewhere…"

    async def change(self, context: Context) -> changes.Change:
        """Send it to the new address."""
        return changes.ChangeAddress((await context.order(self.order_id)).id, self.address.address)
