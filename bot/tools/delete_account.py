"""Delete the requester's own account, once a person has approved it, with days to undo it."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.shop.shop import ShopRefusedError
from bot.tools.tool import OUTDATED, Context, GatedTool, Preview, ToolError, ToolResult

MAX_ORDERS = 100
MAX_NAMED = 5


class DeleteAccount(GatedTool):
    """Ask to delete the shop account of the person who asks, and of nobody else. It waits until a person approves it.

    Call it only when they clearly want their account gone, not merely an order or a message. It can be undone for some
    days; the preview tells how many. Say that it was requested, never that it was done.
    """

    # Whose account it is comes from who asks; the preview fills it in, so that exactly that one is deleted.
    email: SkipJsonSchema[str | None] = Field(None)
    customer_id: SkipJsonSchema[str | None] = Field(None)

    def progress(self) -> str:
        """Say that the account is being checked."""
        return "is checking the account…"

    async def preview(self, context: Context) -> Preview:
        """Say whose account goes, and until when it can come back."""
        email = context.requester.email
        customer = await context.shop.customer(email) if email else None
        if customer is None:
            raise ToolError("You have no account in the shop.")
        orders = await context.shop.orders(customer, most=MAX_ORDERS)
        if waiting := [order.id for order in orders if order.under_way]:
            more = f" and {len(waiting) - MAX_NAMED} more" if len(waiting) > MAX_NAMED else ""
            raise ToolError(
                f"Your account can't be deleted while orders are under way: {', '.join(waiting[:MAX_NAMED])}{more}.",
                "Offer to ask again when they have arrived or are cancelled.",
            )
        days = context.rules.account_undo_days
        return Preview(
            call=self.model_copy(update={"email": customer.email, "customer_id": customer.id}),
            subject=f"customer:{customer.id}",
            title="Delete an account",
            summary=f"Deletion of the account {customer.email}",
            button="Approve deleting the account",
            keep="Keep the account",
            confirm=f"The account {customer.email} is hidden at once, and erased after {days} days.",
            facts=(
                ("Account", f"{customer.name}, {customer.email}"),
                ("Orders", str(len(orders))),
                ("Can be undone", f"for {days} days"),
            ),
        )

    async def run(self, context: Context) -> ToolResult:
        """Hide the account now; it is erased when the days to undo it are over."""
        if self.email is None or self.customer_id is None:
            raise ToolError(OUTDATED)
        days, key = context.rules.account_undo_days, context.idempotency_key
        try:
            await context.shop.delete_customer(self.customer_id, self.email, undo_days=days, key=key)
        except ShopRefusedError as error:
            raise ToolError(str(error)) from error
        return self._deleted(days)

    async def outcome(self, context: Context) -> ToolResult | None:
        """Ask the shop for the deletion that carries this call's key."""
        made = await context.shop.deleted_with(context.idempotency_key)
        return self._deleted(context.rules.account_undo_days) if made else None

    def _deleted(self, days: int) -> ToolResult:
        summary = f"The account {self.email} is deleted; it can be brought back for {days} days"
        return ToolResult(content={"deleted": True, "days_to_undo": days}, summary=summary)
