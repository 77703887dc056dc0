"""How people write: line by line, below our question, into a thread under way, and from hosts with a wrong clock."""

import pytest

from bot.store.tables.erasure import Erasure
from bot.testing.openai import Answer, Request
from tests.world import ANA, BEN, BOT, GENERAL, SAM, SUPPORT, TEAM, World, calls, heard, refund_of, shown, status_of

HERE = "D0ANA"


async def test_answer_below_our_question(world: World) -> None:
    """In a direct message what is written below our question goes on from it, and is answered where it was written."""
    world.script += [Answer("Which order, and why?"), refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        first = await world.says(ANA, "I want a refund", HERE)
        await world.replies(first)
        second = await world.says(ANA, "ORD-10188, it arrived broken", HERE)
        card = await world.card(second)
        await world.replies(second, 2)
        sam = next(message for message in world.workspace.messages if message.channel == "D0SAM")
        await world.workspace.click(SAM, "D0SAM", sam.ts, "approve_call")
        await world.settled(card)
        outcome = (await world.replies(second, 3))[-1]
        await world.says(ANA, "thank you, when do I get it?", HERE)
        await world.workspace.until(lambda: len(world.asked) == 4)
    assert heard(world.asked[1]) == ["I want a refund", "ORD-10188, it arrived broken"]
    assert "✓ Approved by" in shown(outcome)
    assert len(heard(world.asked[-1])) == 3
    assert len(world.rows("SELECT 1 FROM threads")) == 1


async def test_thread_below_a_later_message(world: World) -> None:
    """A reply in the thread of a message that went on from another one is in that conversation, too."""
    world.script += [Answer("One."), Answer("Two."), Answer("Three.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "one", HERE))
        second = await world.says(ANA, "two", HERE)
        await world.replies(second)
        await world.says(ANA, "three", HERE, thread_ts=second.ts)
        await world.replies(second, 2)
    assert heard(world.asked[-1]) == ["one", "two", "three"]


async def test_another_day(world: World) -> None:
    """A direct message that comes long after our last word begins a conversation of its own."""
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "one", HERE))
        world.write("UPDATE inbox SET finished_at = '2020-01-01T00:00:00+00:00'")
        await world.replies(await world.says(ANA, "two", HERE))
    assert heard(world.asked[-1]) == ["two"]


async def test_several_lines(world: World) -> None:
    """Lines that are written one after the other are one question, and have one answer, below the last."""
    world.script += [Answer("On its way.")]
    async with world.bot():
        for line in ("hi", "my order is late"):
            await world.says(ANA, line, HERE)
        last = await world.says(ANA, "ORD-10234", HERE)
        await world.replies(last)
    assert heard(world.asked[-1]) == ["hi", "my order is late", "ORD-10234"]
    assert len(world.asked) == 1


async def test_line_while_the_model_is_asked(world: World) -> None:
    """A line that comes while the model is asked about those before it is in the one answer, too."""
    model = world.hold_model(lambda request: Answer(f"You said: {', '.join(heard(request))}."))
    async with world.bot():
        await world.says(ANA, "my order is late", HERE)
        await model.reached.wait()
        last = await world.says(ANA, "ORD-10234", HERE)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        model.release()
        await world.replies(last)
    said = [shown(message) for message in world.workspace.messages if message.bot_id]
    assert said == ["You said: my order is late, ORD-10234."]


async def test_lines_without_end(world: World) -> None:
    """Who goes on writing while the model is asked gets an answer all the same."""
    lines = iter(range(9))

    async def think(_: Request) -> Answer:
        await world.says(ANA, f"line {next(lines)}", HERE)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        return Answer("Yes.")

    world.think = think
    async with world.bot():
        await world.says(ANA, "hello", HERE)
        await world.workspace.until(lambda: any(message.bot_id for message in world.workspace.messages))
        assert len(world.asked) < 6


async def test_several_lines_in_a_thread(world: World) -> None:
    """Lines in a thread of a channel are one question, too, with one answer."""
    world.script += [Answer("Hello."), Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hi")
        await world.replies(question)
        for line in ("my order is late", "the mug", "ORD-10234"):
            await world.says(ANA, line, thread_ts=question.ts)
        await world.replies(question, 2)
    assert heard(world.asked[-1]) == ["hi", "my order is late", "the mug", "ORD-10234"]
    assert len(world.asked) == 2


async def test_nobody_waits_in_a_channel(world: World) -> None:
    """A mention that begins a thread is answered at once, whatever the setting for lines says."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_LINES_SECONDS=9):
        await world.replies(await world.says(ANA, "@bot hello"))


async def test_forgotten_with_all_its_places(world: World) -> None:
    """A conversation that went on below several messages is erased as a whole."""
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "one", HERE))
        await world.replies(await world.says(ANA, "two", HERE))
    async with world.tables() as database:
        assert (await Erasure(database).forget(ANA)).threads == 1
    for table in ("inbox", "messages", "outbox", "places", "threads"):
        assert world.rows(f"SELECT * FROM {table}") == [], table  # noqa: S608 - the names above


async def test_called_into_a_thread(world: World) -> None:
    """Somebody who calls the bot into a thread is answered about what was said above, by whom it was said."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    async with world.bot():
        root = await world.says(ANA, "my order ORD-10234 is late", GENERAL)
        await world.says(BEN, "ask <@U0SAM>, ben@example.com knows", GENERAL, thread_ts=root.ts)
        await world.says(ANA, "@bot can you check this for me?", GENERAL, thread_ts=root.ts)
        await world.says(ANA, "please", GENERAL, thread_ts=root.ts)
        await world.replies(root)
    said = heard(world.asked[0])[0]
    assert said.startswith("can you check this for me?")
    assert "U0ANA: my order ORD-10234 is late" in said
    assert "U0BEN: ask <@U0SAM>" in said
    assert "please" not in said


async def test_called_back_from_people(world: World) -> None:
    """Called again after people had the thread, or spoke with each other, the bot reads what they said there, once."""
    world.script += [calls(("escalate_to_human", {"summary": "?", "share_conversation": None})), Answer("They know.")]
    world.script += [Answer("On its way."), Answer("Glad to."), Answer("Yes.")]
    async with world.bot():
        root = await world.says(ANA, "@bot I want a person")
        await world.replies(root)
        await world.says(SAM, "It is ORD-10234, I think.", thread_ts=root.ts)
        await world.says(ANA, "@bot so where is that?", thread_ts=root.ts)
        await world.replies(root, 2)
        await world.says(ANA, f"<@{SAM}> good guess", thread_ts=root.ts)
        await world.says(ANA, "thanks", thread_ts=root.ts)
        await world.replies(root, 3)
        await world.says(ANA, "@bot was it?", thread_ts=root.ts)
        await world.replies(root, 4)
    (_, back, thanks, last) = heard(world.asked[-1])
    assert "U0SAM: It is ORD-10234, I think." in back
    assert "They know." not in back
    assert thanks == "thanks"
    assert "U0ANA: <@U0SAM> good guess" in last
    assert "ORD-10234" not in last


async def test_what_was_passed_on_meanwhile(world: World) -> None:
    """What the team answered through the bot is read by the bot when it is called again."""
    world.script += [calls(("escalate_to_human", {"summary": "?", "share_conversation": None})), Answer("They know.")]
    world.script += [Answer("On its way.")]
    async with world.bot():
        root = await world.says(ANA, "I want a person", HERE)
        await world.replies(root)
        card = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == TEAM), None)
        )
        await world.says(SAM, "It is ORD-10234.", TEAM, thread_ts=card.ts)
        await world.replies(root, 2)
        await world.says(ANA, "@bot so where is that?", HERE, thread_ts=root.ts)
        await world.replies(root, 3)
    assert "U0SAM>: It is ORD-10234." in heard(world.asked[-1])[-1]


