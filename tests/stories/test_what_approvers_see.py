"""What an approver judges by: the customer's own words, what went back to them before, and the pictures they sent."""

import pytest

from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer
from tests.stories.test_decisions import CHANGE, DECLINE, card_for, new_card, opened
from tests.stories.test_what_people_send import PHOTO
from tests.world import ANA, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, calls, refund_of, shown


async def test_words_of_the_customer(world: World) -> None:
    """The messages that asked are quoted, harmless and not endless, and not what was answered before."""
    world.script += [Answer("What is it?"), refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot good morning")
        await world.replies(question)
        hostile = "*ORD-10188* https://evil.example “broken” " + "x" * 600
        await world.says(ANA, hostile, thread_ts=question.ts)
        card = await world.card(question)
    (quoted,) = (block for block in card.blocks if block.get("block_id") == "note")
    text = quoted["elements"][0]["text"]
    assert text.startswith("<@U0ANA> wrote: “\u2217ORD-10188\u2217")
    assert text.endswith("xxx…”")
    assert not any(part in text for part in ("evil.example", "”b", "good morning"))
    assert len(text) < 600


async def test_words_that_are_taken_back(world: World) -> None:
    """When the message is deleted the request is closed, and its card quotes nothing any more."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot ORD-10188 broke, xylophone")
        card = await world.card(question)
        assert "xylophone" in shown(card)
        world.workspace.delete(SUPPORT, question.ts)
        settled = await world.settled(card)
    assert "Refund $42.00" in shown(settled)
    assert "xylophone" not in shown(settled)


async def test_what_a_customer_confirms(world: World) -> None:
    """On a card that the customer alone decides about stands nothing for approvers to judge by."""
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=1000):
        world.script += [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]
        card = await world.card(await world.says(ANA, "@bot please cancel ORD-10251"))
    assert "Refunds before" not in shown(card)
    assert "wrote:" not in shown(card)


async def test_refunds_of_ninety_days(world: World) -> None:
    """The card counts what the shop gave back within ninety days, whoever did it, and says when there is none."""
    world.write("UPDATE payments SET created_at = '2020-01-01T00:00:00+00:00' WHERE amount_minor < 0")
    async with world.bot():
        card = await card_for(world)
        assert "*Refunds before*: No refund in the last 90 days" in shown(card)
        world.write("UPDATE payments SET created_at = '2099-01-01T00:00:00+00:00' WHERE order_id = 'ORD-10142'")
        view = await opened(world, card, CHANGE, part="Amount in USD")
        assert await world.workspace.surfaces.submit(SAM, view.id, {"amount": "10"})
        card = await new_card(world, card)
    assert "*Refunds before*: 1 in the last 90 days, $24.50" in shown(card)


class SilentShop(SqliteShop):
    """A shop that does not tell what went back before."""

    refunds_of = None  # type: ignore[assignment]


@ON_BOTH_STORES
async def test_refunds_that_only_the_log_knows(world: World) -> None:
    """Of a shop that does not tell, the card counts what was given back here, and says so."""
    async with world.bot(open_shop=SilentShop):
        card = await card_for(world, "ORD-10142", 20)
        assert "*Refunds before*: No refund in the last 90 days, as far as I know" in shown(card)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        card = await card_for(world)
    assert "*Refunds before*: 1 in the last 90 days, $20.00, as far as I know" in shown(card)


@pytest.mark.parametrize("again", ["changed by an approver", "changed in the shop"])
async def test_asked_again(world: World, again: str) -> None:
    """Pictures and words stand on every card of what was asked for, also on that with other figures."""
    async with world.bot():
        card = await card_for(world, "ORD-10142", files=[PHOTO])
        if again == "changed in the shop":
            world.refund_elsewhere("ORD-10142", 1000)
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        else:
            view = await opened(world, card, CHANGE, part="Amount in USD")
            assert await world.workspace.surfaces.submit(SAM, view.id, {"amount": "103.50"})
        card = await new_card(world, card)
    assert list(buttons(card)) == ["approve_call", "cancel_call", CHANGE, DECLINE]
    assert "Refund $103.50 of $138.00" in shown(card)
    assert "wrote: “ORD-10142 came broken, I want my money back”" in shown(card)
    assert [block["slack_file"]["id"] for block in card.blocks if block["type"] == "image"] == ["F0BROKEN"]
