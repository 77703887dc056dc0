"""A tool with an argument that no JSON can be."""

from collections.abc import Callable

from pydantic import Field

from bot.tools.tool import Context, Tool, ToolResult


class GetWeather(Tool):
    """Tell the weather."""

    ask: Callable[[], str] = Field(description="Whom to ask.")

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
        """Look out of the window."""
        return ToolResult({})
