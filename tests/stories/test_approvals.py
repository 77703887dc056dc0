"""Somebody wants money back: the card, who may decide, and that it happens once or not at all."""

import asyncio
import json
import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bot.shop.changes import Applied, Change, Quote
from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message, Person
from tests.world import (
    ANA,
    BEN,
    ON_BOTH_STORES,
    SAM,
    SUPPORT,
    World,
    buttons,
    calls,
    notes_in,
    refund_of,
    shown,
    sorted_as,
)

WAITING = Answer("I have asked for it.")


async def refund_card(world: World, order_id: str = "ORD-10188", amount: float | None = None) -> Message:
    """Play the story up to the card: Ana asks in a channel, the model proposes, the card stands in the thread."""
    world.script += [refund_of(order_id, amount), WAITING]
    return await world.card(await world.says(ANA, f"@bot my {order_id} is broken, I want my money back"))


async def approve(world: World, card: Message, person: str = SAM, **how: Any) -> bool:
    """Press Approve."""
    return await world.workspace.click(person, card.channel, card.ts, "approve_call", **how)


async def cancel(world: World, card: Message, person: str = SAM) -> bool:
    """Press Cancel."""
    return await world.workspace.click(person, card.channel, card.ts, "cancel_call")


def call_row(world: World) -> dict[str, Any]:
    """Read the row of the story's one refund call."""
    (row,) = world.rows("SELECT * FROM tool_calls WHERE tool = 'initiate_refund'")
    return row


async def test_card_says_what_would_happen(world: World) -> None:
    """The card names amount, order, payment method, reason, requester and time, in the shop's figures."""
    async with world.bot():
        card = await refund_card(world, "ORD-10142", 24.5)
    text = shown(card)
    for part in (
        "Refund $24.50 of $138.00",
        "*Amount*\n$24.50 of $138.00 ($24.50 went back before)",
        "*Goes back to*\nVisa ending 4242",
        "*Reason*\nDefective",
        "*Asked by*\n<@U0ANA>",
        "*Open until*\n<!date^",
        "Waiting for <@U0SAM>. Nothing has happened yet.",
    ):
        assert part in text
    approve_button = buttons(card)["approve_call"]
    assert approve_button["text"]["text"] == "Approve refund of $24.50"
    assert "cannot be undone" in approve_button["confirm"]["text"]["text"]
    assert {button["value"] for button in buttons(card).values()} == {call_row(world)["id"]}


@ON_BOTH_STORES
async def test_approved(world: World) -> None:
    """An approval refunds the money, redraws the card without buttons, tells the thread, and the model knows after."""
    world.script += []
    async with world.bot():
        card = await refund_card(world)
        assert await approve(world, card)
        settled = await world.settled(card)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        replies = await world.replies(root, 3)
        world.script += [Answer("You are welcome.")]
        await world.says(ANA, "thanks", thread_ts=root.ts)
        await world.replies(root, 4)
    assert world.refunds() == [("ORD-10188", 4200)]
    assert "✓ Approved by <@U0SAM>: $42.00 for ORD-10188 went back to Visa ending 4242." in shown(settled)
    assert "Refund $42.00" in shown(settled)
    told = "<@U0ANA> ✓ Approved by <@U0SAM>: $42.00 for ORD-10188 went back"
    assert any(shown(reply).startswith(told) for reply in replies)  # it may overtake the model's answer
    row = call_row(world)
    assert (row["status"], row["decided_by"], row["requester"]) == ("succeeded", SAM, ANA)
    (note,) = notes_in(world.asked[-1])
    assert "approved by a person and done. $42.00 for ORD-10188 went back" in note


async def test_model_hears_that_nothing_has_happened(world: World) -> None:
    """The model is told at once that the refund waits and was not executed."""
    async with world.bot():
        await refund_card(world)
        await world.workspace.until(lambda: len(world.asked) > 1)
    output = world.asked[1].messages[-1]["content"]
    assert '"not_executed": true' in output
    assert world.refunds() == []


async def test_cancelled(world: World) -> None:
    """Whoever asked may cancel: nothing is refunded, and the card says who cancelled."""
    async with world.bot():
        card = await refund_card(world)
        assert await cancel(world, card, ANA)
        settled = await world.settled(card)
    assert "✕ Refund of $42.00 for ORD-10188: withdrawn by <@U0ANA>. Nothing was done." in shown(settled)
    assert world.refunds() == []
    assert call_row(world)["status"] == "cancelled"


