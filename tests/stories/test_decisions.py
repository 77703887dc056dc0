"""Decisions that say more than yes or no: declined with a reason, and something else asked for in a request's place."""

import asyncio
import json
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message, Person, View
from tests.operator.command import ask
from tests.stories.test_home import asked as asked_for
from tests.stories.test_home import home
from tests.stories.test_orders import modal
from tests.world import ANA, BEN, ON_BOTH_STORES, SAM, SUPPORT, World, buttons, calls, notes_in, refund_of, shown

DECLINE, CHANGE = "decline_call", "change_call"
KIM = Person("U0KIM", "kim", "Kim", email="kim@example.com")
REASON = "The lid is *worn* <!channel>, see https://evil.example/x\n“not broken”"


async def card_for(world: World, order_id: str = "ORD-10188", amount: float | None = None, **how: Any) -> Message:
    """Play up to the card of a refund in a channel."""
    world.script += [refund_of(order_id, amount), Answer("I have asked for it.")]
    return await world.card(await world.says(ANA, f"@bot {order_id} came broken, I want my money back", **how))


async def opened(world: World, card: Message, button: str, person: str = SAM, part: str = "") -> View:
    """Press a button that opens a form, and wait for that."""
    assert await world.workspace.click(person, card.channel, card.ts, button)
    return await modal(world, person, part)


async def new_card(world: World, card: Message) -> Message:
    """Wait for the card that took this one's place in its thread."""
    root = world.workspace.thread(card.channel, card.root_ts)[0]
    replies = world.workspace.replies_of_bot
    return await world.workspace.until(
        lambda: next((one for one in replies(root) if buttons(one) and one.ts != card.ts), None)
    )


def rows(world: World) -> list[dict[str, Any]]:
    """Read the requests, the oldest first."""
    return world.rows("SELECT * FROM tool_calls WHERE gated ORDER BY created_at")


def text_in(view: View) -> str:
    """Read all of a view."""
    return json.dumps(view.shown, ensure_ascii=False)


@ON_BOTH_STORES
async def test_declined_with_a_reason(world: World) -> None:
    """A reason is told in the approver's words, harmless and with their name; it is kept, known, logged and erased."""
    surfaces = world.workspace.surfaces
    async with world.bot():
        card = await card_for(world)
        view = await opened(world, card, DECLINE, part="What should they be told?")
        assert not await surfaces.submit(SAM, view.id, {"reason": "  \n "})
        assert await surfaces.submit(SAM, view.id, {"reason": REASON})
        settled = await world.settled(card)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        await world.replies(root, 3)
        world.script += [Answer("They say that the lid is worn.")]
        await world.says(ANA, "why?", thread_ts=root.ts)
        await world.replies(root, 4)
    told = "declined by <@U0SAM>. Nothing was done. They say why: “The lid is \u2217worn\u2217 &lt;!channel&gt;, see"
    said = [shown(one) for one in world.workspace.replies_of_bot(root)]
    assert told in shown(settled)
    assert sum(told in one for one in said) == 2  # on the card, and to the customer
    (row,) = rows(world)
    assert (row["status"], row["decided_by"], row["decision_reason"]) == ("declined", SAM, REASON)
    (note,) = notes_in(world.asked[-1])
    assert note.startswith(
        "Refund of $42.00 for ORD-10188: declined by a person, nothing was done. The customer was told"
    )
    assert "“not broken”" in note
    story = await ask(world, "log", row["id"][:8])
    assert "declined it after" in story.out
    assert "and wrote: " in story.out
    assert (await ask(world, "forget", SAM)).code == 0
    assert rows(world)[0]["decision_reason"] is None
    assert "worn" not in "".join(str(one) for one in world.rows("SELECT message FROM messages WHERE role = 'system'"))
    assert (await ask(world, "verify")).code == 0


async def test_reason_is_forgotten_with_the_customer(world: World) -> None:
    """When a customer is forgotten, why their request was declined is, and nothing of it is left in the file."""
    async with world.bot():
        card = await card_for(world)
        view = await opened(world, card, DECLINE, part="What should they be told?")
        assert await world.workspace.surfaces.submit(SAM, view.id, {"reason": "Worn for years, xylophone."})
        await world.settled(card)
    assert (await ask(world, "forget", ANA)).code == 0
    assert b"xylophone" not in world.database.read_bytes()


@pytest.mark.parametrize("end", ["approve_call", "cancel_call"])
async def test_ended_while_the_form_is_open(world: World, end: str) -> None:
    """Who fills a form in for a request that has ended meanwhile hears how, and changes nothing."""
    surfaces = world.workspace.surfaces
    async with world.bot():
        card = await card_for(world)
        reasoning = await opened(world, card, DECLINE, part="What should they be told?")
        surfaces.close(reasoning.id)
        surfaces.views[reasoning.id] = reasoning
        await world.workspace.click(SAM, card.channel, card.ts, end)
        await world.settled(card)
        assert await surfaces.submit(SAM, reasoning.id, {"reason": "No."})
        told = text_in(surfaces.views[reasoning.id])
    assert ("already approved by" if end == "approve_call" else "already declined by") in told
    assert rows(world)[0]["decision_reason"] is None
    assert len(world.refunds()) == (end == "approve_call")


