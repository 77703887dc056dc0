"""Delete the requester's own account, once a person has approved it, with days to undo it."""

from bot.shop import changes
from bot.tools.tool import Context, GatedTool, ToolError


class DeleteAccount(GatedTool):
    """Ask to delete the shop account of the person who asks, and of nobody else. It waits until a person approves it.

    Call it only when they clearly want their account gone, not merely an order or a message. It can be undone for some
    days; the preview tells how many. Say that it was requested, never that it was done.
    """

    makes = changes.DeleteAccount

    def progress(self) -> str:
        """Say that the account is being checked."""
        return "is checking the account…"

    async def change(self, context: Context) -> changes.Change:
        """Delete the account of who asks: whose that is comes from Slack, never from the model."""
        email = context.requester.email
        customer = await context.shop.customer(email) if email else None
        if customer is None:
            raise ToolError("You have no account in the shop.")
        return changes.DeleteAccount(customer.id, customer.email, context.rules.account_undo_days)
