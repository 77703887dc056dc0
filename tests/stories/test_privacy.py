"""Who sees what of an order: everybody its status and dates, the one who asked all of it."""

import json
from typing import Any

import pytest

from bot.shop.money import Money, without_amounts
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel
from tests.world import ANA, BOT, SAM, SUPPORT, World, calls, order_buttons, refund_of, shown, status_of

SECRETS = ("Stoneware", "$84.00", "$36.00", "UPS", "1Z999AA10123456784", "Visa", "Boise")
LOOK = calls(("get_order_status", {"order_id": "ORD-10234", "include_tracking": True}))
PRIVATE = Channel("C0PRIVATE", "orders-of-ana", "group", frozenset({ANA, SAM, BOT}))


def read_by_all(world: World) -> str:
    """Read all that everybody can read in public channels."""
    return "\n".join(
        shown(m) + m.text for m in world.workspace.messages if m.channel == SUPPORT and not m.ephemeral_for
    )


async def test_public_channel(world: World) -> None:
    """In a public channel everybody sees status and dates; the one who asked sees all, alone, below the answer."""
    world.script += [LOOK, Answer("It is on its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        (answer,) = await world.replies(question)
        whisper = await world.whisper(ANA)
    assert "● *Shipped*" in shown(answer)
    assert "*Expected*" in shown(answer)
    assert not [part for part in SECRETS if part in read_by_all(world)]
    assert all(part in shown(whisper) for part in SECRETS if part != "Visa")
    assert (whisper.channel, whisper.thread_ts) == (SUPPORT, question.ts)
    assert whisper.ts > answer.ts


async def test_the_model_knows_no_more_than_it_may_say(world: World) -> None:
    """In a public channel the model is not told what it may not say, whatever tool it calls."""
    world.script += [LOOK, calls(("find_orders", {"email": None})), refund_of("ORD-10188", 9999.0), Answer("So.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot my orders?"))
    told = json.dumps([m for request in world.asked for m in request.messages if m["role"] == "tool"])
    assert '"shipped' in told.replace("\\", "")
    assert not [part for part in SECRETS if part in told]
    assert "$" not in told
    assert "an amount" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"amount": 9999.0, "lines": None}, "an amount is more than is left to refund for ORD-10188"),
        ({"amount": 9999.0, "lines": [1]}, "for these items of ORD-10188: an amount"),
        ({"amount": None, "lines": [1]}, "This was refunded already: 1. …."),
        ({"amount": None, "lines": [7]}, "ORD-10188 has the lines 1 to 2."),
    ],
)
async def test_refusals_in_a_public_channel(world: World, arguments: dict[str, Any], words: str) -> None:
    """Why something is refused is told without amounts and without what is in the order."""
    world.write("UPDATE orders SET total_minor = 9000 WHERE id = 'ORD-10188'")
    world.write(
        "INSERT INTO order_items (order_id, position, name, quantity, unit_price_minor) VALUES (?, 2, ?, 1, 4800)",
        *("ORD-10188", "Other"),
    )
    if words.startswith("This was refunded"):
        refund = calls(
            ("initiate_refund", {"order_id": "ORD-10188", "reason": "defective", "amount": None, "lines": [1]})
        )
        world.script += [refund, Answer("Asked.")]
    call = {"order_id": "ORD-10188", "reason": "defective"} | arguments
    world.script += [calls(("initiate_refund", call)), Answer("That can't be.")]
    async with world.bot():
        if words.startswith("This was refunded"):
            card = await world.card(await world.says(ANA, "@bot refund the teapot"))
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            await world.settled(card)
        await world.replies(await world.says(ANA, "@bot refund it"))
    told = json.loads(world.asked[-1].messages[-1]["content"])
    assert words in told["error"]
    assert not [part for part in ("$", "42", "48", "90", "teapot", "Other", "Visa") if part in json.dumps(told)]