async def test_declined(world: World) -> None:
    """An approver's no is told and logged as declined, to the model too, and a click after it hears so."""
    async with world.bot():
        card = await refund_card(world)
        assert buttons(card)["cancel_call"]["text"]["text"] == "Cancel"
        assert await cancel(world, card, SAM)
        settled = await world.settled(card)
        await approve(world, card)
        assert "already declined by <@U0SAM>" in await world.whisper_to(SAM)
        world.script += [Answer("It was declined.")]
        await world.says(ANA, "and now?", thread_ts=card.thread_ts)
        await world.workspace.until(lambda: len(world.asked) > 2)
    assert "✕ Refund of $42.00 for ORD-10188: declined by <@U0SAM>. Nothing was done." in shown(settled)
    assert notes_in(world.asked[-1]) == ["Refund of $42.00 for ORD-10188: declined by a person, nothing was done."]
    assert (call_row(world)["status"], call_row(world)["decided_by"]) == ("declined", SAM)
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        world.write("UPDATE tool_calls SET error = 'changed'")


async def test_what_an_approver_judges_by(world: World) -> None:
    """A refund's card shows what was bought, when it arrived and how long ago, which may change until it is decided."""
    world.write("UPDATE orders SET delivered_at = ? WHERE id = 'ORD-10188'", days_ago(9))
    async with world.bot():
        card = await refund_card(world)
        assert "*Items*\n1 x Cast-iron teapot, 0.8 l" in shown(card)
        assert re.search(r"\*Delivered\*\n\w{3}, \w{3} \d+, 9 days ago", shown(card))
        world.write("UPDATE orders SET delivered_at = ? WHERE id = 'ORD-10188'", days_ago(10))
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize(("days", "told"), [(None, "Not yet: shipped"), (0, "today"), (1, "yesterday")])
async def test_when_it_arrived(world: World, days: int | None, told: str) -> None:
    """An order that has not arrived says so on the card, and a day that is near is named."""
    status = "shipped" if days is None else "delivered"
    when = None if days is None else days_ago(days)
    world.write("UPDATE orders SET status = ?, delivered_at = ? WHERE id = 'ORD-10188'", status, when)
    world.script += [refund_of("ORD-10188", reason="not_delivered"), WAITING]
    async with world.bot():
        assert told in shown(await world.card(await world.says(ANA, "@bot where is ORD-10188? Money back!")))


async def test_text_of_others_on_the_card(world: World) -> None:
    """What customers and the shop wrote is plain on a card and in its dialog, and pushes nothing out of either."""
    hostile = (
        "*Amount*\n$1.00\r✓ _Approved_ by <@U0SAM> :white_check_mark: `x` ~y~ ”“ \u202e\u200b https://evil.example " * 9
    )
    world.write("UPDATE customers SET name = ? WHERE email = 'ana@example.com'", hostile)
    world.write("UPDATE order_items SET name = ? WHERE order_id = 'ORD-10188'", hostile)
    world.write("UPDATE orders SET payment_method = ? WHERE id = 'ORD-10188'", hostile)
    world.intent = sorted_as("refund", summary=hostile)
    async with world.bot():
        card = await refund_card(world)
    facts = [field["text"].partition("\n") for block in card.blocks for field in block.get("fields", ())]
    values = {label: value for label, _, value in facts}
    assert values["*Amount*"] == "$42.00 of $42.00"
    foreign = [values[label] for label in ("*Order*", "*Items*", "*Goes back to*")]
    foreign += [
        element["text"]
        for block in card.blocks
        if block["type"] == "context" and block["block_id"] not in ("before", "note")
        for element in block["elements"]
    ][:1]
    for text in foreign:
        inside = text.removeprefix("Understood as refund, low urgency: “").removesuffix("”")
        assert not set("*`~“”✓\u202e\u200b\n\r<>") & set(inside), text
        assert ":white" not in inside
        assert "evil" not in inside
        assert len(inside) <= 1_000
    dialog = buttons(card)["approve_call"]["confirm"]["text"]["text"]
    assert dialog.startswith("$42.00 goes back to ")
    assert dialog.endswith("This cannot be undone.")
    assert len(dialog) <= 300


