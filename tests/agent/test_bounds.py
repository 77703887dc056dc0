"""What one message, thread or person may cost, counted from the log; anyone who hits a bound is told in plain words."""

import json
from typing import Any

import pytest

from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, TEAM, World, buttons, calls, refund_of, shown, status_of

TOO_MUCH = refund_of("ORD-10188", 9_999)


def told(world: World, request: int = -1) -> dict[str, Any]:
    """Read what the model was told last in a request."""
    output: dict[str, Any] = json.loads(world.asked[request].messages[-1]["content"])
    return output


async def asks(world: World, question: Message, text: str = "go on") -> str:
    """Write on in a thread, and give back the next answer."""
    so_far = len(world.said_to(question))
    await world.says(question.user, text, question.channel, thread_ts=question.ts)
    return shown((await world.replies(question, so_far + 1))[so_far])


def assert_found(world: World, words: str) -> None:
    """Hold that the reference that the user was told finds the row of their message."""
    reference = words.rpartition(" ")[2]
    assert len(world.rows("SELECT id FROM inbox WHERE error LIKE ?", f"{reference}%")) == 1


async def test_steps(world: World) -> None:
    """A model that only ever calls tools is stopped, and the thread answers the next message."""
    world.script += [status_of(f"ORD-{one}") for one in range(4)] + [Answer("Here I am.")]
    async with world.bot(BOT_MAX_STEPS=3):
        question = await world.says(ANA, "@bot hello")
        words = shown((await world.replies(question))[0])
        assert words.startswith("I could not finish this within the number of steps that I may take.")
        assert await asks(world, question) == "Here I am."
    assert_found(world, words)


async def test_last_step(world: World) -> None:
    """After its last step the model is asked once more without tools, and the customer hears what was found."""
    world.script += [status_of("ORD-10234"), Answer("ORD-10234 has left. I have not looked for more.")]
    async with world.bot(BOT_MAX_STEPS=1):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert "ORD-10234 has left. I have not looked for more." in shown(reply)
    assert ["tools" in one.raw for one in world.asked] == [True, False]
    assert "and what is still open" in world.asked[-1].messages[-1]["content"]


async def test_claim_at_the_last_step(world: World) -> None:
    """What nobody asked for is not claimed at the last step either."""
    world.script += [status_of("ORD-10234")] + [Answer("I have requested your refund for ORD-10234.")] * 2
    async with world.bot(BOT_MAX_STEPS=1):
        (reply,) = await world.replies(await world.says(ANA, "@bot I want a refund for ORD-10234"))
    assert "Nothing has been requested or changed" in shown(reply)


async def test_steps_over_a_restart(world: World) -> None:
    """The steps before a process ended count for the one that goes on."""
    world.script += [status_of("ORD-10234"), status_of("ORD-10235"), Answer("Too late.", delay=30)]
    async with world.bot(BOT_MAX_STEPS=3, BOT_STOP_SECONDS=0.01):
        question = await world.says(ANA, "@bot hello")
        await world.workspace.until(lambda: any("ORD-10235" in s.status for s in world.workspace.status_history))
    world.script.clear()
    world.script += [status_of("ORD-10188")] * 5
    async with world.bot(BOT_MAX_STEPS=3):
        (reply,) = await world.replies(question)
    assert "number of steps" in shown(reply)
    assert (
        world.rows("SELECT count(*) AS n FROM model_calls WHERE purpose = 'turn' AND status = 'succeeded'")[0]["n"] == 4
    )


async def test_calls_a_turn(world: World) -> None:
    """Calls above what a turn may make are told so, and may be made in the next."""
    world.script += [status_of("ORD-10234", "ORD-10235", "ORD-10188"), status_of("ORD-10188"), Answer("All three.")]
    async with world.bot(BOT_MAX_CALLS=2):
        (reply,) = await world.replies(await world.says(ANA, "@bot three orders"))
    assert told(world, 1)["hint"] == "Make at most 2 calls at once, then the others."
    assert shown(reply).count("*Order ORD-") == 3


async def test_calls_a_thread_an_hour(world: World) -> None:
    """A thread that has looked up too much pauses, over a restart too, and goes on when the hour is over."""
    world.script += [status_of("ORD-10234"), Answer("On its way."), status_of("ORD-10235")]
    async with world.bot(BOT_CALLS_PER_THREAD_HOUR=2):
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        assert (await asks(world, question)).startswith("I have looked up too much in this thread within the last hour")
        other = await world.says(ANA, "@bot another thread")
        await world.replies(other)
    async with world.bot(BOT_CALLS_PER_THREAD_HOUR=2):
        asked = len(world.asked)
        assert "too much" in await asks(world, question)
        assert len(world.asked) == asked
        world.forge("UPDATE tool_calls SET created_at = '2026-01-01T00:00:00+00:00'")
        world.script.clear()
        world.script += [Answer("Again.")]
        assert await asks(world, question) == "Again."


async def test_requests_a_thread_a_day(world: World) -> None:
    """Requests for approval in a thread are counted, refused ones too, over a restart, each tool by itself."""
    world.script += [TOO_MUCH, Answer("That can't be."), refund_of("ORD-10142", 9_999), Answer("That neither.")]
    async with world.bot(BOT_REQUESTS_PER_THREAD_DAY=2):
        question = await world.says(ANA, "@bot refund")
        await world.replies(question)
        await asks(world, question)
    world.script += [refund_of("ORD-10188"), Answer("No more today.")]
    world.script += [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("I have asked for it.")]
    async with world.bot(BOT_REQUESTS_PER_THREAD_DAY=2):
        assert await asks(world, question) == "No more today."
        assert told(world)["error"].startswith("No more requests of this kind today")
        await world.says(ANA, "then cancel the other", thread_ts=question.ts)
        assert buttons(await world.card(question))
    assert world.refunds() == []


