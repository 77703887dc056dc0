"""Two keys: the customer's own yes, an approver's, or both in this order, and nobody else's."""

import asyncio
import json
import signal
from typing import Any

import pytest

from bot.shop.changes import Applied, Change, Quote
from bot.shop.sqlite.shop import SqliteShop
from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message
from tests.process import Supervisor, approve, check
from tests.stories.test_kills import SOON
from tests.world import ANA, BEN, SAM, SUPPORT, World, buttons, calls, notes_in, refund_of, shown

CANCEL = [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]


async def asked(world: World, channel: str = SUPPORT) -> tuple[Message, Message]:
    """Ask as Ana to cancel an order, and return her message and her card."""
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
        await world.replies(question, 2)  # else what is typed joins the run that is under way
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


async def test_it_cannot_be_done_any_more(world: World) -> None:
    """What can't be done when the customer says yes ends there: it names them as who confirmed, and nobody approves."""
    async with world.bot():
        _, card = await asked(world)
        world.write("UPDATE orders SET status = 'shipped' WHERE id = 'ORD-10251'")
        await press(world, card, ANA)
        settled = shown(await world.settled(card))
    assert "confirmed by <@U0ANA>, but not done. ORD-10251 is shipped" in settled
    assert "approved" not in settled
    assert request(world)["status"] == "failed"


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


async def test_two_kinds_on_one_order(world: World) -> None:
    """What waits holds up no other kind of change of the same order, but a second of its kind."""
    async with world.bot():
        _, theirs = await asked(world)
        world.deliver_all()
        world.script += [refund_of("ORD-10251", 3.5), Answer("Asked.")] * 2
        question = await world.says(ANA, "@bot one came broken")
        refund = await world.card(question)
        await world.replies(await world.says(ANA, "@bot one came broken"))
        assert "open already" in world.asked[-1].messages[-1]["content"]
        await press(world, refund, SAM)
        assert "✓ Approved by <@U0SAM>: $3.50" in shown(await world.settled(refund))
        await press(world, theirs, ANA)
        assert "can't be cancelled any more" in shown(await world.settled(theirs))
    assert world.refunds() == [("ORD-10251", 350)]


async def test_one_after_the_other_on_one_order(world: World) -> None:
    """While the outcome of one change of an order is not known, no other of it is done; then it can be."""
    async with world.bot():
        question, theirs = await asked(world)
        world.write(
            """INSERT INTO tool_calls (id, team, channel, thread_ts, message_id, position, tool_call_id, tool, status,
                   requester, arguments_sent, arguments, result, gated, card, created_at, subject, summary, look_at,
                   decided_by, decided_at)
               SELECT 'other', team, channel, thread_ts, message_id, 9, 'call_9', 'change_address', 'unknown',
                   requester, '{}', '{}', '{}', TRUE, '[]', created_at, subject,
                   'Another address', '2999-01-01T00:00:00+00:00', 'U0SAM', created_at
               FROM tool_calls WHERE gated"""
        )
        await press(world, theirs, ANA)
        assert "Something else is being done there: Another address" in await world.whisper_to(ANA)
        world.write("UPDATE tool_calls SET status = 'failed' WHERE id = 'other'")
        await world.confirmed(question)


async def test_staff_ask_for_a_customer(world: World) -> None:
    """What would be a customer's alone to want needs an approver too when staff ask for it, and another one."""
    world.script += CANCEL
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=1_000):
        question = await world.says(SAM, "@bot cancel ORD-10251 for Ana")
        card = await world.card(question)
        assert (request(world)["gate"], "Then the support team" in shown(card)) == ("both", True)
        second = await world.confirmed(question, SAM)
        await press(world, second, SAM)
        assert "somebody else has to approve it" in await world.whisper_to(SAM)
    assert (request(world)["status"], world.refunds()) == ("pending", [])


class SlowMoney(SqliteShop):
    """A shop whose payment provider says “pending” until the story decides."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Begin it, and tell that the money is on its way."""
        await super().apply(change, quote, key=key)
        await self._database.commit(lambda db: db.execute("UPDATE effects SET status = 'pending'"))
        return await self.applied(change, key) or Applied("")


