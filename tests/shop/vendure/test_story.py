"""The whole story on a real Vendure: a question in Slack, a card, an approval, and money back in Vendure's books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from bot.testing.openai import Answer
from bot.testing.shop import FaultProxy
from tests.process import BotProcess
from tests.shop.vendure.server import VendureServer, vendure, why_not
from tests.world import ANA, SAM, World, refund_of, shown, status_of

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[VendureServer]:
    """Start a server of the story's own."""
    async with vendure() as started:
        yield started


@asynccontextmanager
async def bot_on(world: World, url: str, api_key: str) -> AsyncIterator[None]:
    """Run the bot as a process, set up as README says."""
    environment = {"BOT_VENDURE_URL": f"{url}/admin-api", "BOT_VENDURE_API_KEY": api_key}
    async with BotProcess(
        world, environment=environment, BOT_SHOP="vendure", BOT_SWEEP_SECONDS=0.2, BOT_PRIVATE_ANSWERS=False
    ) as process:
        await world.slack.connected()
        yield
        assert await process.stop() == 0


async def test_a_refund_on_vendure(world: World, server: VendureServer) -> None:
    """Ana sees her order, asks for her money, Sam approves it twice over, and Vendure has given it back once."""
    code = await server.sell("ana@example.com", [4200], ship="delivered")
    world.script.extend([status_of(code), Answer("It has arrived."), refund_of(code, 42.0), Answer("I asked for it.")])
    async with bot_on(world, server.url, server.api_key):
        question = await world.says(ANA, f"@bot where is {code}?")
        [answer] = await world.replies(question)
        assert code in shown(answer)
        assert "Mug" in shown(answer)
        assert "delete_account" not in world.asked[0].tool_names
        card = await world.card(await world.says(ANA, f"@bot my mug of {code} is broken, $42.00 back please"))
        assert "$42.00" in shown(card)
        assert await server.given_back(code) == 0
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        settled = await world.settled(card)
        assert f"<@{SAM}>" in shown(settled)
    assert await server.given_back(code) == 4200


async def test_a_lost_answer_on_vendure(world: World, server: VendureServer) -> None:
    """When the answer to a refund is lost, the bot finds the refund in Vendure, and makes no second one."""
    code = await server.sell("ana@example.com", [4200], ship="delivered")
    world.script.extend([refund_of(code, 42.0), Answer("I asked for it.")])
    async with FaultProxy(server.url).serving() as faults, bot_on(world, faults.url, server.api_key):
        card = await world.card(await world.says(ANA, f"@bot my mug of {code} is broken, $42.00 back please"))
        faults.next("answer lost", "refundOrder")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        await world.workspace.until(lambda: world.rows("SELECT 1 FROM tool_calls WHERE status = 'succeeded' AND gated"))
    assert await server.given_back(code) == 4200