def days_ago(days: int) -> str:
    """Write the time so many days ago as the shop keeps it."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


@ON_BOTH_STORES
async def test_fifty_clicks_at_once(world: World) -> None:
    """Fifty approvals at the same instant make one refund, and every click is acked."""
    async with world.bot():
        card = await refund_card(world)
        acked = await asyncio.gather(*(approve(world, card) for _ in range(50)))
        await world.settled(card)
    assert all(acked)
    assert world.refunds() == [("ORD-10188", 4200)]
    said = [shown(m) for m in world.workspace.thread(SUPPORT, card.root_ts) if "went back" in shown(m)]
    assert len(said) == 2  # the card and one message


async def test_approve_and_cancel_at_once(world: World) -> None:
    """When Approve and Cancel are pressed at the same instant, exactly one of them holds."""
    async with world.bot():
        card = await refund_card(world)
        await asyncio.gather(*(decide(world, card) for decide in (approve, cancel) * 10))
        await world.settled(card)
    row = call_row(world)
    assert (row["status"], len(world.refunds())) in {("succeeded", 1), ("declined", 0)}


@pytest.mark.parametrize(
    ("person", "words"),
    [(BEN, "Only <@U0SAM> can approve this"), (ANA, "Only <@U0SAM> can approve this")],
)
async def test_stranger_or_requester_clicks(world: World, person: str, words: str) -> None:
    """Somebody who may not approve is told so alone, and the card stays."""
    async with world.bot():
        card = await refund_card(world)
        await approve(world, card, person)
        told = await world.whisper_to(person)
        assert words in told
        now = world.workspace.message(card.channel, card.ts)
    assert now
    assert buttons(now)
    assert call_row(world)["status"] == "pending"
    assert world.refunds() == []
    (refused,) = world.rows("SELECT user, decision, told FROM refused_clicks")
    assert refused == {"user": person, "decision": "approve", "told": told}


async def test_stranger_cannot_cancel(world: World) -> None:
    """Somebody else's request is not theirs to cancel."""
    async with world.bot():
        card = await refund_card(world)
        await cancel(world, card, BEN)
        assert "can end this" in await world.whisper_to(BEN)
    assert call_row(world)["status"] == "pending"


async def test_approver_cannot_approve_their_own(world: World) -> None:
    """An approver who asked for the refund has to leave the decision to somebody else."""
    async with world.bot(BOT_APPROVERS=f"{SAM},{ANA}"):
        card = await refund_card(world)
        await approve(world, card, ANA)
        assert "You asked for this yourself" in await world.whisper_to(ANA)
    assert world.refunds() == []


async def test_self_approval_when_it_is_allowed(world: World) -> None:
    """With BOT_ALLOW_SELF_APPROVAL an approver may approve what they asked for."""
    async with world.bot(BOT_APPROVERS=ANA, BOT_ALLOW_SELF_APPROVAL=True):
        card = await refund_card(world)
        await approve(world, card, ANA)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_user_group_approves(world: World) -> None:
    """Whoever is in a group of BOT_APPROVERS may approve, and nobody else."""
    world.workspace.usergroups["S0LEADS"] = [BEN]
    async with world.bot(BOT_APPROVERS="S0LEADS"):
        card = await refund_card(world)
        assert "<!subteam^S0LEADS>" in shown(card)
        await approve(world, card, SAM)
        await world.whisper_to(SAM)
        await approve(world, card, BEN)
        await world.settled(card)
    assert call_row(world)["decided_by"] == BEN


async def test_admins_approve_when_nobody_is_named(world: World) -> None:
    """Without BOT_APPROVERS the workspace's admins may approve, and others may not."""
    async with world.bot(BOT_APPROVERS=""):
        card = await refund_card(world)
        await approve(world, card, BEN)
        assert "an admin of this workspace" in await world.whisper_to(BEN)
        await approve(world, card, SAM)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_admin_of_another_workspace(world: World) -> None:
    """Without BOT_APPROVERS the admins of a trusted workspace still may not approve: they are not ours."""
    support = world.workspace.channels[SUPPORT]
    eve = Person("U0EVE", "eve", "Eve", team="T0PARTNER", is_admin=True)
    world.workspace.add(eve, replace(support, members=support.members | {eve.id}))
    async with world.bot(BOT_APPROVERS="", BOT_TRUSTED_TEAMS="T0PARTNER"):
        card = await refund_card(world)
        await approve(world, card, "U0EVE")
        assert "an admin of this workspace" in await world.whisper_to("U0EVE")
    assert world.refunds() == []