async def test_confirmed_change_that_fails_later(world: World) -> None:
    """The thread goes on while the money of a confirmed change is on its way, once, and hears that it failed."""
    async with world.bot(open_shop=SlowMoney, BOT_SWEEP_SECONDS=0.1, BOT_CUSTOMER_MAY_CONFIRM=100):
        question, card = await asked(world)
        await world.replies(question, 2)
        world.script += [Answer("It is on its way. Anything else?")]
        await press(world, card, ANA)
        await world.replies(question, 4)
        assert "is on its way" in shown(await world.settled(card))
        world.write("UPDATE effects SET status = 'failed', error = 'The card is closed.'")
        told = (await world.replies(question, 5))[-1]
        assert "confirmed by <@U0ANA>, but not done. The card is closed." in shown(told)
    assert len(world.rows("SELECT id FROM inbox")) == 2


async def cancelling(request: Request) -> Answer:
    """Answer as a model that is asked to cancel an order, and to go on when it was confirmed."""
    last = next(m["role"] for m in reversed(request.messages) if m["role"] != "system")
    said = next(m["content"] for m in reversed(request.messages) if m["role"] == "user")
    if last == "tool" or "pressed Confirm" in said:
        return Answer("Anything else?")
    return calls(("cancel_order", {"order_id": "ORD-10251"}))


KILLED = [
    "click acked",
    "post taken:3",
    "post made:3",
    "post taken:4",
    "post made:4",
    "call claimed",
    "outcome written",
]


@pytest.mark.parametrize("killed", KILLED)
async def test_killed_between_the_keys(world: World, killed: str) -> None:
    """Killed between the customer's yes and the approver's, it asks the approver once and cancels once."""
    world.think = cancelling
    async with Supervisor(world, [killed], **SOON) as supervisor:
        question = await world.says(ANA, "@bot cancel ORD-10251")
        theirs = await world.card(question)
        await approve(world, theirs, ANA)
        card = await world.workspace.until(
            lambda: next((m for m in world.workspace.replies_of_bot(question) if buttons(m)), None)
        )
        await approve(world, card, SAM)
        await world.replies(question, 4)
        assert supervisor.died == [-signal.SIGKILL]
    assert world.refunds() == [("ORD-10251", 4350)]
    assert len([m for m in world.workspace.replies_of_bot(question) if "Cancel ORD-10251" in shown(m)]) <= 2
    check(world)


@pytest.mark.parametrize("killed", ["call claimed", "shop answered", "outcome written"])
async def test_killed_after_the_customers_click(world: World, killed: str) -> None:
    """Killed while the customer's own change is done, it is done once, and the thread goes on once."""
    world.think = cancelling
    async with Supervisor(world, [killed], BOT_CUSTOMER_MAY_CONFIRM=100, **SOON) as supervisor:
        question = await world.says(ANA, "@bot cancel ORD-10251")
        card = await world.card(question)
        await world.replies(question, 2)  # else the first answer may be given only after the click, and tell of it
        await approve(world, card, ANA)
        await world.replies(question, 4)
        assert supervisor.died == [-signal.SIGKILL]
    assert world.refunds() == [("ORD-10251", 4350)]
    assert len(world.rows("SELECT id FROM inbox")) == 2
    check(world)


async def test_quote_edited_between_the_keys(world: World) -> None:
    """Figures that are not the shop's, written into the request after the customer's yes, are not what is done."""
    async with world.bot():
        question, _ = await asked(world)
        card = await world.confirmed(question)
        quote = json.loads(request(world)["quote"])
        quote["quote"]["balance"]["minor"] = 9900
        world.write("UPDATE tool_calls SET quote = ? WHERE gated", json.dumps(quote))
        await press(world, card, SAM)
        assert "asked again below" in shown(await world.settled(card))
        assert "$43.50 of $43.50" in shown(await world.card(question))
    assert (request(world)["confirmed_at"], world.refunds()) == (None, [])


@pytest.mark.parametrize("confirmed", [False, True])
async def test_expiry_with_either_key(world: World, confirmed: bool) -> None:  # noqa: FBT001 - a parameter
    """Whichever yes is missing, after its time the request expires, and a click does nothing."""
    async with world.bot():
        question, card = await asked(world)
        card = await world.confirmed(question) if confirmed else card
        world.write("UPDATE tool_calls SET expires_at = '2026-01-01T00:00:00+00:00' WHERE gated")
        await press(world, card, SAM if confirmed else ANA)
        await world.settled(card)
    assert (request(world)["status"], world.refunds()) == ("expired", [])
