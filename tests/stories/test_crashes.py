"""The process ends where it should not, and the next one goes on."""

from typing import Any

from bot.testing.openai import Answer
from tests.world import ANA, ON_BOTH_STORES, SAM, World, buttons, refund_of, shown, status_of


def tamper(world: World, sql: str, *parameters: Any) -> None:
    """Leave the database as a process that was killed would have left it."""
    assert world.write(sql, *parameters) > 0


async def parked_refund(world: World) -> str:
    """Play up to a card that waits, and stop the bot; give back the call's id."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188, broken"))
    call_id: str = buttons(card)["approve_call"]["value"]
    return call_id


def card_of(world: World, call_id: str) -> Any:
    """Find the card of a call as it stands now."""
    (row,) = world.rows("SELECT channel, ts FROM outbox WHERE call_id = ? AND replaces IS NULL", call_id)
    return world.workspace.message(row["channel"], row["ts"])


@ON_BOTH_STORES
async def test_killed_after_the_claim(world: World) -> None:
    """A refund that was claimed but had not reached the shop is made at the next start, once."""
    call_id = await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = created_at", SAM)
    async with world.bot():
        settled = await world.settled(card_of(world, call_id))
    assert "✓ Approved by <@U0SAM>" in shown(settled)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_killed_after_the_shop_answered(world: World) -> None:
    """A refund that the shop has made is found by its key and not made again."""
    call_id = await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = created_at", SAM)
    world.write(
        "INSERT INTO refunds VALUES ('re_1', 'ORD-10188', 4200, 'USD', 'defective', ?, '2026-01-01T00:00:00+00:00')",
        f"support-bot:{call_id}",
    )
    async with world.bot():
        await world.settled(card_of(world, call_id))
    assert world.refunds() == [("ORD-10188", 4200)]
    (row,) = world.rows("SELECT status, result FROM tool_calls")
    assert row["status"] == "succeeded"
    assert "re_1" in row["result"]


async def test_approved_after_a_restart(world: World) -> None:
    """A card that was posted before a restart can be decided after it."""
    call_id = await parked_refund(world)
    async with world.bot():
        card = card_of(world, call_id)
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_killed_before_the_answer(world: World) -> None:
    """A run that was cut off goes on at the next start; what was looked up is not looked up again."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot ORD-10234?")
        await world.replies(question)
    tamper(world, "UPDATE inbox SET status = 'running'")
    tamper(
        world,
        "DELETE FROM messages WHERE role IN ('tool', 'assistant') AND message LIKE '%On its way%' OR role = 'tool'",
    )
    world.script += [Answer("Still on its way.")]
    async with world.bot():
        replies = await world.replies(question, 2)
    assert "*Order ORD-10234*" in shown(replies[1])
    assert len(world.rows("SELECT id FROM tool_calls")) == 1
    assert len(world.asked) == 3


async def test_poisoned_message(world: World) -> None:
    """A message that broke the process again and again is given up with words, and the thread goes on."""
    async with world.bot():
        root = await world.says(ANA, "@bot boom")
        await world.replies(root)
    tamper(world, "UPDATE inbox SET status = 'running', attempts = 3")
    async with world.bot():
        answer = (await world.replies(root, 2))[1]
    assert shown(answer).startswith("I could not answer this.")
