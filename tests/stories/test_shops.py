"""Shops as they are: one that forgets keys or knows none, one that is busy, and payments that end days later."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.shop.changes import Applied, Change, Quote
from bot.shop.shop import LookFirst, Safe, ShopRefusedError, ShopUnavailableError
from bot.shop.sqlite import SqliteShop
from bot.store.calls import CallStatus
from bot.store.sqlite.database import DatabaseThread
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.world import ANA, GENERAL, SAM, SUPPORT, TEAM, World, buttons, calls, refund_of, shown, status_of

OFTEN = {"BOT_SWEEP_SECONDS": 0.1, "BOT_TOOL_TIMEOUT_SECONDS": 0.2}


class Faulty(SqliteShop):
    """A shop whose first answers are not what they should be; it counts how often it was asked to apply."""

    how: Safe | LookFirst = Safe()
    faults: tuple[str, ...] = ()

    def __init__(self, database: DatabaseThread) -> None:
        super().__init__(database)
        self.applies = 0

    @property
    def replay(self) -> Safe | LookFirst:
        """As the story has it."""
        return self.how

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Fail as the story has it, then answer."""
        self.applies += 1
        fault = self.faults[self.applies - 1] if self.applies <= len(self.faults) else "none"
        if fault == "busy":
            raise ShopUnavailableError("429", retry_after=0.1)
        if fault == "answer lost":
            await super().apply(change, quote, key=key)
        if fault != "none":
            raise RuntimeError(fault)
        return await super().apply(change, quote, key=key)


class ShopMaker:
    """Makes the story's shop and keeps it."""

    def __init__(self, how: Safe | LookFirst, *faults: str) -> None:
        self._how, self._faults = how, faults
        self.made: list[Faulty] = []

    def __call__(self, database: DatabaseThread) -> Faulty:
        """Make it, with the faults that are left."""
        shop = Faulty(database)
        shop.how, shop.faults = self._how, self._faults
        self.made.append(shop)
        return shop


async def approved(world: World, order_id: str = "ORD-10188") -> Message:
    """Play up to the approval of a refund, and return its card."""
    world.script += [refund_of(order_id), Answer("I have asked for it.")]
    card = await world.card(await world.says(ANA, f"@bot refund {order_id}"))
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    await world.settled(card)
    return card


async def card_shows(world: World, card: Message, words: str) -> None:
    """Wait until the card says so."""
    await world.workspace.until(lambda: (now := world.workspace.message(card.channel, card.ts)) and words in shown(now))


def reports(world: World) -> list[Message]:
    """Find what tells people that they have to find out."""
    return [message for message in world.workspace.messages if "support-bot settle" in shown(message)]


def row(world: World) -> dict[str, Any]:
    """Read the story's one request."""
    (found,) = world.rows("SELECT * FROM tool_calls WHERE gated")
    return found


@pytest.mark.parametrize("how", [Safe(), Safe(timedelta(hours=20))])
async def test_lost_request_is_made_again_under_its_key(world: World, how: Safe) -> None:
    """Within the lifetime of a key, a change that the shop knows nothing of is made again, once."""
    shop = ShopMaker(how, "request lost")
    async with world.bot(open_shop=shop, **OFTEN):
        card = await approved(world)
        await card_shows(world, card, "✓ Approved by")
    assert (shop.made[0].applies, world.refunds()) == (2, [("ORD-10188", 4200)])


@pytest.mark.parametrize("how", [Safe(), LookFirst(timedelta(minutes=15))])
async def test_lost_answer_is_found(world: World, how: Safe | LookFirst) -> None:
    """A change that was made is found by its key, at whatever shop, and not made again."""
    shop = ShopMaker(how, "answer lost")
    async with world.bot(open_shop=shop, **OFTEN):
        await card_shows(world, await approved(world), "✓ Approved by")
    assert (shop.made[0].applies, world.refunds()) == (1, [("ORD-10188", 4200)])


