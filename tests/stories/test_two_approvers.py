"""What needs two approvers: two different people, neither whose money it is, each counted once."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.operator.command import give
from tests.stories.test_home import home
from tests.stories.test_two_keys import press
from tests.world import ANA, BEN, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, calls, refund_of, shown

PAT = "U0PAT"
TWO: dict[str, Any] = {"BOT_APPROVERS": f"{SAM},{PAT}", "BOT_SECOND_APPROVER_OVER": "40"}


async def asked(world: World, order_id: str = "ORD-10188", amount: float | None = None, **how: Any) -> Message:
    """Ask as Ana for her money back, and return the card with the buttons."""
    world.script += [refund_of(order_id, amount), Answer("I have asked for it.")]
    return await world.card(await world.says(ANA, f"@bot {order_id} is broken", **how))


async def drawn(world: World, card: Message, words: str) -> Message:
    """Wait until the card shows these words."""
    return await world.workspace.until(
        lambda: (now := world.workspace.message(card.channel, card.ts)) and words in shown(now) and now
    )


def confirmation(card: Message) -> str:
    """Read what is asked once more before somebody approves."""
    (approve,) = (one for b in card.blocks for one in b.get("elements", ()) if one.get("action_id") == "approve_call")
    return str(approve["confirm"]["text"]["text"])


def request(world: World) -> dict[str, Any]:
    """Read the story's one request."""
    (row,) = world.rows("SELECT * FROM approval_requests")
    return row


@ON_BOTH_STORES
async def test_two_people(world: World) -> None:
    """Above the limit two people approve; the card says who has, and one person's clicks count once."""
    async with world.bot(**TWO):
        card = await asked(world)
        assert "Two different people have to approve this. Waiting for <@U0SAM>, <@U0PAT>." in shown(card)
        assert "One more person has to approve this after you. Then: $42.00 goes back" in confirmation(card)
        await press(world, card, SAM)
        card = await drawn(
            world, card, "✓ <@U0SAM> has approved, and one more person has to. Waiting for <@U0PAT>. Nothing"
        )
        assert confirmation(card).startswith("$42.00 goes back")
        await press(world, card, SAM)
        assert "You have approved this already" in await world.whisper_to(SAM)
        assert (world.refunds(), request(world)["first_approved_by"]) == ([], SAM)
        await press(world, card, PAT)
        assert "✓ Approved by <@U0SAM> and <@U0PAT>: $42.00" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]
    row = request(world)
    assert (row["approvals_needed"], row["first_approved_by"], row["decided_by"]) == (2, SAM, PAT)
    lines = (await give(world.database.parent, "log", row["reference"], BOT_DATABASE=world.place)).lines
    told = [line for line in lines if "approved it" in line]
    assert [("Sam" in line or SAM in line, "first of two" in line) for line in told] == [(True, True), (False, False)]


