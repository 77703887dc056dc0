"""Take back a request that waits for approval."""

from pydantic import Field

from bot.tools.arguments import Words
from bot.tools.tool import Context, Tool, ToolResult


class WithdrawRequest(Tool):
    """Take back a request of the person who asks that still waits for approval.

    Use it when they changed their mind, or want another amount: take the first request back, then ask again.
    """

    public = True
    request: Words = Field(description="The request's id, as the tool returned it when the request was made.")

    def progress(self) -> str:
        """Say that a request is being taken back."""
        return "is taking the request back…"

    async def run(self, context: Context) -> ToolResult:
        """Take it back, if it is theirs and still waits."""
        return ToolResult(content={"message": await context.requests.withdraw(self.request, context.requester)})
