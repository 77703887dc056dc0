"""The file of MCP servers that BOT_MCP names: the usual `mcpServers`, and which of their tools are offered."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.settings import SettingsError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Use(StrEnum):
    """How a tool that the operator lists is run: at once, or when a person has approved it."""

    READ = "read"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server of the file: a `command` to start, or a `url` to speak HTTP with, and the tools that are offered."""

    name: str
    tools: Mapping[str, Use]
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Entry(BaseModel):
    """An entry as it stands in the file. What only editors and desktop apps read is passed over."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["stdio", "http", "streamable-http", "streamableHttp", "streamable_http"] | None = None
    command: str | None = Field(None, min_length=1)
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    cwd: Path | None = None
    url: str | None = Field(None, pattern=r"^https?://")
    headers: dict[str, str] = Field(default_factory=dict)
    tools: dict[str, Use] = Field(default_factory=dict)
    disabled: bool = False


class _File(BaseModel):
    servers: dict[str, _Entry] = Field(alias="mcpServers")


def read_config(path: Path) -> list[ServerConfig]:
    """Read the file, with `${NAME}` taken from the environment. Raises SettingsError with one line."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"BOT_MCP: {path} cannot be read: {error}.") from error
    try:
        file = _File.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(f"BOT_MCP: {where} in {path} is malformed: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"BOT_MCP: {path} is not JSON: {error}.") from error
    servers = [_server(path, name, entry) for name, entry in file.servers.items() if not entry.disabled]
    if not any(server.tools for server in servers):
        raise SettingsError(f'BOT_MCP: {path} offers no tool; list some as "tools": {{"name": "read" or "approve"}}.')
    return [server for server in servers if server.tools]


def _server(path: Path, name: str, entry: _Entry) -> ServerConfig:
    where = f"BOT_MCP: {name} in {path}"
    if not re.search(r"[A-Za-z0-9]", name):
        raise SettingsError(f"{where} needs a name with a letter or a digit.")
    if (entry.command is None) == (entry.url is None):
        raise SettingsError(f"{where} needs either a command or a url.")

    def filled(value: str) -> str:
        return _VARIABLE.sub(lambda found: _variable(where, found[1]), value)

    def all_filled(values: Mapping[str, Any]) -> dict[str, str]:
        return {key: filled(value) for key, value in values.items()}

    return ServerConfig(
        name=name,
        tools=entry.tools,
        command=filled(entry.command) if entry.command else None,
        args=tuple(map(filled, entry.args)),
        env=all_filled(entry.env),
        cwd=entry.cwd,
        url=filled(entry.url) if entry.url else None,
        headers=all_filled(entry.headers),
    )


def _variable(where: str, name: str) -> str:
    if name not in os.environ:
        raise SettingsError(f"{where} names ${{{name}}}, which is not in the environment.")
    return os.environ[name]
