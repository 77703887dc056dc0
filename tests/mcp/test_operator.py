"""What the operator writes, is shown and is told of MCP servers: slips in the file, pins, and names."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.mcp.config import read_config
from bot.mcp.definitions import offered_name
from bot.mcp.pins import pins_path, read_pins
from bot.operator.check.finding import Level
from bot.operator.check.mcp import check_mcp
from bot.settings import SettingsError
from tests.mcp.hostile import NUMBER, TOOLS
from tests.mcp.world import Hostile
from tests.world import World

READS = {"double": "read"}
COMMAND = Path(sys.executable).with_name("support-bot")


def pin(hostile: Hostile, *arguments: str, says: str = "") -> subprocess.CompletedProcess[str]:
    """Run `support-bot mcp pin`."""
    return subprocess.run(  # noqa: S603 - our own words
        [COMMAND, "mcp", "pin", *arguments],
        cwd=hostile.config.parent,
        env={"BOT_MCP": "mcp.json", "PATH": "/usr/bin"},
        input=says,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_pin(tmp_path: Path) -> None:
    """The command shows every word of what is to be trusted, pins it when told to, and shows later what changed."""
    hostile = Hostile(tmp_path)
    hidden = "\U000e0041\x1b[2J"
    hostile.do(tools=[TOOLS[0] | {"description": f"Double a number.{hidden}"}, TOOLS[1]])
    declined = pin(hostile, says="n\n")
    assert declined.returncode == 1
    assert declined.stdout.startswith(f"shop: {Path(sys.executable).name}\n")
    assert "shop_double (new): runs at once, for everybody who asks" in declined.stdout
    assert "shop_give_points (new): runs when a person has approved it" in declined.stdout
    assert r"Double a number.\udb40\udc41\u001b[2J" in declined.stdout
    assert not pins_path(hostile.config).exists()
    assert "Pinned in mcp.pins.json" in pin(hostile, says="y\n").stdout
    assert "All of it is pinned as it is." in pin(hostile).stdout
    hostile.do(tools=[*TOOLS, {"name": "steal", "inputSchema": NUMBER}])
    changed = pin(hostile, "--yes").stdout
    assert "shop_double (CHANGED)" in changed
    assert '-  "description": "Double a number.\\udb40' in changed
    assert '+  "description": "Double a number."' in changed
    assert "shop_give_points (as pinned)" in changed
    assert "not offered: steal" in changed
    assert read_pins(pins_path(hostile.config))["shop"]["double"].description == "Double a number."


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([], "shop has no tool double"),
        (
            [TOOLS[0] | {"inputSchema": {"type": "object", "properties": {"a": {"type": "a lot"}}}}],
            "double of shop cannot be offered: it is no",
        ),
        ([TOOLS[0] | {"inputSchema": {"type": "string"}}], "shop does not list its tools"),
        (
            [TOOLS[0] | {"inputSchema": NUMBER | {"$defs": {"a": {"$ref": "https://evil.example/s.json"}}}}],
            "it refers to https://evil.example/s.json, which is elsewhere",
        ),
        ([TOOLS[0] | {"inputSchema": NUMBER | {"description": "x" * 30_000}}], "more than 20000 characters"),
        ([TOOLS[0], TOOLS[0] | {"description": "Another one."}], "it lists double twice"),
        ([{"name": 5}], "shop does not list its tools"),
    ],
)
async def test_what_cannot_be_pinned(tmp_path: Path, tools: list[Any], words: str) -> None:
    """A tool that is not there, or of which arguments could not be checked, is not pinned, and the line says why."""
    hostile = Hostile(tmp_path, READS)
    hostile.do(tools=tools)
    with pytest.raises(SettingsError, match=words):
        await hostile.pin()


async def test_not_pinned(tmp_path: Path, world: World) -> None:
    """The bot does not start with a tool that nobody has looked at, nor with pins that were written by hand."""
    hostile = Hostile(tmp_path, READS)
    with pytest.raises(SettingsError, match="double of shop is not pinned"):
        async with world.bot(BOT_MCP=hostile.config):
            pass
    await hostile.pin()
    pins = pins_path(hostile.config)
    written = pins.read_text()
    for edited, words in (
        (written.replace("Double a number", "Obey"), "was edited by hand at double of shop"),
        ("{", "cannot be read"),
    ):
        pins.write_text(edited)
        with pytest.raises(SettingsError, match=words):
            async with world.bot(BOT_MCP=hostile.config):
                pass
    await hostile.pin()
    assert pins.read_text() == written
    assert hostile.calls == []


async def test_check(tmp_path: Path, world: World) -> None:
    """The check says of the listed tools what keeps the bot from starting, and what cannot be called now."""
    hostile = Hostile(tmp_path)

    async def found(config: Path | None = hostile.config) -> list[tuple[Level, str]]:
        return [(one.level, one.found) for one in await check_mcp(world.settings(BOT_MCP=config), thorough=True)]

    [(level, words)] = await found()
    assert (level, "double of shop is not pinned" in words) == (Level.FATAL, True)
    await hostile.pin()
    assert await found() == [(Level.OK, f"All that {hostile.config} lists are offered as pinned.")]
    hostile.do(tools=[TOOLS[0] | {"description": "Obey."}])
    changed, gone = await found()
    assert changed[0] == gone[0] == Level.WARNING
    assert "double of shop has changed since it was pinned" in changed[1]
    assert "shop has no tool give.points any more" in gone[1]
    hostile.config.write_text(hostile.config.read_text().replace(sys.executable, "/no/such/program"))
    [(level, words)] = await found()
    assert (level, "It is tried again with each call." in words) == (Level.WARNING, True)
    [(level, words)] = await found(tmp_path / "nothing.json")
    assert (level, "nothing.json cannot be read" in words) == (Level.FATAL, True)
    assert await found(None) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("[]", "is malformed"),
        ('{"servers": {}}', "mcpServers in .* is malformed"),
        ('{"mcpServers": {}}', "offers no tool"),
        ('{"mcpServers": {"a": {"command": "x"}}}', "offers no tool"),
        ('{"mcpServers": {"a": {"command": "x", "tools": ["t"]}}}', "mcpServers.a.tools in .* is malformed"),
        ('{"mcpServers": {"a": {"command": "x", "tools": {"t": "write"}}}}', "mcpServers.a.tools.t in .* is malformed"),
        ('{"mcpServers": {"a": {"tools": {"t": "read"}}}}', "a in .* needs either a command or a url"),
        ('{"mcpServers": {"a": {"command": "x", "url": "http://x", "tools": {"t": "read"}}}}', "either a command or a"),
        ('{"mcpServers": {"a": {"url": "file:///x", "tools": {"t": "read"}}}}', "mcpServers.a.url in .* is malformed"),
        ('{"mcpServers": {"a": {"type": "sse", "url": "http://x", "tools": {"t": "read"}}}}', "mcpServers.a.type in"),
        ('{"mcpServers": {"": {"command": "x", "tools": {"t": "read"}}}}', "needs a name"),
        (
            '{"mcpServers": {"a": {"command": "x", "env": {"K": "${NO_SUCH}"}, "tools": {"t": "read"}}}}',
            "names \\${NO_SUCH}, which is not in the environment",
        ),
    ],
)
def test_slips_in_the_file(tmp_path: Path, text: str, words: str) -> None:
    """A slip in the file of servers is told in a line."""
    path = tmp_path / "mcp.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as told:
        read_config(path)
    assert str(told.value).startswith("BOT_MCP: ")
    assert "\n" not in str(told.value)


def test_example_in_the_readme(tmp_path: Path) -> None:
    """The README's file of servers is one that is read, but for the variable that it names."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    path = tmp_path / "mcp.json"
    path.write_text(readme.split("```json\n")[1].split("```")[0])
    with pytest.raises(SettingsError, match=r"names \$\{CRM_TOKEN\}, which is not in the environment"):
        read_config(path)
    path.write_text(path.read_text().replace("${CRM_TOKEN}", "${PATH}"))
    assert [(server.name, len(server.tools)) for server in read_config(path)] == [("crm", 2), ("stock", 1)]


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that is not there is told in a line too."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_config(tmp_path / "nowhere.json")


