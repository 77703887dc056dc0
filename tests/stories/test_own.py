"""A shop and tools of one's own, named by the settings, and every slip in one told at the start in a line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot import tools
from bot.settings import SettingsError
from bot.testing.openai import Answer
from tests.process import STOPPED, BotProcess
from tests.world import ANA, SAM, World, calls, refund_of, shown, status_of


async def test_shop_of_ones_own(world: World, tmp_path: Path) -> None:
    """With BOT_SHOP orders come from the operator's own shop, made with its own settings and closed at the stop."""
    file = tmp_path / "corner.db"
    world.write("DELETE FROM orders")
    world.script.extend([status_of("ORD-10234"), Answer("There it is.")])
    environment = {"CORNER_SHOP_FILE": str(file)}
    async with BotProcess(world, environment=environment, BOT_SHOP="tests.own.shop:corner_shop") as bot:
        await world.slack.connected()
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
        assert '"status": "shipped"' in world.asked[-1].messages[-1]["content"]
        assert not file.with_suffix(".closed").exists()
        assert await bot.stop() in STOPPED
    assert file.with_suffix(".closed").exists()


async def test_refund_at_a_shop_of_ones_own(world: World, tmp_path: Path) -> None:
    """The whole story at the smallest shop of one's own: asked for, approved by many clicks, and once in its file."""
    file = tmp_path / "orders.json"
    order = {
        "email": "ana@example.com",
        "status": "delivered",
        "currency": "USD",
        "items": [["Vase", 6400], ["Cup", 900]],
    }
    file.write_text(json.dumps({"2024/113": order | {"refunds": {}, "placed_at": "2026-11-01T10:00:00+00:00"}}))
    wanted = {"order_id": "2024/113", "reason": "defective", "amount": None, "lines": [2]}
    world.script.extend([calls(("initiate_refund", wanted)), Answer("I asked for it.")])
    environment = {"JSON_SHOP_FILE": str(file)}
    async with BotProcess(world, environment=environment, BOT_SHOP="tests.own.json_shop:open_shop") as bot:
        await world.slack.connected()
        card = await world.card(await world.says(ANA, "@bot the cup of 2024/113 is broken"))
        assert "$9.00 of $73.00" in shown(card)
        for _ in range(5):
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        assert await bot.stop() in STOPPED
    assert offered(world) == {
        "ask_which",
        "escalate_to_human",
        "find_orders",
        "get_order_status",
        "initiate_refund",
    } | {
        "search_help",
        "withdraw_request",
    }
    assert [one["minor"] for one in json.loads(file.read_text())["2024/113"]["refunds"].values()] == [900]


@pytest.mark.parametrize("factory", ["may_have_settings", "breaks_at_the_check"])
async def test_shops_that_nearly_fail(world: World, tmp_path: Path, factory: str) -> None:
    """Settings that a factory would do without are read as well; a slip in a shop's check stops nothing but itself."""
    world.script.extend([status_of("ORD-10234"), Answer("There it is.")])
    environment = {"CORNER_SHOP_FILE": str(tmp_path / "corner.db")}
    async with BotProcess(world, environment=environment, BOT_SHOP=f"tests.own.shop:{factory}") as bot:
        await world.slack.connected()
        await world.replies(await world.says(ANA, "@bot where is ORD-10234?"))
        assert await bot.stop() in STOPPED
    assert '"status": "shipped"' in world.asked[-1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("corner_shop", "neither one of sqlite, shopify, vendure, stripe nor a package.module:factory"),
        ("tests.own.shop:", "neither one of sqlite, shopify, vendure, stripe nor a package.module:factory"),
        ("tests.own.shops:corner_shop", "there is no module tests.own.shops"),
        ("tests.own.shop:cornershop", "there is no cornershop in tests.own.shop"),
        ("tests.own.slips.imports_missing:shop", "needs no_such_library, which is not installed"),
        ("tests.own.slips.raises:shop", "cannot be imported: RuntimeError: not today"),
        ("tests.own.shop:NOT_A_FACTORY", "is a int; it has to be a function"),
        ("tests.own.shop:takes_more", "has to take nothing, or one argument"),
        ("tests.own.shop:takes_anything", "has to take nothing, or one argument"),
        ("tests.own.shop:not_a_context", "returns a dict; it has to return an async context manager"),
        ("tests.own.shop:shut_shop", "could not open the shop: ConnectionRefusedError: no answer from"),
        ("tests.own.shop:no_shop", "is a object and lacks"),
        ("tests.own.shop:corner_shop", "CORNER_SHOP_FILE is not set"),
        ("tests.own.shop:may_have_settings", "CORNER_SHOP_FILE is not set"),
        ("shopify", "BOT_SHOPIFY_STORE is not set"),
        ("vendure", "BOT_VENDURE_URL is not set"),
        ("stripe", "BOT_STRIPE_KEY is not set"),
    ],
)
async def test_slips_of_a_shop(world: World, name: str, words: str) -> None:
    """A shop that cannot be made stops the start with a line that says what is wrong with it."""
    with pytest.raises(SettingsError, match=words) as told:
        async with world.bot(BOT_SHOP=name):
            pass
    assert "\n" not in str(told.value)


