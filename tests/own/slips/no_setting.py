"""A tool that needs a setting that there is not."""

from bot.tools.tool import Context, Tool, ToolResult


class GetWeather(Tool):
    """Tell the weather."""

    needs = "window"

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
        """Look out of the window."""
        return ToolResult({})
