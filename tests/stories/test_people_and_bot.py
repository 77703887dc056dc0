"""Answers are rated, people are called with a button, and give the thread back."""

import asyncio

import pytest

from bot.testing.openai import Answer, Failure
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, SAM, TEAM, World, buttons, calls, refund_of, shown, sorted_as


def rating(message: Message) -> dict[str, str]:
    """Find the values of the two buttons below an answer."""
    (block,) = (block for block in message.blocks if block["type"] == "context_actions")
    (element,) = block["elements"]
    return {name: element[f"{name}_button"]["value"] for name in ("positive", "negative")}


async def answered(world: World) -> Message:
    """Play up to an answer."""
    world.script.append(Answer("It is on its way."))
    question = await world.says(ANA, "@bot where is it?")
    (reply,) = await world.replies(question)
    return reply


async def asked_what_was_wrong(world: World, answer: Message) -> Message:
    """Press that an answer did not help, and find what is asked then."""
    value = rating(answer)["negative"]
    await world.workspace.click(ANA, answer.channel, answer.ts, "answer_feedback", value=value)
    return await world.workspace.until(
        lambda: next((m for m in world.workspace.messages if m.ephemeral_for == ANA), None)
    )


async def told(world: World) -> Message:
    """Wait for what the team is told."""
    return await world.workspace.until(lambda: next((m for m in world.workspace.messages if m.channel == TEAM), None))


async def test_helpful(world: World) -> None:
    """A rating is kept with its answer, the last one of each person counts, and one for another's answer is none."""
    async with world.bot():
        answer = await answered(world)
        await world.workspace.click(BEN, answer.channel, answer.ts, "answer_feedback", value=rating(answer)["positive"])
        assert "Thank you" in await world.whisper_to(BEN)
        await world.workspace.click(ANA, answer.channel, answer.ts, "answer_feedback", value="bad:somebody-elses")
        assert "not a conversation of mine" in await world.whisper_to(ANA)
        rows = world.rows("SELECT user, worth FROM ratings")
    assert rows == [{"user": BEN, "worth": "good"}]


@pytest.mark.parametrize("team", [None, {"id": "T0PARTNER", "domain": "partner"}])
async def test_helpful_by_way_of_others(world: World, team: object) -> None:
    """A rating whose envelope names no team, as in an organisation, or a partner's is kept as any other."""
    async with world.bot():
        answer = await answered(world)
        value, forged = rating(answer)["positive"], {"team": team}
        await world.workspace.click(ANA, answer.channel, answer.ts, "answer_feedback", value=value, forged=forged)
        assert "Thank you" in await world.whisper_to(ANA)


async def test_not_helpful(world: World) -> None:
    """Who was not helped is asked one question, alone; what they answer is kept, and thanks stand in its place."""
    async with world.bot():
        answer = await answered(world)
        question = await asked_what_was_wrong(world, answer)
        assert "What was wrong" in shown(question)
        await world.workspace.click(ANA, question.channel, question.ts, "answer_reason:beside")
        rows = await world.workspace.until(lambda: world.rows("SELECT worth, reason FROM ratings WHERE reason NOTNULL"))
        alone = await world.workspace.until(
            lambda: [m for m in world.workspace.messages if m.ephemeral_for and not m.blocks]
        )
    assert [(one.ts, one.text) for one in alone] == [(question.ts, "Thank you for telling me.")]
    assert rows == [{"worth": "bad", "reason": "beside"}]


async def test_a_person_without_a_word(world: World) -> None:
    """Below each answer, and below words about a failure, a button calls a person, who is told what it is about."""
    world.intent = sorted_as("refund", "medium", "ORD-10188", "Wants the money back.")
    async with world.bot():
        world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
        replies = await world.replies(await world.says(ANA, "@bot my ORD-10188 is broken, money back"), 2)
        answer = next(one for one in replies if "I have asked" in shown(one))
        await world.workspace.click(ANA, answer.channel, answer.ts, "talk_to_person")
        card = await told(world)
        assert "Asked for a person with the button" in shown(card)
        assert "Wants the money back." in shown(card)
        assert "stay quiet until I am mentioned" in shown((await world.replies(answer, 3))[2])
        world.script += [Failure(400, "no")]
        (sorry,) = await world.replies(await world.says(BEN, "@bot hello"))
        assert any(block["block_id"].startswith("person:") for block in sorry.blocks)
    assert world.rows("SELECT handed_over_by FROM threads WHERE handed_over_at IS NOT NULL") == [
        {"handed_over_by": ANA}
    ]


