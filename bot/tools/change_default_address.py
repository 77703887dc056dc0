"""Keep another address for somebody's later orders, once they have confirmed it."""

from pydantic import Field

from bot.shop import changes
from bot.tools.arguments import PostalAddress
from bot.tools.tool import Context, GatedTool


class ChangeDefaultAddress(GatedTool):
    """Ask to keep another address for the customer's later orders, in a direct message; others stay as they are."""

    makes = changes.ChangeDefaultAddress
    address: PostalAddress = Field(description="Region and postcode may be empty; country is US, DE, …")

    def progress(self) -> str:
        """Say that the account is being checked."""
        return "is checking the account…"

    async def change(self, context: Context) -> changes.Change:
        """Keep it for who asks: whose account that is comes from Slack, never from the model."""
        context.require_private()
        return changes.ChangeDefaultAddress((await context.customer()).id, self.address.address)
