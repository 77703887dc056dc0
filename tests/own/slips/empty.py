"""A module without a tool."""

from bot.tools.tool import Tool

TOOLS = [Tool]