async def test_refusal_to_tell(world: World) -> None:
    """A shop that refuses to tell what became of a change has said nothing of it: what was made is told as done."""

    class Forgetful(Faulty):
        refusals = 2

        async def applied(self, change: Change, key: str) -> Applied | None:
            if self.refusals:
                self.refusals -= 1
                raise ShopRefusedError("There is no such order.")
            return await super().applied(change, key)

    Forgetful.faults = ("answer lost",)
    async with world.bot(open_shop=Forgetful, **OFTEN):
        await card_shows(world, await approved(world), "✓ Approved by")
    assert world.refunds() == [("ORD-10188", 4200)]
    assert row(world)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("how", "begun"),
    [(LookFirst(timedelta(minutes=15)), timedelta(minutes=16)), (Safe(timedelta(hours=20)), timedelta(hours=21))],
)
async def test_never_again_by_itself(world: World, how: Safe | LookFirst, begun: timedelta) -> None:
    """Without keys, and after a key's lifetime, it is only looked for; then people are told, once, and can look."""
    shop = ShopMaker(how, "request lost")
    async with world.bot(open_shop=ShopMaker(how, "request lost", "request lost"), BOT_TOOL_TIMEOUT_SECONDS=0.8):
        card = await approved(world)
    world.write(
        "UPDATE tool_calls SET status = 'unknown', look_at = NULL, begun_at = ? WHERE gated",
        (datetime.now(UTC) - begun).isoformat(),
    )
    async with world.bot(open_shop=shop, **OFTEN):
        told = await world.workspace.until(lambda: len(found := reports(world)) > 1 and found)
    assert {message.channel for message in told} == {SUPPORT, TEAM}
    world.write("UPDATE tool_calls SET look_at = NULL WHERE gated")
    async with world.bot(open_shop=shop, **OFTEN):
        world.script += [Answer("Hello.")]
        await world.replies(await world.says(ANA, "@bot hello"))
    assert row(world)["look_at"]
    assert len(reports(world)) == 2
    assert f"settle {row(world)['id'][:8]} done" in shown(told[0])
    assert (shop.made[0].applies, world.refunds(), row(world)["status"]) == (0, [], "unknown")
    assert "it will not be done twice" in shown(world.workspace.message(card.channel, card.ts) or card)


@pytest.mark.parametrize(
    ("settings", "told_in"),
    [({}, {"D0SAM"}), ({"BOT_APPROVAL_CHANNEL": GENERAL}, {GENERAL}), ({"BOT_ESCALATION_CHANNEL": TEAM}, {TEAM})],
)
async def test_what_the_customer_alone_confirmed_reaches_people(
    world: World, settings: dict[str, str], told_in: set[str]
) -> None:
    """A customer's own change in a direct message that is stuck is told to approvers where they read it, not there."""
    shop = ShopMaker(LookFirst(timedelta()), "request lost")
    async with world.bot(open_shop=shop, **OFTEN, **{"BOT_ESCALATION_CHANNEL": None} | settings):
        world.script += [calls(("change_payment", {"order_id": "ORD-10251", "pay_with": "gift card"})), Answer("Look.")]
        card = await world.card(await world.says(ANA, "my gift card, please", "D0ANA"))
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        told = await world.workspace.until(lambda: reports(world))
        assert "the team" in shown(await world.settled(card))
    assert {message.channel for message in told} == told_in
    assert (shop.made[0].applies, len(reports(world))) == (1, 1)


async def test_looks_back_off(world: World) -> None:
    """Between two looks twice as long passes each time, up to five minutes; after some looks people are told."""
    async with world.bot(open_shop=ShopMaker(Safe(), *["broken"] * 99), BOT_TOOL_TIMEOUT_SECONDS=0.8):
        await approved(world)
    waits = []
    for looks in (0, 1, 2, 6, 8, 9, 30):
        world.write("UPDATE tool_calls SET look_at = NULL, looks = ? WHERE gated", looks)
        async with world.bot(open_shop=ShopMaker(Safe(), *["broken"] * 99), BOT_SWEEP_SECONDS=60):
            world.script += [Answer("Hello.")]
            await world.replies(await world.says(ANA, "@bot hello"))
        now = datetime.now(UTC)
        waits.append(round((datetime.fromisoformat(row(world)["look_at"]) - now).total_seconds()))
    for wait, wanted in zip(waits, (1, 2, 4, 64, 256, 300, 300), strict=True):
        assert wanted - 2 <= wait <= wanted
    assert row(world)["reported_at"]
    assert len(reports(world)) == 2