async def test_slack_does_not_say_who_may_approve(world: World) -> None:
    """When Slack cannot be asked who the clicker is, nothing is done."""
    async with world.bot():
        card = await refund_card(world)
        world.workspace.faults.refuse("users.info", "internal_error", times=4)
        await approve(world, card)
        assert "could not check with Slack" in await world.whisper_to(SAM)
    assert world.refunds() == []


async def test_click_on_a_settled_card(world: World) -> None:
    """A click from a screen that is behind changes nothing, and the clicker hears what became of it."""
    async with world.bot():
        card = await refund_card(world)
        await approve(world, card)
        await world.settled(card)
        await approve(world, card)
        assert "already approved by <@U0SAM>" in await world.whisper_to(SAM)
        await cancel(world, card, ANA)
        assert "Nothing was done twice" in await world.whisper_to(ANA)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_click_after_expiry(world: World) -> None:
    """A request that has expired is closed by the first click after, which refunds nothing."""
    async with world.bot(BOT_APPROVAL_HOURS=1e-9):
        card = await refund_card(world)
        await approve(world, card)
        assert "has expired" in await world.whisper_to(SAM)
        assert "expired without a decision" in shown(await world.settled(card))
    assert world.refunds() == []
    assert call_row(world)["status"] == "expired"


async def test_expired_while_the_bot_was_away(world: World) -> None:
    """A request that expired while the bot was stopped is closed at the next start, and the thread is told."""
    async with world.bot(BOT_APPROVAL_HOURS=1e-9):
        card = await refund_card(world)
    async with world.bot():
        await world.settled(card)
    assert call_row(world)["status"] == "expired"


@pytest.mark.parametrize(
    "forged",
    [
        {"container": {"channel_id": "C0GENERAL"}},
        {"container": {"message_ts": "1700000000.000100"}},
        {"team": {"id": "T0OTHER"}},
        {"user": {"team_id": "T0OTHER"}},
        {"api_app_id": "A0OTHER"},
    ],
)
async def test_click_that_does_not_fit_its_card(world: World, forged: dict[str, Any]) -> None:
    """A click whose channel, message, team or app is not the card's own does nothing."""
    async with world.bot():
        card = await refund_card(world)
        await approve(world, card, forged=forged)
    assert call_row(world)["status"] == "pending"
    assert world.refunds() == []


@pytest.mark.parametrize("value", ["", "deadbeef", "' OR 1=1 --"])
async def test_click_with_a_made_up_id(world: World, value: str) -> None:
    """A value that is no pending call's id does nothing."""
    async with world.bot():
        card = await refund_card(world)
        await approve(world, card, value=value)
        assert "does not belong to an open request" in await world.whisper_to(SAM)
    assert call_row(world)["status"] == "pending"


async def test_button_of_another_card(world: World) -> None:
    """The id of one request pressed on the card of another does nothing: what was shown is what is approved."""
    async with world.bot():
        small = await refund_card(world, "ORD-10188", 1)
        large = await refund_card(world, "ORD-10142")
        await approve(world, small, value=buttons(large)["approve_call"]["value"])
        assert "does not belong" in await world.whisper_to(SAM)
    assert world.refunds() == []


async def test_world_changed_before_the_approval(world: World) -> None:
    """When less is left than was shown, nothing is refunded: it is asked again with the figures as they are now."""
    async with world.bot():
        card = await refund_card(world, "ORD-10188")
        world.refund_elsewhere("ORD-10188", 100)
        await approve(world, card)
        assert "so nothing was done. The new card has it as it is now." in await world.whisper_to(SAM)
        assert "asked again below" in shown(await world.settled(card))
        assert world.refunds() == [("ORD-10188", 100)]
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        again = await world.card(root)
        assert "Refund $41.00 of $42.00" in shown(again)
        await approve(world, card)
        await approve(world, again)
        assert "✓ Approved by <@U0SAM>: $41.00" in shown(await world.settled(again))
    assert world.refunds() == [("ORD-10188", 100), ("ORD-10188", 4100)]
    assert len(world.rows("SELECT id FROM tool_calls WHERE gated")) == 1


