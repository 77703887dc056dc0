"""The way in to tools from MCP servers, whose libraries are there only where the extra `mcp` is installed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import SettingsError
from bot.tools.tool import Tool

if TYPE_CHECKING:
    from bot.mcp.pinning import Pinning

MISSING = "BOT_MCP needs the extra: install `support-bot[mcp]`, or start with `uv run --extra mcp`."


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error


@asynccontextmanager
async def open_servers(path: Path, *, seconds: float) -> AsyncIterator[list[type[Tool]]]:
    """Open the servers of the file while the bot runs, as `servers.open_servers` does. Raises SettingsError."""
    with _extra():
        from bot.mcp import servers
    async with servers.open_servers(path, seconds=seconds) as tools:
        yield tools


async def find_faults(path: Path, *, seconds: float) -> list[str]:
    """Say what of the servers of the file cannot be called, as `servers.find_faults` does. Raises SettingsError."""
    with _extra():
        from bot.mcp import servers
    return await servers.find_faults(path, seconds=seconds)


async def look_at_servers(path: Path) -> "Pinning":
    """Ask the servers of the file what is to be trusted, as `pinning.look` does. Raises SettingsError."""
    with _extra():
        from bot.mcp import pinning
    return await pinning.look(path)