async def test_busy_shop(world: World) -> None:
    """When the shop takes nothing right now, nothing has begun: it is tried again, also where there are no keys."""
    shop = ShopMaker(LookFirst(timedelta(minutes=15)), "busy", "busy")
    async with world.bot(open_shop=shop, **OFTEN):
        card = await approved(world)
        assert "nothing has happened yet; I try again by myself" in shown(
            world.workspace.message(card.channel, card.ts) or card
        )
        await card_shows(world, card, "✓ Approved by")
    assert (shop.made[0].applies, world.refunds()) == (3, [("ORD-10188", 4200)])


async def test_busy_shop_before_the_card(world: World) -> None:
    """When the shop cannot be asked, the model hears so and can tell the customer, and no card is posted."""

    class BusyShop(SqliteShop):
        async def order(self, number: str) -> Any:
            raise ShopUnavailableError(number)

    world.script += [refund_of("ORD-10188"), Answer("Please try again later.")]
    async with world.bot(open_shop=BusyShop):
        (reply,) = await world.replies(await world.says(ANA, "@bot refund ORD-10188"))
    assert "can't be asked right now" in world.asked[-1].messages[-1]["content"]
    assert not buttons(reply)


class SlowMoney(SqliteShop):
    """A shop whose payment provider says “pending” until the story decides."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Begin it, and tell that the money is on its way."""
        await super().apply(change, quote, key=key)
        await self._database.commit(lambda db: db.execute("UPDATE effects SET status = 'pending'"))
        return await self.applied(change, key) or Applied("")


@pytest.mark.parametrize(
    ("status", "end", "words"),
    [("succeeded", "succeeded", "✓ Approved by <@U0SAM>: $42.00"), ("failed", "failed", "but not done. The card is")],
)
async def test_pending_money(world: World, status: str, end: str, words: str) -> None:
    """While money is pending nothing is said to have gone back; a later look tells the end in the thread."""
    async with world.bot(open_shop=SlowMoney, BOT_SWEEP_SECONDS=0.1):
        card = await approved(world)
        pending = shown(world.workspace.message(card.channel, card.ts) or card)
        assert "is on its way to Visa ending 4242, and is not there yet" in pending
        assert "went back" not in pending
        assert (row(world)["status"], row(world)["money_pending"]) == ("running", 1)
        world.script += [refund_of("ORD-10188"), Answer("All of it is on its way.")]
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        await world.says(ANA, "again, please", thread_ts=root.ts)
        await world.replies(root, 4)
        assert "nothing is left to refund" in world.asked[-1].messages[-1]["content"]
        world.write("UPDATE effects SET status = ?, error = 'The card is closed.' WHERE kind = 'refund'", status)
        await card_shows(world, card, words)
        told = (await world.replies(root, 5))[-1]
    assert words in shown(told)
    assert world.rows("SELECT DISTINCT status FROM tool_calls WHERE gated AND decided_by IS NOT NULL") == [
        {"status": end}
    ]


@pytest.mark.parametrize(("outcome", "status", "words"), [("done", "succeeded", "✓"), ("not-done", "failed", "✕")])
async def test_settled_by_the_operator(
    world: World, monkeypatch: pytest.MonkeyPatch, outcome: str, status: str, words: str
) -> None:
    """What a person has found out closes the request: in the log, on the card, in the thread, and for the model."""
    async with world.bot(open_shop=ShopMaker(LookFirst(timedelta(minutes=15)), "request lost")):
        card = await approved(world)
    monkeypatch.setenv("BOT_DATABASE", world.place)
    mark = row(world)["id"][:8]
    command = ["settle", mark, outcome, "--why", "It is in the list of refunds."]
    assert "as a person has found out" in (await asyncio.to_thread(CliRunner().invoke, main, command)).output
    again = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert (again.exit_code, "no request with this reference" in again.output) == (1, True)
    world.script += [Answer("I see.")]
    async with world.bot():
        await card_shows(world, card, f"{words} Refund of $42.00 for ORD-10188: the shop has")
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        await world.says(ANA, "and?", thread_ts=root.ts)
        await world.workspace.until(lambda: len(world.asked) == 3)
    assert row(world)["status"] == status
    (kept,) = world.rows("SELECT action, subject, why FROM audit")
    assert kept == {"action": "settle", "subject": row(world)["id"], "why": "It is in the list of refunds."}
    assert "It is in the list of refunds." in json.dumps(world.asked[-1].messages)


