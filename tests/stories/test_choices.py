"""What the bot has to ask is chosen from a menu, and the choice is the answer."""

import asyncio

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, ON_BOTH_STORES, SAM, World, buttons, calls, heard, shown, status_of

DIRECT = "D0ANA"
WHICH_ORDER = calls(("ask_which", {"question": "Which order is it about?", "order_id": None}))
WHICH_LINE = calls(("ask_which", {"question": "Which one came broken?", "order_id": "ORD-10234"}))


async def menu_in(world: World, question: Message) -> Message:
    """Wait for the menu in the thread of a message."""
    return await world.workspace.until(
        lambda: next((one for one in world.workspace.replies_of_bot(question) if "choose_one" in buttons(one)), None)
    )


def options(menu: Message) -> list[str]:
    """List what can be chosen."""
    return [one["value"] for one in buttons(menu)["choose_one"]["options"]]


@ON_BOTH_STORES
async def test_an_order_is_chosen(world: World) -> None:
    """The menu has the person's own orders; what they choose is their next words, once, and the menu then says it."""
    async with world.bot():
        world.script += [WHICH_ORDER, status_of("ORD-10188"), Answer("It has arrived.")]
        question = await world.says(ANA, "where is my parcel?", DIRECT)
        menu = await menu_in(world, question)
        assert shown(menu).startswith("Which order is it about?")
        assert {"ORD-10234", "ORD-10188"} <= set(options(menu))
        assert "ORD-10229" not in options(menu)  # Ben's
        assert not any(block["type"] == "context_actions" for block in menu.blocks)
        presses = [world.workspace.click(ANA, DIRECT, menu.ts, "choose_one", value="ORD-10188") for _ in range(2)]
        await asyncio.gather(*presses)
        answer = (await world.replies(question, 2))[1]
        assert "It has arrived." in shown(answer)
        drawn = await world.settled(menu)
        assert "Chosen: *ORD-10188*" in shown(drawn)
        assert "have answered this already" in await world.whisper_to(ANA)
    assert heard(world.asked[-1]) == ["where is my parcel?", "ORD-10188"]
    assert len(world.asked) == 3  # the question itself needs no further turn


async def test_a_line_is_chosen(world: World) -> None:
    """Of an order its lines are shown, with what they cost, and the choice names line and order."""
    async with world.bot():
        world.script += [WHICH_LINE, Answer("I see.")]
        question = await world.says(ANA, "one thing of ORD-10234 is broken", DIRECT)
        menu = await menu_in(world, question)
        select = buttons(menu)["choose_one"]
        assert select["options"][1]["text"]["text"].startswith("2. ")
        assert "$" in select["options"][1]["description"]["text"]
        await world.workspace.click(ANA, DIRECT, menu.ts, "choose_one", value="Line 2 of ORD-10234")
        await world.replies(question, 2)
    assert heard(world.asked[-1])[-1] == "Line 2 of ORD-10234"


async def test_answered_in_words(world: World) -> None:
    """Who writes instead of choosing is answered; the menu says so, and a choice from it does nothing any more."""
    async with world.bot():
        world.script += [WHICH_ORDER, Answer("I see, the teapot.")]
        question = await world.says(ANA, "where is my parcel?", DIRECT)
        menu = await menu_in(world, question)
        await world.says(ANA, "the teapot", DIRECT, thread_ts=question.ts)
        await world.replies(question, 2)
        assert "Answered in words." in shown(await world.settled(menu))
        await world.workspace.click(ANA, DIRECT, menu.ts, "choose_one", value="ORD-10188")
        assert "have answered this already" in await world.whisper_to(ANA)
    assert heard(world.asked[-1]) == ["where is my parcel?", "the teapot"]
    assert len(world.rows("SELECT 1 FROM inbox")) == 2


async def test_where_everybody_reads(world: World) -> None:
    """In a public channel all see the question, and who asked alone the menu, which is drawn over when they chose."""
    async with world.bot():
        world.script += [WHICH_ORDER, Answer("It has arrived.")]
        question = await world.says(ANA, "@bot where is my parcel?")
        (reply,) = await world.replies(question)
        assert shown(reply) == "Which order is it about?"
        menu = await world.whisper(ANA)
        await world.workspace.click(ANA, menu.channel, menu.ts, "choose_one", value="ORD-10188")
        assert "It has arrived." in shown((await world.replies(question, 2))[1])
        await world.workspace.until(
            lambda: (now := world.workspace.message(menu.channel, menu.ts)) and "Chosen: *ORD-10188*" in shown(now)
        )
    assert heard(world.asked[-1])[-1] == "ORD-10188"


async def test_only_who_was_asked_chooses(world: World) -> None:
    """What somebody else chooses is not taken, and they are told; neither is a menu that is none of ours."""
    async with world.bot(BOT_PRIVATE_ANSWERS=False):
        world.script += [WHICH_ORDER, Answer("It has arrived.")]
        question = await world.says(ANA, "@bot where is my parcel?")
        menu = await menu_in(world, question)
        await world.workspace.click(BEN, menu.channel, menu.ts, "choose_one", value="ORD-10188")
        assert "Somebody else was asked" in await world.whisper_to(BEN)
        chosen = {"type": "static_select", "action_id": "choose_one", "selected_option": {"value": "ORD-10188"}}
        forged = {"actions": [chosen | {"block_id": "menu:none:U0SAM"}]}
        await world.workspace.click(SAM, menu.channel, menu.ts, "choose_one", value="ORD-10188", forged=forged)
        assert "not from me" in await world.whisper_to(SAM)
        await world.workspace.click(ANA, menu.channel, menu.ts, "choose_one", value="ORD-10188")
        await world.replies(question, 2)
    assert heard(world.asked[-1]) == ["where is my parcel?", "ORD-10188"]


async def test_one_order_is_not_asked_about(world: World) -> None:
    """Where there is one order alone, nobody is asked and the model goes on; one that claims a deed is left out."""
    world.write(
        "DELETE FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE email = 'ben@example.com')"
        " AND id != 'ORD-10229'"
    )
    async with world.bot():
        claim = calls(("ask_which", {"question": "I have refunded your order. Which other one?", "order_id": None}))
        world.script += [WHICH_ORDER, Answer("ORD-10229 is late."), claim]
        question = await world.says(BEN, "where is my parcel?", "D0BEN")
        (reply,) = await world.replies(question)
        assert "ORD-10229 is late." in shown(reply)
        asked = await world.says(ANA, "I want a refund", DIRECT)
        assert shown(await menu_in(world, asked)).startswith("Which one do you mean?")


async def test_people_have_the_thread(world: World) -> None:
    """A choice in a thread that people have is not answered by the bot, and who chose is told to write."""
    async with world.bot():
        world.script += [WHICH_ORDER]
        question = await world.says(ANA, "where is my parcel?", DIRECT)
        menu = await menu_in(world, question)
        world.write("UPDATE threads SET handed_over_at = '2099-01-01', handed_over_by = started_by")
        await world.workspace.click(ANA, DIRECT, menu.ts, "choose_one", value="ORD-10188")
        assert "A person of the team answers" in await world.whisper_to(ANA)
    assert len(world.asked) == 1
