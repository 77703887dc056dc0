"""A tool with an argument of which a model is told nothing."""

from bot.tools.tool import Context, Tool, ToolResult


class GetWeather(Tool):
    """Tell the weather."""

    city: str

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
        """Look out of the window."""
        return ToolResult({})
