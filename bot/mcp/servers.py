"""The servers of BOT_MCP, started and stopped with the bot, and what an operator is told of them before."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.mcp.config import ServerConfig, read_config
from bot.mcp.connection import Connection, ServerUnavailableError
from bot.mcp.definitions import Definition
from bot.mcp.pins import PIN, Pins, pins_path, read_pins
from bot.mcp.schema import UnusableSchemaError, check_schema
from bot.mcp.tools import tool_class
from bot.settings import SettingsError
from bot.tools.tool import Tool

logger = logging.getLogger(__name__)

PIN_SECONDS = 60.0  # npx may have to fetch a server first


@asynccontextmanager
async def open_servers(path: Path, *, seconds: float) -> AsyncIterator[list[type[Tool]]]:
    """Open the servers of the file, and return their tools that the operator lists, as pinned.

    A call of one may take so many seconds. Raises SettingsError with one line when a tool is not pinned; what a server
    has changed since is told in the log, and fails when it is called.
    """
    servers = _read(path)
    connections = [Connection(config, seconds=seconds) for config, _ in servers]
    made = [
        tool_class(connection, tools[name], use)
        for connection, (config, tools) in zip(connections, servers, strict=True)
        for name, use in config.tools.items()
    ]
    names = [tool.name for tool in made]
    for name in names:
        if names.count(name) > 1:
            advice = f"leave one of them out, or give a server in {path} another name"
            raise SettingsError(f"BOT_MCP: two tools would have the name {name}; {advice}.")
    checks = [_log_faults(one, tools) for one, (_, tools) in zip(connections, servers, strict=True)]
    checking = asyncio.gather(*checks)  # beside the start, which no server holds back
    try:
        yield made
    finally:
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in connections))


async def find_faults(path: Path, *, seconds: float) -> list[str]:
    """Ask each server of the file, for so long, what its tools are now, and say which cannot be called as pinned.

    Raises SettingsError with one line where the bot would not start.
    """
    servers = _read(path)
    connections = [Connection(config, seconds=seconds) for config, _ in servers]
    try:
        looks = [_faults(one, tools) for one, (_, tools) in zip(connections, servers, strict=True)]
        return [fault for faults in await asyncio.gather(*looks) for fault in faults]
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))


async def live_definitions(path: Path) -> list[tuple[ServerConfig, Mapping[str, Definition]]]:
    """Ask each server of the file what its tools are now. Raises SettingsError with one line when one does not tell."""
    configs = read_config(path)
    connections = [Connection(config, seconds=PIN_SECONDS) for config in configs]
    try:
        found = await asyncio.gather(*(one.definitions() for one in connections))
    except ServerUnavailableError as error:
        raise SettingsError(f"BOT_MCP: {error}.") from error
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
    return list(zip(configs, found, strict=True))


def _read(path: Path) -> list[tuple[ServerConfig, dict[str, Definition]]]:
    pins = read_pins(pins_path(path))
    return [(config, _pinned(config, pins)) for config in read_config(path)]


def _pinned(config: ServerConfig, pins: Pins) -> dict[str, Definition]:
    known = pins.get(config.name, {})
    for name in config.tools:
        if name not in known:
            raise SettingsError(f"BOT_MCP: {name} of {config.name} is not pinned. {PIN}")
        try:
            check_schema(known[name].input_schema)
        except UnusableSchemaError as error:
            raise SettingsError(f"BOT_MCP: {name} of {config.name} cannot be offered: {error}.") from error
    return {name: known[name] for name in config.tools}


async def _log_faults(connection: Connection, pinned: Mapping[str, Definition]) -> None:
    for fault in await _faults(connection, pinned):
        logger.warning("BOT_MCP: %s", fault)


async def _faults(connection: Connection, pinned: Mapping[str, Definition]) -> list[str]:
    """Say which tools of a server cannot be called as they are."""
    try:
        found = await connection.definitions()
    except ServerUnavailableError as error:
        return [f"{error}. It is tried again with each call."]
    faults = []
    for name, tool in pinned.items():
        now = found.get(name)
        if now is None:
            faults.append(f"{connection.name} has no tool {name} any more; it fails when it is called.")
        elif now.digest != tool.digest:
            what = f"{name} of {connection.name} has changed since it was pinned; it fails when it is called"
            faults.append(f"{what}. See what changed with `support-bot mcp pin`.")
    return faults
