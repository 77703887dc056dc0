"""A tool of which a model could not be told."""

from bot.tools.tool import Context, Tool, ToolResult


class GetWeather(Tool):  # noqa: D101 - it is the slip
    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
        """Look out of the window."""
        return ToolResult({})
