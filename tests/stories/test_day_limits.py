"""How much may come back to one person within a day: on their own clicks, and with one approver's."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.stories.test_two_keys import press
from tests.world import ANA, ON_BOTH_STORES, SAM, SUPPORT, World, calls, refund_of, shown

DAY: dict[str, Any] = {"BOT_APPROVERS": "U0SAM,U0PAT", "BOT_REFUNDS_PER_DAY": "60"}


async def refund(world: World, order_id: str, amount: float | None = None, person: str = ANA) -> Message:
    """Ask as somebody for money back, and return the card."""
    world.script += [refund_of(order_id, amount), Answer("I have asked for it.")]
    return await world.card(await world.says(person, f"@bot refund {order_id}"))


async def cancellation(world: World, order_id: str) -> Message:
    """Ask as Ana to cancel an order, and return her card once the model has said its part."""
    world.script += [calls(("cancel_order", {"order_id": order_id})), Answer("Please confirm.")]
    question = await world.says(ANA, f"@bot cancel {order_id}")
    await world.replies(question, 2)
    return await world.card(question)


async def confirm(world: World, card: Message) -> None:
    """Confirm as Ana what is on her card, and wait until it is done and the thread has gone on."""
    world.script += [Answer("Anything else?")]
    await press(world, card, ANA)
    assert "✓ Confirmed by" in shown(await world.settled(card))
    root = world.workspace.thread(SUPPORT, card.root_ts)[0]
    await world.workspace.until(
        lambda: any("Anything else?" in shown(reply) for reply in world.workspace.replies_of_bot(root))
    )


def needed(world: World) -> list[tuple[str, int]]:
    """List whose yes each request of the story needed, in the order in which they were made."""
    rows = world.rows("SELECT gate, approvals_needed FROM tool_calls WHERE gated ORDER BY created_at")
    return [(row["gate"], row["approvals_needed"]) for row in rows]


@ON_BOTH_STORES
async def test_above_the_sum_of_a_day(world: World) -> None:
    """What comes back to a person above the day's sum needs two, and what waits counts."""
    async with world.bot(**DAY):
        first = await refund(world, "ORD-10188")
        assert "Two different people" in shown(await refund(world, "ORD-10142", 20))
        await press(world, first, SAM)
        await world.settled(first)
        assert world.refunds() == [("ORD-10188", 4200)]
    assert needed(world) == [("approver", 1), ("approver", 2)]


@ON_BOTH_STORES
async def test_at_once(world: World) -> None:
    """Of two requests at once in two processes, no more is for one approver than the day's sum."""
    world.deliver_all()

    async def think(request: Any) -> Answer:
        said = request.messages[-1]
        order_id = next(one for one in ("ORD-10188", "ORD-10142", "ORD-10251") if one in str(request.messages))
        return Answer("Asked.") if said["role"] == "tool" else refund_of(order_id, 25)

    world.think = think
    async with world.bot(**DAY), world.bot(**DAY):
        asked = [await world.says(ANA, f"@bot refund {one}") for one in ("ORD-10188", "ORD-10142", "ORD-10251")]
        await asyncio.gather(*map(world.card, asked))
    assert sorted(needed(world)) == [("approver", 1), ("approver", 1), ("approver", 2)]


@pytest.mark.parametrize("limit", ["60", "60 EUR"])
async def test_lowered_meanwhile(world: World, limit: str) -> None:
    """What one approver may not agree to any more when they click is asked again, of two."""
    async with world.bot(**DAY | {"BOT_REFUNDS_PER_DAY": "1000"}):
        first, second = await refund(world, "ORD-10188"), await refund(world, "ORD-10142", 20)
        await press(world, first, SAM)
        await world.settled(first)
    async with world.bot(**DAY | {"BOT_REFUNDS_PER_DAY": limit}):
        await press(world, second, SAM)
        assert "more people have to agree" in await world.whisper_to(SAM)
        assert "asked again below" in shown(await world.settled(second))
        root = world.workspace.thread(SUPPORT, second.root_ts)[0]
        assert "Two different people" in shown(await world.card(root))
    assert world.refunds() == [("ORD-10188", 4200)]


@ON_BOTH_STORES
async def test_own_clicks_add_up(world: World) -> None:
    """On their own clicks a customer gets no more back within a day than one click may give; then approvers decide."""
    world.write("UPDATE orders SET status = 'paid' WHERE id = 'ORD-10234'")
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM="100"):
        await confirm(world, await cancellation(world, "ORD-10251"))
        assert "Then the support team is asked" in shown(await cancellation(world, "ORD-10234"))
    assert needed(world) == [("requester", 0), ("both", 1)]
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_own_clicks_that_wait(world: World) -> None:
    """Two cards that were shown under a larger limit give back no more than the limit of now when both are pressed."""
    world.write("UPDATE orders SET status = 'paid' WHERE id = 'ORD-10234'")
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM="1000"):
        first, second = await cancellation(world, "ORD-10251"), await cancellation(world, "ORD-10234")
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM="100"):
        await confirm(world, first)
        await press(world, second, ANA)
        assert "more people have to agree" in await world.whisper_to(ANA)
    assert needed(world) == [("requester", 0), ("both", 1)]
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_time_of_an_approver(world: World) -> None:
    """When the customer has said yes the approver has the whole time, as the new card says."""
    async with world.bot(BOT_APPROVAL_HOURS=24):
        card = await cancellation(world, "ORD-10251")
        soon = datetime.now(UTC) + timedelta(hours=1)
        world.write("UPDATE tool_calls SET reminded_at = created_at, expires_at = ? WHERE gated", soon.isoformat())
        second = await world.confirmed(world.workspace.thread(SUPPORT, card.root_ts)[0])
        (row,) = world.rows("SELECT expires_at, reminded_at FROM tool_calls WHERE gated")
    until = datetime.fromisoformat(row["expires_at"])
    assert until > soon + timedelta(hours=22)
    assert f"<!date^{int(until.timestamp())}^" in shown(second)
    assert row["reminded_at"] is None
