"""The reference server of the protocol, as npm has it, over stdio and over HTTP: a server that is not ours."""

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.mcp import pinning
from bot.testing.openai import Answer
from tests.world import ANA, World, calls, free_port, shown

PACKAGE = "@modelcontextprotocol/server-everything"
MODULES = os.environ.get("SUPPORT_BOT_MCP_SERVER", "")
SERVER = Path(MODULES) / "node_modules" / PACKAGE / "dist" / "index.js"
TOOLS = {"get-sum": "read", "get-env": "read", "get-tiny-image": "read", "trigger-elicitation-request": "read"}

pytestmark = pytest.mark.skipif(
    not (MODULES and SERVER.exists() and shutil.which("node")),
    reason=f"needs node, and SUPPORT_BOT_MCP_SERVER: a folder in which `npm install {PACKAGE}` was run",
)


@asynccontextmanager
async def over_http(folder: Path, port: int) -> AsyncIterator[None]:
    """Serve over HTTP on localhost only, where the server itself would listen everywhere."""
    bind = folder / "bind.cjs"
    bind.write_text("""
        const { Server } = require("net");
        const listen = Server.prototype.listen;
        Server.prototype.listen = function (port, ...rest) { return listen.call(this, port, "127.0.0.1", ...rest); };
    """)
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own words; it is there before anything else goes on
        ["node", "-r", bind, SERVER, "streamableHttp"],  # noqa: S607 - wherever node is
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        assert any("listening" in line for line in process.stderr)
        yield
    finally:
        process.kill()
        process.communicate()


async def configured(folder: Path, **server: Any) -> Path:
    """Write the operator's file, and pin what is listed there."""
    config = folder / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"every": server | {"tools": TOOLS}}}))
    (await pinning.look(config)).write()
    return config


async def heard(world: World, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool as the model; return what it hears."""
    world.script.extend([calls((tool, arguments)), Answer("So it is.")])
    [answer] = await world.replies(await world.says(ANA, "@bot well?"))
    assert shown(answer) == "So it is."
    told: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    return told


async def used(world: World) -> None:
    """Call each of its tools, rightly and wrongly."""
    assert await heard(world, "every_get-sum", a=20, b=22) == {"result": "The sum of 20 and 22 is 42."}
    assert "is not of type 'number'" in (await heard(world, "every_get-sum", a="20", b=22))["hint"]
    assert "image, left out" in (await heard(world, "every_get-tiny-image"))["result"]
    assert '"action": "decline"' in (await heard(world, "every_trigger-elicitation-request"))["result"]
    assert "There is no such tool" in (await heard(world, "every_echo", message="hello"))["hint"]


async def test_stdio(world: World, tmp_path: Path) -> None:
    """Over stdio its tools are offered and run, what it asks a person is declined, and it sees no variables of ours."""
    config = await configured(tmp_path, command="node", args=[str(SERVER), "stdio"], env={"SHOP_TOKEN": "t-1"})
    async with world.bot(BOT_MCP=config):
        await used(world)
        seen = json.loads((await heard(world, "every_get-env"))["result"])
    assert seen["SHOP_TOKEN"] == "t-1"
    assert set(seen) <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "SHOP_TOKEN"}


async def test_http(world: World, tmp_path: Path) -> None:
    """Over HTTP it is the same, and a server that was started again is found again with the next call."""
    port = free_port()
    async with over_http(tmp_path, port):
        config = await configured(tmp_path, type="http", url=f"http://127.0.0.1:{port}/mcp")
    async with world.bot(BOT_MCP=config):
        assert (await heard(world, "every_get-sum", a=1, b=1))["error"] == "I can't get at that right now."
        for _ in range(2):
            async with over_http(tmp_path, port):
                await used(world)