@ON_BOTH_STORES
async def test_three_decisions_at_once(world: World) -> None:
    """Of an approval, a no with a reason and a change at the same moment exactly one is what happens."""
    surfaces = world.workspace.surfaces
    world.workspace.add(KIM)
    async with world.bot(BOT_APPROVERS=f"{SAM},U0KIM"):
        card = await card_for(world)
        no = await opened(world, card, DECLINE, part="What should they be told?")
        other = await opened(world, card, CHANGE, "U0KIM", part="Amount in USD")
        await asyncio.gather(
            world.workspace.click(SAM, card.channel, card.ts, "approve_call"),
            surfaces.submit(SAM, no.id, {"reason": "Worn."}),
            surfaces.submit("U0KIM", other.id, {"amount": "20"}),
        )
        await world.settled(card)
    first, *second = rows(world)
    ended = {"succeeded": (1, 0), "declined": (0, 0), "cancelled": (0, 1)}
    assert (len(world.refunds()), len(second)) == ended[first["status"]]


@pytest.mark.parametrize(
    ("person", "button", "words"),
    [
        (BEN, DECLINE, "Only <@U0SAM> can decline this. The request stays open."),
        (ANA, DECLINE, "Only <@U0SAM> can decline this. The request stays open."),
        (BEN, CHANGE, "Only <@U0SAM> can approve this. The request stays open."),
    ],
)
async def test_who_may_not(world: World, person: str, button: str, words: str) -> None:
    """Who may not decide gets no form but words, and a form that was filled in by them does nothing."""
    surfaces = world.workspace.surfaces
    async with world.bot():
        card = await card_for(world)
        mine = await opened(world, card, button, part="private_metadata")
        told = await opened(world, card, button, person, part="stays open")
        assert words in text_in(told)
        assert "submit" not in told.shown
        await surfaces.submit(person, mine.id, {"reason": "No.", "amount": "1"})
        assert words in text_in(surfaces.views[mine.id])
    assert [row["status"] for row in rows(world)] == ["pending"]
    refused = world.rows("SELECT user, decision FROM refused_clicks")
    assert [(row["user"], row["decision"]) for row in refused] == [(person, button.removesuffix("_call"))] * 2


@ON_BOTH_STORES
async def test_changed_amount(world: World) -> None:
    """Another amount is asked for again by the same gate, told and known; the one who changed it may approve it."""
    surfaces = world.workspace.surfaces
    async with world.bot():
        card = await card_for(world, "ORD-10142")
        view = await opened(world, card, CHANGE, part="Amount in USD")
        assert '"initial_value": "113.50"' in text_in(view)
        assert "Left to give back: $113.50 of $138.00" in text_in(view)
        assert not await surfaces.submit(SAM, view.id, {"amount": "$500"})
        errors = surfaces.views[view.id].errors
        assert errors == {"amount": "$500.00 is more than is left to refund for ORD-10142: $113.50 of $138.00."}
        assert await surfaces.submit(SAM, view.id, {"amount": "20"})
        settled, card = await world.settled(card), await new_card(world, card)
        root = world.workspace.thread(SUPPORT, card.root_ts)[0]
        assert world.refunds() == []
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        await world.replies(root, 5)
        world.script += [Answer("You got $20.00.")]
        await world.says(ANA, "and?", thread_ts=root.ts)
        await world.replies(root, 6)
    told = "changed by <@U0SAM>. Nothing was done. What waits for approval now: Refund of $20.00 for ORD-10142."
    assert f"Refund of $113.50 for ORD-10142: {told}" in shown(settled)
    assert sum(told in shown(one) for one in world.workspace.replies_of_bot(root)) == 2
    assert world.refunds() == [("ORD-10142", 2000)]
    old, new = rows(world)
    assert (old["status"], old["decided_by"]) == ("cancelled", SAM)
    assert (new["status"], new["supersedes"], new["requester"]) == ("succeeded", old["id"], ANA)
    changed, done = notes_in(world.asked[-1])
    assert f"Refund of $20.00 for ORD-10142 (request {new['id'][:8]})" in changed
    assert done.startswith("Refund of $20.00 for ORD-10142: approved by a person and done.")
    assert [message["tool_call_id"] for message in world.asked[-1].messages if message["role"] == "tool"] == [
        old["tool_call_id"]
    ]
    story = (await ask(world, "log", old["id"][:8])).out
    assert "changed it after" in story
    assert f"in place of {old['id'][:8]}" in story


