"""What time and the operator do to a request: reminders, a pause, an outcome that is found out later."""

import asyncio
from typing import Any

import pytest

from bot.approvals.sweeper import MAX_ASKED_AT_ONCE
from bot.shop.changes import Applied, Change
from bot.shop.sqlite import SqliteShop
from bot.store.sqlite.database import DatabaseThread
from bot.store.tables.switches import Switches
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.stories.test_crashes import card_of, parked_refund, tamper
from tests.world import ANA, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, refund_of, shown

SWEEP_OFTEN: dict[str, Any] = {"BOT_SWEEP_SECONDS": 0.05}


async def switch(world: World, *, paused: bool) -> None:
    """Do what `support-bot pause` and `resume` do beside a bot that runs."""
    async with world.tables() as tables:
        switches = Switches(tables)
        await (switches.pause() if paused else switches.resume())


async def drawn(world: World, card: Message, *, paused: bool) -> Message:
    """Wait until the card is drawn with its buttons, or without because of a pause."""
    return await world.workspace.until(
        lambda: (now := world.workspace.message(card.channel, card.ts)) and bool(buttons(now)) != paused and now
    )


@ON_BOTH_STORES
async def test_pause_and_resume(world: World) -> None:
    """A pause takes the buttons off every open card and refuses clicks of behind screens; resume brings them back."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(**SWEEP_OFTEN):
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
        before = card.blocks
        await switch(world, paused=True)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "paused approvals, so nothing was done" in await world.whisper_to(SAM)
        assert "Paused by the operator" in shown(await drawn(world, card, paused=True))
        assert world.refunds() == []
        await switch(world, paused=False)
        assert shown(await drawn(world, card, paused=False)) == shown(card)
        assert before == card.blocks
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_pause_by_setting(world: World) -> None:
    """With BOT_PAUSED nothing can be approved, whether it was asked for before or after."""
    call_id = await parked_refund(world)
    async with world.bot(BOT_PAUSED=True):
        card = await drawn(world, card_of(world, call_id), paused=True)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "paused approvals" in await world.whisper_to(SAM)
    async with world.bot():
        await drawn(world, card, paused=False)
    assert world.refunds() == []


async def test_pause_between_the_claim_and_the_shop(world: World) -> None:
    """What was claimed before a crash and never reached the shop is not sent to it while effects are paused."""
    call_id = await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = created_at", SAM)
    async with world.bot(BOT_PAUSED=True):
        assert "I am checking" in shown(await world.settled(card_of(world, call_id)))
    assert world.refunds() == []
    async with world.bot():
        await world.workspace.until(lambda: "✓ Approved by" in shown(card_of(world, call_id)))
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_no_claim_while_paused(world: World) -> None:
    """However close a click and a pause are, after the pause no request is claimed by anybody."""
    world.deliver_all()
    async with world.bot():
        cards = []
        for order_id in ("ORD-10188", "ORD-10142", "ORD-10234"):
            world.script += [refund_of(order_id), Answer("I have asked for it.")]
            cards.append(await world.card(await world.says(ANA, f"@bot refund {order_id}")))
        clicks = [world.workspace.click(SAM, card.channel, card.ts, "approve_call") for card in cards]
        await asyncio.gather(*clicks, switch(world, paused=True))
        before = world.refunds()
        for card in cards:
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    claimed = world.rows("SELECT id FROM tool_calls WHERE status = 'succeeded'")
    assert len(world.refunds()) == len(claimed)
    assert len(before) <= len(claimed)


async def test_reminder_at_half_time(world: World) -> None:
    """When half of its time is over, the approvers are reminded of a request once, in the card's thread."""
    call_id = await parked_refund(world)
    card = card_of(world, call_id)
    asked = world.workspace.thread(card.channel, card.root_ts)[0]
    tamper(world, "UPDATE tool_calls SET created_at = '2020-01-01T00:00:00+00:00'")
    async with world.bot(**SWEEP_OFTEN):
        replies = await world.replies(asked, 3)
        await world.workspace.until(lambda: len(world.workspace.calls) > 0)
    assert shown(replies[2]).startswith("<@U0SAM>: Refund of $42.00 for ORD-10188 still waits, until <!date^")
    async with world.bot(**SWEEP_OFTEN):
        pass
    assert len(world.workspace.replies_of_bot(asked)) == 3


