"""Who people are to the bot, when Slack is unsure itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel, Message, Person
from tests.world import ANA, BEN, SAM, World, buttons, calls, refund_of, results_in, shown

ORDER_OF_ANA = {"order_id": "ORD-10234", "include_tracking": False}


async def refund_card(world: World) -> Message:
    """Ask as Ana for a refund, and wait for the card."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    return await world.card(await world.says(ANA, "@bot my ORD-10188 is broken, I want my money back"))


async def approve(world: World, card: Message, person: str = SAM) -> None:
    """Press Approve."""
    await world.workspace.click(person, card.channel, card.ts, "approve_call")


async def test_group_that_is_gone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A group of approvers that Slack no longer knows keeps nobody from being served or from approving by name."""
    world.workspace.faults.refuse("usergroups.users.list", "no_such_subteam", times=100)
    async with world.bot(BOT_APPROVERS=f"S0GONE,{SAM}"):
        card = await refund_card(world)
        await approve(world, card, BEN)
        assert "can approve this" in await world.whisper_to(BEN)
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
    assert "the group S0GONE could not be read, so it counts as empty: no_such_subteam" in caplog.text


async def test_who_has_left_the_group(world: World) -> None:
    """Who was taken out of the group of approvers a moment ago may not approve any more, and who came in may."""
    world.workspace.usergroups["S0LEADS"] = [BEN]
    async with world.bot(BOT_APPROVERS="S0LEADS"):
        card = await refund_card(world)
        world.workspace.usergroups["S0LEADS"] = [SAM]
        await approve(world, card, BEN)
        assert "can approve this" in await world.whisper_to(BEN)
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize("error", ["internal_error", "service_unavailable", "fatal_error"])
async def test_passing_error(world: World, error: str) -> None:
    """Slack is asked again who somebody is after errors that pass, and nobody notices."""
    world.script += [Answer("Hello.")]
    world.workspace.faults.refuse("users.info", error, times=2)
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(answer).startswith("Hello.")


async def test_passing_fault_of_the_server(world: World) -> None:
    """Slack is asked once more who somebody is after an answer that is not its own, and nobody notices."""
    world.script += [Answer("Hello.")]
    world.workspace.faults.server_error("users.info")
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(answer).startswith("Hello.")


async def test_error_that_stays(world: World) -> None:
    """An error that asking again does not mend is told at the first answer."""
    world.workspace.faults.refuse("users.info", "user_not_found")
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert "did not tell me who you are" in shown(answer)


@pytest.mark.parametrize(
    "eve",
    [
        Person("U0EVE", "eve", "Eve", email="ana@example.com", is_email_confirmed=False),
        Person("U0EVE", "eve", "Eve", email="ana@example.com", is_email_confirmed=None),
        Person("U0EVE", "eve", "Eve", email="ana@example.com", is_invited_user=True),
        Person("U0EVE", "eve", "Eve", email="  "),
        Person("U0EVE", "eve", "Eve"),
    ],
    ids=["unconfirmed", "not said to be confirmed", "invited", "blank", "none"],
)
async def test_address_that_does_not_count(world: World, eve: Person) -> None:
    """Who has no address, or one that Slack does not vouch for, has no orders and no account."""
    world.workspace.add(eve)
    world.script += [
        calls(("find_orders", {"email": None}), ("get_order_status", ORDER_OF_ANA), ("delete_account", {})),
        Answer("Nothing."),
    ]
    async with world.bot():
        await world.replies(await world.says(eve.id, "@bot what did I order?"))
    found, order, account = results_in(world.asked[-1])[-3:]
    assert found == {"orders": []}
    assert order["error"] == "There is no order ORD-10234 in your name."
    assert account["error"] == "You have no account in the shop."


async def test_address_that_slack_vouches_for(world: World) -> None:
    """A confirmed address counts, in whatever case and with spaces around it."""
    world.workspace.add(Person("U0EVE", "eve", "Eve", email=" ANA@Example.com ", is_email_confirmed=True))
    world.script += [calls(("get_order_status", ORDER_OF_ANA)), Answer("Here.")]
    async with world.bot():
        await world.replies(await world.says("U0EVE", "@bot where is ORD-10234?"))
    assert "error" not in json.loads(world.asked[-1].messages[-1]["content"])


@pytest.mark.parametrize("allowed", [False, True])
async def test_approver_whose_own_order_it_is(world: World, *, allowed: bool) -> None:
    """An approver cannot decide over money for their own order, even if somebody else asked, unless that is allowed."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=f"{SAM},{ANA}", BOT_ALLOW_SELF_APPROVAL=allowed):
        card = await world.card(await world.says(SAM, "@bot please refund ORD-10188, it came broken"))
        await approve(world, card, ANA)
        if allowed:
            await world.settled(card)
        else:
            assert "your own order" in await world.whisper_to(ANA)
    assert world.refunds() == ([("ORD-10188", 4200)] if allowed else [])


