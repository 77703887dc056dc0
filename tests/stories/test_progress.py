"""What a person sees of the bot's work before there is an answer, and what they are suggested to ask."""

import pytest

from bot.slack.client import web_client, web_session
from bot.slack.statuses import Statuses
from bot.store.records import ThreadId
from bot.testing.openai import Answer
from tests.world import ANA, SAM, World, buttons, calls, refund_of, shown

DIRECT = "D0ANA"


async def test_session(world: World) -> None:
    """A direct message is a session with its question as title: at work, then waiting for a decision, then neither."""
    async with world.bot():
        world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
        question = await world.says(ANA, "refund ORD-10188, it is broken", DIRECT)
        await world.replies(question, 2)
        key = (DIRECT, question.ts)
        waiting = await world.workspace.until(
            lambda: (now := world.workspace.sessions.get(key)) and now.state == "suspended" and now
        )
        assert waiting.title == "Refund ORD-10188, it is broken"
        card = await world.card(question)
        await world.workspace.click(ANA, DIRECT, card.ts, "cancel_call")
        await world.settled(card)
        await world.workspace.until(lambda: world.workspace.sessions[key].state == "active")
        states = [one.state for one in world.workspace.session_history]
        assert states[:2] == ["processing", "suspended"]


async def test_session_of_two_keys(world: World) -> None:
    """A session waits for a decision until the last one of it: the customer's yes is not the approver's."""
    async with world.bot():
        world.script += [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]
        question = await world.says(ANA, "cancel ORD-10251", DIRECT)
        answer = next(one for one in await world.replies(question, 2) if "Please confirm." in shown(one))
        key = (DIRECT, question.ts)
        await world.workspace.until(lambda: world.workspace.sessions[key].state == "suspended")
        theirs = await world.card(question)
        await world.workspace.click(ANA, DIRECT, theirs.ts, "approve_call")
        card = await world.workspace.until(
            lambda: next((m for m in world.workspace.messages if m.channel == "D0SAM" and buttons(m)), None)
        )
        await world.settled(theirs)
        await world.workspace.click(ANA, DIRECT, answer.ts, "answer_feedback")
        assert "Thank you" in await world.whisper_to(ANA)  # by when a session that was active would be known as such
        assert [one.state for one in world.workspace.session_history] == ["processing", "suspended"]
        await world.workspace.click(SAM, "D0SAM", card.ts, "approve_call")
        await world.workspace.until(lambda: world.workspace.sessions[key].state == "active")


@pytest.mark.parametrize("error", ["feature_disabled", "internal_error"])
async def test_without_sessions(world: World, error: str) -> None:
    """Where Slack has no sessions it is asked for one once, and nobody notices."""
    async with world.bot():
        world.workspace.faults.refuse("agents.sessions.setStatus", error, times=20)
        world.script += [Answer("Hello."), Answer("Again.")]
        question = await world.says(ANA, "hello", DIRECT)
        await world.replies(question)
        await world.workspace.until(lambda: asked(world))
        before = asked(world)
        await world.says(ANA, "and again", DIRECT, thread_ts=question.ts)
        await world.replies(question, 2)
    assert (asked(world) == before) == (error == "feature_disabled")


def asked(world: World) -> int:
    """Count how often Slack was asked for a session."""
    return sum(call.method == "agents.sessions.setStatus" for call in world.workspace.calls)


async def test_prompts(world: World) -> None:
    """Who opens their messages is suggested questions about their own latest orders; who has none, others."""
    async with world.bot():
        await world.workspace.surfaces.open_home(ANA, "messages")
        titles = await world.workspace.until(lambda: world.workspace.prompts.get(DIRECT))
        assert "Where is ORD-10251?" in dict(titles)
        assert dict(titles)["Show my orders"] == "Which orders do I have?"
        await world.workspace.surfaces.open_home(SAM, "messages")
        others = await world.workspace.until(lambda: world.workspace.prompts.get("D0SAM"))
        assert "Talk to a person" in dict(others)


async def test_a_status_is_kept_fresh(world: World) -> None:
    """A status is said again for as long as nothing else happens, and not after what follows it."""
    question = await world.says(ANA, "hello", DIRECT)
    async with web_session() as session:
        client = web_client(world.slack.bot_token, world.slack.url, session)
        statuses = Statuses(client, repeat_seconds=0.01)
        statuses.show(ThreadId("T0ACME", DIRECT, question.ts), "is looking up 1001…")
        history = world.workspace.status_history
        await world.workspace.until(lambda: len(history) >= 3)
        assert {one.status for one in history} == {"is looking up 1001…"}
        await statuses.over(DIRECT, question.ts)
        said = len(history)
        await world.says(ANA, "something else happens", DIRECT)
        await client.auth_test()
        assert len(history) == said
        await statuses.stop()