async def test_words_above_are_not_those_of_staff(world: World) -> None:
    """An order that somebody else names above is not named by the member of the team who calls the bot."""
    world.script += [status_of("ORD-10240"), Answer("No.")]
    async with world.bot(BOT_STAFF=SAM):
        root = await world.says(ANA, "show me ORD-10240", GENERAL)
        await world.says(SAM, "@bot can you check this?", GENERAL, thread_ts=root.ts)
        await world.replies(root)
    assert "There is no order" in world.asked[-1].messages[-1]["content"]


async def test_long_thread_above(world: World) -> None:
    """Of a long thread the first message and the latest are read, in no more than some thousand characters."""
    world.script += [Answer("Yes.")]
    async with world.bot():
        root = world.workspace.post(ANA, SUPPORT, "the beginning")
        for number in range(130):
            world.workspace.post(BEN, SUPPORT, f"line {number} {'x' * 500}", thread_ts=root.ts)
        await world.says(ANA, "@bot can you check this?", thread_ts=root.ts)
        await world.replies(root)
    said = heard(world.asked[0])[0]
    assert "the beginning" in said
    assert "line 129" in said
    assert "line 50 " not in said
    assert len(said) < 7_000


@pytest.mark.parametrize("error", ["internal_error", "missing_scope"])
async def test_thread_that_cannot_be_read(world: World, error: str) -> None:
    """When Slack does not tell what was said above, the question is answered all the same."""
    world.workspace.faults.refuse("conversations.replies", error)
    world.script += [Answer("Which order?")]
    async with world.bot():
        root = await world.says(ANA, "my order ORD-10234 is late", GENERAL)
        await world.says(ANA, "@bot can you check this for me?", GENERAL, thread_ts=root.ts)
        await world.replies(root)
    assert "could not be read" in heard(world.asked[0])[0]


@pytest.mark.parametrize("minutes", [-40, 40])
async def test_clock_that_is_wrong(world: World, minutes: int) -> None:
    """On a host whose clock is wrong by minutes nothing is taken for late that comes at once."""
    world.workspace.clock_offset_seconds = 60 * minutes
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot():
        first = await world.says(ANA, "@bot one")
        (answer,) = await world.replies(first)
        await world.says(ANA, "two", thread_ts=first.ts)
        await world.replies(first, 2)
    assert shown(answer) == "One."
    assert len(world.asked) == 2


async def test_late_by_what_came_around(world: World) -> None:
    """What was on its way for long, by the messages that came around it, is asked about; a yes is an answer."""
    world.workspace.clock_offset_seconds = -40 * 60
    late = world.workspace.post(ANA, GENERAL, f"<@{BOT}> late")
    world.workspace.clock_offset_seconds = 0
    world.script += [Answer("One."), Answer("Yes, done.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot one"))
        world.workspace.announce(late)
        (asked,) = await world.replies(late)
        await world.says(ANA, "yes", GENERAL, thread_ts=late.ts)
        (_, answer) = await world.replies(late, 2)
    assert "40 minutes later" in shown(asked)
    assert shown(answer) == "Yes, done."


async def test_asked_once(world: World) -> None:
    """When the answer to "is it still needed?" is found late as well, nobody is asked a second time."""
    model = world.hold_model()
    async with world.bot(BOT_STOP_SECONDS=0.1):
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await model.reached.wait()
    async with world.bot(BOT_STALE_MINUTES=1e-6):
        await world.replies(question)
        model.release()
        await world.says(ANA, "yes", thread_ts=question.ts)
        replies = await world.replies(question, 2)
    assert ["Is it still needed?" in shown(reply) for reply in replies] == [True, False]