async def test_what_cannot_be_asked_for_instead(world: World) -> None:
    """An amount or lines that the shop or nobody could give back are refused in the form, and nothing has changed."""
    wrong = [
        ("1,000.00", [], "$1,000.00 is more than is left to refund for ORD-10142: $113.50 of $138.00."),
        ("60", ["2"], "$60.00 is more than is left to refund for these items of ORD-10142: $49.00."),
        ("10.005", [], "10.005 has more than two decimals."),
        ("0", [], "That would give nothing back. Write an amount, or decline the request."),
        ("-5", [], "Write an amount such as 42.00."),
        ("12,50", [], "Write an amount such as 42.00."),
        ("20 EUR", [], "The order was paid in USD, so the amount is in USD too."),
        ("$113.50", [], "This is what is asked for already. Change it, or go back with Not now."),
    ]
    async with world.bot():
        card = await card_for(world, "ORD-10142")
        view = await opened(world, card, CHANGE, part="Amount in USD")
        for amount, lines, words in wrong:
            assert not await world.workspace.surfaces.submit(SAM, view.id, {"amount": amount, "lines": lines})
            assert world.workspace.surfaces.views[view.id].errors == {"amount": words}
    assert [row["status"] for row in rows(world)] == ["pending"]


@pytest.mark.parametrize("filled", [{"amount": ""}, {}])
async def test_what_other_lines_cost(world: World, filled: dict[str, str]) -> None:
    """Other lines are asked for at what they cost, when the figure is emptied or left as it was for those before."""
    async with world.bot():
        card = await card_for(world, "ORD-10142")
        view = await opened(world, card, CHANGE, part="Amount in USD")
        assert await world.workspace.surfaces.submit(SAM, view.id, filled | {"lines": ["2"]})
        await new_card(world, card)
    quoted = json.loads(rows(world)[1]["quote"])
    assert (quoted["quote"]["balance"]["minor"], quoted["change"]["lines"]) == (4900, [2])


async def test_more_than_one_person_may_approve(world: World) -> None:
    """What an approver changes a request to passes the same gate: more than one may approve is for two."""
    world.workspace.add(KIM)
    async with world.bot(BOT_APPROVERS=f"{SAM},{KIM.id}", BOT_SECOND_APPROVER_OVER="30"):
        card = await card_for(world, "ORD-10142", 20)
        view = await opened(world, card, CHANGE, part="Amount in USD")
        assert await world.workspace.surfaces.submit(SAM, view.id, {"amount": "40"})
        card = await new_card(world, card)
        assert "Two different people have to approve this." in shown(card)
        for person in (SAM, KIM.id):
            assert world.refunds() == []
            await world.workspace.click(person, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10142", 4000)]


async def test_decided_by_form_from_home(world: World) -> None:
    """The forms open from the queue of a Home tab; what the tab showed is what is changed, and the tab is redrawn."""
    surfaces = world.workspace.surfaces
    async with world.bot():
        await asked_for(world)
        await surfaces.open_home(SAM)
        view = await home(world, SAM, "Waiting for a decision (1)")
        await surfaces.click(SAM, view.id, CHANGE)
        form = await modal(world, SAM, "Amount in USD")
        await surfaces.submit(SAM, form.id, {"amount": "5"})
        view = await home(world, SAM, "Refund $5.00 of $42.00")
        surfaces.close(form.id)
        await surfaces.click(SAM, view.id, DECLINE)
        form = await modal(world, SAM, "What should they be told?")
        await surfaces.submit(SAM, form.id, {"reason": "Not this time."})
        view = await home(world, SAM, "Nothing waits.")
        assert "1 asked, 0 done, 1 declined" in text_in(view)
        await surfaces.open_home(ANA)
        await home(world, ANA, "*Changed by an approver* · Refund of $42.00")
    assert [row["status"] for row in rows(world)] == ["cancelled", "declined"]


async def test_changed_lines_of_a_return(world: World) -> None:
    """Of a return that staff ask for, an approver changes the lines; who asked confirms that first, as before."""
    surfaces = world.workspace.surfaces
    wanted = {"order_id": "ORD-10142", "lines": [1], "reason": "defective", "refund_to": "original"}
    world.workspace.add(KIM)
    async with world.bot(BOT_STAFF="U0KIM"):
        world.script += [calls(("return_items", wanted)), Answer("Please confirm.")]
        question = await world.says("U0KIM", "@bot return line 1 of ORD-10142")
        card = await world.confirmed(question, "U0KIM")
        view = await opened(world, card, CHANGE, part="Which lines?")
        assert not await surfaces.submit(SAM, view.id, {"lines": []})
        assert await surfaces.submit(SAM, view.id, {"lines": ["1", "2"]})
        card = await new_card(world, card)
        assert "approve_call" in buttons(card)
        assert CHANGE not in buttons(card)  # nobody but who asked has to do with it before they confirm
        assert "Return of 1 x Wool throw, moss, 2 x Cushion cover, moss" in json.dumps(card.blocks) + card.text
    assert [row["status"] for row in rows(world)] == ["cancelled", "pending"]
