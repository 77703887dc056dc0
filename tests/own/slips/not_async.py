"""A tool whose `run` is an ordinary function."""

from bot.tools.tool import Context, Tool, ToolResult


class GetWeather(Tool):
    """Tell the weather."""

    def run(self, context: Context) -> ToolResult:  # type: ignore[override]  # noqa: ARG002 - it is the slip
        """Look out of the window."""
        return ToolResult({})
