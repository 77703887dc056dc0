"""Delete the requester's own account, once a person has approved it, with days to undo it."""

from bot.shop import changes
from bot.tools.tool import Context, GatedTool


class DeleteAccount(GatedTool):
    """Ask to delete the shop account of the person who asks, when they clearly want their account gone.

    Not for an order or a message. It can be undone for some days; the preview tells how many.
    """

    makes = changes.DeleteAccount

    def progress(self) -> str:
        """Say that the account is being checked."""
        return "is checking the account…"

    async def change(self, context: Context) -> changes.Change:
        """Delete the account of who asks: whose that is comes from Slack, never from the model."""
        customer = await context.customer()
        return changes.DeleteAccount(customer.id, customer.email, context.rules.account_undo_days)
