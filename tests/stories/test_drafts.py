"""An answer that takes long is read while it is being written, and in the end is as any other."""

from collections.abc import Awaitable, Callable

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from tests.world import ANA, ON_BOTH_STORES, World, refund_of, shown, status_of

FIRST = "Your teapot is on its way: the carrier has had it since Tuesday."
SECOND = "It goes by sea, so it may take a week more."
LAST = "Is there anything else?"
LONG = f"{FIRST}\n\n{SECOND}\n\n{LAST}"
PACE = 0.12  # seconds a word: with the first paragraph it has become slow


async def draft(world: World) -> Message:
    """Wait for the message in which an answer is written, when its first paragraph is finished."""
    return await world.workspace.until(
        lambda: next((one for one in world.workspace.messages if one.streaming and FIRST in shown(one)), None)
    )


async def ask(world: World, *answers: Answer) -> Message:
    """Ask something for which the model looks up an order and then answers."""
    world.script += [status_of("ORD-10188"), *answers]
    return await world.says(ANA, "@bot where is my teapot?")


async def answer_to(world: World, question: Message, words: str = LAST) -> Message:
    """Wait for the one answer to it."""
    return await world.workspace.until(
        lambda: next((one for one in world.said_to(question) if words in shown(one) and not one.streaming), None)
    )


def streams(world: World) -> int:
    """Count the messages that were to be streamed."""
    return sum(call.method == "chat.startStream" for call in world.workspace.calls)


