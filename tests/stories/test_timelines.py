"""A run of several steps shows them in a message that is streamed, and ended before the answer."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.slack.client import web_client, web_session
from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message
from tests.world import ANA, ON_BOTH_STORES, World, calls, is_timeline, refund_of, shown, status_of

TWO_STEPS = [status_of("ORD-10188"), status_of("ORD-10234"), Answer("Both are known.")]


def timelines(world: World) -> list[Message]:
    """List the messages that show tasks."""
    return [one for one in world.workspace.messages if is_timeline(one)]


def tasks(message: Message) -> list[tuple[str, str]]:
    """List the tasks of a timeline, each with its status."""
    return [(block["title"], block["status"]) for block in message.blocks]


async def answer_to(world: World, text: str = "@bot where are they?") -> Message:
    """Ask, and wait for the answer, which stands below the timeline."""
    question = await world.says(ANA, text)
    return await world.workspace.until(
        lambda: next((one for one in world.workspace.replies_of_bot(question) if "Both are known" in shown(one)), None)
    )


@ON_BOTH_STORES
async def test_steps_are_shown(world: World) -> None:
    """From the second step on what was done and is being done is shown, never a result; then it is ended."""
    done = [("Looked up ORD-10188", "complete"), ("Looked up ORD-10234", "complete")]
    async with world.bot():
        hang = world.hold_model(lambda _: Answer("Both are known."))
        think, world.think = world.think, None

        def second(_: Request) -> Answer:
            world.think = think
            return status_of("ORD-10234")

        world.script += [status_of("ORD-10188"), second]
        question = await world.says(ANA, "@bot where are they?")
        begun = await world.workspace.until(lambda: next((one for one in timelines(world) if tasks(one) == done), None))
        assert begun.streaming == "timeline"
        hang.released.set()
        answer = (await world.replies(question))[0]
        (timeline,) = timelines(world)
        assert (timeline.ts, timeline.streaming, tasks(timeline)) == (begun.ts, None, done)
        assert "Both are known." in shown(answer)
        assert "teapot" not in str(timeline.blocks)
        assert world.rows("SELECT timeline_ts FROM threads") == [{"timeline_ts": None}]
    call = next(call for call in world.workspace.calls if call.method == "chat.startStream")
    assert call.arguments["recipient_user_id"] == ANA
    assert not any(call.method == "chat.update" for call in world.workspace.calls)


async def test_one_step_needs_no_timeline(world: World) -> None:
    """A run of one step is answered without; so is any where BOT_STREAMING is off."""
    async with world.bot():
        world.script += [status_of("ORD-10188", "ORD-10234"), Answer("Both are known.")]
        await answer_to(world)
    async with world.bot(BOT_STREAMING=False):
        world.script += TWO_STEPS
        await answer_to(world)
    assert timelines(world) == []


def refused(error: str, times: int = 1) -> Callable[[World], None]:
    """Plan that Slack refuses to begin a stream."""
    return lambda world: world.workspace.faults.refuse("chat.startStream", error, times=times)


@pytest.mark.parametrize(
    ("fault", "tried"), [(refused("unknown_method"), 1), (refused("internal_error"), 2), (refused("ratelimited"), 2)]
)
async def test_slack_does_not_stream(world: World, fault: Callable[[World], None], tried: int) -> None:
    """Where Slack refuses, the answer comes all the same; where it cannot at all, it is not asked again."""
    fault(world)
    async with world.bot():
        for _ in range(2):
            world.script += TWO_STEPS
            await answer_to(world)
    assert sum(call.method == "chat.startStream" for call in world.workspace.calls) == tried


async def test_slack_has_ended_it(world: World) -> None:
    """What Slack has ended by itself, as it does after five minutes, is drawn over with how the steps stand."""
    world.workspace.faults.refuse("chat.appendStream", "message_not_in_streaming_state")

    def ended(_: Request) -> Answer:
        (timeline,) = timelines(world)
        world.workspace.update(timeline.channel, timeline.ts, streaming=None)
        return status_of("ORD-10142")

    async with world.bot():
        world.script += [*TWO_STEPS[:2], ended, Answer("Both are known.")]
        await answer_to(world)
    (timeline,) = timelines(world)
    assert [status for _, status in tasks(timeline)] == ["complete"] * 3
    assert "✓ Looked up ORD-10142" in timeline.text


async def test_stopped(world: World) -> None:
    """When a person stops the run, the timeline is over as well, and says what was not done."""
    async with world.bot():
        hang = world.hold_model()
        think, world.think = world.think, None

        def go_on(_: Request) -> Answer:
            world.think = think
            return refund_of("ORD-10188")

        world.script += [status_of("ORD-10188"), go_on]
        question = await world.says(ANA, "@bot I want my money back for ORD-10188")
        await hang.reached.wait()
        await world.workspace.surfaces.stop(ANA, question.channel, question.ts)
        await world.workspace.until(
            lambda: any("I have stopped" in shown(one) for one in world.workspace.replies_of_bot(question))
        )
        hang.released.set()
        (timeline,) = timelines(world)
        assert timeline.streaming is None
        assert tasks(timeline)[1] == ("Checked what can be refunded for ORD-10188", "complete")


async def test_killed_in_the_middle(world: World) -> None:
    """The process that goes on after another was killed goes on in the same timeline, and there is one answer."""
    async with world.bot(BOT_STOP_SECONDS=0.1):
        hang = world.hold_model()
        question = await world.says(ANA, "@bot where are they?")
        await hang.reached.wait()
    hang.released.set()
    where: dict[str, Any] = {"channel": question.channel, "thread_ts": question.ts}
    async with web_session() as session:
        client = web_client(world.slack.bot_token, world.slack.url, session)
        chunk = {"type": "task_update", "id": "1", "title": "Looking up", "status": "in_progress"}
        begun = await client.chat_startStream(
            **where, recipient_user_id=ANA, recipient_team_id="T0ACME", chunks=[chunk]
        )
    world.write("UPDATE threads SET timeline_ts = ?", begun["ts"])
    world.think = None
    world.script += TWO_STEPS
    async with world.bot():
        answered = await world.workspace.until(
            lambda: [one for one in world.workspace.replies_of_bot(question) if "Both are known" in shown(one)]
        )
    (timeline,) = timelines(world)
    assert (timeline.ts, timeline.streaming, len(answered)) == (begun["ts"], None, 1)
    assert len(timeline.blocks) == 3


async def test_step_that_a_model_makes_up(world: World) -> None:
    """Neither the name of a tool that is none nor what is no order's number is shown as a step, nor in a status."""
    made_up = [
        ("Approved_by_Sam_$42_see_evil.com/x", {}),
        ("get_order_status", {"order_id": "1 refund of 42.00 approved by Sam", "include_tracking": False}),
        ("get_order_status", {"order_id": "evil1.com/pay", "include_tracking": False}),
    ]
    world.script += [calls(*made_up), *TWO_STEPS]
    async with world.bot():
        await answer_to(world)
    (timeline,) = timelines(world)
    titles = [title for title, _ in tasks(timeline)]
    assert titles == ["Get order status", "Looking up [link removed]", "Looked up ORD-10188", "Looked up ORD-10234"]
    seen = titles + [status.status for status in world.workspace.status_history]
    assert not any(word in one for one in seen for word in ("evil", "Sam", "approved"))
