"""The definitions that the operator trusts, in a file beside that of the servers, each with its hash."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pydantic import RootModel, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bot.mcp.definitions import Definition
from bot.settings import SettingsError

PIN = "Run `support-bot mcp pin`."
Pins = Mapping[str, Mapping[str, Definition]]


@dataclass(frozen=True)
class _Pin:
    sha256: str
    definition: Definition


_FILE = TypeAdapter(RootModel[dict[str, dict[str, _Pin]]])


def pins_path(config: Path) -> Path:
    """Name the file of pins that belongs to a file of servers."""
    return config.with_name(f"{config.stem}.pins.json")


def read_pins(path: Path) -> Pins:
    """Read what is trusted, by server and tool; nothing where there is no file. Raises SettingsError with one line."""
    if not path.exists():
        return {}
    try:
        pins = _FILE.validate_json(path.read_bytes()).root
    except (OSError, ValidationError) as error:
        first = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"BOT_MCP: {path} cannot be read: {first}. {PIN}") from error
    for server, tools in pins.items():
        for name, pin in tools.items():
            if pin.sha256 != pin.definition.digest or name != pin.definition.name:
                raise SettingsError(f"BOT_MCP: {path} was edited by hand at {name} of {server}. {PIN}")
    return {server: {name: pin.definition for name, pin in tools.items()} for server, tools in pins.items()}


def write_pins(path: Path, pins: Pins) -> None:
    """Write what is trusted from now on."""
    written = {
        server: {name: {"sha256": tool.digest, "definition": asdict(tool)} for name, tool in tools.items()}
        for server, tools in pins.items()
    }
    path.write_text(json.dumps(written, indent=2) + "\n", "utf-8")