@ON_BOTH_STORES
async def test_read_while_it_is_written(world: World) -> None:
    """Paragraphs are shown as they are finished, and the whole answer stands in their place, with what stands below."""
    async with world.bot():
        question = await ask(world, Answer(LONG, pace=PACE))
        begun = await draft(world)
        assert LAST not in shown(begun)
        answer = await answer_to(world, question)
        assert answer.ts == begun.ts
        assert shown(answer).count(FIRST) == shown(answer).count(SECOND) == 1
        assert "feedback_buttons" in str(answer.blocks)
        assert world.said_to(question) == [answer]
        kept = "SELECT status FROM outbox WHERE ts = ? AND draft_ts = ts"
        assert await world.workspace.until(lambda: world.rows(kept, begun.ts)) == [{"status": "sent"}]
    assert world.rows("SELECT draft_ts FROM threads") == [{"draft_ts": None}]
    usage = world.rows("SELECT completion_tokens FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
    assert usage[-1]["completion_tokens"] == len(LONG.split())


async def test_quick_answers_are_posted(world: World) -> None:
    """An answer that is there at once is an ordinary post, and so is a slow one where BOT_STREAMING is off."""
    async with world.bot():
        question = await ask(world, Answer(LONG))
        await answer_to(world, question)
        assert world.asked[-1].raw["stream"] is True
    async with world.bot(BOT_STREAMING=False):
        question = await ask(world, Answer(LONG, pace=PACE))
        await answer_to(world, question)
    assert streams(world) == 0


@pytest.mark.parametrize(
    "words",
    [
        f"<think>{FIRST}\n\n{SECOND}</think>\n\n{LAST}",
        f"I have refunded $42.00 to your card.\n\n{FIRST}\n\n{LAST}",
        f"get_order_status(ORD-10188)\n\n{FIRST}\n\n{LAST}",
        f"```\n{FIRST}\n\n{SECOND} {SECOND}\n```",
    ],
    ids=["thoughts", "a claim", "a call", "half of a code"],
)
async def test_what_is_no_answer_is_not_read(world: World, words: str) -> None:
    """Nothing is shown of a text of which a part would not be posted, nor of a paragraph that is not finished."""
    async with world.bot():
        question = await ask(world, Answer(words, pace=0.08), *[Answer(LAST)] * 3)
        (reply,) = await world.replies(question)
        assert "refunded" not in shown(reply)
    assert streams(world) == 0


async def test_no_draft_beside_a_request(world: World) -> None:
    """In a thread in which a change was asked for nothing is read before the whole of it was checked."""
    async with world.bot():
        world.script += [refund_of("ORD-10188"), Answer(f"It waits.\n\n{SECOND}\n\n{SECOND}\n\n{LAST}", pace=PACE)]
        question = await world.says(ANA, "@bot I want my money back")
        await answer_to(world, question)
    assert streams(world) == 0


async def test_replaced(world: World) -> None:
    """A text that goes on with a claim of what nobody did is replaced where it stands."""
    async with world.bot():
        claim = f"{FIRST}\n\n{SECOND}\n\nI have refunded $42.00 to your card."
        question = await ask(world, Answer(claim, pace=PACE), Answer(f"Nothing was refunded. {LAST}"))
        begun = await draft(world)
        answer = await answer_to(world, question)
        assert answer.ts == begun.ts
        assert FIRST not in shown(answer)


async def delete_question(world: World, question: Message) -> None:
    """Delete it as the person who asked."""
    world.workspace.delete(question.channel, question.ts)


async def press_stop(world: World, question: Message) -> None:
    """Press Stop as the person who asked."""
    await world.workspace.surfaces.stop(ANA, question.channel, question.ts)


async def delete_draft(world: World, _: Message) -> None:
    """Delete the draft, as an admin may."""
    begun = await draft(world)
    world.workspace.update(begun.channel, begun.ts, streaming=None)
    world.workspace.delete(begun.channel, begun.ts)


async def test_model_that_thinks_aloud(world: World) -> None:
    """A model whose thoughts stand in its words is not heard: where they begin in the prompt nothing marks them."""
    (look_up,) = status_of("ORD-10188").tool_calls
    async with world.bot():
        for thoughts in ("I look it up.</think>\n\n", ""):
            world.script += [Answer(thoughts or None, (look_up,)), Answer(LONG, pace=PACE)]
            await answer_to(world, await world.says(ANA, "@bot where is my teapot?"))
    assert streams(world) == 0
    assert not any(request.raw["stream"] for request in world.asked)


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [(delete_question, []), (press_stop, ["I have stopped"]), (delete_draft, [LAST])],
    ids=["deleted question", "stop", "deleted draft"],
)
async def test_meanwhile(world: World, meanwhile: Callable[[World, Message], Awaitable[None]], said: list[str]) -> None:
    """Nothing half written is left, whatever people do while it is: what they hear stands in its place, or below."""
    async with world.bot():
        question = await ask(world, Answer(LONG, pace=PACE))
        begun = await draft(world)
        await meanwhile(world, question)

        def ended() -> bool:
            left = [one for one in world.workspace.messages if one.thread_ts == question.ts and one.user == begun.user]
            return len(left) == len(said) and all(words in shown(one) for words, one in zip(said, left, strict=True))

        await world.workspace.until(ended)


@ON_BOTH_STORES
async def test_another_process_goes_on(world: World) -> None:
    """The answer of the process that goes on after another died is drawn over what that one had shown."""
    async with world.bot(BOT_STOP_SECONDS=0.1):
        question = await ask(world, Answer(LONG, pace=PACE))
        begun = await draft(world)
    world.script.append(Answer(LAST))
    async with world.bot():
        answer = await answer_to(world, question)
        assert answer.ts == begun.ts
        assert FIRST not in shown(answer)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("chat.startStream", "unknown_method"),
        ("chat.startStream", "internal_error"),
        ("chat.appendStream", "message_not_in_streaming_state"),
        ("chat.appendStream", "ratelimited"),
        ("chat.stopStream", "internal_error"),
    ],
)
async def test_slack_does_not_stream(world: World, method: str, error: str) -> None:
    """Whatever Slack says of a stream, the whole answer is there once."""
    world.workspace.faults.refuse(method, error)
    async with world.bot():
        question = await ask(world, Answer(LONG, pace=PACE))
        answer = await answer_to(world, question)
        assert shown(answer).count(SECOND) == 1
        assert world.said_to(question) == [answer]