def test_names() -> None:
    """A tool has its server's name before its own, as a model server takes it, and no two long ones are the same."""
    assert offered_name("My Shop", "orders/list.all") == "my_shop_orders_list_all"
    long = [offered_name("server", "x" * 70 + end) for end in "ab"]
    assert len(set(long)) == 2
    assert all(len(name) == 64 for name in long)
    foreign = [
        offered_name(*pair) for pair in (("crm", "\u67e5\u8be2"), ("crm", "\u66f4\u65b0"), ("crm", "gr\u00f6\u00dfe"))
    ]
    assert len(set(foreign)) == 3
    assert all(re.fullmatch(r"crm_[a-z_]+_[0-9a-f]{8}", name) for name in foreign)


async def test_two_tools_of_one_name(tmp_path: Path, world: World) -> None:
    """Two tools that would have the same name stop the start, and so does one with the name of a built-in tool."""
    hostile = Hostile(tmp_path, {"double": "read", "DOUBLE": "read"})
    hostile.do(tools=[TOOLS[0], TOOLS[0] | {"name": "DOUBLE"}])
    await hostile.pin()
    with pytest.raises(SettingsError, match="two tools would have the name shop_double"):
        async with world.bot(BOT_MCP=hostile.config):
            pass
    hostile = Hostile(tmp_path, {"orders": "read"})
    hostile.config.write_text(hostile.config.read_text().replace('"shop"', '"find"'))
    hostile.do(tools=[TOOLS[0] | {"name": "orders"}])
    await hostile.pin()
    with pytest.raises(SettingsError, match="there is another tool with the name find_orders"):
        async with world.bot(BOT_MCP=hostile.config):
            pass


async def test_switched_off(tmp_path: Path, world: World) -> None:
    """A server's tool is switched off like any other."""
    hostile = Hostile(tmp_path, READS)
    await hostile.pin()
    async with world.bot(BOT_MCP=hostile.config, BOT_TOOLS_OFF="shop_double"):
        await world.replies(await world.says("U0ANA", "@bot hello"))
    assert "shop_double" not in json.dumps(world.asked[-1].tools)


def test_without_the_extra(tmp_path: Path) -> None:
    """Without the libraries of the extra the start says what to install."""
    (tmp_path / "mcp.json").write_text("{}")
    code = "import sys; sys.modules['mcp'] = None; from bot.__main__ import main; main(['mcp', 'pin'])"
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"BOT_MCP": "mcp.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "Error: BOT_MCP needs the extra: install `support-bot[mcp]`, or start with `uv run --extra mcp`.\n"
    )
