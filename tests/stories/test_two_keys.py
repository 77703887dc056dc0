"""Two keys: the customer's own yes, an approver's, or both in this order, and nobody else's."""

import asyncio
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, SAM, SUPPORT, World, buttons, calls, notes_in, shown

CANCEL = [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]


async def asked(world: World, channel: str = SUPPORT) -> tuple[Message, Message]:
    """Let Ana ask to cancel an order, and return her message and her card."""
    world.script += CANCEL
    question = await world.says(ANA, "@bot cancel ORD-10251", channel)
    return question, await world.card(question)


async def press(world: World, card: Message, person: str, action: str = "approve_call") -> None:
    """Press a button of a card."""
    await world.workspace.click(person, card.channel, card.ts, action)


def request(world: World) -> dict[str, Any]:
    """Read the story's one request."""
    (row,) = world.rows("SELECT * FROM tool_calls WHERE gated")
    return row


@pytest.mark.parametrize("person", [SAM, BEN])
async def test_nobody_confirms_for_the_customer(world: World, person: str) -> None:
    """An approver cannot press Confirm for the one who asked, and nobody else can; typing yes does nothing."""
    async with world.bot():
        question, card = await asked(world)
        await press(world, card, person)
        assert "Only <@U0ANA> can confirm this" in await world.whisper_to(person)
        world.script += [Answer("Please press the button.")]
        await world.says(ANA, "yes, confirmed", thread_ts=question.ts)
        await world.replies(question, 3)
    assert (request(world)["status"], request(world)["confirmed_at"]) == ("pending", None)


async def test_both(world: World) -> None:
    """After the customer's yes an approver is asked, and the customer's click on that card does nothing."""
    async with world.bot():
        question, theirs = await asked(world)
        card = await world.confirmed(question)
        assert "✓ Confirmed by <@U0ANA>. The support team is asked" in shown(await world.settled(theirs))
        await press(world, card, ANA)
        assert "Only <@U0SAM> can approve this" in await world.whisper_to(ANA)
        assert request(world)["status"] == "pending"
        await press(world, card, SAM)
        assert "✓ Approved by <@U0SAM>: ORD-10251 is cancelled" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_both_in_a_direct_message(world: World) -> None:
    """In a direct message the approver gets the card when the customer has confirmed, and not before."""
    async with world.bot():
        question, _ = await asked(world, "D0ANA")
        assert not [m for m in world.workspace.messages if m.channel == "D0SAM"]
        await world.confirmed(question)
        sams = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "D0SAM" and buttons(m)), None)
        )
        await press(world, sams, SAM)
        await world.settled(sams)
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_the_customers_click_alone(world: World) -> None:
    """Up to the amount of the setting the customer's click does it, and the thread goes on by itself."""
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=43.5):
        question, card = await asked(world)
        assert "Then the support team" not in shown(card)
        await world.replies(question, 2)
        world.script += [Answer("It is cancelled. Anything else?")]
        await press(world, card, ANA)
        assert "✓ Confirmed by <@U0ANA>: ORD-10251 is cancelled" in shown(await world.settled(card))
        replies = await world.replies(question, 4)
    assert shown(replies[-1]) == "It is cancelled. Anything else?"
    assert "confirmed by the customer and done. ORD-10251 is cancelled" in notes_in(world.asked[-1])[-1]
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_more_than_the_customer_may_confirm(world: World) -> None:
    """A cent more than the setting needs an approver too, and so does any sum in another currency."""
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=43.49):
        _, card = await asked(world)
    assert (request(world)["gate"], "Then the support team" in shown(card)) == ("both", True)
    world.write("UPDATE orders SET currency = 'JPY' WHERE id = 'ORD-10248'")
    world.script += [calls(("cancel_order", {"order_id": "ORD-10248"})), Answer("Please confirm.")]
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=1_000_000):
        await world.card(await world.says("U0CHLOE", "@bot cancel ORD-10248"))
    assert [row["gate"] for row in world.rows("SELECT gate FROM tool_calls WHERE gated")] == ["both", "both"]


async def test_two_hundred_clicks(world: World) -> None:
    """Two hundred clicks of both key holders at once make one cancellation, decided by the approver."""
    async with world.bot(BOT_CLICKS_PER_USER_HOUR=1_000):
        question, theirs = await asked(world)
        await asyncio.gather(*(press(world, theirs, person) for person in (ANA, SAM) * 50))
        card = await world.workspace.until(
            lambda: next(
                (m for m in world.workspace.replies_of_bot(question) if buttons(m) and m.ts != theirs.ts), None
            )
        )
        await asyncio.gather(*(press(world, card, person) for person in (ANA, SAM) * 50))
        await world.settled(card)
    assert world.refunds() == [("ORD-10251", 4350)]
    assert (request(world)["decided_by"], request(world)["status"]) == (SAM, "succeeded")


async def test_figures_change_between_the_keys(world: World) -> None:
    """When less comes back than the customer has said yes to, they are asked again before any approver."""
    async with world.bot():
        question, _ = await asked(world)
        card = await world.confirmed(question)
        world.refund_elsewhere("ORD-10251", 350)
        await press(world, card, SAM)
        assert "asked again below" in shown(await world.settled(card))
        again = await world.card(question)
        assert "Waiting for <@U0ANA>" in shown(again)
        assert "$40.00 of $43.50" in shown(again)
    assert (request(world)["status"], request(world)["confirmed_at"]) == ("pending", None)


async def test_pause_between_the_keys(world: World) -> None:
    """While the operator has paused, a customer's Confirm does nothing either, and works after it."""
    async with world.bot():
        question, card = await asked(world)
        world.write("INSERT INTO switches VALUES ('paused', '2026-01-01T00:00:00+00:00')")
        await press(world, card, ANA)
        assert "paused" in await world.whisper_to(ANA)
        world.write("DELETE FROM switches")
        await world.confirmed(question)


@pytest.mark.parametrize(("person", "status"), [(ANA, "cancelled"), (SAM, "declined")])
async def test_no_after_the_first_yes(world: World, person: str, status: str) -> None:
    """After the customer's yes the customer can still withdraw, and the approver decline."""
    async with world.bot():
        question, _ = await asked(world)
        card = await world.confirmed(question)
        await press(world, card, person, "cancel_call")
        await world.settled(card)
    assert (request(world)["status"], world.refunds()) == (status, [])
