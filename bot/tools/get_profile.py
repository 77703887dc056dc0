"""Tell somebody what the shop knows of them: their address, and what they can pay with."""

from bot.shop.shop import Reading
from bot.tools.tool import Context, Tool, ToolResult

MAX_METHODS = 20


class GetProfile(Tool):
    """Look up the customer's address and payment methods with balances, in a direct message only."""

    reads = Reading.PROFILE

    def progress(self) -> str:
        """Say that the account is being looked up."""
        return "is looking up the account…"

    async def run(self, context: Context) -> ToolResult:
        """Find the account of who asks, where nobody else reads along."""
        context.require_private()
        profile = await context.shop.profile(await context.customer())
        methods = profile.payment_methods[:MAX_METHODS]
        return ToolResult(
            content={
                "name": profile.customer.name,
                "email": profile.customer.email,
                "address": str(profile.address) if profile.address else None,
                "payment_methods": [
                    {"id": one.id, "label": one.label} | ({"balance": str(one.balance)} if one.balance else {})
                    for one in methods
                ],
            }
        )
