"""What `support-bot mcp pin` shows before the operator trusts it: every word of each tool that is to be offered."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from urllib.parse import urlsplit

from bot.mcp.config import ServerConfig, Use
from bot.mcp.definitions import Definition, offered_name, visible
from bot.mcp.pins import Pins, pins_path, read_pins, write_pins
from bot.mcp.schema import UnusableSchemaError, check_schema
from bot.mcp.servers import live_definitions
from bot.settings import SettingsError

_HOW = {Use.READ: "runs at once, for everybody who asks", Use.APPROVE: "runs when a person has approved it"}


@dataclass(frozen=True, slots=True)
class Pinning:
    """What is to be trusted, what an operator has to read of it, and whether any of it is new."""

    text: str
    is_new: bool
    path: Path
    pins: Pins

    def write(self) -> None:
        """Trust it from now on."""
        write_pins(self.path, self.pins)


async def look(config: Path) -> Pinning:
    """Ask the servers of the file what their tools are now. Raises SettingsError with one line."""
    path = pins_path(config)
    before: Pins = {}
    with suppress(SettingsError):  # a file that cannot be read makes everything new
        before = read_pins(path)
    found = await live_definitions(config)
    pins = {server.name: _listed(server, tools) for server, tools in found}
    text = "\n".join(line for server, tools in found for line in _lines(server, tools, before.get(server.name, {})))
    return Pinning(text, is_new=pins != before, path=path, pins=pins)


def _listed(server: ServerConfig, tools: Mapping[str, Definition]) -> dict[str, Definition]:
    """Return the tools that the operator lists. Raises SettingsError when one is not there or cannot be offered."""
    for name in server.tools:
        if name not in tools:
            raise SettingsError(f"BOT_MCP: {server.name} has no tool {name}. It has: {', '.join(map(visible, tools))}.")
        try:
            check_schema(tools[name].input_schema)
        except UnusableSchemaError as error:
            raise SettingsError(f"BOT_MCP: {name} of {server.name} cannot be offered: {error}.") from error
    return {name: tools[name] for name in server.tools}


def _lines(server: ServerConfig, tools: Mapping[str, Definition], before: Mapping[str, Definition]) -> Iterator[str]:
    # No more of where it is: arguments and addresses may hold secrets.
    yield f"{server.name}: {urlsplit(server.url).hostname if server.url else Path(server.command or '').name}"
    for name, use in server.tools.items():
        known = before.get(name)
        state = "new" if known is None else "as pinned" if known == tools[name] else "CHANGED"
        yield f"  {offered_name(server.name, name)} ({state}): {_HOW[use]}"
        if known is None:
            yield from (f"    {line}" for line in _written(tools[name]))
        elif known != tools[name]:
            changes = unified_diff(_written(known), _written(tools[name]), "pinned", "now", lineterm="", n=1)
            yield from (f"    {line}" for line in changes)
    others = [visible(name) for name in tools if name not in server.tools]
    if others:
        yield f"  not offered: {', '.join(others)}"


def _written(tool: Definition) -> list[str]:
    """Return the definition as JSON in plain ASCII: what hides between its characters is seen, and moves no cursor."""
    return json.dumps(asdict(tool), indent=2).splitlines()
