"""A tool that was written without a thought of who reads along."""

from bot.tools.tool import Context, Tool, ToolResult


class GetSecret(Tool):
    """Tell the secret."""

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - every tool is run with one
        """Tell it."""
        return ToolResult({"secret": 42})
