"""The way in to tools from MCP servers, whose libraries are there only where the extra `mcp` is installed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import SettingsError
from bot.tools.tool import Tool

if TYPE_CHECKING:
    from bot.mcp.pinning import Pinning

MISSING = "BOT_MCP needs the extra: install `support-bot[mcp]`, or start with `uv run --extra mcp`."


@asynccontextmanager
async def open_servers(path: Path, *, seconds: float) -> AsyncIterator[list[type[Tool]]]:
    """Open the servers of the file while the bot runs, as `servers.open_servers` does. Raises SettingsError."""
    try:
        from bot.mcp import servers
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    async with servers.open_servers(path, seconds=seconds) as tools:
        yield tools


async def find_faults(path: Path, *, seconds: float) -> list[str]:
    """Say what of the servers of the file cannot be called, as `servers.find_faults` does. Raises SettingsError."""
    try:
        from bot.mcp import servers
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    return await servers.find_faults(path, seconds=seconds)


async def look_at_servers(path: Path) -> "Pinning":
    """Ask the servers of the file what is to be trusted, as `pinning.look` does. Raises SettingsError."""
    try:
        from bot.mcp import pinning
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    return await pinning.look(path)
