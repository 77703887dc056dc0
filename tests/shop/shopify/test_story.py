"""Whole stories on Shopify's own schema: a question in Slack, a card, a click, and what the store's books say then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.testing.openai import Answer
from bot.testing.shop import Sale
from tests.process import BotProcess
from tests.shop.shopify.server import CLIENT_ID, SECRET
from tests.shop.shopify.test_shopify import ShopifyStage, open_stage
from tests.world import ANA, SAM, World, calls, refund_of, shown, status_of


@asynccontextmanager
async def bot_on(world: World, stage: ShopifyStage) -> AsyncIterator[None]:
    """Run the bot as a process, set up as README says."""
    environment = {
        "BOT_SHOPIFY_STORE": "example.myshopify.com",
        "BOT_SHOPIFY_URL": stage.faults.url,
        "BOT_SHOPIFY_CLIENT_ID": CLIENT_ID,
        "BOT_SHOPIFY_CLIENT_SECRET": SECRET,
    }
    async with BotProcess(
        world, environment=environment, BOT_SHOP="shopify", BOT_SWEEP_SECONDS=0.2, BOT_PRIVATE_ANSWERS=False
    ) as process:
        await world.slack.connected()
        yield
        assert await process.stop() == 0


async def test_a_refund_on_shopify(world: World, request: pytest.FixtureRequest) -> None:
    """Ana sees her order, asks for her money, Sam approves it twice over, and the store has given it back once."""
    async with open_stage(request.config) as stage:
        number = await stage.sell(Sale())
        world.script.extend([status_of("1001"), Answer("It is there."), refund_of(number), Answer("I asked for it.")])
        async with bot_on(world, stage):
            [answer] = await world.replies(await world.says(ANA, "@bot where is 1001?"))
            assert f"*Order {number}*" in shown(answer)
            assert "change_payment" not in world.asked[0].tool_names
            assert "return_items" in world.asked[0].tool_names
            card = await world.card(await world.says(ANA, "@bot my mug of #1001 is broken, money back please"))
            assert "*Goes back to*\nShopify Payments" in shown(card)
            assert await stage.given_back(number) == 0
            for _ in range(2):
                await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            assert f"✓ Approved by <@{SAM}>: $42.00 for {number} went back" in shown(await world.settled(card))
        assert await stage.given_back(number) == 4200


async def test_a_lost_answer_on_shopify(world: World, request: pytest.FixtureRequest) -> None:
    """When the answer to a refund is lost, the bot finds the refund in the store, and makes no second one."""
    async with open_stage(request.config) as stage:
        number = await stage.sell(Sale())
        world.script.extend([refund_of(number), Answer("I asked for it.")])
        async with bot_on(world, stage):
            card = await world.card(await world.says(ANA, f"@bot my mug of {number} is broken"))
            stage.faults.next("answer lost", "refundCreate")
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            await world.workspace.until(
                lambda: world.rows("SELECT 1 FROM tool_calls WHERE status = 'succeeded' AND gated")
            )
        assert await stage.given_back(number) == 4200


@pytest.mark.parametrize(("agrees", "words"), [("OPEN", "can be sent back"), ("DECLINED", "The shop did not agree")])
async def test_a_return_on_shopify(world: World, request: pytest.FixtureRequest, agrees: str, words: str) -> None:
    """Ana confirms her return, it waits in the store for the merchant, and her thread hears the outcome."""
    async with open_stage(request.config) as stage:
        number = await stage.sell(Sale())
        wanted = {"order_id": number, "lines": [1], "reason": "changed_mind", "refund_to": "original"}
        world.script.extend([calls(("return_items", wanted)), Answer("Please confirm."), Answer("Anything else?")])
        async with bot_on(world, stage):
            question = await world.says(ANA, f"@bot I want to send the mug of {number} back")
            card = await world.card(question)
            await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
            assert "has to agree to it first. I tell here how it ends." in shown(await world.settled(card))
            [book] = stage.server.store.books.values()
            book.returns[0]["status"] = agrees
            await world.workspace.until(
                lambda: [one for one in world.workspace.replies_of_bot(question) if words in shown(one)]
            )
        assert await stage.given_back(number) == 0
