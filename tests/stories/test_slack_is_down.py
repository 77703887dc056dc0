"""Slack does not answer, or not at once: what was acked is done or told all the same."""

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message, Person
from tests.world import ANA, SAM, World, refund_of, shown


@pytest.mark.parametrize("direct", [False, True])
async def test_click_while_all_of_slack_is_down(world: World, *, direct: bool) -> None:
    """Whose click was acked and could not be decided is told in the card's thread as soon as Slack is back."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188, broken", "D0ANA" if direct else "C0SUPPORT")
        await world.replies(question, 2)
        card = await world.card(question)
        if direct:
            card = next(message for message in world.workspace.messages if message.channel == "D0SAM")
    async with world.bot():
        for method in ("users.info", "chat.postEphemeral", "chat.postMessage", "conversations.replies"):
            world.workspace.faults.server_error(method, times=4 if method == "users.info" else 2)
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        told = await world.workspace.until(lambda: _told(world, card))
    assert told.thread_ts == card.root_ts
    assert shown(told).startswith(f"<@{SAM}> I could not check with Slack whether you may do this")
    assert world.refunds() == []


def _told(world: World, card: Message) -> Message | None:
    thread = world.workspace.thread(card.channel, card.root_ts)
    return next((message for message in thread if "could not check" in shown(message)), None)


async def test_large_workspace(world: World) -> None:
    """Who the admins are is listed once for many requests, and no further than needed."""
    world.workspace.add(*(Person(f"U1{number:05}", f"p{number}", f"Person {number}") for number in range(3_000)))
    world.workspace.add(*(Person(f"U2{number:05}", f"a{number}", "Admin", is_admin=True) for number in range(3)))
    world.deliver_all()
    for order in ("ORD-10188", "ORD-10234"):
        world.script += [refund_of(order), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS="", BOT_DIRECT_MESSAGE_MINUTES=0):
        for number in (1, 2):
            await world.replies(await world.says(ANA, f"refund {number}, broken", "D0ANA"), 2)
    cards = [message for message in world.workspace.messages if message.channel == "D0SAM"]
    assert len(cards) == 2
    assert sum(call.method == "users.list" for call in world.workspace.calls) == 4


async def test_nobody_may_approve(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """That nobody may approve, or that nobody knows who, is said at the start."""
    sam = world.workspace.people[SAM]
    world.workspace.add(Person(SAM, sam.name, sam.real_name))
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_APPROVERS=""):
        await world.replies(await world.says(ANA, "@bot hello"))
    assert "nobody may approve anything: name somebody in BOT_APPROVERS" in caplog.text
