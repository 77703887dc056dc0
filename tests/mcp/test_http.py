"""A hostile MCP server over HTTP: what it is sent, how much it may answer, and where it cannot lead the bot."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.mcp import pinning
from bot.mcp.transports import MAX_MESSAGE_BYTES
from bot.testing.openai import Answer
from bot.testing.serving import serving
from tests.mcp.hostile import TOOLS
from tests.world import ANA, World, calls, free_port


class HttpServer:
    """A server that answers in JSON, or does the wrong thing it is told; it keeps each request's headers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.fault = ""
        self.headers: list[dict[str, str]] = []
        self.calls = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request of the protocol."""
        self.headers.append(dict(request.headers))
        message = await request.json() if request.method == "POST" else {}
        method = message.get("method")
        if method == "tools/call":
            self.calls += 1
            if self.fault == "redirect":
                raise web.HTTPTemporaryRedirect(f"http://localhost:{self.port}/elsewhere")
            if self.fault == "status":
                return web.Response(status=500, text="<html>no</html>")
            if self.fault == "hang":
                await asyncio.Event().wait()
            text = "x" * (MAX_MESSAGE_BYTES + 1) if self.fault == "huge" else "42"
            return self._result(message, {"content": [{"type": "text", "text": text}]})
        if method == "initialize":
            info = {"name": "hostile", "version": "1"}
            version = message["params"]["protocolVersion"]
            return self._result(
                message, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            )
        if method == "tools/list":
            return self._result(message, {"tools": TOOLS})
        if method is not None and "id" in message:
            error = {"code": -32601, "message": f"no {method}"}
            return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error})
        return web.Response(status=202 if method else 405)

    def _result(self, message: dict[str, Any], result: dict[str, Any]) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})


@asynccontextmanager
async def serving_mcp(server: HttpServer) -> AsyncIterator[None]:
    """Serve on localhost."""
    app = web.Application()
    app.router.add_route("*", "/mcp", server.answer)
    async with serving(app, server.port):
        yield


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    """Give a server that is there."""
    async with serving_mcp(server := HttpServer()):
        yield server


async def configured(folder: Path, server: HttpServer) -> Path:
    """Write the operator's file with a secret header, and pin what is listed there."""
    config = folder / "mcp.json"
    entry = {"url": f"http://127.0.0.1:{server.port}/mcp", "headers": {"Authorization": "Bearer t-1"}}
    config.write_text(json.dumps({"mcpServers": {"stock": entry | {"tools": {"double": "read"}}}}))
    (await pinning.look(config)).write()
    return config


async def heard(world: World) -> dict[str, Any]:
    """Call the tool as the model; return what it hears."""
    world.script.extend([calls(("stock_double", {"number": 21})), Answer("So it is.")])
    await world.replies(await world.says(ANA, "@bot what is twice 21?"))
    told: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    return told


async def test_its_own_secret(world: World, tmp_path: Path, server: HttpServer) -> None:
    """Each request carries the header of the server's own settings, and nothing of the bot's own tokens."""
    async with world.bot(BOT_MCP=await configured(tmp_path, server)):
        assert await heard(world) == {"result": "42"}
    assert {headers.get("Authorization") for headers in server.headers} == {"Bearer t-1"}
    assert not [headers for headers in server.headers if "xoxb" in json.dumps(headers)]


@pytest.mark.parametrize("fault", ["huge", "redirect", "status", "hang"])
async def test_faults(world: World, tmp_path: Path, server: HttpServer, fault: str) -> None:
    """An answer without end, a way to elsewhere, an error page and silence cost one call, sent once."""
    async with world.bot(BOT_MCP=await configured(tmp_path, server), BOT_TOOL_TIMEOUT_SECONDS=3):
        server.fault = fault
        assert "error" in await heard(world)
        assert server.calls == 1
        server.fault = ""
        assert await heard(world) == {"result": "42"}
    assert server.calls == 2