async def test_two_accounts(world: World) -> None:
    """Two accounts with one address are one person, whose clicks count once."""
    world.workspace.add(replace(world.workspace.people[PAT], email="sam@example.com"))
    world.workspace.add(replace(world.workspace.people[SAM], email="SAM@example.com"))
    async with world.bot(**TWO | {"BOT_APPROVERS": f"{SAM},{PAT},{BEN}"}):
        card = await asked(world)
        await press(world, card, SAM)
        await drawn(world, card, "✓ <@U0SAM> has approved, and one more person has to.")
        await press(world, card, PAT)
        assert "You have approved this already" in await world.whisper_to(PAT)
        assert world.refunds() == []
        await press(world, card, BEN)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_up_to_the_limit(world: World) -> None:
    """Up to the limit one approver is enough, and in another currency than the limit's two are needed."""
    async with world.bot(**TWO | {"BOT_SECOND_APPROVER_OVER": "42 USD"}):
        card = await asked(world)
        await press(world, card, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
    async with world.bot(**TWO | {"BOT_SECOND_APPROVER_OVER": "1000000 EUR"}):
        assert "Two different people" in shown(await asked(world, "ORD-10142", 1))


async def test_taken_back_and_declined(world: World) -> None:
    """Who approved first may take that back, nobody else can, and another's no ends the request."""
    async with world.bot(**TWO):
        card = await asked(world)
        await press(world, card, SAM)
        card = await drawn(world, card, "has approved")
        await press(world, card, PAT, "take_back_yes")
        assert "Only <@U0SAM>, who has approved it" in await world.whisper_to(PAT)
        await press(world, card, SAM, "take_back_yes")
        assert "Your yes is taken back" in await world.whisper_to(SAM)
        await drawn(world, card, "Two different people")
        await press(world, card, PAT)
        card = await drawn(world, card, "✓ <@U0PAT> has approved")
        await press(world, card, SAM, "cancel_call")
        assert "declined by <@U0SAM>" in shown(await world.settled(card))
    assert world.refunds() == []


async def test_first_approver_who_left(world: World) -> None:
    """The yes of somebody who may not approve any more does not count: the next one's is the first."""
    async with world.bot(**TWO | {"BOT_APPROVERS": f"{BEN},{SAM},{PAT}"}):
        card = await asked(world)
        await press(world, card, BEN)
        await drawn(world, card, "<@U0BEN> has approved")
    async with world.bot(**TWO):
        await press(world, card, SAM)
        await drawn(world, card, "<@U0SAM> has approved")
        assert world.refunds() == []
        await press(world, card, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_neither_is_the_customer(world: World) -> None:
    """Whose money it is cannot be one of the two, not even where approvers may approve their own."""
    async with world.bot(**TWO | {"BOT_APPROVERS": f"{ANA},{SAM},{PAT}", "BOT_ALLOW_SELF_APPROVAL": True}):
        card = await asked(world)
        await press(world, card, SAM)
        await drawn(world, card, "has approved")
        await press(world, card, ANA)
        assert "somebody else has to approve it" in await world.whisper_to(ANA)
    assert (world.refunds(), request(world)["status"]) == ([], "pending")


@ON_BOTH_STORES
async def test_both_at_once(world: World) -> None:
    """Two people who click at once, many times each, in two processes, have each counted once: it is done once."""
    async with world.bot(**TWO), world.bot(**TWO):
        card = await asked(world)
        await asyncio.gather(*(press(world, card, person) for person in (SAM, PAT) * 5))
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
    row = request(world)
    assert {row["first_approved_by"], row["decided_by"]} == {SAM, PAT}


async def test_the_customer_and_two(world: World) -> None:
    """Above the customer's own limit and that of one approver, all three say yes, the customer first."""
    world.script += [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]
    async with world.bot(**TWO):
        question = await world.says(ANA, "@bot cancel ORD-10251")
        card = await world.confirmed(question)
        await press(world, card, SAM)
        await drawn(world, card, "has approved")
        await press(world, card, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10251", 4350)]


async def test_pause_between_two(world: World) -> None:
    """What a pause has taken the buttons from is drawn with them, and with who has approved, when it is over."""
    async with world.bot(**TWO, BOT_SWEEP_SECONDS=0.05):
        card = await asked(world)
        await press(world, card, SAM)
        await drawn(world, card, "has approved")
        world.write("INSERT INTO switches VALUES ('paused', '2026-01-01T00:00:00+00:00')")
        await drawn(world, card, "Paused by the operator")
        world.write("DELETE FROM switches")
        await drawn(world, card, "<@U0SAM> has approved")
        await press(world, card, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_figures_change_between_two(world: World) -> None:
    """When the figures change after the first yes, both are asked again."""
    async with world.bot(**TWO):
        card = await asked(world, "ORD-10142", 80)
        await press(world, card, SAM)
        await drawn(world, card, "has approved")
        world.refund_elsewhere("ORD-10142", 2500)
        await press(world, card, PAT)
        await world.workspace.until(lambda: not buttons(world.workspace.message(card.channel, card.ts) or card))
    assert world.refunds() == [("ORD-10142", 2500)]
    assert request(world)["first_approved_by"] is None


async def test_two_on_home_tabs(world: World) -> None:
    """On Home tabs, too, the first yes is shown to the other approver, whose yes does it."""
    async with world.bot(**TWO):
        card = await asked(world)
        for person in (SAM, PAT):
            await world.workspace.surfaces.open_home(person)
            await home(world, person, "Two different people")
        view = await home(world, SAM)
        await world.workspace.surfaces.click(SAM, view.id, "approve_call")
        view = await home(world, PAT, "<@U0SAM> has approved")
        await world.workspace.surfaces.click(PAT, view.id, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize("channel", [SUPPORT, "D0ANA"])
async def test_two_in_the_approval_channel(world: World, channel: str) -> None:
    """In the approvers' channel the first yes is shown on their card; the thread says that two are asked."""
    async with world.bot(**TWO, BOT_APPROVAL_CHANNEL="C0TEAM"):
        card = await asked(world, channel=channel)
        assert "two people of the support team have to agree" in shown(card)
        theirs = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "C0TEAM" and buttons(m)), None)
        )
        await press(world, theirs, SAM)
        await drawn(world, theirs, "has approved")
        await press(world, theirs, PAT)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