async def test_nothing_is_left_before_the_approval(world: World) -> None:
    """When what was shown cannot be done at all any more, the request ends and says why."""
    async with world.bot():
        card = await refund_card(world, "ORD-10188")
        world.refund_elsewhere("ORD-10188", 4200)
        await approve(world, card)
        assert "but not done. ORD-10188 was refunded in full already" in shown(await world.settled(card))
    assert call_row(world)["status"] == "failed"


async def test_whole_order_in_another_currency(world: World) -> None:
    """An order in another currency, whatever its figures, can be refunded as a whole."""
    world.write("UPDATE orders SET currency = 'KRW', total_minor = 150000000 WHERE id = 'ORD-10188'")
    async with world.bot():
        card = await refund_card(world)
        assert "Refund 150,000,000 KRW" in shown(card)
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 150000000)]


async def test_payment_method_changed_before_the_approval(world: World) -> None:
    """When anything that the card shows is not so any more, nothing is done, and it is asked again as it is now."""
    async with world.bot():
        card = await refund_card(world)
        world.write("UPDATE orders SET payment_method = 'PayPal mallory@…' WHERE id = 'ORD-10188'")
        await approve(world, card)
        assert "not as it was shown any more" in shown(await world.settled(card))
        again = await world.card(world.workspace.thread(SUPPORT, card.root_ts)[0])
        assert "*Goes back to*\nPayPal mallory@…" in shown(again)
    assert world.refunds() == []


async def test_card_of_another_layout(world: World) -> None:
    """A request that was shown by a version with another layout is done when it is approved after the deploy."""
    async with world.bot():
        card = await refund_card(world)
    older = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": "Refund, as we drew it once"}}])
    world.write("UPDATE tool_calls SET card = ?", older)
    async with world.bot():
        await approve(world, card)
        settled = await world.settled(card)
    assert shown(settled).startswith("Refund, as we drew it once\n✓ Approved by <@U0SAM>")
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_approval_channel_that_is_archived(world: World) -> None:
    """When the approval channel takes no card, one with the buttons stands in the thread, and works."""
    world.workspace.faults.refuse("chat.postMessage", "is_archived", channel="C0GENERAL")
    async with world.bot(BOT_APPROVAL_CHANNEL="C0GENERAL"):
        await refund_card(world)
        card = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if "approve_call" in buttons(m)), None)
        )
        await approve(world, card)
        await world.settled(card)
    assert (card.channel, world.refunds()) == (SUPPORT, [("ORD-10188", 4200)])


async def test_approver_whose_direct_message_does_not_open(world: World) -> None:
    """Of several approvers one who cannot be written to is passed over; the others get the card."""
    world.workspace.faults.refuse("conversations.open", "user_disabled")
    world.script += [refund_of("ORD-10188"), WAITING]
    async with world.bot(BOT_APPROVERS=f"{BEN},{SAM}"):
        await world.says(ANA, "refund ORD-10188, broken", "D0ANA")
        await world.workspace.until(
            lambda: any(message.channel == "D0SAM" and buttons(message) for message in world.workspace.messages)
        )