async def test_reminder_where_the_approvers_see_it(world: World) -> None:
    """For a request in a direct message the approver is reminded in theirs; the customer is left in peace."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "refund ORD-10188", "D0ANA")
        await world.replies(question, 2)
    tamper(world, "UPDATE tool_calls SET created_at = '2020-01-01T00:00:00+00:00'")
    async with world.bot():
        reminder = await world.workspace.until(
            lambda: next(
                (m for m in world.workspace.messages if m.channel == "D0SAM" and "still waits" in m.text), None
            )
        )
    assert reminder.thread_ts == next(m for m in world.workspace.messages if m.channel == "D0SAM").ts
    assert len(world.workspace.replies_of_bot(question)) == 2


@pytest.mark.parametrize(
    "unreadable",
    [
        "UPDATE tool_calls SET quote = NULL",
        """UPDATE tool_calls SET quote = '{"change": {"kind": "gone"}, "quote": {}}'""",
    ],
)
async def test_one_request_that_breaks_does_not_stop_the_start(world: World, unreadable: str) -> None:
    """A call that this version cannot read stays unknown, and the bot starts and looks after the others."""
    call_id = await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = created_at", SAM)
    tamper(world, unreadable)
    world.script += [Answer("Hello.")]
    async with world.bot():
        assert "I am checking" in shown(await world.settled(card_of(world, call_id)))
        await world.replies(await world.says(ANA, "@bot hello"))
    assert world.refunds() == []


class SilentShop(SqliteShop):
    """A shop that never says what came of a refund."""

    async def applied(self, change: Change, key: str) -> Applied | None:  # noqa: ARG002 - it says nothing
        """Say nothing."""
        await asyncio.Event().wait()
        raise AssertionError(key)


async def test_shop_that_says_nothing(world: World) -> None:
    """While the shop does not say what came of a refund, the bot starts, answers, and lets other requests expire."""
    unknown = await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = created_at", SAM)
    world.script += [refund_of("ORD-10142"), Answer("I have asked for it."), Answer("Hello.")]
    async with world.bot(open_shop=SilentShop, BOT_STOP_SECONDS=0.1, **SWEEP_OFTEN):
        other = await world.card(await world.says(ANA, "@bot refund ORD-10142"))
        await world.replies(await world.says(ANA, "@bot hello"))
        tamper(world, "UPDATE tool_calls SET expires_at = '2020-01-01T00:00:00+00:00' WHERE status = 'pending'")
        assert "expired without a decision" in shown(await world.settled(other))
    assert world.rows("SELECT id FROM tool_calls WHERE status = 'running'") == [{"id": unknown}]
    async with world.bot():
        await world.settled(card_of(world, unknown))
    assert world.refunds() == [("ORD-10188", 4200)]


class SlowShop(SqliteShop):
    """A shop that says what came of refunds when it is let."""

    def __init__(self, database: DatabaseThread) -> None:
        super().__init__(database)
        self.asked: list[str] = []
        self.speaks = asyncio.Event()

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Wait to be let."""
        self.asked.append(key.removeprefix("support-bot:"))
        await self.speaks.wait()
        return await super().applied(change, key)


async def test_settled_while_it_waits_for_its_turn(world: World) -> None:
    """A call that another process has settled before the shop could be asked about it is not done after all."""
    await parked_refund(world)
    tamper(world, "UPDATE tool_calls SET status = 'unknown', decided_by = ?, decided_at = created_at", SAM)
    (row,) = world.rows("SELECT * FROM tool_calls")
    names = [name for name in row if name != "thread"]
    columns = ", ".join({"id": "id || n", "subject": "n", "position": "n"}.get(name, name) for name in names)
    tamper(
        world,
        f"""INSERT INTO tool_calls ({", ".join(names)})
            WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
            SELECT {columns} FROM tool_calls, numbers""",  # noqa: S608 - the columns are ours
        MAX_ASKED_AT_ONCE,
    )
    shops: list[SlowShop] = []

    def open_shop(database: DatabaseThread) -> SlowShop:
        shops.append(SlowShop(database))
        return shops[0]

    async with world.bot(open_shop=open_shop):
        await world.workspace.until(lambda: len(shops[0].asked) == MAX_ASKED_AT_ONCE)
        (waiting,) = {row["id"] for row in world.rows("SELECT id FROM tool_calls")} - set(shops[0].asked)
        tamper(world, "UPDATE tool_calls SET status = 'failed', finished_at = created_at WHERE id = ?", waiting)
        shops[0].speaks.set()
        unknown = "SELECT id FROM tool_calls WHERE status = 'unknown'"
        await world.workspace.until(lambda: not world.rows(unknown))
    assert waiting not in shops[0].asked


async def test_edited_request(world: World) -> None:
    """Who edits the message with which they asked takes the request back; an unfurled link in it changes nothing."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        world.workspace.update(SUPPORT, question.ts, blocks=({"type": "divider"},))
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        assert world.rows("SELECT status FROM tool_calls WHERE gated") == [{"status": "pending"}]
        world.workspace.update(SUPPORT, question.ts, text="<@U0BOT> refund ORD-10142", edited=True)
        assert "was changed after it was asked for" in shown(await world.settled(card))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "already withdrawn" in await world.whisper_to(SAM)
    assert world.refunds() == []


async def test_deleted_request(world: World) -> None:
    """Who deletes the message with which they asked takes the request back; another message of theirs does not."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it."), Answer("You are welcome.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        await world.replies(question, 2)  # else it joins the run that is under way
        thanks = await world.says(ANA, "thanks", thread_ts=question.ts)
        await world.replies(question, 3)
        world.workspace.delete(SUPPORT, thanks.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        assert world.rows("SELECT status FROM tool_calls WHERE gated") == [{"status": "pending"}]
        world.workspace.delete(SUPPORT, question.ts)
        await world.settled(card)
    assert world.refunds() == []


async def test_card_that_an_admin_deletes(world: World) -> None:
    """A request whose only card is deleted is closed, the thread hears so, and it can be asked for again."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")] * 2
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        await world.replies(question, 2)
        world.workspace.delete(SUPPORT, card.ts)
        closed = (await world.replies(question, 2))[-1]
        assert "closed, because its card was deleted. Nothing was done." in shown(closed)
        await world.says(ANA, "again, please", thread_ts=question.ts)
        again = await world.card(question)
        await world.workspace.click(SAM, again.channel, again.ts, "approve_call")
        await world.settled(again)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_mention_that_is_added(world: World) -> None:
    """An edit that only adds the mention takes nothing back."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        world.workspace.update(SUPPORT, question.ts, text="<@U0BOT> <@U0BOT> refund ORD-10188", edited=True)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
