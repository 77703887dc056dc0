"""The Home tab: an approver's queue, what the team needs to see, and one's own orders and requests."""

import asyncio
import json

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message, Person, View
from tests.operator.command import ask
from tests.world import ANA, BEN, SAM, SUPPORT, World, calls, refund_of, sorted_as

REFUNDABLE = ("ORD-10188", "ORD-10142", "ORD-10235", "ORD-10234", "ORD-10251")


async def home(world: World, person: str, part: str = "") -> View:
    """Wait for the Home tab of a person, when it shows this."""

    def found() -> View | None:
        view = world.workspace.surfaces.home(person)
        return view if view and part in text_of(view) else None

    return await world.workspace.until(found)


def text_of(view: View) -> str:
    """Read all of a view."""
    return json.dumps(view.shown, ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


async def asked(world: World, order_id: str = "ORD-10188", person: str = ANA, channel: str = SUPPORT) -> Message:
    """Play up to a request that waits."""
    world.script += [refund_of(order_id), Answer("I have asked for it.")]
    question = await world.says(person, f"@bot refund {order_id}, it is broken", channel)
    return await world.card(question)


async def test_queue_of_an_approver(world: World) -> None:
    """An approver sees what waits, the oldest first, with the buttons, and decides there; it is gone then."""
    async with world.bot():
        card = await asked(world)
        await asked(world, "ORD-10142")
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "Waiting for a decision (2)")
        first, second = (text_of(view).index(order) for order in ("ORD-10188", "ORD-10142"))
        assert first < second
        await world.workspace.surfaces.click(SAM, view.id, "approve_call")
        await world.settled(card)
        view = await home(world, SAM, "Waiting for a decision (1)")
        await world.workspace.surfaces.click(SAM, view.id, "cancel_call")
        view = await home(world, SAM, "Nothing waits.")
    assert world.refunds() == [("ORD-10188", 4200)]
    assert "1 done, 1 declined" in text_of(view)
    assert "$42.00" in text_of(view)
    decided = world.rows("SELECT decided_by, status FROM tool_calls WHERE gated ORDER BY created_at")
    assert [(row["decided_by"], row["status"]) for row in decided] == [(SAM, "succeeded"), (SAM, "declined")]


async def test_what_comes_back_later(world: World) -> None:
    """Money that a return brings back once it has arrived is nothing that was refunded today."""
    wanted = {"order_id": "ORD-10188", "lines": [1], "reason": "defective", "refund_to": "original"}
    async with world.bot():
        world.script += [calls(("return_items", wanted)), Answer("Please confirm."), Answer("It is noted.")]
        card = await world.card(await world.says(ANA, "@bot I send ORD-10188 back"))
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        await world.settled(card)
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "1 asked, 1 done, 0 declined")
        said = await ask(world, "log", "today")
    assert "*Refunded*\\nnothing" in text_of(view)
    assert " from 1 person" in text_of(view)
    assert "1 succeeded; 0 open" in said.out


async def test_customers_home(world: World) -> None:
    """A customer sees their own orders and requests, and nobody else's, nor what only the team sees."""
    async with world.bot():
        await asked(world)
        await asked(world, "ORD-10176", BEN)
        await world.workspace.surfaces.open_home(ANA)
        view = await home(world, ANA, "Your requests (1)")
    text = text_of(view)
    assert "Your orders (5)" in text
    assert "Waits for a decision" in text
    assert not [part for part in ("ORD-10176", "Open threads", "Today", "approve_call", BEN) if part in text]


async def test_details_from_home(world: World) -> None:
    """An order on the Home tab opens with its details, and a refund can be asked for from there."""
    async with world.bot():
        await world.workspace.surfaces.open_home(ANA)
        view = await home(world, ANA, "ORD-10188")
        await world.workspace.surfaces.click(ANA, view.id, "show_order", value="ORD-10188")
        details = await world.workspace.until(
            lambda: (modal := world.workspace.surfaces.modal(ANA)) and "$42.00" in text_of(modal) and modal
        )
        await world.workspace.surfaces.click(ANA, details.id, "refund_order")
        form = await world.workspace.until(
            lambda: (modal := world.workspace.surfaces.modal(ANA)) and "Ask for it" in text_of(modal) and modal
        )
        await world.workspace.surfaces.submit(ANA, form.id, {"reason": "defective"})
        await home(world, ANA, "Waits for a decision")


async def test_pages(world: World) -> None:
    """What is more than fits is on further pages, each part by itself, within Slack's limits."""
    world.deliver_all()
    for number in range(11):
        columns = [row["name"] for row in world.rows("SELECT name FROM pragma_table_info('orders')")]
        values = ", ".join(f"'ORD-2{number:04}'" if name == "id" else name for name in columns)
        world.write(f"INSERT INTO orders SELECT {values} FROM orders WHERE id = 'ORD-10188'")  # noqa: S608
    async with world.bot(BOT_REQUESTS_PER_USER_DAY=20):
        for order_id in REFUNDABLE:
            await asked(world, order_id)
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "1 to 4 of 5")
        await world.workspace.surfaces.click(SAM, view.id, "home_page:More", value="queue:4")
        view = await home(world, SAM, "5 to 5 of 5")
        assert "ORD-10251" in text_of(view)
        await world.workspace.surfaces.open_home(ANA)
        view = await home(world, ANA, "1 to 5 of 16")
        await world.workspace.surfaces.click(ANA, view.id, "home_page:More", value="orders:5")
        view = await home(world, ANA, "6 to 10 of 16")
        assert "Your requests (5)" in text_of(view)
        await world.workspace.surfaces.click(ANA, view.id, "home_page:Earlier", value="orders:0")
        await home(world, ANA, "1 to 5 of 16")


