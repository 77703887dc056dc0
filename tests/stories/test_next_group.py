"""Nobody decides: the approvers are reminded once, and then the next group is asked, once, and may decide."""

from typing import Any

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.stories.test_home import home
from tests.stories.test_two_approvers import PAT, drawn
from tests.stories.test_two_keys import CANCEL, press
from tests.world import ANA, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, refund_of, shown

NEXT: dict[str, Any] = {"BOT_ESCALATE_APPROVERS": PAT, "BOT_SWEEP_SECONDS": 0.05}
SOON: dict[str, Any] = NEXT | {"BOT_ESCALATE_MINUTES": 0.001}


async def asked(world: World, channel: str = SUPPORT) -> tuple[Message, Message]:
    """Ask as Ana for her money back, and return her message and the card in its thread."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    question = await world.says(ANA, "@bot refund ORD-10188", channel)
    card = await world.card(question)
    await world.replies(question, 2)
    return question, card


def said(world: World, words: str) -> list[Message]:
    """List the bot's messages that have these words."""
    return [message for message in world.workspace.messages if message.user == "U0BOT" and words in shown(message)]


async def heard(world: World, words: str) -> Message:
    """Wait until the bot says these words."""
    return (await world.workspace.until(lambda: said(world, words)))[0]


@ON_BOTH_STORES
async def test_asked_once(world: World) -> None:
    """Of two processes and after a restart the next group is asked once; then they may decide, and not before."""
    async with world.bot():
        _, card = await asked(world)
        await press(world, card, PAT)
        assert "Only <@U0SAM> can approve this" in await world.whisper_to(PAT)
    async with world.bot(**SOON), world.bot(**SOON):
        await heard(world, "<@U0PAT> Refund of $42.00 for ORD-10188: nobody has decided so far")
        await drawn(world, card, "Waiting for <@U0SAM>, <@U0PAT>.")
    async with world.bot(**SOON):
        await press(world, card, PAT)
        assert "✓ Approved by <@U0PAT>: $42.00" in shown(await world.settled(card))
    assert len(said(world, "nobody has decided")) == 1
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_queue_of_the_next_group(world: World) -> None:
    """On their Home tab they see what they were asked about, and decide it there; nothing else that waits."""
    async with world.bot(BOT_ESCALATE_APPROVERS=PAT):
        _, card = await asked(world)
        await world.workspace.surfaces.open_home(PAT)
        await home(world, PAT, "Nothing waits.")
        world.write("UPDATE tool_calls SET created_at = '2020-01-01T00:00:00+00:00'")
    async with world.bot(**NEXT):
        await heard(world, "nobody has decided")
        await world.workspace.surfaces.open_home(PAT)
        view = await home(world, PAT, "Waiting for a decision (1)")
        await world.workspace.surfaces.click(PAT, view.id, "approve_call")
        assert "✓ Approved by <@U0PAT>" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_after_the_reminder(world: World) -> None:
    """Without minutes the reminder comes at half of the time, and the next group is asked at three quarters."""
    async with world.bot(**NEXT):
        _, card = await asked(world)
    half = "UPDATE tool_calls SET created_at = '2026-01-01T00:00:00+00:00', expires_at = ?"
    (row,) = world.rows(
        "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+' || days || ' days') AS expires_at "
        "FROM (SELECT (julianday('now') - julianday('2026-01-01')) * 0.6 AS days)"
    )
    world.write(half, row["expires_at"])
    async with world.bot(**NEXT):
        await heard(world, "<@U0SAM>: Refund of $42.00 for ORD-10188 still waits")
    assert said(world, "nobody has decided") == []
    world.write("UPDATE tool_calls SET created_at = '2020-01-01T00:00:00+00:00'")
    async with world.bot(**NEXT):
        told = await heard(world, "nobody has decided")
    assert told.thread_ts == card.thread_ts
    assert len(said(world, "still waits")) == 1


async def test_of_a_direct_message(world: World) -> None:
    """Who cannot see the card gets one of their own, and the customer is told that more people were asked."""
    async with world.bot(**SOON):
        await asked(world, "D0ANA")
        told = await heard(world, "so I have asked more people")
        assert (told.channel, "<@U0PAT>" in shown(told)) == ("D0ANA", False)
        theirs = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "D0PAT" and buttons(m)), None)
        )
        await press(world, theirs, PAT)
        await world.settled(theirs)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_in_the_approval_channel(world: World) -> None:
    """They are asked below the card in the approvers' channel, and the customer's thread names nobody."""
    async with world.bot(BOT_APPROVAL_CHANNEL="C0TEAM"):
        question, card = await asked(world)
        await world.workspace.until(lambda: [m for m in world.workspace.messages if m.channel == "C0TEAM"])
    async with world.bot(**SOON, BOT_APPROVAL_CHANNEL="C0TEAM"):
        told = await heard(world, "<@U0PAT> Refund of $42.00 for ORD-10188: nobody")
        assert told.channel == "C0TEAM"
        await heard(world, "<@U0ANA> Refund of $42.00 for ORD-10188: nobody has decided so far, so I have asked")
        assert not [m for m in world.workspace.replies_of_bot(question) if "<@U0PAT>" in shown(m)]
        theirs = next(m for m in world.workspace.messages if m.channel == "C0TEAM" and buttons(m))
        await press(world, theirs, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_not_while_the_customer_is_to_confirm(world: World) -> None:
    """While it waits for the customer nobody of the next group is asked; they are once approvers have waited."""
    world.script += CANCEL
    async with world.bot(**NEXT):
        question = await world.says(ANA, "@bot cancel ORD-10251")
        await world.card(question)
        world.write("UPDATE tool_calls SET created_at = '2020-01-01T00:00:00+00:00' WHERE gated")
        await heard(world, "<@U0ANA>: Cancellation of ORD-10251 still waits")
        assert said(world, "nobody has decided") == []
        card = await world.confirmed(question)
    world.write("UPDATE tool_calls SET confirmed_at = '2020-01-01T00:00:00+00:00' WHERE gated")
    async with world.bot(**NEXT):
        await heard(world, "<@U0SAM>: Cancellation of ORD-10251 still waits")
        await heard(world, "<@U0PAT> Cancellation of ORD-10251: nobody has decided")
        await press(world, card, SAM)
        await world.settled(card)
    assert world.refunds() == [("ORD-10251", 4350)]
