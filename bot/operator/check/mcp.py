"""The MCP servers' side of a check: are their tools pinned, and do they still offer them as pinned."""

from bot.mcp.extra import find_faults
from bot.operator.check.finding import Finding, fatal, ok, warning
from bot.settings import Settings, SettingsError


async def check_mcp(settings: Settings, *, thorough: bool) -> list[Finding]:
    """Start and ask the servers whose tools are offered, when `thorough` and where there are any.

    A start opens them anyway.
    """
    if settings.mcp is None or not thorough:
        return []
    try:
        faults = await find_faults(settings.mcp, seconds=settings.tool_timeout_seconds)
    except SettingsError as error:
        return [fatal("MCP tools", str(error))]
    return [warning("MCP tools", fault) for fault in faults] or [
        ok("MCP tools", f"All that {settings.mcp} lists are offered as pinned.")
    ]
