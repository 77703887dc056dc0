"""Somebody does not want an order any more, and it has not left yet."""

import sqlite3
from contextlib import closing

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, SAM, World, buttons, calls, shown


async def cancellation(world: World, person: str = ANA, order_id: str = "ORD-10251") -> Message:
    """Ask as somebody to cancel an order; return their message."""
    world.script += [calls(("cancel_order", {"order_id": order_id})), Answer("I have asked for it.")]
    return await world.says(person, f"@bot cancel {order_id}, please")


def status(world: World, order_id: str = "ORD-10251") -> str:
    """Read an order's status in the shop."""
    (row,) = world.rows("SELECT status FROM orders WHERE id = ?", order_id)
    found: str = row["status"]
    return found


async def test_approved(world: World) -> None:
    """The customer says yes first, then an approver, who sees what goes back to where; then it is done, once."""
    async with world.bot():
        question = await cancellation(world)
        theirs = await world.card(question)
        assert "Waiting for <@U0ANA>. Then the support team is asked." in shown(theirs)
        words = [button["text"]["text"] for button in buttons(theirs).values()]
        assert words == ["Confirm cancelling ORD-10251", "Keep the order"]
        card = await world.confirmed(question)
        for part in ("Cancel ORD-10251", "*Goes back*\n$43.50 of $43.50", "*To*\nPayPal", "3 x Beeswax candles, pair"):
            assert part in shown(card)
        words = [button["text"]["text"] for button in buttons(card).values()]
        assert words == ["Approve cancelling ORD-10251", "Keep the order", "Decline with a reason"]
        assert (status(world), world.refunds()) == ("paid", [])
        for _ in range(2):
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "ORD-10251 is cancelled and $43.50 went back to PayPal ana@…" in shown(await world.settled(card))
        assert "is cancelled and" in shown(await world.settled(theirs))
    assert (status(world), world.refunds()) == ("cancelled", [("ORD-10251", 4350)])


async def test_cancelled_request(world: World) -> None:
    """Cancel on the card takes the request back, and the order stays."""
    async with world.bot():
        card = await world.card(await cancellation(world))
        await world.workspace.click(ANA, card.channel, card.ts, "cancel_call")
        await world.settled(card)
    assert (status(world), world.refunds()) == ("paid", [])


@pytest.mark.parametrize(
    ("person", "order_id", "told"),
    [
        (ANA, "ORD-10234", "is shipped and can't be cancelled any more"),
        (ANA, "ORD-10188", "is delivered and can't be cancelled any more"),
        (BEN, "ORD-10219", "is cancelled and can't be cancelled any more"),
        (BEN, "ORD-10251", "no order ORD-10251 in your name"),
    ],
)
async def test_refused(world: World, person: str, order_id: str, told: str) -> None:
    """An order that has left, is cancelled already or is somebody else's is refused before any person is asked."""
    async with world.bot():
        (reply,) = await world.replies(await cancellation(world, person, order_id))
    assert told in world.asked[1].messages[-1]["content"]
    assert not buttons(reply)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE orders SET status = 'shipped' WHERE id = 'ORD-10251'", "can't be cancelled any more"),
        (
            "INSERT INTO refunds VALUES ('re_1', 'ORD-10251', 350, 'USD', 'defective', 'elsewhere', '2026-01-01')",
            "is asked again below",
        ),
    ],
    ids=["sent", "refunded"],
)
async def test_world_changed(world: World, change: str, told: str) -> None:
    """When the order has left the approval does nothing and says why; when less is left, it is asked again."""
    async with world.bot():
        card = await world.confirmed(await cancellation(world))
        with closing(sqlite3.connect(world.database)) as db:
            db.execute(change)
            db.commit()
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert told in shown(await world.settled(card))
    assert status(world) != "cancelled"
    assert ("ORD-10251", 4350) not in world.refunds()


async def test_refund_while_a_cancellation_waits(world: World) -> None:
    """A refund of an order whose cancellation waits is refused: there is one request for an order at a time."""
    refund = ("initiate_refund", {"order_id": "ORD-10251", "reason": "changed_mind", "amount": None})
    world.script += [calls(("cancel_order", {"order_id": "ORD-10251"}), refund), Answer("I have asked for one.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot cancel it and refund it"), 2)
    rows = world.rows("SELECT tool, status FROM tool_calls ORDER BY position")
    assert [(row["tool"], row["status"]) for row in rows] == [
        ("cancel_order", "pending"),
        ("initiate_refund", "rejected"),
    ]


async def test_why_is_on_the_card(world: World) -> None:
    """Why the customer does not want the order any more is on the card, where they have said it."""
    world.script += [calls(("cancel_order", {"order_id": "ORD-10251", "reason": "by_mistake"})), Answer("Confirm it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot cancel ORD-10251, I ordered it by mistake"))
    assert "*Reason*\nOrdered by mistake" in shown(card)
