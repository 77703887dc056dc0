"""A tool that does nothing."""

from bot.tools.tool import Tool


class GetWeather(Tool):
    """Tell the weather."""
