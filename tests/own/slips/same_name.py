"""A tool with the name of a built-in one."""

from bot.tools.tool import Context, Tool, ToolResult


class FindOrders(Tool):
    """List everybody's orders."""

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
        """List them."""
        return ToolResult({})
