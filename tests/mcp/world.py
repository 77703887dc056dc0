"""A hostile MCP server beside a world: what it is told to do, what it got, and the files that the operator writes."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.mcp import pinning
from tests.mcp import hostile

OFFERED = {"double": "read", "give.points": "approve"}


class Hostile:
    """The server's orders, its log, and the operator's files."""

    def __init__(self, folder: Path, tools: Mapping[str, str] = OFFERED, **server: Any) -> None:
        self.config = folder / "mcp.json"
        self._orders = folder / "orders.json"
        self._log = folder / "log.jsonl"
        self._log.touch()
        self.do()
        command = {"command": sys.executable, "args": [hostile.__file__, str(self._orders), str(self._log)]}
        self.config.write_text(json.dumps({"mcpServers": {"shop": command | {"tools": tools} | server}}))

    def do(self, **orders: Any) -> None:
        """Tell the server what to do from now on; without anything it behaves."""
        self._orders.write_text(json.dumps(orders))

    async def pin(self) -> None:
        """Trust what the server says now."""
        (await pinning.look(self.config)).write()

    def logged(self, what: str) -> list[Any]:
        """List what the server noted under this name."""
        return [note[what] for note in map(json.loads, self._log.read_text().splitlines()) if what in note]

    @property
    def calls(self) -> list[str]:
        """Name the tools that were called, in order."""
        return self.logged("call")