async def test_requests_a_person_a_day(world: World) -> None:
    """Requests of one person count over all their threads, and not for anybody else."""
    world.script += [TOO_MUCH, Answer("That can't be."), refund_of("ORD-10188"), Answer("No more today.")]
    world.script += [refund_of("ORD-10176"), Answer("I have asked for it.")]
    async with world.bot(BOT_REQUESTS_PER_USER_DAY=1):
        await world.replies(await world.says(ANA, "@bot refund"))
        await world.replies(await world.says(ANA, "refund", "D0ANA"))
        assert "No more requests" in told(world)["error"]
        assert buttons(await world.card(await world.says(BEN, "@bot refund")))


async def test_requests_at_once(world: World) -> None:
    """Requests that come in one turn cannot go beyond the bound together."""
    wanted = [
        ("initiate_refund", {"order_id": one, "reason": "defective", "amount": 1})
        for one in ("ORD-10188", "ORD-10142", "ORD-10235")
    ]
    world.deliver_all()
    world.script += [calls(*wanted), Answer("I have asked for one.")]
    async with world.bot(BOT_REQUESTS_PER_THREAD_DAY=3):
        await world.replies(await world.says(ANA, "@bot refund them all"), 4)
    assert len(world.rows("SELECT id FROM tool_calls WHERE status = 'pending'")) == 3
    world.script += [calls(*wanted[:1]), Answer("No more.")]
    async with world.bot(BOT_REQUESTS_PER_USER_DAY=3):
        await world.replies(await world.says(ANA, "@bot one more"))
    assert "No more requests" in told(world)["error"]


async def test_tokens_a_run(world: World) -> None:
    """A run that costs too many tokens is stopped; the next message has them again."""
    world.script += [status_of(f"ORD-{one}") for one in range(7)]
    async with world.bot(BOT_TOKENS_PER_RUN=2_000):
        question = await world.says(ANA, "@bot hello")
        words = shown((await world.replies(question))[0])
        assert words.startswith("This got too long for me to finish.")
        assert len(world.asked) < 7
        world.script.clear()
        world.script += [Answer("Here I am.")]
        assert await asks(world, question) == "Here I am."
    assert_found(world, words)


async def test_deadline(world: World) -> None:
    """A run that takes too long is stopped while the model thinks, and the thread goes on."""
    world.script += [Answer("Too late.", delay=30), Answer("Here I am.")]
    async with world.bot(BOT_RUN_TIMEOUT_SECONDS=1.5):
        question = await world.says(ANA, "@bot hello")
        words = shown((await world.replies(question))[0])
        assert words.startswith("This took too long, so I stopped.")
        assert await asks(world, question) == "Here I am."
    assert_found(world, words)
    assert "cut off" in {row["error"] for row in world.rows("SELECT error FROM model_calls WHERE status = 'failed'")}


async def test_deadline_within_a_call(world: World) -> None:
    """A run that is stopped in the middle of a tool call leaves a history that can be sent: the call is answered."""
    hang = world.workspace.faults.hang("conversations.open")
    world.script += [refund_of("ORD-10188"), Answer("Here I am.")]
    async with world.bot(BOT_RUN_TIMEOUT_SECONDS=1.5):
        question = await world.says(ANA, "refund ORD-10188", "D0ANA")
        assert "took too long" in shown((await world.replies(question))[0])
        hang.release()
        assert await asks(world, question) == "Here I am."
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["failed"]
    assert [m["role"] for m in world.asked[-1].messages[1:5]] == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize(("channel", "next_step"), [(TEAM, "I have asked a person"), (None, "Write “try again”")])
async def test_same_failure_three_times(world: World, channel: str | None, next_step: str) -> None:
    """The same call that fails a third time ends the run, with a hand-over where there is somebody to hand over to."""
    world.script += [status_of("ORD-99999")] * 5
    async with world.bot(BOT_ESCALATION_CHANNEL=channel):
        question = await world.says(ANA, "@bot where is ORD-99999?")
        words = shown((await world.replies(question))[0])
        assert words.startswith("I tried the same thing three times and it did not work, so I have stopped.")
        assert next_step in words
        assert len(world.asked) == 3
        if channel:
            team = await world.workspace.until(lambda: [m for m in world.workspace.messages if m.channel == channel])
            assert "three times" in shown(team[0])
            assert words.rpartition(" ")[2] in shown(team[0])
        world.script.clear()
        world.script += [Answer("Here I am.")]
        assert await asks(world, question, "@bot hello?") == "Here I am."
    assert_found(world, words)


async def test_the_same_failure_in_one_turn(world: World) -> None:
    """A call that stands three times in one turn has failed once, so the model may still mend it."""
    world.script += [status_of("ORD-99999", "ORD-99999", "ORD-99999"), Answer("There is no such order.")]
    async with world.bot():
        (reply,) = await world.replies(await world.says(ANA, "@bot where is it?"))
    assert shown(reply) == "There is no such order."


async def test_a_bound_is_no_secret(world: World) -> None:
    """The model is told of the failed run in the words that the customer read."""
    seen: list[str] = []

    def remember(request: Request) -> Answer:
        seen.append(request.messages[-2]["content"])
        return Answer("I see.")

    world.script += [status_of("ORD-10234"), status_of("ORD-10234"), remember]
    async with world.bot(BOT_MAX_STEPS=1):
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await asks(world, question)
    assert seen == ["I could not finish this within the number of steps that I may take."]