@pytest.mark.parametrize("status", [one for one in CallStatus if one is not CallStatus.UNKNOWN])
async def test_nothing_else_is_settled(world: World, monkeypatch: pytest.MonkeyPatch, status: CallStatus) -> None:
    """The operator closes nothing whose outcome is known, or that is not done yet: nothing of it changes."""
    async with world.bot(open_shop=ShopMaker(LookFirst(timedelta(minutes=15)), "request lost")):
        await approved(world)
    world.write("UPDATE tool_calls SET status = ? WHERE gated", status)
    before = row(world)
    monkeypatch.setenv("BOT_DATABASE", world.place)
    for outcome in ("done", "not-done"):
        command = ["settle", before["id"][:8], outcome, "--why", "I looked."]
        said = await asyncio.to_thread(CliRunner().invoke, main, command)
        assert (said.exit_code, "no request with this reference" in said.output) == (1, True)
    assert (row(world), world.rows("SELECT 1 FROM audit")) == (before, [])


async def test_account_while_a_request_is_open(world: World) -> None:
    """An account is not deleted while another request of that customer is open, however they came about."""
    world.deliver_all()
    world.script += [refund_of("ORD-10188"), Answer("Asked."), calls(("delete_account", {})), Answer("Not yet.")]
    async with world.bot():
        refund = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
        await world.replies(await world.says(ANA, "@bot delete my account"))
        assert "while a request is open: Refund of an amount" in world.asked[-1].messages[-1]["content"]
        await world.workspace.click(ANA, refund.channel, refund.ts, "cancel_call")
        await world.settled(refund)
        world.script += [calls(("delete_account", {})), Answer("Asked."), refund_of("ORD-10142"), Answer("Asked.")]
        deletion = await world.confirmed(await world.says(ANA, "@bot delete my account"))
        other = await world.card(await world.says(ANA, "@bot refund ORD-10142"))
        await world.workspace.click(SAM, deletion.channel, deletion.ts, "approve_call")
        assert "Another request of this customer is open: Refund of" in await world.whisper_to(SAM)
        await world.workspace.click(SAM, other.channel, other.ts, "approve_call")
        await world.settled(other)
        await world.workspace.click(SAM, deletion.channel, deletion.ts, "approve_call")
        assert "is deleted" in shown(await world.settled(deletion))
    assert world.rows("SELECT count(*) AS n FROM customers WHERE deleted_at IS NOT NULL") == [{"n": 1}]


@pytest.mark.parametrize("number", ["#1001", "1001", "W2378156", "gid-AbC", "2024/113"])
async def test_order_of_any_shape(world: World, number: str) -> None:
    """An order is looked up and refunded whatever its number looks like, beside others of another shape."""
    world.write("PRAGMA foreign_keys = OFF")
    for table, column in (("orders", "id"), ("order_items", "order_id"), ("payments", "order_id")):
        world.write(f"UPDATE {table} SET {column} = ? WHERE {column} = 'ORD-10188'", number)  # noqa: S608 - ours
    world.script += [status_of(number, "ORD-10142"), Answer("Here."), refund_of(number), Answer("Asked.")]
    async with world.bot():
        question = await world.says(ANA, f"@bot where are {number} and ORD-10142?")
        shown_orders = await world.replies(question)
        assert all(f"*Order {one}*" in "\n".join(map(shown, shown_orders)) for one in (number, "ORD-10142"))
        await world.says(ANA, "refund it", thread_ts=question.ts)
        card = await world.card(question)
        assert f"*Order*\n{number}, Ana Ruiz" in shown(card)
        assert "*Items*\n1 x Cast-iron teapot" in shown(card)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [(number, 4200)]