async def test_list_in_a_public_channel(world: World) -> None:
    """What somebody bought is listed to them alone, each order with a button for its details."""
    world.script += [calls(("find_orders", {"email": None})), Answer("You have some.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot my orders?"))
        whisper = await world.whisper(ANA)
    assert "Stoneware mug, slate blue and 1 more · $84.00" in shown(whisper)
    assert not [part for part in SECRETS if part in read_by_all(world)]


@pytest.mark.parametrize("channel", ["D0ANA", PRIVATE.id])
async def test_elsewhere(world: World, channel: str) -> None:
    """In a direct message and in a private channel all of it is on the one card."""
    world.workspace.add(PRIVATE)
    world.script += [LOOK, Answer("It is on its way.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot where is ORD-10234?", channel))
    assert "$84.00" in shown(answer)
    assert not any(m.ephemeral_for for m in world.workspace.messages)


async def test_switched_off(world: World) -> None:
    """With BOT_PRIVATE_ANSWERS off, a public channel is like any other."""
    world.script += [LOOK, Answer("It is on its way.")]
    async with world.bot(BOT_PRIVATE_ANSWERS=False):
        (answer,) = await world.replies(await world.says(ANA, "@bot where is ORD-10234?"))
    assert "$84.00" in shown(answer)
    assert not any(m.ephemeral_for for m in world.workspace.messages)


async def test_slack_does_not_tell(world: World) -> None:
    """When Slack does not tell what kind of channel it is, it is as if everybody read it."""
    world.workspace.add(PRIVATE)
    world.script += [LOOK, Answer("It is on its way.")]
    async with world.bot():
        world.workspace.faults.refuse("conversations.info", "ratelimited", times=9, channel=PRIVATE.id)
        (answer,) = await world.replies(await world.says(ANA, "@bot where is ORD-10234?", PRIVATE.id))
    assert "$84.00" not in shown(answer)


async def test_tool_that_says_nothing_of_public_channels(world: World) -> None:
    """Of a tool of one's own that is not made for it, the model hears nothing in a public channel."""
    world.script += [calls(("get_secret", {})), Answer("I can't say."), calls(("get_secret", {})), Answer("42.")]
    async with world.bot(BOT_TOOLS="tests.own.secrets"):
        await world.replies(await world.says(ANA, "@bot what is it?"))
        await world.replies(await world.says(ANA, "what is it?", "D0ANA"))
    public, private = (request.messages[-1]["content"] for request in world.asked[1::2])
    assert "42" not in public
    assert "42" in private


async def test_shown_after_a_restart(world: World) -> None:
    """What only one person is to see is posted by the next start when it could not be before."""
    world.workspace.faults.refuse("chat.postEphemeral", "internal_error", times=50)
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot(BOT_STOP_SECONDS=0.1):
        await world.replies(await world.says(ANA, "@bot where is ORD-10234?"))
    assert not any(m.ephemeral_for for m in world.workspace.messages)
    world.workspace.faults.clear()
    async with world.bot():
        assert "$84.00" in shown(await world.whisper(ANA))


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "KWD"])
def test_amounts_in_words(currency: str) -> None:
    """Every amount is taken out of a sentence, and no order number is."""
    said = f"Of ORD-10234, {Money(123456, currency)} is left, and {Money(5, currency)} of 10142, ORD-7."
    assert without_amounts(said) == "Of ORD-10234, an amount is left, and an amount of 10142, ORD-7."


async def test_buttons_by_place(world: World) -> None:
    """The card of all has no Share here, the one that is seen alone has; each has what the order allows."""
    world.script += [status_of("ORD-10188"), Answer("It has arrived.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot where is ORD-10188?"))
        whisper = await world.whisper(ANA)
    assert list(order_buttons(answer)) == ["refresh_order", "show_order", "refund_order", "return_order"]
    assert list(order_buttons(whisper)) == ["share_order", "track_order", "refund_order", "return_order"]