async def test_nobody_to_call(world: World) -> None:
    """Where there is nobody to call, nobody is offered."""
    async with world.bot(BOT_ESCALATION_CHANNEL=None):
        answer = await answered(world)
    assert not any(block["type"] == "actions" for block in answer.blocks)


async def test_a_person_and_back(world: World) -> None:
    """The button calls a person once and says so in the thread; the team gives it back, and that is said too."""
    async with world.bot():
        answer = await answered(world)
        question = await asked_what_was_wrong(world, answer)
        await world.workspace.click(ANA, question.channel, question.ts, "talk_to_person")
        card = await told(world)
        assert "A customer needs a person" in shown(card)
        replies = await world.replies(answer, 2)
        assert "stay quiet until I am mentioned" in shown(replies[1])
        await world.workspace.until(lambda: world.workspace.message(question.channel, question.ts) is None)
        assert not [message for message in world.workspace.messages if message.ephemeral_for]
        await world.workspace.click(ANA, answer.channel, answer.ts, "talk_to_person")
        await world.workspace.until(lambda: any("Nobody was called again" in m.text for m in world.workspace.messages))
        assert sum(message.channel == TEAM for message in world.workspace.messages) == 1
        await world.workspace.click(SAM, TEAM, card.ts, "give_thread_back")
        replies = await world.replies(answer, 3)
        assert f"<@{SAM}> gave this conversation back" in shown(replies[2])
        redrawn = await world.workspace.until(
            lambda: (now := world.workspace.message(TEAM, card.ts)) and not buttons(now) and now
        )
        assert f"<@{SAM}> let the bot answer there again" in shown(redrawn)
        world.script.append(Answer("Here I am."))
        await world.says(ANA, "and now?", thread_ts=answer.root_ts)
        assert shown((await world.replies(answer, 4))[3]) == "Here I am."


async def test_given_back_elsewhere(world: World) -> None:
    """Nobody gives a thread back from anywhere but the team's channel, whatever a click names."""
    async with world.bot():
        answer = await answered(world)
        question = await asked_what_was_wrong(world, answer)
        await world.workspace.click(ANA, question.channel, question.ts, "talk_to_person")
        await told(world)
        thread = world.rows("SELECT thread FROM threads")[0]["thread"]
        forged = {"actions": [{"action_id": "give_thread_back", "type": "button", "value": thread, "block_id": "x"}]}
        await world.workspace.click(ANA, answer.channel, answer.ts, "answer_feedback", forged=forged)
        assert world.rows("SELECT 1 FROM threads WHERE handed_over_at IS NULL") == []


async def test_hours(world: World) -> None:
    """A thread that people have had for so many hours is the bot's again."""
    async with world.bot():
        world.script += [calls(("escalate_to_human", {"summary": "A dent."})), Answer("A person will answer.")]
        question = await world.says(ANA, "@bot a person, please")
        (reply,) = await world.replies(question)
        assert "stay quiet until I am mentioned" in shown(reply)
        world.write("UPDATE threads SET handed_over_at = '2020-01-01T00:00:00+00:00'")
    async with world.bot(BOT_HOURS=None):
        assert world.rows("SELECT 1 FROM threads WHERE handed_over_at NOTNULL")
    async with world.bot(BOT_SWEEP_SECONDS=0.01), asyncio.timeout(20):
        while world.rows("SELECT 1 FROM threads WHERE handed_over_at NOTNULL"):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def test_below_another_message(world: World) -> None:
    """In a direct message that goes on below another message, answers are rated and people called where they stand."""
    async with world.bot():
        world.script += [Answer("Hello."), Answer("It is on its way.")]
        first = await world.says(ANA, "hello", "D0ANA")
        await world.replies(first)
        second = await world.says(ANA, "where is it?", "D0ANA")
        (answer,) = await world.replies(second)
        question = await asked_what_was_wrong(world, answer)
        await world.workspace.click(ANA, question.channel, question.ts, "talk_to_person")
        await told(world)
        assert "stay quiet until I am mentioned" in shown((await world.replies(second, 2))[1])
        assert (
            len(world.rows("SELECT thread FROM ratings JOIN threads USING (thread) WHERE handed_over_at NOTNULL")) == 1
        )
