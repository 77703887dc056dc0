"""The whole story on a stand-in for Stripe: a request in Slack, a card, an approval, and money back in its books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from bot.testing.openai import Answer
from bot.testing.shop import FaultProxy
from tests.process import BotProcess
from tests.shop.stripe.server import API_KEY, StripeServer
from tests.world import ANA, SAM, TEAM, World, refund_of, shown


@pytest_asyncio.fixture
async def server() -> AsyncIterator[StripeServer]:
    """Open an account of the story's own."""
    async with StripeServer().serving() as opened:
        yield opened


@asynccontextmanager
async def bot_on(world: World, url: str) -> AsyncIterator[None]:
    """Run the bot as a process, set up as README says."""
    environment = {"BOT_STRIPE_KEY": API_KEY, "BOT_STRIPE_ORDER_KEY": "order_id", "BOT_STRIPE_URL": f"{url}/v1"}
    async with BotProcess(
        world, environment=environment, BOT_SHOP="stripe", BOT_SWEEP_SECONDS=0.2, BOT_PRIVATE_ANSWERS=False
    ) as process:
        await world.slack.connected()
        yield
        assert await process.stop() == 0


@pytest.mark.parametrize("fault", [None, "answer lost"])
async def test_a_refund_on_stripe(world: World, server: StripeServer, fault: str | None) -> None:
    """Ana asks for her money, Sam approves it twice over, and Stripe has given it back once, answer lost or not."""
    number = await server.sell(server.buyer("ana@example.com"), 4200, "USD", refunds="succeeded")
    world.script.extend([refund_of(number, 42.0), Answer("I asked for it.")])
    async with FaultProxy(server.url).serving() as faults, bot_on(world, faults.url):
        card = await world.card(await world.says(ANA, f"@bot my order {number} came broken, $42.00 back please"))
        assert "cancel_order" not in world.asked[0].tool_names
        assert "*Goes back to*\ncard" in shown(card)
        assert await server.given_back(number) == 0
        if fault:
            faults.next("answer lost", "payment_intent=")
        for _ in range(2):
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.workspace.until(lambda: world.rows("SELECT 1 FROM tool_calls WHERE status = 'succeeded' AND gated"))
    assert await server.given_back(number) == 4200


async def test_money_that_comes_days_later(world: World, server: StripeServer) -> None:
    """A refund that Stripe has accepted and that fails later is told as on its way, and then as not done."""
    number = await server.sell(server.buyer("ana@example.com"), 4200, "USD", refunds="pending")
    world.script.extend([refund_of(number, 42.0), Answer("I asked for it.")])
    async with bot_on(world, server.url):
        question = await world.says(ANA, f"@bot my order {number} came broken")
        card = await world.card(question)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "is on its way to card, and is not there yet" in shown(await world.settled(card))
        server.refunds[0] |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        await world.workspace.until(
            lambda: [one for one in world.workspace.replies_of_bot(question) if "but not done" in shown(one)]
        )
    assert await server.given_back(number) == 0


async def test_money_that_is_taken_back_days_later(world: World, server: StripeServer) -> None:
    """A refund that Stripe called done and has failed since is told so, in its thread and to the team."""
    number = await server.sell(server.buyer("ana@example.com"), 4200, "USD", refunds="succeeded")
    world.script.extend([refund_of(number, 42.0), Answer("I asked for it.")])
    async with bot_on(world, server.url):
        question = await world.says(ANA, f"@bot my order {number} came broken")
        card = await world.card(question)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "went back to card" in shown(await world.settled(card))
        server.refunds[0] |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        world.write("UPDATE refund_checks SET look_at = '2026-01-01T00:00:00+00:00'")
        told = await world.workspace.until(
            lambda: [one for one in world.workspace.replies_of_bot(question) if "but has failed since" in shown(one)]
        )
        assert "Stripe's reason: lost or stolen card. The team is told." in shown(told[-1])
        await world.workspace.until(
            lambda: [one for one in world.workspace.messages if one.channel == TEAM and "has failed since" in one.text]
        )
    assert await server.given_back(number) == 0