async def test_second_request_while_one_waits(world: World) -> None:
    """A second request for the same order is refused while the first waits, also within one turn."""
    world.script += [
        calls(
            ("initiate_refund", {"order_id": "ORD-10188", "reason": "defective", "amount": 10}),
            ("initiate_refund", {"order_id": "ORD-10188", "reason": "defective", "amount": 12}),
        ),
        WAITING,
    ]
    async with world.bot():
        question = await world.says(ANA, "@bot refund twice")
        await world.replies(question, 2)
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls ORDER BY position")] == [
        "pending",
        "rejected",
    ]
    assert "only one at a time" in world.asked[1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("order_id", "amount", "told"),
    [
        ("ORD-10188", 42.01, "more than is left"),
        ("ORD-10188", 0, "more than zero"),
        ("ORD-10188", -1, "more than zero"),
        ("ORD-10188", 1.005, "more than two decimals"),
        ("ORD-10188", 1e300, "more than zero"),
        ("ORD-10131", None, "no order"),
        ("ORD-99999", None, "no order"),
    ],
)
async def test_amount_or_order_that_cannot_be(world: World, order_id: str, amount: float | None, told: str) -> None:
    """A refund that could not be made is refused before any person is asked."""
    world.script += [refund_of(order_id, amount), Answer("That can't be.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund")
        replies = await world.replies(question)
    assert [bool(buttons(reply)) for reply in replies] == [False]
    assert told in world.asked[1].messages[-1]["content"]


async def test_typed_yes_approves_nothing(world: World) -> None:
    """An approver who types yes has approved nothing; only the button does."""
    async with world.bot():
        card = await refund_card(world)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        await world.replies(root, 2)
        world.script += [Answer("Please press the button.")]
        await world.says(SAM, "yes, approved", thread_ts=root.ts)
        await world.replies(root, 3)
    assert call_row(world)["status"] == "pending"


async def test_asked_in_a_direct_message(world: World) -> None:
    """A refund asked for in a direct message: the approver gets the card, the customer one with Cancel only."""
    world.script += [refund_of("ORD-10188"), WAITING]
    async with world.bot():
        question = await world.says(ANA, "refund ORD-10188, broken", "D0ANA")
        theirs = await world.card(question)
        sams = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "D0SAM" and buttons(m)), None)
        )
        assert set(buttons(theirs)) == {"cancel_call"}
        assert set(buttons(sams)) == {"approve_call", "cancel_call", "change_call", "decline_call"}
        await world.replies(question, 2)
        await approve(world, sams)
        for card in (theirs, sams):
            assert "✓ Approved by <@U0SAM>" in shown(await world.settled(card))
        told = await world.replies(question, 3)
    assert "went back to Visa ending 4242" in shown(told[2])
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_approval_channel(world: World) -> None:
    """With BOT_APPROVAL_CHANNEL the buttons stand there alone; the thread says why it waits and has the Cancel."""
    async with world.bot(BOT_APPROVAL_CHANNEL="C0GENERAL"):
        card = await refund_card(world)
        theirs = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "C0GENERAL" and buttons(m)), None)
        )
        assert [*buttons(card)] == ["cancel_call"]
        assert "Money goes back with this, so somebody of the support team has to agree" in shown(card)
        assert f"<@{SAM}>" not in shown(card)
        assert shown(theirs).count(f"<@{SAM}>") == 1
        await approve(world, theirs)
        await world.settled(card)
        await world.settled(theirs)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_withdrawn_beside_an_approval_channel(world: World) -> None:
    """Who asked takes it back in the thread while the buttons to approve stand elsewhere, and both cards say so."""
    async with world.bot(BOT_APPROVAL_CHANNEL="C0GENERAL"):
        card = await refund_card(world)
        await cancel(world, card, ANA)
        assert "withdrawn by <@U0ANA>" in shown(await world.settled(card))
        await world.workspace.until(
            lambda: any(m.channel == "C0GENERAL" and "withdrawn" in shown(m) for m in world.workspace.messages)
        )
    assert world.refunds() == []


async def test_card_that_cannot_be_posted(world: World) -> None:
    """A request whose card Slack does not take is closed, because nobody could ever decide it."""
    world.workspace.faults.refuse("chat.postMessage", "invalid_blocks", channel=SUPPORT)
    world.script += [refund_of("ORD-10188"), WAITING]
    async with world.bot():
        question = await world.says(ANA, "@bot refund")
        await world.replies(question, 2)
    assert call_row(world)["status"] == "cancelled"


async def test_rate_limited(world: World) -> None:
    """When Slack says to wait, the card comes after the wait, and once."""
    world.workspace.faults.rate_limit("chat.postMessage", retry_after=0)
    async with world.bot():
        card = await refund_card(world)
        await approve(world, card)
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_approver_who_has_left(world: World) -> None:
    """An account that is deactivated approves nothing, although it is still named in the settings."""
    sam = world.workspace.people[SAM]
    async with world.bot():
        card = await refund_card(world)
        world.workspace.add(Person(SAM, sam.name, sam.real_name, email=sam.email, is_admin=True, deleted=True))
        await approve(world, card)
        await world.whisper_to(SAM)
    assert world.refunds() == []


class LateShop(SqliteShop):
    """A shop that makes the first refund, but does not say so in time."""

    answered = False

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Refund, and answer only when asked again."""
        applied = await super().apply(change, quote, key=key)
        if not self.answered:
            self.answered = True
            await asyncio.Event().wait()
        return applied


class LostShop(LateShop):
    """A shop that the first request for a refund never reaches."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Lose the first request, and take the next."""
        if not self.answered:
            self.answered = True
            await asyncio.Event().wait()
        return await SqliteShop.apply(self, change, quote, key=key)