async def test_stays_current(world: World) -> None:
    """A Home tab that somebody looks at shows a new request, and forgets one that was decided elsewhere, by itself."""
    async with world.bot(BOT_SWEEP_SECONDS=0.05):
        await world.workspace.surfaces.open_home(SAM)
        await home(world, SAM, "Nothing waits.")
        card = await asked(world)
        await home(world, SAM, "Waiting for a decision (1)")
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await home(world, SAM, "Nothing waits.")


async def test_nobody_decides_there_who_may_not(world: World) -> None:
    """A click that a Home tab never offered is refused with words there, and nothing is done."""
    async with world.bot():
        await asked(world)
        (row,) = world.rows("SELECT id FROM tool_calls WHERE gated")
        await world.workspace.surfaces.open_home(BEN)
        view = await home(world, BEN, "home_refresh")
        forged = {"action_id": "approve_call", "block_id": "x", "type": "button", "value": row["id"]}
        await world.workspace.surfaces.click(BEN, view.id, "home_refresh", forged={"actions": [forged]})
        await home(world, BEN, "Something has changed since this was shown")
    assert world.refunds() == []
    assert world.rows("SELECT status FROM tool_calls WHERE gated") == [{"status": "pending"}]


async def test_own_request_of_an_approver(world: World) -> None:
    """An approver finds their own request in the queue, and cannot approve it there either."""
    world.workspace.add(Person(SAM, "sam", "Sam Lee", "Support lead", "ana@example.com", is_admin=True))
    async with world.bot():
        await asked(world, person=ANA)
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "Waiting for a decision (1)")
        await world.workspace.surfaces.click(SAM, view.id, "approve_call")
        await home(world, SAM, "about your own order or account")
    assert world.refunds() == []


async def test_what_changed_since_it_was_shown(world: World) -> None:
    """A button of a Home tab that is behind approves nothing but what that tab showed."""
    async with world.bot():
        await asked(world)
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "Waiting for a decision (1)")
        private = json.loads(view.shown["private_metadata"])
        private["shown"] = dict.fromkeys(private["shown"], "0" * 16)
        await world.workspace.surfaces.click(
            SAM, view.id, "approve_call", forged={"view": {"private_metadata": json.dumps(private)}}
        )
        await home(world, SAM, "Something has changed since this was shown")
    assert world.refunds() == []


async def test_threads_that_need_somebody(world: World) -> None:
    """Staff see the threads that people have or in which a request is open, what is urgent first."""
    world.intent = sorted_as("refund", "low", summary="Wants money back.")
    async with world.bot():
        await asked(world)
        world.intent = sorted_as("other", "high", summary="Threatens with a lawyer.")
        world.script += [calls(("escalate_to_human", {"summary": "Is angry."})), Answer("A person comes.")]
        await world.replies(await world.says(BEN, "@bot get me a person or my lawyer writes"))
        await world.workspace.surfaces.open_home(SAM)
        view = await home(world, SAM, "Open threads (2)")
    text = text_of(view).partition("Open threads")[2]
    assert text.index("Threatens with a lawyer.") < text.index("Wants money back.")
    assert "Other, *high urgency*" in text
    assert "people have it since" in text
    assert "/archives/C0SUPPORT/p" in text


async def test_of_a_direct_message(world: World) -> None:
    """Nobody is sent into a direct message that they cannot open; in their own they are."""
    async with world.bot():
        await asked(world, channel="D0ANA")
        for person, part in ((SAM, "Open threads (1)"), (ANA, "Your requests (1)")):
            await world.workspace.surfaces.open_home(person)
            text = text_of(await home(world, person, part))
            assert ("Asked in a direct message" in text, "|Open the thread>" in text) == (person == SAM, person == ANA)


@pytest.mark.parametrize("trouble", ["stranger", "unknown", "shop"])
async def test_trouble(world: World, trouble: str) -> None:
    """A stranger sees nothing, and what cannot be found out is said in words."""
    words = {"stranger": "I can only help people of this workspace", "unknown": "did not tell me who you are"}
    if trouble == "stranger":
        world.workspace.add(Person(ANA, "ana", "Ana", email="ana@example.com", team="T0OTHER", is_stranger=True))
    if trouble == "shop":
        world.write("DROP TABLE tracking_events")
    async with world.bot():
        if trouble == "unknown":
            world.workspace.faults.refuse("users.info", "user_not_visible", times=9)
        await world.workspace.surfaces.open_home(ANA)
        view = await home(world, ANA, words.get(trouble, "The shop can't be asked right now."))
    assert "ORD-" not in text_of(view)


async def test_many_look_at_once(world: World) -> None:
    """The tab is drawn for each who opens it, and messages are answered meanwhile."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        await asyncio.gather(*(world.workspace.surfaces.open_home(user) for user in (ANA, BEN, SAM)))
        await world.replies(await world.says(ANA, "@bot hello"))
        for user in (ANA, BEN, SAM):
            assert "Your orders" in text_of(await home(world, user))
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