@pytest.mark.parametrize(
    "profile",
    [
        {"email": "Ana@example.com", "is_email_confirmed": False},
        {"email": "ana@example.com", "is_email_confirmed": None},
        {"email": "ana@example.com", "is_invited_user": True},
        {"email": " ana@example.com", "is_email_confirmed": True},
    ],
    ids=["unconfirmed", "not said to be confirmed", "invited", "confirmed"],
)
async def test_second_account_of_the_customer(world: World, profile: dict[str, Any]) -> None:
    """Who may approve and has the customer's address in their profile does not decide, confirmed or not."""
    world.workspace.add(replace(world.workspace.people["U0CHLOE"], **profile))
    async with world.bot(BOT_APPROVERS=f"{SAM},U0CHLOE"):
        card = await refund_card(world)
        await approve(world, card, "U0CHLOE")
        assert "your own order or account" in await world.whisper_to("U0CHLOE")
        assert world.refunds() == []
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_second_account_of_who_asked(world: World) -> None:
    """Who asked for a customer does not approve it with another account of the same address."""
    world.workspace.add(replace(world.workspace.people[BEN], email=world.workspace.people[SAM].email))
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=f"{SAM},{BEN},U0CHLOE"):
        card = await world.card(await world.says(SAM, "@bot please refund ORD-10188, it came broken"))
        await approve(world, card, BEN)
        assert "You asked for this yourself" in await world.whisper_to(BEN)
        assert world.refunds() == []
        await approve(world, card, "U0CHLOE")
        await world.settled(card)


async def test_group_that_is_gone_among_who_is_written_to(world: World) -> None:
    """A group that cannot be read is passed over when approvers get a card each: who is named gets theirs."""
    world.workspace.faults.refuse("usergroups.users.list", "no_such_subteam", times=100)
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=f"S0GONE,{SAM}"):
        await world.says(ANA, "my ORD-10188 is broken, I want my money back", "D0ANA")
        card = await world.workspace.until(
            lambda: next((message for message in world.workspace.messages if "approve_call" in buttons(message)), None)
        )
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


PRIVATE = Channel("C0PRIVATE", "private", "group", frozenset({ANA, BEN, "U0BOT"}))


async def card_to_decide(world: World) -> Message:
    """Wait for the first card that can be approved, wherever it is."""
    return await world.workspace.until(
        lambda: next((message for message in world.workspace.messages if "approve_call" in buttons(message)), None)
    )


@pytest.mark.parametrize("approvers", [SAM, "S0LEADS", ""], ids=["person", "group", "admins"])
async def test_private_channel_without_an_approver(world: World, approvers: str) -> None:
    """What is asked for in a channel that no approver can see goes to each of them, and is approved there."""
    world.workspace.add(PRIVATE)
    world.workspace.usergroups["S0LEADS"] = [SAM]
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=approvers):
        shown_to_ana = await world.card(await world.says(ANA, "@bot my ORD-10188 is broken", PRIVATE.id))
        card = await card_to_decide(world)
        assert card.channel == "D0SAM"
        assert list(buttons(shown_to_ana)) == ["cancel_call"]
        assert "Nothing has happened yet" in shown(shown_to_ana)
        await approve(world, card)
        assert "Nothing has happened yet" not in shown(await world.settled(shown_to_ana))
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize(
    "channel",
    [replace(PRIVATE, members=PRIVATE.members | {SAM}), replace(PRIVATE, kind="channel")],
    ids=["approver is in it", "public"],
)
async def test_channel_that_an_approver_sees(world: World, channel: Channel) -> None:
    """Where an approver is in the channel, or can enter it, the one card is in the thread."""
    world.workspace.add(channel)
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot my ORD-10188 is broken", PRIVATE.id))
        await approve(world, card)
        await world.settled(card)
    assert [message.channel for message in world.workspace.messages if message.channel.startswith("D")] == []


async def test_approver_who_asks_in_a_private_channel(world: World) -> None:
    """The one approver in a private channel who asks there is nobody to decide: another one gets the card."""
    world.workspace.add(replace(PRIVATE, members=frozenset({SAM, "U0BOT"})))
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=f"{SAM},{BEN}"):
        await world.says(SAM, "@bot please refund ORD-10188", PRIVATE.id)
        assert (await card_to_decide(world)).channel == "D0BEN"


async def test_slack_does_not_tell_who_sees_a_channel(world: World) -> None:
    """When Slack does not tell who is in a channel, it is as if no approver were there."""
    world.workspace.faults.refuse("conversations.members", "fetch_members_failed", times=10)
    world.workspace.add(replace(PRIVATE, members=PRIVATE.members | {SAM}))
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        await world.says(ANA, "@bot my ORD-10188 is broken", PRIVATE.id)
        assert (await card_to_decide(world)).channel == "D0SAM"


async def test_approver_whose_account_it_is(world: World) -> None:
    """An approver does not decide over the account that is theirs, whoever asked."""
    world.workspace.add(replace(world.workspace.people["U0CHLOE"], email="ben@example.com"))
    world.write("UPDATE orders SET status = 'delivered' WHERE status != 'cancelled'")
    world.script += [calls(("delete_account", {})), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS=f"{SAM},U0CHLOE"):
        card = await world.confirmed(await world.says(BEN, "@bot delete my account"), BEN)
        await approve(world, card, "U0CHLOE")
        assert "your own order or account" in await world.whisper_to("U0CHLOE")
        await approve(world, card)
        await world.settled(card)


@pytest.mark.parametrize("error", ["internal_error", "missing_scope", "invalid_auth", "an_error_of_next_year"])
async def test_group_that_cannot_be_read_for_now(world: World, error: str) -> None:
    """While Slack does not show a group, its members are neither let in nor told that they may not; later they may."""
    world.workspace.usergroups["S0LEADS"] = [SAM]
    async with world.bot(BOT_APPROVERS="S0LEADS"):
        card = await refund_card(world)
        world.workspace.faults.refuse("usergroups.users.list", error, times=3 if error == "internal_error" else 1)
        await approve(world, card)
        assert "I could not check with Slack whether you may do this" in await world.whisper_to(SAM)
        assert world.refunds() == []
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
