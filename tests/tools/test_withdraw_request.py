"""A request that waits is taken back by the one who made it."""

import json
from typing import Any

import pytest

from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, SAM, World, calls, refund_of, shown


async def waiting(world: World) -> tuple[Message, str]:
    """Play up to a refund of Ana's that waits, and give back its card and the id that the model was told."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    question = await world.says(ANA, "@bot refund ORD-10188")
    card = await world.card(question)
    await world.replies(question, 2)
    output: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    return card, output["request"]


def refund(world: World) -> str:
    """Read how the refund stands."""
    (row,) = world.rows("SELECT status FROM tool_calls WHERE tool = 'initiate_refund'")
    status: str = row["status"]
    return status


async def test_ones_own(world: World) -> None:
    """Whoever asked takes it back: nothing is done, the card says so, and another amount may be asked for at once."""
    async with world.bot():
        card, request = await waiting(world)
        world.script += [calls(("withdraw_request", {"request": request})), refund_of("ORD-10188", 5), Answer("Done.")]
        await world.says(ANA, "only $5, please", thread_ts=card.root_ts)
        assert "withdrawn by <@U0ANA>. Nothing was done." in shown(await world.settled(card))
        await world.workspace.until(lambda: len(world.asked) == 5)
    rows = world.rows("SELECT status FROM tool_calls ORDER BY created_at")
    assert [row["status"] for row in rows] == ["cancelled", "succeeded", "pending"]
    assert world.refunds() == []


async def test_from_another_thread(world: World) -> None:
    """A request is taken back from wherever its maker writes, and the thread with the card is told."""
    async with world.bot():
        card, request = await waiting(world)
        world.script += [calls(("withdraw_request", {"request": request})), Answer("Taken back.")]
        await world.replies(await world.says(ANA, "I changed my mind", "D0ANA"))
        await world.settled(card)
    assert refund(world) == "cancelled"


@pytest.mark.parametrize("person", [BEN, SAM])
async def test_somebody_elses(world: World, person: str) -> None:
    """Nobody takes back what somebody else asked for, not even who may approve: for that there is the button."""
    async with world.bot():
        card, request = await waiting(world)
        world.script += [calls(("withdraw_request", {"request": request})), Answer("I can't.")]
        await world.says(person, "@bot take it back", thread_ts=card.root_ts)
        await world.workspace.until(lambda: len(world.asked) == 4)
    assert f"You have no waiting request {request}." in world.asked[3].messages[-1]["content"]
    assert refund(world) == "pending"


async def test_made_up(world: World) -> None:
    """An id that is no waiting request's takes nothing back."""
    made_up = ("", "%", "deadbeef", "approve", "' OR 1=1 --")
    async with world.bot():
        card, _ = await waiting(world)
        world.script += [calls(*(("withdraw_request", {"request": one}) for one in made_up)), Answer("I can't.")]
        await world.says(ANA, "take it back", thread_ts=card.root_ts)
        await world.workspace.until(lambda: len(world.asked) == 4)
    assert refund(world) == "pending"
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")].count("rejected") == len(made_up)


async def test_too_late(world: World) -> None:
    """A request that was approved meanwhile is not taken back, and the money has moved once."""
    async with world.bot():
        card, request = await waiting(world)

        def withdraw(_: Request) -> Answer:
            return calls(("withdraw_request", {"request": request}))

        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        world.script += [withdraw, Answer("Too late.")]
        await world.says(ANA, "take it back", thread_ts=card.root_ts)
        await world.workspace.until(lambda: len(world.asked) == 4)
    assert refund(world) == "succeeded"
    assert world.refunds() == [("ORD-10188", 4200)]