async def test_tools_of_ones_own(world: World) -> None:
    """The tools of the modules in BOT_TOOLS are offered beside the built-in ones, and run."""
    world.script.extend([calls(("get_delivery_time", {"country": "CA"})), Answer("Six days.")])
    async with world.bot(BOT_TOOLS="tests.own.tools"):
        question = await world.says(ANA, "@bot how long to Canada?")
        [answer] = await world.replies(question)
    assert shown(answer) == "Six days."
    assert '"days": 6' in world.asked[-1].messages[-1]["content"]
    assert {"get_delivery_time", "get_duties", "find_orders"} <= offered(world)


async def test_tools_off(world: World) -> None:
    """A tool in BOT_TOOLS_OFF is not offered, and does nothing when a model calls it all the same."""
    world.script.extend([refund_of("ORD-10234"), Answer("I can't.")])
    async with world.bot(BOT_TOOLS_OFF="initiate_refund, cancel_order"):
        await world.replies(await world.says(ANA, "@bot my money back for ORD-10234, it is broken"))
    assert not offered(world) & {"initiate_refund", "cancel_order"}
    assert "There is no such tool" in world.asked[-1].messages[-1]["content"]
    assert world.rows("SELECT * FROM outbox WHERE call_id IS NOT NULL") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"BOT_TOOLS": "tests.own.slips.nowhere"}, "BOT_TOOLS: there is no module tests.own.slips.nowhere"),
        ({"BOT_TOOLS": "tests.own.slips.imports_missing"}, "needs no_such_library, which is not installed"),
        ({"BOT_TOOLS": "tests.own.slips.raises"}, "cannot be imported: RuntimeError: not today"),
        ({"BOT_TOOLS": "tests.own.slips.leaves"}, "cannot be imported: SystemExit: usage: leaves.py FILE"),
        ({"BOT_TOOLS": "tests.own.slips.unfinished"}, "GetMoon of tests.own.slips.unfinished lacks run"),
        ({"BOT_TOOLS": "tests.own.slips.empty"}, "there is no tool in tests.own.slips.empty"),
        ({"BOT_TOOLS": "tests.own.slips.no_run"}, "GetWeather of tests.own.slips.no_run lacks run"),
        ({"BOT_TOOLS": "tests.own.slips.not_async"}, "has a run that is not “async def”"),
        ({"BOT_TOOLS": "tests.own.slips.no_docstring"}, "needs a docstring"),
        ({"BOT_TOOLS": "tests.own.slips.not_described"}, "needs a description of city"),
        ({"BOT_TOOLS": "tests.own.slips.no_schema"}, "its arguments cannot be described"),
        ({"BOT_TOOLS": "tests.own.slips.no_setting"}, "needs the setting window"),
        ({"BOT_TOOLS": "tests.own.slips.same_name"}, "has a name that is taken"),
        ({"BOT_TOOLS": "tests.own.tools,tests.own.slips.no_run"}, "lacks run"),
        ({"BOT_TOOLS_OFF": "refund"}, "BOT_TOOLS_OFF: there is no tool refund. The tools are: .*initiate_refund"),
    ],
)
def test_slips_of_tools(world: World, changes: dict[str, Any], words: str) -> None:
    """A slip in a tool of one's own, or in the name of one that is switched off, is told in a line."""
    with pytest.raises(SettingsError, match=words) as told:
        tools.load(world.settings(**changes))
    assert "\n" not in str(told.value)


def test_tools_beside_the_operator(tmp_path: Path) -> None:
    """A module in the folder in which the bot is started is found, and a slip in it ends the process in a line."""
    (tmp_path / "mine.py").write_text('"""Nothing yet."""\n')
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "OPENAI_API_KEY": "none",
        "BOT_TOOLS": "mine",
    }
    command = Path(sys.executable).with_name("support-bot")
    ended = subprocess.run(  # noqa: S603 - our own words
        [command, "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "Error: BOT_TOOLS: there is no tool in mine: no class that derives from Tool.\n"


def offered(world: World) -> set[str]:
    """Name the tools that the model was told of last."""
    return {tool["function"]["name"] for tool in world.asked[-1].tools}