async def test_shop_made_the_refund_but_did_not_say_so(world: World) -> None:
    """When the shop does not answer in time, it is asked for the outcome, and nothing is refunded again."""
    async with world.bot(open_shop=LateShop, BOT_TOOL_TIMEOUT_SECONDS=0.8):
        card = await refund_card(world)
        await approve(world, card)
        assert "✓ Approved by <@U0SAM>" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_shop_never_heard_of_the_refund(world: World) -> None:
    """When nobody knows what came of a refund, the card says so; later it is made, under the same key."""
    async with world.bot(open_shop=LostShop, BOT_TOOL_TIMEOUT_SECONDS=0.8, BOT_SWEEP_SECONDS=0.3):
        card = await refund_card(world)
        await approve(world, card)
        assert "it will not be done twice" in shown(await world.settled(card))
        await world.workspace.until(
            lambda: (now := world.workspace.message(card.channel, card.ts)) and "✓ Approved by" in shown(now)
        )
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize(
    "change", ["currency = 'GBP'", "payment_method = 'PayPal mallory'", "total_minor = total_minor + 500"]
)
async def test_world_changed_before_a_later_try(world: World, change: str) -> None:
    """A refund that the shop never heard of is not made later when it is not as it was shown any more."""
    async with world.bot(open_shop=LostShop, BOT_TOOL_TIMEOUT_SECONDS=0.8, BOT_SWEEP_SECONDS=0.5):
        card = await refund_card(world)
        await approve(world, card)
        await world.settled(card)
        world.write(f"UPDATE orders SET {change} WHERE id = 'ORD-10188'")  # noqa: S608 - the changes above
        await world.workspace.until(
            lambda: (now := world.workspace.message(card.channel, card.ts)) and "but not done" in shown(now)
        )
    assert world.refunds() == []


async def test_message_deleted_while_the_model_thinks(world: World) -> None:
    """A refund whose message was deleted before the model asked for it is not parked, and nothing is said of it."""
    thinking, deleted = asyncio.Event(), asyncio.Event()
    turns = [refund_of("ORD-10188"), Answer("What do you want now?")]

    async def answer(_: Request) -> Answer:
        thinking.set()
        await deleted.wait()
        return turns.pop(0)

    world.think = answer
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        await thinking.wait()
        world.workspace.delete(question.channel, question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        deleted.set()
    assert call_row(world)["status"] == "rejected"
    assert world.said_to(question) == []


async def test_request_that_lost_its_cards(world: World) -> None:
    """A request none of whose cards stands, as after a crash, is closed: nobody could ever decide it."""
    async with world.bot():
        card = await refund_card(world)
    world.write("UPDATE outbox SET status = 'failed' WHERE call_id IS NOT NULL")
    async with world.bot():
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        replies = await world.replies(root, 3)
    assert "its card could not be posted" in shown(replies[2])
    assert call_row(world)["status"] == "cancelled"


@ON_BOTH_STORES
@pytest.mark.parametrize("ending", ["approve_call", "cancel_call", "withdrawn"])
async def test_words_that_are_no_longer_true(world: World, ending: str) -> None:
    """Where it was said that a request waits and nothing has happened, it says what came of it once that is so."""
    async with world.bot():
        waits = "Refund of $42.00 for ORD-10188 waits until a person approves it. Nothing has happened yet."
        world.script += [refund_of("ORD-10188"), Answer(f"I have asked for it. {waits} May I do anything else?")]
        question = await world.says(ANA, "@bot refund ORD-10188, it is broken")
        card = await world.card(question)
        (said,) = [one for one in await world.replies(question, 2) if one.ts != card.ts]
        assert waits in shown(said)
        person = ANA if ending == "withdrawn" else SAM
        assert await world.workspace.click(person, card.channel, card.ts, ending.replace("withdrawn", "cancel_call"))

        def words() -> str | None:
            (now,) = [shown(one) for one in world.said_to(question) if one.ts == said.ts]
            return None if "Nothing has happened" in now else now

        line = await world.workspace.until(words)
    came = {"approve_call": "went back to Visa ending 4242", "cancel_call": "declined by", "withdrawn": "withdrawn by"}
    assert line.startswith("I have asked for it. ")
    assert came[ending] in line
    assert "May I do anything else?" in line
