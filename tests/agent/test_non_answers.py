"""What is no answer is never posted: it is asked again, and then there are plain words, or what was found."""

import pytest

from bot.agent.claims import PLAIN
from bot.testing.openai import Answer, Failure, Request, ToolCall
from tests.model.test_spoken import CALLS, THOUGHTS
from tests.world import ANA, SAM, TEAM, World, buttons, calls, heard, notes_in, refund_of, shown, status_of

EMPTY = Answer("")


async def reply_to(world: World, *turns: Answer | Failure, text: str = "@bot hello", count: int = 1) -> str:
    """Play the turns in answer to one message, and give the last of so many answers."""
    world.script += turns
    async with world.bot():
        return shown((await world.replies(await world.says(ANA, text), count))[count - 1])


@pytest.mark.parametrize("kind", ["think", "closed only", "of gpt-oss"])
async def test_thoughts(world: World, kind: str) -> None:
    """Thoughts are neither posted nor given to the model again."""
    world.script += [Answer(THOUGHTS[kind]), Answer("You are welcome.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        assert shown((await world.replies(question))[0]) == "Hello Ana."
        await world.says(ANA, "thanks", thread_ts=question.ts)
        await world.replies(question, 2)
    assert [m["content"] for m in world.asked[1].messages if m["role"] == "assistant"] == ["Hello Ana."]


@pytest.mark.parametrize("kind", ["Hermes", "DeepSeek", "Gemma", "words and JSON"])
async def test_calls_as_text(world: World, kind: str) -> None:
    """A call written as text is never run from it and never shown: the model is asked again."""
    assert await reply_to(world, Answer(CALLS[kind]), Answer("Which order?")) == "Which order?"
    assert world.rows("SELECT * FROM tool_calls") == []


async def test_nothing_but_calls_as_text(world: World) -> None:
    """A model that only ever writes calls as text is given up with plain words."""
    words = await reply_to(world, *[Answer(CALLS["Hermes"])] * 3)
    assert words.startswith("My language model gave an answer that I can't use.")
    assert "tool_call" not in words


async def test_thoughts_without_an_end(world: World) -> None:
    """Thoughts that never end are no answer."""
    assert await reply_to(world, Answer("<think>\nThe user is annoyed."), Answer("Hello.")) == "Hello."


async def test_text_beside_calls_is_cleaned(world: World) -> None:
    """Thoughts beside calls are not given back as words."""
    turn = Answer("<think>Hm.</think>", status_of("ORD-10234").tool_calls)
    await reply_to(world, turn, Answer("Here it is."))
    assert [m["content"] for m in world.asked[1].messages if m["role"] == "assistant"] == [""]


async def test_cut_off_with_a_call(world: World) -> None:
    """An answer that was cut off together with a call is asked for again: its words say what was not done."""
    half = Answer("I am asking for your refund now.", (ToolCall("", "initiate_refund", '{"order_id'),), "length")
    assert await reply_to(world, half, Answer("Which order?")) == "Which order?"
    assert world.rows("SELECT * FROM tool_calls") == []


async def test_empty_after_a_look_up(world: World) -> None:
    """A model that falls silent after a look-up that worked does not keep the customer from what was found."""
    text = await reply_to(world, status_of("ORD-10234"), EMPTY, EMPTY, EMPTY)
    assert text.startswith("Here is what I found.")
    assert "*Order ORD-10234*" in text


async def test_empty_after_a_list(world: World) -> None:
    """What has no card is told in lines."""
    text = await reply_to(world, calls(("find_orders", {"email": None})), EMPTY, EMPTY, EMPTY)
    assert "ORD-10234" in text


async def test_empty_after_a_request(world: World) -> None:
    """A model that falls silent after a request was made does not keep the customer from knowing that it waits."""
    text = await reply_to(world, refund_of("ORD-10188"), EMPTY, EMPTY, EMPTY, count=2)
    assert text == "Refund of $42.00 for ORD-10188 waits until a person approves it. Nothing has happened yet."


@pytest.mark.parametrize(
    "words",
    ["", "<think>Well", '<tool_response>{"status": "refunded"}</tool_response>', "initiate_refund(ORD-10188)", "{}"],
)
async def test_unusable_after_a_request(world: World, words: str) -> None:
    """Who asks on after a request hears how it stands, where the model gives nothing that can be used."""
    async with world.bot():
        world.script += [refund_of("ORD-10188"), Answer("It waits for somebody.")]
        question = await world.says(ANA, "@bot I want my money back for ORD-10188")
        card = await world.card(question)
        await world.replies(question, 2)

        async def asked_on(count: int) -> str:
            world.script += [Answer(words)] * 3
            await world.says(ANA, "thanks, when do I get it?", thread_ts=question.ts)
            told = shown((await world.replies(question, count))[-1])
            assert told.startswith("I found no words for an answer, but this is how it stands. Refund of $42.00")
            assert "reference" not in told
            return told

        assert "waits until a person approves it" in await asked_on(3)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.replies(question, 4)
        assert "went back to" in await asked_on(5)


async def test_empty_after_a_look_up_that_failed(world: World) -> None:
    """Where nothing was found there is nothing to show but plain words."""
    assert (await reply_to(world, status_of("ORD-99999"), EMPTY, EMPTY, EMPTY)).startswith("My language model gave no")


CLAIM = Answer("Done! I have refunded $42.00 to your Visa ending 4242.")


async def test_claim_without_a_call(world: World) -> None:
    """A claim that nothing bears out is not posted: the model is asked again with the facts, and may then do it."""
    async with world.bot():
        world.script += [CLAIM, refund_of("ORD-10188"), Answer("I have asked for your refund; it waits for approval.")]
        question = await world.says(ANA, "@bot refund ORD-10188, it is broken")
        replies = await world.replies(question, 2)
    assert buttons(replies[0])
    assert shown(replies[1]) == "I have asked for your refund; it waits for approval."
    assert not any("Done!" in shown(message) for message in world.workspace.messages)
    assert "nothing was" in notes_in(world.asked[1])[-1]


async def test_claim_again(world: World) -> None:
    """A claim that is made again is replaced by what is true, and the model reads that afterwards."""
    world.script += [CLAIM, CLAIM, Answer("Which order?")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund please")
        assert shown((await world.replies(question))[0]) == PLAIN
        await world.says(ANA, "go on", thread_ts=question.ts)
        await world.replies(question, 2)
    assert [m["content"] for m in world.asked[-1].messages if m["role"] == "assistant"] == [PLAIN]
    assert "refunded" not in str(world.asked[-1].messages[1:])


async def test_claim_that_is_true(world: World) -> None:
    """What was asked for, or what the shop says was done, is told as the model puts it."""
    asked = Answer("I have requested your refund of $42.00.")
    assert await reply_to(world, refund_of("ORD-10188"), asked, count=2) == asked.text


FILTERED = Failure(400, "content_filter", "The response was filtered due to the prompt triggering our policy.")


async def test_content_filter(world: World) -> None:
    """A message that the filter refuses is left out from then on, so that the thread lives."""
    poison = "you useless thing"

    async def think(request: Request) -> Answer | Failure:
        return FILTERED if any(poison in words for words in heard(request)) else Answer("Hello.")

    world.think = think
    async with world.bot():
        question = await world.says(ANA, f"@bot {poison}")
        words = shown((await world.replies(question))[0])
        assert "content filter" in words
        assert "try again" not in words
        await world.says(ANA, "sorry, where is my order?", thread_ts=question.ts)
        assert shown((await world.replies(question, 2))[1]) == "Hello."


async def test_answer_that_is_filtered(world: World) -> None:
    """An answer that the filter takes away every time is told as that, and the thread lives."""
    gone = Answer("", finish_reason="content_filter")
    world.script += [gone, gone, gone, Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot something odd")
        assert "content filter" in shown((await world.replies(question))[0])
        await world.says(ANA, "where is my order?", thread_ts=question.ts)
        assert shown((await world.replies(question, 2))[1]) == "Hello."
    assert "something odd" not in str(world.asked[-1].messages)


async def test_content_filter_on_what_was_said_before(world: World) -> None:
    """Where an earlier message is what the filter does not like, the present one is answered without it."""
    poison = "oil painting of a nude"

    async def think(request: Request) -> Answer | Failure:
        said = heard(request)
        return FILTERED if len(said) > 1 and any(poison in words for words in said) else Answer(f"{len(said)}.")

    world.think = think
    async with world.bot():
        question = await world.says(ANA, f"@bot {poison}")
        await world.replies(question)
        await world.says(ANA, "where is it?", thread_ts=question.ts)
        assert shown((await world.replies(question, 2))[1]) == "1."


async def test_progress_stays_fresh(world: World) -> None:
    """While the model takes its time, the thread's status is shown again and again."""

    def thinking() -> int:
        return sum(status.status == "is still thinking…" for status in world.workspace.status_history)

    async def think(_: Request) -> Answer:
        await world.workspace.until(lambda: thinking() >= 2)
        return Answer("Hello.")

    world.think = think
    async with world.bot(BOT_MODEL_TIMEOUT_SECONDS=4, BOT_SORTING=False):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply) == "Hello."


async def test_a_private_server_is_not_asked_to_sort(world: World) -> None:
    """A server on this machine or network may have one slot, so it is asked for nothing but what somebody waits for."""
    async with world.bot(BOT_SORTING=None, BOT_ESCALATION_CHANNEL=TEAM):
        world.script += [status_of("ORD-10234"), Answer("Here it is.")]
        await world.replies(await world.says(ANA, "@bot where is ORD-10234?"))
    first, second = world.model.requests
    assert list(second.messages[: len(first.messages)]) == list(first.messages)
